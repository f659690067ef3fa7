"""Kills trainings at random moments with SIGKILL, resumes them, and compares the weights with an uninterrupted run's.

    python benchmarks/resume.py [SOURCE --target COL] [--kills 20] [--network tabm]

Epochs are fixed, so that the clock decides nothing. Prints one line a kill and how many of the resumed runs ended with
bit-identical weights.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

# A checkpoint after every epoch instead of every ten seconds, so that kills of a short training meet many of them.
EAGER = "from nervura import keeping; keeping.CHECKPOINT_SECONDS = -1.0; from nervura.__main__ import main; import sys; sys.exit(main())"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", nargs="?", default="toy:digits")
    parser.add_argument("--target")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--network", default="tabm")
    parser.add_argument("--epochs", type=int, default=12)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        whole = Path(folder) / "whole"
        train = [
            given.source,
            "--network",
            given.network,
            "--set",
            f"epochs={given.epochs}",
            "--set",
            "patience=100000",
        ]
        train += ["--target", given.target] if given.target else []
        began = time.monotonic()
        called("train", *train, "--out", str(whole)).wait()
        took, wanted = time.monotonic() - began, weights(whole)
        same = 0
        for kill in range(given.kills):
            run, moment = Path(folder) / f"killed-{kill}", random.Random(kill).uniform(0.05, 0.95) * took
            process = called("train", *train, "--out", str(run))
            time.sleep(moment)
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
            state = "before the run began"
            if (run / "run.json").exists():
                state = "after a checkpoint" if (run / "checkpoint").exists() else "before a checkpoint"
                called("resume", str(run)).wait()
            else:
                called("train", *train, "--out", str(run)).wait()
            equal = all(np.array_equal(a, b) for a, b in zip(wanted, weights(run), strict=True))
            same += equal
            print(
                f"killed after {moment:5.1f} of {took:.1f} s, {state}: {'identical' if equal else 'DIFFERENT'}",
                flush=True,
            )
        print(f"\n{same} of {given.kills} resumed runs ended with identical weights.")


def called(*words: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", EAGER, *words]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def weights(run: Path) -> list[np.ndarray]:
    import nervura

    return nervura.load(run).model.get_weights()


if __name__ == "__main__":
    main()
