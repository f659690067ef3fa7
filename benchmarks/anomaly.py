"""Detectors of anomalies on the sets of ADBench, on rows as they are and on what an autoencoder makes of them.

    python benchmarks/anomaly.py DATA_DIR OUT.csv [--seeds 1] [--rows 4000] [--epochs 100] [--peers] [--only NAME ...]
    python benchmarks/anomaly.py OUT.csv --table

Each .npz file of DATA_DIR holds X and y, 1 for an anomaly. Two settings, as in the literature: one_class learns from half
of the normal rows and scores the rest; unsupervised learns from all rows and scores them. Of many rows at most --rows are
learnt from and 1.5 times as many are scored, with all anomalies up to half of that; average precision weighs the rows back.
Single detectors learn from all rows given; nervura as a whole keeps a fifth of them to stop training and to calibrate.
With --peers PyOD's DeepSVDD and AutoEncoder run beside it, as their authors set them; it must then be installed.
"""

from __future__ import annotations

import argparse
import csv
import os
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

for variable in ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
    os.environ.setdefault(variable, "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np  # noqa: E402

import nervura  # noqa: E402
from nervura import oddness  # noqa: E402
from nervura.detectors import detectors  # noqa: E402
from nervura.predicting import outputs  # noqa: E402
from nervura.problems.anomaly import CODE, PANELS, ROWS  # noqa: E402

SETTINGS = ("one_class", "unsupervised")


def parts(X: np.ndarray, y: np.ndarray, setting: str, seed: int, most: int) -> tuple[np.ndarray, ...]:
    """Rows to learn from, rows to score, their labels and weights."""
    draw, scored = np.random.default_rng(seed), most + most // 2
    normal, odd = draw.permutation(np.flatnonzero(y == 0)), draw.permutation(np.flatnonzero(y == 1))
    if setting == "one_class":
        learnt, normal = normal[: len(normal) // 2][:most], normal[len(normal) // 2 :]
    else:
        learnt = draw.permutation(len(y))[:most]
    asked = [normal[: scored // 2 if len(normal) + len(odd) > scored else None], odd[: scored // 2]]
    weights = [
        np.full(len(chosen), len(all_rows) / len(chosen)) for chosen, all_rows in zip(asked, (normal, odd), strict=True)
    ]
    rows = np.concatenate(asked)
    return X[learnt], X[rows], y[rows], np.concatenate(weights)


def scores(
    learnt: np.ndarray, asked: np.ndarray, setting: str, seed: int, epochs: int
) -> Iterator[tuple[str, np.ndarray]]:
    """Every method by name with the scores of the rows that are asked for."""
    mean, deviation = learnt.mean(0), learnt.std(0)
    deviation[deviation < 1e-12] = 1.0
    plain = (learnt - mean) / deviation, (asked - mean) / deviation
    for detector in detectors:
        yield f"{detector.name} of rows", detector.fit(plain[0], seed).score(plain[1])
    names = [f"x{place}" for place in range(learnt.shape[1])]
    for clean in (True, False):
        if clean != (setting == "one_class"):
            continue
        made = nervura.AnomalyDetector(
            options={"epochs": epochs}, clean=clean, kinds=dict.fromkeys(names, "number"), random_state=seed
        ).fit(learnt)
        yield "nervura", -made.score_samples(asked)
        problem = made.problem_
        answered = [outputs(made._network, made.schema_, made._rows(rows)) for rows in (learnt, asked)]
        seen, new = (problem.views(rows) for rows in answered)
        own = [member for member in problem.members if member.view == ROWS]
        yield "panel of rows", oddness.combined(member(new) for member in own)
        for name in (
            "neighbours",
            "sampled_neighbours",
            "isolation_forest",
            "gaussian_mixture",
            "local_outlier_factor",
        ):
            yield f"{name} of code and rest", detectors.load(name).fit(seen[CODE], seed).score(new[CODE])
        length = problem.layout.length
        for name in ("neighbours", "sampled_neighbours", "isolation_forest", "gaussian_mixture"):
            fitted = detectors.load(name).fit(seen[CODE][:, :length], seed)
            yield f"{name} of code", fitted.score(new[CODE][:, :length])
        yield "error of the rebuilt row", problem.layout.errors(answered[1]).sum(1)


def peers(learnt: np.ndarray, asked: np.ndarray, seed: int) -> Iterator[tuple[str, np.ndarray]]:
    from pyod.models.auto_encoder import AutoEncoder
    from pyod.models.deep_svdd import DeepSVDD

    batch = max(1, min(32, len(learnt) - len(learnt) % 2))
    yield (
        "pyod AutoEncoder",
        AutoEncoder(random_state=seed, verbose=0, batch_size=batch).fit(learnt).decision_function(asked),
    )
    svdd = DeepSVDD(learnt.shape[1], random_state=seed, verbose=0, batch_size=batch)
    yield "pyod DeepSVDD", svdd.fit(learnt).decision_function(asked)


def measure(args: argparse.Namespace) -> None:
    from sklearn.metrics import average_precision_score, roc_auc_score

    heads = ["set", "setting", "seed", "method", "roc_auc", "average_precision", "seconds"]
    done = {tuple(row[key] for key in heads[:4]) for row in read(args.out)} if args.out.exists() else set()
    with args.out.open("a", newline="") as file:
        out = csv.writer(file)
        if not done:
            out.writerow(heads)
        for path in sorted(args.data.glob("*.npz"), key=lambda path: path.stat().st_size):
            name = path.stem.partition("_")[2]
            if args.only and name not in args.only:
                continue
            with np.load(path, allow_pickle=True) as kept:
                X, y = kept["X"].astype(np.float64), kept["y"].astype(int)
            for setting in SETTINGS:
                for seed in range(args.seeds):
                    last = "pyod DeepSVDD" if args.peers else "error of the rebuilt row"
                    if (name, setting, str(seed), last) in done:
                        continue
                    learnt, asked, truth, weights = parts(X, y, setting, seed, args.rows)
                    methods = (
                        peers(learnt, asked, seed) if args.peers else scores(learnt, asked, setting, seed, args.epochs)
                    )
                    began = time.process_time()
                    for method, found in methods:
                        found = np.nan_to_num(found, posinf=1e30, neginf=-1e30)
                        area = roc_auc_score(truth, found)
                        precision = average_precision_score(truth, found, sample_weight=weights)
                        taken = time.process_time() - began
                        out.writerow([name, setting, seed, method, f"{area:.4f}", f"{precision:.4f}", f"{taken:.2f}"])
                        began = time.process_time()
                    file.flush()
                    print(name, setting, seed, f"{len(learnt):,} rows", flush=True)


def read(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def table(path: Path) -> None:
    """The mean over sets of each method, best first, as Markdown."""
    found: dict[str, dict[str, dict[str, list[float]]]] = defaultdict(lambda: defaultdict(lambda: defaultdict(list)))
    for row in read(path):
        found[row["method"]][row["setting"]][row["set"]].append(float(row["roc_auc"]))
    means = {
        method: [100 * np.mean([np.mean(seeds) for seeds in of[setting].values()]) for setting in SETTINGS]
        for method, of in found.items()
    }
    print(f"panels: {PANELS}")
    print("| method | one-class | unsupervised | sets |\n| --- | ---: | ---: | ---: |")
    for method, both in sorted(means.items(), key=lambda item: -sum(item[1])):
        sets = min(len(found[method][setting]) for setting in SETTINGS)
        print(f"| {method} | {both[0]:.1f} | {both[1]:.1f} | {sets} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path, nargs="?")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--rows", type=int, default=4_000)
    parser.add_argument("--epochs", type=int, default=100)
    parser.add_argument("--peers", action="store_true")
    parser.add_argument("--table", action="store_true")
    parser.add_argument("--only", nargs="*", default=[])
    args = parser.parse_args()
    table(args.data) if args.table else measure(args)


if __name__ == "__main__":
    main()
