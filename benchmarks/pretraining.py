"""What rows without a target gain: a network that learns from them first, beside the same one that does not.

    python benchmarks/pretraining.py TABLES [--names optdigits letter ...] [--labels 500] [--seeds 3] [--network N]
    python benchmarks/pretraining.py --pictures MNIST.npz [--rows 10000] [--labels 500] [--network convolutional]

TABLES is a folder of Parquet files with a ``catalog.json`` that names each one's target and the columns to leave out. Of
each table a fifth, 5,000 rows at most, are test rows; of the others so many keep their target, and the rest lose it.
Printed is the metric that decides, with and without pretraining, as mean and deviation over the seeds.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from nervura import backend

MOST_TEST, MOST_ROWS = 5_000, 30_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tables", nargs="?", type=Path)
    parser.add_argument(
        "--names", nargs="+", default=["optdigits", "pendigits", "letter", "splice", "spambase", "adult"]
    )
    parser.add_argument("--pictures", type=Path)
    parser.add_argument("--rows", type=int, default=10_000, help="of pictures, with and without a label")
    parser.add_argument("--labels", type=int, default=500)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--network")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE")
    given = parser.parse_args()
    backend.choose()
    options = dict(one.split("=", 1) for one in given.set)
    print(f"{'data':<14}{'metric':<10}{'with':>16}{'without':>16}{'seconds':>16}")
    if given.pictures:
        with np.load(given.pictures) as arrays:
            pictures, labels = arrays["x_train"][: given.rows], arrays["y_train"][: given.rows]
            tested, truth = arrays["x_test"], arrays["y_test"]
        shape = pictures.shape[1:]
        frames = [
            pl.DataFrame({"picture": pl.Series(x.reshape(len(x), -1)).reshape((-1, *shape)), "y": y.astype(str)})
            for x, y in ((pictures, labels), (tested, truth))
        ]
        compared(given.pictures.stem, frames[0], frames[1], "y", given, given.network or "convolutional", options)
        return
    catalog = {one["name"]: one for one in _listed(json.loads((given.tables / "catalog.json").read_text()))}
    for name in given.names:
        told = catalog[name]
        frame = pl.read_parquet(given.tables / f"{name}.parquet").drop(told.get("drop") or [], strict=False)
        frame = frame.drop("split", strict=False).drop_nulls(told["target"]).sample(fraction=1.0, shuffle=True, seed=0)
        frame = frame.with_columns(pl.col(told["target"])).head(MOST_ROWS)
        test = min(MOST_TEST, frame.height // 5)
        rows = frame[test:], frame[:test]
        compared(name, *rows, told["target"], given, given.network or "deep_feed_forward", options)


def _listed(catalog: Any) -> list[dict[str, Any]]:
    return catalog if isinstance(catalog, list) else [{"name": name, **one} for name, one in catalog.items()]


def compared(
    name: str,
    learnt: pl.DataFrame,
    tested: pl.DataFrame,
    target: str,
    given: argparse.Namespace,
    network: str,
    options: dict[str, Any],
) -> None:
    """Trains with and without pretraining from each seed and prints a line."""
    from nervura import training
    from nervura.dataset import Dataset
    from nervura.designing import design

    scores: dict[bool, list[float]] = {True: [], False: []}
    seconds = {True: 0.0, False: 0.0}
    for seed in range(given.seeds):
        known = np.zeros(learnt.height, bool)
        known[np.random.default_rng(seed).permutation(learnt.height)[: given.labels]] = True
        masked = learnt.with_columns(pl.when(pl.Series(known)).then(pl.col(target)))
        dataset = Dataset.open(masked, target, test=tested, seed=seed, pretrain=True)
        for pretrain in (True, False):
            made = design(dataset.problem, network, dataset.schema, options, seed, pretrain=pretrain)
            began = time.monotonic()
            rows = dataset.arrays("train"), dataset.arrays("validation")
            training.fit(made, *rows, unlabelled=dataset.unlabelled if pretrain else None)
            seconds[pretrain] += (time.monotonic() - began) / given.seeds
            x = dataset.arrays("test")[0]
            estimates = made.problem.estimates(training.predict(made.model, x))
            found = made.problem.scores(dataset.truth("test"), estimates)
            scores[pretrain].append(found[metric := "accuracy" if "accuracy" in found else "rmse"])
    told = "".join(f"{np.mean(scores[way]):>10.4f} ±{np.std(scores[way]):.3f}" for way in (True, False))
    print(f"{name:<14}{metric:<10}{told}{seconds[True]:>10.0f} {seconds[False]:>5.0f}", flush=True)


if __name__ == "__main__":
    main()
