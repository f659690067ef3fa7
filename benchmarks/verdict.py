"""Whether the verdict of one run agrees with repeated cross-validation on the whole table.

    python benchmarks/verdict.py FOLDER [--only NAME ...] [--rows 2000] [--repeats 2] [--folds 5]

``nervura train`` judges ``--rows`` rows of each table. Repeated cross-validation on up to five times as many rows then
tells what is so: the deep network that the run preferred against the best of the others, by the deciding metric, with
the interval of the corrected resampled t-test (Nadeau and Bengio, 2003). A table is decided where that interval, like the
verdict's, lies wholly on one side of what depth must gain to be worth it.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from scipy.stats import t as student

from nervura import backend

backend.choose()

from nervura import training  # noqa: E402
from nervura.baselines import baselines  # noqa: E402
from nervura.dataset import Dataset  # noqa: E402
from nervura.designing import design  # noqa: E402
from nervura.encoding import tensors  # noqa: E402
from nervura.judging import worth  # noqa: E402

LADDER = {"perceptron": ("perceptron", {}), "feed_forward": ("feed_forward", {})}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", nargs="*")
    parser.add_argument("--rows", type=int, default=2_000)
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--folds", type=int, default=5)
    given = parser.parse_args()
    agreed = decided = 0
    print("| table | verdict | cross-validation | deep | other | difference |\n|---|---|---|---|---|---|")
    for entry in json.loads((given.folder / "catalog.json").read_text()):
        if given.only and entry["name"] not in given.only:
            continue
        frame = pl.read_parquet(given.folder / f"{entry['name']}.parquet")
        leave_out = [*entry["drop"], *(["split"] if entry["name"] == "adult" else [])]
        frame = frame.drop(name for name in leave_out if name in frame.columns)
        frame = frame.filter(pl.col(entry["target"]).is_not_null()).sample(fraction=1.0, seed=1, shuffle=True)
        verdict = judged(frame[: given.rows], entry)
        if verdict["depth"] is None:
            continue
        names = verdict["depth"]["deep"], verdict["depth"]["other"]
        difference, half, least = truth(frame[: 5 * given.rows], entry, *names, given.repeats, given.folds)
        found = "yes" if difference + half < 0 else "no" if difference - half > -least else "undecided"
        told = verdict["deep_warranted"]
        print(
            f"| {entry['name']} | {told} | {found} | {names[0]} | {names[1]} | {difference:.4g} ± {half:.2g} |",
            flush=True,
        )
        if "undecided" not in (told, found):
            decided, agreed = decided + 1, agreed + (told == found)
    print(f"\nThe verdict agrees with cross-validation on {agreed} of {decided} tables that both decide.")


def judged(frame: pl.DataFrame, entry: dict[str, Any]) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        frame.write_parquet(f"{folder}/rows.parquet")
        command = [sys.executable, "-m", "nervura", "train", f"{folder}/rows.parquet", "--target", entry["target"]]
        command += ["--problem", "regression"] if entry["task"] == "regression" else []
        done = subprocess.run(
            [*command, "--out", f"{folder}/run", "--json"], capture_output=True, text=True, check=True
        )
        return json.loads(done.stdout)["verdict"]


def truth(
    frame: pl.DataFrame, entry: dict[str, Any], deep: str, other: str, repeats: int, folds: int
) -> tuple[float, float, float]:
    """Mean difference of the deciding metric (deep minus other), half its interval, and what is worth gaining."""
    differences, kept = [], []
    for repeat in range(repeats):
        place = np.random.default_rng(repeat).permutation(frame.height) % folds
        for fold in range(folds):
            with tempfile.TemporaryDirectory() as folder:
                frame.filter(pl.Series(place == fold)).write_parquet(f"{folder}/test.parquet")
                problem = "regression" if entry["task"] == "regression" else None
                rows = frame.filter(pl.Series(place != fold))
                dataset = Dataset.open(
                    rows, entry["target"], problem=problem, test=f"{folder}/test.parquet", seed=repeat
                )
                scores = [score(dataset, name) for name in (deep, other, "constant")]
            differences.append(scores[0] - scores[1])
            kept.append(scores)
    runs = len(differences)
    error = np.std(differences, ddof=1) * np.sqrt(1 / runs + 1 / (folds - 1))
    half = float(student.ppf(0.975, runs - 1) * error)
    of_deep, of_other, constant = np.mean(kept, axis=0)
    return float(np.mean(differences)), half, worth(constant, min(of_deep, of_other), of_other, greater_is_better=False)


def score(dataset: Dataset, name: str) -> float:
    problem, x = dataset.problem, dataset.arrays("test")[0]
    if name in baselines.names():
        rows, y = dataset.arrays("train")
        fitted = baselines.load(name).fit(problem, tensors(dataset.schema), (rows, problem.truth(y)))
        estimates = fitted.estimates(x)
    else:
        depth = {"feed_forward, 2 layers": 2, "feed_forward, 3 layers": 3}.get(name)
        network, options = ("feed_forward", {"layers": depth}) if depth else LADDER.get(name, (name, {}))
        made = design(problem, network, dataset.schema, options, folds=dataset.folds)
        training.fit(made, dataset.arrays("train"), dataset.arrays("validation"), folds=dataset.fold_of_training)
        estimates = problem.estimates(training.predict(made.model, x))
    return problem.scores(dataset.truth("test"), estimates)[problem.metric]


if __name__ == "__main__":
    main()
