"""The deep autoencoder of 2006 on MNIST: squared error of a rebuilt test picture, summed over its pixels from 0 to 1.

    python benchmarks/autoencoder.py MNIST.npz [--networks autoencoder deep_belief] [--epochs 30] [--set NAME=VALUE]

The archive holds x_train and x_test, as Keras has them. Layers of 784-1000-500-250-30 and back; 5,000 training pictures
decide when training stops. Principal components of the same length are fitted to the same pictures. Hinton and
Salakhutdinov, Reducing the Dimensionality of Data with Neural Networks (Science, 2006) have 3.00 and 13.87.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np

import nervura


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("archive")
    parser.add_argument("--networks", nargs="+", default=["autoencoder"])
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--rows", type=int, default=60_000, help="training pictures at most")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE")
    given = parser.parse_args()
    with np.load(given.archive) as arrays:
        learnt, tested = arrays["x_train"][: given.rows], arrays["x_test"]
    more = dict(one.split("=", 1) for one in given.set)
    options = {"hidden": [1000, 500, 250], "latent_dim": 30, "epochs": given.epochs, "schedule": "cosine", **more}
    for network in given.networks:
        began = time.monotonic()
        with tempfile.TemporaryDirectory() as folder:
            run = nervura.train(
                learnt,
                problem="embedding",
                network=network,
                options=options,
                test=tested,
                out=Path(folder) / "run",
                watchers=[
                    lambda seen: print(
                        f"{seen.phase} {seen.epoch}: {seen.loss:.3f} {seen.validation_loss:.3f}", flush=True
                    )
                ],
            )
            evaluation, history = run.evaluation, run.history()
        minutes = (time.monotonic() - began) / 60
        print(f"{network}: {len(history['loss'])} epochs, {sum(history['seconds']) / 60:.1f} of {minutes:.1f} minutes")
        for name, scores in {network: evaluation["test"], **evaluation["baselines"]}.items():
            error = scores["squared_error"]
            print(f"  {name:<22}{error['value']:8.3f}  ({error['low']:.3f} to {error['high']:.3f})", flush=True)


if __name__ == "__main__":
    main()
