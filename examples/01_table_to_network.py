"""From a table to a judged network in one call."""

import nervura

if __name__ == "__main__":
    # A file name goes here for a table of your own, and target="COLUMN" beside it.
    run = nervura.train("toy:wine", minutes=1, tell=print)
    print(run)

    print("\nThe first layers, as the Keras model has them:")
    for layer in run.model.layers[:4]:
        print(f"  {layer.name}: {type(layer).__name__}")

    answers = run.predict("toy:wine", keep=["alcohol"])
    print(answers.head(3))
    print("Code that is yours:", run.export("code"))
