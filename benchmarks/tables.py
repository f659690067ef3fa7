"""nervura beside its peers on the same test rows of many tables.

    python benchmarks/tables.py FOLDER [--only NAME ...] [--rows 5000] [--seeds 1] [--models nervura linear ...]
                                       [--minutes M] [--environments DIR] [--out DIR]

FOLDER holds ``<name>.parquet`` files and a ``catalog.json`` (name, task, target, drop). Every table is cut to ``--rows``
rows, of which a fifth is the test set. ``nervura train`` runs as a command, given nothing but the target (and the kind
of problem, where the catalogue's task is another than the one found out); ``nervura-minutes`` also gets ``--minutes``.
Each peer learns from the same training rows in a process of its own (peers.py). Those of PyTabKit and AutoGluon run in
environments of their own, which are made under ``--environments`` when they are asked for.

Writes results.parquet, results.md and two pictures to ``--out``, and prints the table: log loss, or the root mean
squared error in units of the target's standard deviation; CPU seconds are those of the whole process.
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

import numpy as np
import polars as pl

HERE = Path(__file__).parent
OWN_ENVIRONMENT = {"RealMLP_TD": "pytabkit", "TabM_D": "pytabkit", "XGB_D": "pytabkit", "autogluon": "autogluon"}
PACKAGES = {
    "pytabkit": ["torch==2.13.0", "pytabkit[models]", "pandas", "pyarrow"],
    "autogluon": ["torch==2.13.0", "autogluon.tabular[lightgbm,catboost,xgboost,fastai]", "pyarrow"],
}
MODELS = ["nervura", "linear", "mlp", "boosting", "lightgbm", "catboost"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", nargs="*")
    parser.add_argument("--rows", type=int, default=5_000)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--models", nargs="*", default=MODELS)
    parser.add_argument("--minutes", type=float, default=5.0, help="of nervura-minutes and autogluon")
    parser.add_argument("--environments", type=Path, default=Path(tempfile.gettempdir()) / "peers")
    parser.add_argument("--out", type=Path, default=Path("benchmark-tables"))
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    catalog = json.loads((given.folder / "catalog.json").read_text())
    results: list[dict[str, Any]] = []
    for entry in catalog:
        if given.only and entry["name"] not in given.only:
            continue
        for seed in range(given.seeds):
            for result in measure(given, entry, seed):
                print(json.dumps(result), flush=True)
                results.append(result)
            # Kept after each table, so that a run that is cut off has not been in vain.
            pl.DataFrame(results, infer_schema_length=None).write_parquet(given.out / "results.parquet")
    frame = pl.DataFrame(results, infer_schema_length=None)
    text = summary(frame)
    (given.out / "results.md").write_text(text + "\n")
    draw(frame, given.out)
    print(text)


def measure(given: argparse.Namespace, entry: dict[str, Any], seed: int) -> list[dict[str, Any]]:
    target, task = entry["target"], entry["task"]
    frame = pl.read_parquet(given.folder / f"{entry['name']}.parquet")
    leave_out = [*entry["drop"], *(["split"] if entry["name"] == "adult" else [])]
    frame = frame.drop(name for name in leave_out if name in frame.columns).filter(pl.col(target).is_not_null())
    frame = frame.sample(min(given.rows, frame.height), seed=seed + 1, shuffle=True)
    cut = frame.height * 4 // 5
    train, test = frame[:cut], frame[cut:]
    if task == "classification":
        test = test.filter(pl.col(target).is_in(train[target].unique().to_list()))
    results = []
    with tempfile.TemporaryDirectory() as temporary:
        files = [Path(temporary) / "train.parquet", Path(temporary) / "test.parquet"]
        train.write_parquet(files[0])
        test.write_parquet(files[1])
        unit = float(test[target].cast(pl.Float64).std() or 1.0) if task == "regression" else 1.0  # type: ignore[arg-type]
        for model in given.models:
            before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
            if model.startswith("nervura"):
                minutes = given.minutes if model == "nervura-minutes" else None
                told = nervura(files, target, task, Path(temporary) / model, minutes, unit)
            else:
                told = peer(model, files, target, task, given)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
            seconds = {"seconds": round(time.monotonic() - began, 1), "cpu_seconds": round(cpu, 1)}
            results.append({"table": entry["name"], "task": task, "seed": seed, "model": model, **told, **seconds})
    return results


def nervura(files: list[Path], target: str, task: str, out: Path, minutes: float | None, unit: float) -> dict[str, Any]:
    command = [sys.executable, "-m", "nervura", "train", str(files[0]), "--target", target]
    command += ["--test", str(files[1]), "--out", str(out), "--json"]
    command += ["--problem", "regression"] if task == "regression" else []
    command += ["--minutes", str(minutes)] if minutes else []
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        return {"score": None, "error": done.stderr[-300:]}
    evaluation = json.loads(done.stdout)
    held = evaluation["coverage"] or {}
    return {
        "score": evaluation["test"][evaluation["metric"]]["value"] / unit,
        "ece": evaluation["diagnostics"].get("expected_calibration_error"),
        "coverage": held.get("coverage"),
        "verdict": evaluation["verdict"]["deep_warranted"],
    }


def peer(model: str, files: list[Path], target: str, task: str, given: argparse.Namespace) -> dict[str, Any]:
    python = environment(OWN_ENVIRONMENT[model], given.environments) if model in OWN_ENVIRONMENT else sys.executable
    command = [str(python), str(HERE / "peers.py"), model, *map(str, files), target, task, str(60 * given.minutes)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        return {"score": None, "error": done.stderr[-300:]}
    return json.loads(done.stdout.splitlines()[-1])


def environment(name: str, folder: Path) -> Path:
    """The Python of a peer's own environment, made when it is first asked for."""
    python = folder / name / "bin" / "python"
    if not (folder / name / "made").exists():
        venv.create(folder / name, with_pip=True)
        for package in PACKAGES[name]:
            subprocess.run([python, "-m", "pip", "install", "--quiet", package], check=True)
        (folder / name / "made").touch()
    return python


def ranked(frame: pl.DataFrame) -> pl.DataFrame:
    """The rows of tables on which every model has a score, with ``rank``: 1 for the best, ties shared."""
    models = frame["model"].n_unique()
    scored = frame.filter(pl.col("score").is_not_null())
    whole = scored.filter(pl.len().over("table", "seed") == models)
    return whole.with_columns(rank=pl.col("score").rank().over("table", "seed"))


def summary(frame: pl.DataFrame) -> str:
    """Mean rank, mean scores and times, as Markdown."""
    rows = ranked(frame)
    classes, values = pl.col("task") == "classification", pl.col("task") == "regression"
    told = rows.group_by("model").agg(
        pl.col("rank").mean(),
        pl.col("score").filter(classes).mean().alias("log_loss"),
        pl.col("score").filter(values).mean().alias("rmse"),
        (pl.col("ece").mean() if "ece" in rows.columns else pl.lit(None)).alias("ece"),
        pl.col("cpu_seconds").median(),
        pl.col("seconds").median().alias("median"),
        pl.col("seconds").max().alias("longest"),
    )
    lines = [
        "| model | mean rank | log loss | rmse / deviation | calibration error | CPU s | wall s | longest s |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for row in told.sort("rank").to_dicts():
        figures = [f"{row[k]:.4f}" if row[k] is not None else "–" for k in ("log_loss", "rmse", "ece")]
        times = [f"{row[k]:.0f}" for k in ("cpu_seconds", "median", "longest")]
        lines.append(f"| {row['model']} | {row['rank']:.2f} | {' | '.join([*figures, *times])} |")
    failed = frame.filter(pl.col("score").is_null())
    lines += ["", f"{rows.select('table', 'seed').unique().height} splits of {rows['table'].n_unique()} tables."]
    lines += [f"Without a score: {row['model']} on {row['table']}." for row in failed.to_dicts()]
    if "coverage" in rows.columns:
        held = rows["coverage"].drop_nulls()
        if len(held):
            lines.append(
                f"Intervals and sets asked to hold 90 % of the truths held {held.mean():.1%} (mean over splits)."
            )
    return "\n".join(lines)


def draw(frame: pl.DataFrame, out: Path) -> None:
    """ranks.png, the mean ranks with their standard errors, and time.png, rank against CPU seconds."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    told = (
        ranked(frame)
        .group_by("model")
        .agg(
            pl.col("rank").mean().alias("mean"),
            pl.col("rank").std().alias("spread"),
            pl.len(),
            pl.col("cpu_seconds").median(),
        )
        .sort("mean", descending=True)
    )
    names, mean = told["model"].to_list(), told["mean"].to_numpy()
    error = told["spread"].fill_null(0).to_numpy() / np.sqrt(told["len"].to_numpy())
    colours = ["#1b7f5c" if name.startswith("nervura") else "#8a8f98" for name in names]
    figure, axes = plt.subplots(figsize=(7, 0.45 * len(names) + 1.2), layout="constrained")
    axes.barh(names, mean, xerr=error, color=colours)
    axes.set_xlabel("mean rank (1 is best)")
    figure.savefig(out / "ranks.png", dpi=120)
    figure, axes = plt.subplots(figsize=(7, 4.5), layout="constrained")
    axes.scatter(told["cpu_seconds"], mean, c=colours)
    for name, seconds, rank in zip(names, told["cpu_seconds"], mean, strict=True):
        axes.annotate(name, (seconds, rank), xytext=(5, 4), textcoords="offset points")
    axes.set_xscale("log")
    axes.invert_yaxis()
    axes.set_xlabel("CPU seconds a table (median)")
    axes.set_ylabel("mean rank (1 is best)")
    figure.savefig(out / "time.png", dpi=120)


if __name__ == "__main__":
    main()
