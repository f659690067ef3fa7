"""What training with nervura costs beside the bare Keras ``fit`` of the same model on the same arrays.

    python benchmarks/overhead.py [--runs 7] [--rows 20000] [--epochs 30]

Both get the same compile settings, rows, batch size and number of epochs, and are judged after each epoch. Compilation
is left out: the time of the first epoch is not counted. The runs take turns, so that a machine that slows down slows
both; the median of the ratios is the figure to quote.
"""

from __future__ import annotations

import argparse
import time
from statistics import median

import numpy as np
import polars as pl

from nervura import backend

backend.choose()

import keras  # noqa: E402

from nervura import training  # noqa: E402
from nervura.dataset import Dataset  # noqa: E402
from nervura.designing import Design, design  # noqa: E402


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--epochs", type=int, default=30)
    given = parser.parse_args()
    draws = np.random.default_rng(0)
    x = draws.normal(size=(given.rows, 20))
    y = (x[:, 0] * x[:, 1] + np.sin(3 * x[:, 2]) + draws.normal(size=given.rows) > 0).astype(int)
    frame = pl.DataFrame({f"x{i}": column for i, column in enumerate(x.T)} | {"y": y})
    dataset = Dataset.open(frame, "y")
    options = {"epochs": given.epochs, "patience": given.epochs}
    ratios = []
    print("| run | Keras, s | nervura, s | ratio |\n|---|---|---|---|")
    for run in range(given.runs):
        bare = keras_seconds(design(dataset.problem, "deep_feed_forward", dataset.schema, options), dataset)
        ours = nervura_seconds(design(dataset.problem, "deep_feed_forward", dataset.schema, options), dataset)
        ratios.append(ours / bare)
        print(f"| {run + 1} | {bare:.2f} | {ours:.2f} | {ours / bare:.3f} |", flush=True)
    print(f"\nmedian ratio {median(ratios):.3f} on {backend.device()}, {keras.backend.backend()}, {given.rows:,} rows")


def nervura_seconds(made: Design, dataset: Dataset) -> float:
    began = time.monotonic()
    fit = training.fit(made, dataset.arrays("train"), dataset.arrays("validation"))
    ended = time.monotonic()
    first = ended - began - sum(fit.history["seconds"][1:])
    return ended - began - first


class Epochs(keras.callbacks.Callback):
    """Notes when each epoch begins and ends."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds: list[float] = []

    def on_epoch_begin(self, epoch: int, logs: object = None) -> None:
        self.began = time.monotonic()

    def on_epoch_end(self, epoch: int, logs: object = None) -> None:
        self.seconds.append(time.monotonic() - self.began)


def keras_seconds(made: Design, dataset: Dataset) -> float:
    x, y = dataset.arrays("train")
    made.network.prepare(made.model, x)
    size = training.batch_size_for(len(y))
    training.compile_model(made, len(y) // size)
    epochs = Epochs()
    made.learner.fit(
        x,
        y,
        batch_size=size,
        epochs=made.options.epochs,
        validation_data=dataset.arrays("validation"),
        validation_batch_size=8_192,
        verbose=0,
        callbacks=[epochs],
    )
    return sum(epochs.seconds[1:])


if __name__ == "__main__":
    main()
