"""The steps that ``nervura.train`` takes, one at a time, each with what it found."""

from nervura import judging, training
from nervura.dataset import Dataset
from nervura.designing import design
from nervura.evaluation import evaluate
from nervura.run import Run, next_directory

if __name__ == "__main__":
    # Data: what each column means, and which rows judge.
    dataset = Dataset.open("toy:iris", seed=0)
    print(dataset.schema, "\n")
    print(f"Split: {dataset.split.method}: {dataset.split.counts()}\n")

    # Problem: what is asked, and why the other problems declined.
    print(f"Problem: {dataset.problem.name}, because {dataset.detection.reason}")
    for name, reason in dataset.detection.declined.items():
        print(f"  not {name}: {reason}")

    # Network: a Keras model, sized by rule unless told otherwise.
    made = design(dataset.problem, "feed_forward", dataset.schema, {"epochs": 60})
    print(f"\n{made}\n")

    # Error signal and weights.
    fit = training.fit(made, dataset.arrays("train"), dataset.arrays("validation"))
    print(f"{len(fit.history['loss'])} epochs, best {fit.best_epoch}, stopped by {fit.stopped}")
    for name, values in fit.history.items():
        if name.startswith("gradient/"):
            print(f"  {name}: {values[0]:.3g} in the first epoch, {values[-1]:.3g} in the last")

    # Judgement on rows that the network has not seen, with intervals ...
    estimates = dataset.problem.estimates(training.predict(made.model, dataset.arrays("test")[0]))
    for metric, score in judging.intervals(dataset.problem, dataset.truth("test"), [estimates]).items():
        print(f"  {metric}: {score['value']:.3f} ({score['low']:.3f} to {score['high']:.3f})")

    # ... and beside the baselines.
    run = Run.create(next_directory("runs", "iris", "step_by_step"))
    print("\n" + evaluate(run, dataset, made, fit.seconds)["verdict"]["text"])
