"""nervura on pictures beside its peers: test accuracy, minutes and seconds of processor, each in a process of its own.

    python benchmarks/images.py FOLDER [--only mnist fashion_mnist cifar10 flowers] [--peers keras autokeras]
                                [--minutes M] [--out DIR] [--environments DIR]
    python benchmarks/images.py FOLDER --throughput

FOLDER holds ``mnist.npz``, ``fashion_mnist.npz``, ``cifar10.parquet`` and ``flowers.parquet``, each with a split of its own.
Every set has minutes of its own (3, 15, 30 and 10) unless ``--minutes`` gives others; the whole command has to end in
them, baselines, explanation and report included. The peers get as many for their training alone. ``--throughput``
compares pictures a second of a training by nervura, which reads a Parquet file of JPEG, with a bare ``fit`` of the same
model on arrays in memory.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
import venv
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
SETS = {"mnist.npz": 3.0, "fashion_mnist.npz": 15.0, "cifar10.parquet": 30.0, "flowers.parquet": 10.0}
PACKAGES = ["tensorflow-cpu", "autokeras", "pandas", "pyarrow", "pillow"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", nargs="*", default=[Path(name).stem for name in SETS])
    parser.add_argument("--peers", nargs="*", default=[], choices=["keras", "autokeras"])
    parser.add_argument("--minutes", type=float)
    parser.add_argument("--throughput", action="store_true")
    parser.add_argument("--environments", type=Path, default=Path(tempfile.gettempdir()) / "peers")
    parser.add_argument("--out", type=Path, help="where the runs are kept (default: nowhere)")
    given = parser.parse_args()
    if given.throughput:
        throughput(given.folder / "flowers.parquet")
        return
    print("| pictures | model | minutes given | minutes taken | processor s | accuracy |\n|---|---|---|---|---|---|")
    for file, usual in SETS.items():
        if Path(file).stem not in given.only:
            continue
        minutes = given.minutes or usual
        for model in ("nervura", *given.peers):
            result = measured(model, given.folder / file, minutes, given)
            row = [
                f"{minutes:g}",
                f"{result['minutes']:.2f}",
                f"{result['processor']:.0f}",
                f"{result['accuracy']:.4f}",
            ]
            print(f"| {Path(file).stem} | {model} | {' | '.join(row)} |", flush=True)


def measured(model: str, source: Path, minutes: float, given: argparse.Namespace) -> dict[str, float]:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        run = folder if given.out is None else given.out
        if model == "nervura":
            command = [sys.executable, "-m", "nervura", "train", str(source), "--minutes", str(minutes), "--json"]
            told = called([*command, "--out", f"{run}/{source.stem}"])
            accuracy = told["test"]["accuracy"]["value"]
        else:
            python = sys.executable if model == "keras" else environment(given.environments)
            command = [python, str(HERE / "picture_peers.py"), model, str(source), str(60 * minutes)]
            accuracy = called(command)["accuracy"]
    taken = (time.monotonic() - began) / 60
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"minutes": taken, "processor": processor, "accuracy": accuracy}


def called(command: list[str]) -> dict[str, Any]:
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {done.returncode}: {done.stderr[-2000:]}")
    return json.loads(done.stdout.strip().splitlines()[-1])


def environment(folder: Path) -> str:
    """The Python of AutoKeras's own environment, which is made where it is not there yet."""
    python = folder / "autokeras" / "bin" / "python"
    if not python.exists():
        venv.create(python.parent.parent, with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *PACKAGES], check=True)
    return str(python)


def throughput(source: Path) -> None:
    """Pictures a second of the same network: by nervura from a file, and by a bare ``fit`` on arrays in memory."""
    from nervura import backend

    backend.choose()
    import numpy as np

    from nervura import training
    from nervura.dataset import Dataset
    from nervura.designing import design

    epochs, ratios = 3, []
    for turn in range(5):
        dataset = Dataset.open(str(source), "label")
        made = design(dataset.problem, "airbench", dataset.schema, {"epochs": epochs + 1, "patience": 1000})
        began = time.monotonic()
        dataset.arrays("train")
        decoding = time.monotonic() - began
        found = training.fit(made, dataset.arrays("train"), dataset.arrays("validation"))
        ours = found.epoch_seconds
        (x, y), size = dataset.arrays("train"), found.batch_size
        bare = design(dataset.problem, "airbench", dataset.schema, {"epochs": epochs + 1})
        rows = len(y) // size * size
        training.compile_model(bare, rows // size, bare.options)
        bare.network.prepare(bare.model, x)
        target = np.eye(bare.problem.head().units, dtype="float32")[y]
        inputs = {tensor.name: x[tensor.name][:rows] for tensor in bare.tensors}
        bare.learner.fit(inputs, target[:rows], batch_size=size, epochs=1, verbose=0)
        began = time.monotonic()
        bare.learner.fit(inputs, target[:rows], batch_size=size, epochs=epochs, verbose=0)
        theirs = (time.monotonic() - began) / epochs
        ratios.append(theirs / ours)
        print(
            f"{turn}: nervura {rows / ours:.0f} pictures a second, bare fit {rows / theirs:.0f}, "
            f"ratio {ratios[-1]:.2f}; decoding once {decoding:.1f} s",
            flush=True,
        )
    print(f"median ratio {sorted(ratios)[len(ratios) // 2]:.2f}")


if __name__ == "__main__":
    main()
