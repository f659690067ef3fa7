"""How well ``nervura train --minutes M`` keeps its time budget, from the start of the process to its end.

    python benchmarks/budgets.py FOLDER [--budgets 20] [--least 0.2] [--most 5] [--rows 5000] [--only NAME ...]

Budgets are spread evenly in their logarithm, and go to the tables of FOLDER (see tables.py) in turn. A budget is kept
where the run ends within 5 % of it or 5 seconds, whichever is more; what is over and what is left unused is printed.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import polars as pl

TABLES = ["adult", "abalone", "letter", "titanic", "ames_housing", "mushroom", "wine_quality", "credit_g"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--budgets", type=int, default=20)
    parser.add_argument("--least", type=float, default=0.2)
    parser.add_argument("--most", type=float, default=5.0)
    parser.add_argument("--rows", type=int, default=5_000)
    parser.add_argument("--only", nargs="*", default=TABLES)
    given = parser.parse_args()
    catalog = {entry["name"]: entry for entry in json.loads((given.folder / "catalog.json").read_text())}
    kept = 0
    print("| table | minutes | seconds asked | seconds taken | kept | load before |\n|---|---|---|---|---|---|")
    for number, minutes in enumerate(np.geomspace(given.least, given.most, given.budgets)):
        entry = catalog[given.only[number % len(given.only)]]
        load = os.getloadavg()[0]
        asked, taken = 60 * minutes, seconds(given.folder, entry, given.rows, minutes)
        good = abs(taken - asked) <= max(5.0, 0.05 * asked)
        kept += good
        word = "yes" if good else "over" if taken > asked else "left unused"
        print(f"| {entry['name']} | {minutes:.2f} | {asked:.1f} | {taken:.1f} | {word} | {load:.1f} |", flush=True)
    print(f"\n{kept} of {given.budgets} budgets were kept.")


def seconds(folder: Path, entry: dict[str, str], rows: int, minutes: float) -> float:
    frame = pl.read_parquet(folder / f"{entry['name']}.parquet")
    frame = frame.drop(name for name in entry["drop"] if name in frame.columns)
    frame = frame.sample(min(rows, frame.height), seed=1, shuffle=True)
    with tempfile.TemporaryDirectory() as made:
        frame.write_parquet(f"{made}/rows.parquet")
        command = [sys.executable, "-m", "nervura", "train", f"{made}/rows.parquet", "--target", entry["target"]]
        command += ["--minutes", f"{minutes:.4f}", "--out", f"{made}/run"]
        began = time.monotonic()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return time.monotonic() - began


if __name__ == "__main__":
    main()
