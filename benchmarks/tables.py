"""The default network beside scikit-learn's models, on the same test rows of many tables.

    python benchmarks/tables.py FOLDER [--only NAME ...] [--rows 5000] [--out results.parquet]

FOLDER holds ``<name>.parquet`` files and a ``catalog.json`` (name, task, target, drop). Every table is cut to ``--rows``
rows, of which a fifth is the test set. ``nervura train`` runs as a command, given nothing but the target (and the kind
of problem, where the catalogue's task is another than the one found out); its peers learn from the same training rows.
It prints a Markdown table: log loss, or the root mean squared error in units of the target's standard deviation.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from sklearn.compose import ColumnTransformer, make_column_selector
from sklearn.exceptions import ConvergenceWarning
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import log_loss, root_mean_squared_error
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", nargs="*")
    parser.add_argument("--rows", type=int, default=5_000)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    catalog = json.loads((given.folder / "catalog.json").read_text())
    results = []
    for entry in catalog:
        if given.only and entry["name"] not in given.only:
            continue
        result = measure(given.folder, entry, given.rows)
        print(json.dumps(result), flush=True)
        results.append(result)
    frame = pl.DataFrame(results)
    if given.out:
        frame.write_parquet(given.out)
    print(summary(frame))


def measure(folder: Path, entry: dict[str, Any], rows: int) -> dict[str, Any]:
    target, values = entry["target"], entry["task"] == "regression"
    frame = pl.read_parquet(folder / f"{entry['name']}.parquet")
    leave_out = [*entry["drop"], *(["split"] if entry["name"] == "adult" else [])]
    frame = frame.drop(name for name in leave_out if name in frame.columns).filter(pl.col(target).is_not_null())
    frame = frame.sample(min(rows, frame.height), seed=1, shuffle=True)
    cut = frame.height * 4 // 5
    train, test = frame[:cut], frame[cut:]
    if not values:
        test = test.filter(pl.col(target).is_in(train[target].unique().to_list()))
    result: dict[str, Any] = {"table": entry["name"], "task": entry["task"], "rows": frame.height}
    with tempfile.TemporaryDirectory() as temporary:
        place = Path(temporary)
        train.write_parquet(place / "train.parquet")
        test.write_parquet(place / "test.parquet")
        command = [sys.executable, "-m", "nervura", "train", str(place / "train.parquet"), "--target", target]
        command += ["--test", str(place / "test.parquet"), "--out", str(place / "run"), "--json"]
        if values:
            command += ["--problem", "regression"]
        began = time.monotonic()
        done = subprocess.run(command, capture_output=True, text=True)
        result["seconds"] = round(time.monotonic() - began, 1)
        if done.returncode:
            raise SystemExit(f"{entry['name']}: {done.stderr}")
        evaluation = json.loads(done.stdout)
        metric = evaluation["metric"]
        unit = float(test[target].cast(pl.Float64).std() or 1) if values else 1.0  # type: ignore[arg-type]
        result["nervura"] = evaluation["test"][metric]["value"] / unit
        result["boosting"] = evaluation["baselines"]["boosting"][metric]["value"] / unit
        result["verdict"] = evaluation["verdict"]["deep_warranted"]
    for name, model in peers(values):
        result[name] = score(model, train, test, target, values, unit)
    return result


def peers(values: bool) -> list[tuple[str, Any]]:
    """Scikit-learn's linear model and network, with the usual preparation."""
    if values:
        return [("linear", Ridge()), ("mlp", MLPRegressor(random_state=0))]
    return [("linear", LogisticRegression(max_iter=1_000)), ("mlp", MLPClassifier(random_state=0))]


def score(model: Any, train: pl.DataFrame, test: pl.DataFrame, target: str, values: bool, unit: float) -> float:
    preparation = ColumnTransformer(
        [
            (
                "numbers",
                make_pipeline(SimpleImputer(add_indicator=True), StandardScaler()),
                make_column_selector(dtype_include="number"),
            ),
            (
                "names",
                OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=2, sparse_output=False),
                make_column_selector(dtype_exclude="number"),
            ),
        ]
    )
    x, z = (part.drop(target).with_columns(pl.col(pl.Boolean).cast(pl.Int8)).to_pandas() for part in (train, test))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("ignore", ConvergenceWarning)
        x, z = preparation.fit_transform(x), preparation.transform(z)
        if values:
            y = train[target].cast(pl.Float64).to_numpy()
            model.fit(x, (y - y.mean()) / y.std())
            return float(
                root_mean_squared_error(test[target].cast(pl.Float64).to_numpy(), model.predict(z) * y.std() + y.mean())
                / unit
            )
        model.fit(x, train[target].cast(pl.String).to_numpy())
        shares = np.clip(model.predict_proba(z), 1e-7, 1 - 1e-7)
        return float(log_loss(test[target].cast(pl.String).to_numpy(), shares, labels=model.classes_))


def summary(frame: pl.DataFrame) -> str:
    """Mean rank, mean score and time, as a Markdown table."""
    names = ["nervura", "linear", "mlp", "boosting"]
    scores = frame.select(names)
    ranks = scores.transpose().select(pl.all().rank()).transpose(column_names=names)
    lines = ["| model | mean rank | mean score, classes | mean score, values |", "|---|---|---|---|"]
    for name in names:
        of_classes = frame.filter(pl.col("task") == "classification")[name].mean()
        of_values = frame.filter(pl.col("task") == "regression")[name].mean()
        lines.append(f"| {name} | {ranks[name].mean():.2f} | {of_classes or 0:.4f} | {of_values or 0:.4f} |")
    lines.append("")
    lines.append(
        f"{frame.height} tables; nervura took {frame['seconds'].median():.0f} s (median), at most {frame['seconds'].max():.0f} s a table."
    )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
