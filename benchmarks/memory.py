"""The peak of memory and the time of a training on a Parquet file that is larger than comfort.

    python benchmarks/memory.py [--rows 5000000] [--columns 20] [--folder DIR]

Makes the file once (numbers, a few categories, some missing values), trains on it as a command, baselines included, and
prints the peak of resident memory and the time.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=5_000_000)
    parser.add_argument("--columns", type=int, default=20)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()))
    given = parser.parse_args()
    file = given.folder / f"rows-{given.rows}-{given.columns}.parquet"
    if not file.exists():
        make(file, given.rows, given.columns)
    with tempfile.TemporaryDirectory() as out:
        command = [sys.executable, "-m", "nervura", "train", str(file), "--target", "y", "--out", f"{out}/run"]
        command += ["--set", f"epochs={given.epochs}"]
        began = time.monotonic()
        status = subprocess.run(command, stdout=subprocess.DEVNULL).returncode
        seconds = time.monotonic() - began
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024**2
    print(
        f"{given.rows:,} rows x {given.columns} columns, {file.stat().st_size / 1e6:.0f} MB of Parquet, exit {status}"
    )
    print(f"peak {peak:.2f} GiB, {seconds:.0f} s, {given.epochs} epochs")


def make(file: Path, rows: int, columns: int) -> None:
    draws = np.random.default_rng(0)
    writer = None
    for start in range(0, rows, 250_000):
        size = min(250_000, rows - start)
        x = draws.normal(size=(size, columns - 3))
        names = draws.integers(0, 12, size=(size, 2))
        y = np.where(x[:, 0] * x[:, 1] + 0.3 * (names[:, 0] % 3) + draws.normal(size=size) > 0, "yes", "no")
        x[draws.random(x.shape) < 0.02] = np.nan
        table = pa.table(
            {f"x{i}": pa.array(column, from_pandas=True) for i, column in enumerate(x.T)}
            | {f"c{i}": pa.array([f"level {code}" for code in column]) for i, column in enumerate(names.T)}
            | {"y": pa.array(y)}
        )
        writer = writer or pq.ParquetWriter(file, table.schema)
        writer.write_table(table)
    if writer is not None:
        writer.close()


if __name__ == "__main__":
    main()
