"""Forecasts beside the last season again and exponential smoothing, on series whose figures are published or classic.

``python benchmarks/forecasting.py FOLDER [ett|airline|monthly|retail|taylor ...]`` where FOLDER holds the files of series.

ETTh1: all seven columns, standardised by the training part, 12 / 4 / 4 months, windows of 336 hours; the mean squared error
over all test windows, as it is published: DLinear .375 at 96 hours and .439 at 336 (Zeng et al. 2023, Table 2). The others are
split by the rule, a fifth for the test and a fifth of the rest for validation; errors are those of origins that roll.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import polars as pl

import nervura
from nervura.schema import text_table

PUBLISHED = {96: 0.375, 336: 0.439}
LEARNT, DECIDING, JUDGING = 12 * 30 * 24, 4 * 30 * 24, 4 * 30 * 24

MONTHLY = (
    "airline-passengers",
    "monthly-car-sales",
    "monthly-writing-paper-sales",
    "monthly_champagne_sales",
    "monthly-robberies",
    "monthly-mean-temp",
    "monthly-sunspots",
)


def trained(source: Any, target: str | None, **how: Any) -> tuple[nervura.workflow.TrainedRun, float]:
    with tempfile.TemporaryDirectory() as folder:
        began = time.monotonic()
        run = nervura.train(source, target, problem="forecasting", out=Path(folder) / "run", **how)
        seconds = time.monotonic() - began
        run.evaluation_kept = run.evaluation  # type: ignore[attr-defined]
        run.findings_kept = run.need("explanation")["findings"]  # type: ignore[attr-defined]
        return run, seconds


def told(name: str, run: Any, seconds: float) -> dict[str, Any]:
    """One row: the error of each model, which is best on test windows, and how often the interval held the truth."""
    found = run.evaluation_kept
    models = {"linear_window": found["test"], **found["baselines"]}
    coverage = next(one for one in run.findings_kept if one["title"][0].startswith("How often"))
    return {
        "data": name,
        **{model: f"{scores['mase']['value']:.3f}" for model, scores in models.items()},
        "use": found["verdict"]["choice"],
        "deep": found["verdict"]["deep_warranted"],
        "inside": f"{coverage['rows'][0][1]:.3f}",
        "seconds": round(seconds),
    }


def ett(folder: Path) -> None:
    frame = pl.read_parquet(folder / "ETTh1.parquet").head(LEARNT + DECIDING + JUDGING)
    columns = [name for name in frame.columns if name != "date"]
    first = frame.head(LEARNT)
    frame = frame.with_columns((pl.col(c) - first[c].mean()) / first[c].std(ddof=0) for c in columns)
    parts = ["train"] * LEARNT + ["validation"] * DECIDING + ["test"] * JUDGING
    rows = []
    for horizon, published in PUBLISHED.items():
        options = {"horizon": horizon, "window": 336}
        run, seconds = trained(frame.with_columns(split=pl.Series(parts)), None, metric="rmse", options=options)
        found = run.evaluation_kept  # type: ignore[attr-defined]
        models = {"linear_window": found["test"], **found["baselines"]}
        errors = {name: f"{scores['rmse']['value'] ** 2:.4f}" for name, scores in models.items()}
        rows.append({"hours": horizon, **errors, "DLinear, published": published, "seconds": round(seconds)})
        print(run.evaluation_kept["verdict"]["text"], "\n")  # type: ignore[attr-defined]
    print("ETTh1, mean squared error, standardised\n" + text_table(rows) + "\n")


def univariate(folder: Path, names: tuple[str, ...], title: str) -> None:
    rows = []
    for name in names:
        frame = pl.read_csv(folder / f"{name}.csv")
        run, seconds = trained(frame, frame.columns[-1])
        rows.append(told(name, run, seconds))
        print(name, "-", run.evaluation_kept["verdict"]["text"], "\n")  # type: ignore[attr-defined]
    print(f"{title}: mase\n" + text_table(rows) + "\n")


def retail(folder: Path) -> None:
    frame = pl.read_parquet(folder / "tsibbledata_aus_retail.parquet").drop("Series ID")
    run, seconds = trained(frame, "Turnover", time="Month")
    print(run.evaluation_kept["verdict"]["text"], "\n")  # type: ignore[attr-defined]
    print(
        "Australian retail turnover, 152 series by the month: mase\n"
        + text_table([told("retail", run, seconds)])
        + "\n"
    )


def taylor(folder: Path) -> None:
    run, seconds = trained(
        pl.read_parquet(folder / "forecast_taylor.parquet"), "x", options={"season": 48, "window": 672}
    )
    print(run.evaluation_kept["verdict"]["text"], "\n")  # type: ignore[attr-defined]
    print("Half-hourly demand for electricity: mase\n" + text_table([told("taylor", run, seconds)]) + "\n")


def main() -> None:
    folder, asked = Path(sys.argv[1]), sys.argv[2:] or ["ett", "airline", "monthly", "retail", "taylor"]
    for name in asked:
        if name == "ett":
            ett(folder)
        elif name == "airline":
            univariate(folder, MONTHLY[:1], "Airline passengers")
        elif name == "monthly":
            univariate(folder, MONTHLY[1:], "Single monthly series")
        elif name == "retail":
            retail(folder)
        else:
            taylor(folder)


if __name__ == "__main__":
    main()
