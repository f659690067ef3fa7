"""What challengers are worth: newer rows of the same kind, as many as the champion learnt from and four times as many.

    python benchmarks/new_data.py TABLES [--names adult spambase ...] [--rows 1000] [--draws 4] [--network feed_forward]

TABLES is a folder of Parquet files with a ``catalog.json`` that names each one's target and the columns to leave out. For each
draw a champion learns from so many rows; challengers learn from other rows alone, and from these and the champion's own. Printed
are the verdicts of the gate, how often the training from the champion's weights was kept, the mean gain in the deciding metric on
up to 10,000 rows that nobody learnt from, and of the challengers that were called better how many are so on those rows.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from nervura import backend

LARGER, MOST_JUDGED = 4, 10_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tables", type=Path)
    parser.add_argument("--names", nargs="+", default=["adult", "wine_quality", "california_housing"])
    parser.add_argument("--rows", type=int, default=1_000)
    parser.add_argument("--draws", type=int, default=4)
    parser.add_argument("--network", default="feed_forward")
    given = parser.parse_args()
    backend.choose()
    import nervura
    from nervura import evaluation
    from nervura.baselines import baselines

    # What a run is judged beside is not what is looked at here.
    evaluation.SEEDS, evaluation.LADDERS[None], evaluation.FEWEST_CURVE_ROWS = 1, (), 10**9
    for name in ("catboost", "lightgbm"):
        baselines.load(name).missing = lambda: [("left out", "")]  # type: ignore[method-assign]
    catalog = {one["name"]: one for one in json.loads((given.tables / "catalog.json").read_text())}
    print(
        f"{'data':<20}{'newer rows':<22}{'better':>8}{'even':>8}{'worse':>8}{'warm kept':>11}{'mean gain':>11}{'held':>8}"
    )
    for name in given.names:
        about = catalog[name]
        table = pl.read_parquet(given.tables / f"{name}.parquet").drop([*about.get("drop", []), "split"], strict=False)
        table = table.drop_nulls(about["target"])
        found: dict[str, list[dict[str, Any]]] = {}
        for draw in range(given.draws):
            rows = table[np.random.default_rng(draw).permutation(table.height)]
            own, rest = rows[: given.rows], rows[given.rows :]
            newer = {
                "as many": rest[: given.rows],
                f"{LARGER} times as many": rest[: LARGER * given.rows],
                "as many, with its own": pl.concat([own, rest[: given.rows]]),
            }
            judged = rest[LARGER * given.rows :][:MOST_JUDGED]
            with tempfile.TemporaryDirectory() as folder:
                how = {"target": about["target"], "network": given.network, "seed": draw}
                champion = nervura.train(own, out=f"{folder}/champion", **how)
                before = evaluation.evaluate_on(champion, judged)
                for kind, one in newer.items():
                    run = nervura.train(one, from_run=champion, seed=draw, out=f"{folder}/{len(found)}{kind}")
                    told, metric = run.evaluation["champion"], before["metric"]
                    after = evaluation.evaluate_on(run, judged)
                    gain = before["test"][metric]["value"] - after["test"][metric]["value"]
                    gain /= before["test"][metric]["value"]
                    kept = run.need("run")["starts"]["kept"]
                    found.setdefault(kind, []).append({"verdict": told["verdict"], "kept": kept, "gain": gain})
        for kind, ones in found.items():
            verdicts = Counter(one["verdict"] for one in ones)
            called = [one["gain"] > 0 for one in ones if one["verdict"] == "better"]
            warm = sum(one["kept"] == "warm" for one in ones)
            gain = np.mean([one["gain"] for one in ones])
            counts = "".join(f"{verdicts[verdict]:>8}" for verdict in ("better", "even", "worse"))
            held = f"{sum(called)}/{len(called)}"
            print(f"{name:<20}{kind:<22}{counts}{warm:>8}/{len(ones)}{gain:>11.2%}{held:>8}", flush=True)


if __name__ == "__main__":
    main()
