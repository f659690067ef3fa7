"""Networks of series and texts beside the methods to beat, on the same test rows.

    python benchmarks/sequences.py series FOLDER [--only NAME ...] [--networks minirocket ...] [--environment DIR] [--no-peers]
    python benchmarks/sequences.py text FOLDER [--only NAME ...] [--networks bag_of_words ...]
    python benchmarks/sequences.py adding [--steps 50] [--rows 4000] [--epochs 30]
    python benchmarks/sequences.py mnist FILE.npz [--side 14] [--rows 5000] [--epochs 5]

``series``: FOLDER holds ``<name>.npz`` with x_train, y_train, x_test and y_test. Beside nervura's networks stand one nearest
neighbour under dynamic time warping (no window) and MiniRocket with the ridge classifier, both by aeon, in an environment
that is made under ``--environment``. Of each the share of test rows that it names rightly.

``text``: FOLDER holds 20newsgroups.parquet (split, label, text; headers are removed, and the split is kept) or
sms_spam.parquet (label, text; a fifth is the test, drawn with seed 0). Beside them stand TF-IDF and logistic regression by
scikit-learn, the strength and whether pairs of words count chosen by three folds of the training rows.

``adding``: of a series of ``--steps`` numbers two are marked; their sum is asked (Hochreiter and Schmidhuber, 1997).
Always answering 1 has a mean squared error of 0.167. ``mnist``: pictures as series of their pixels, one at a time, shrunk
to ``--side`` pixels a side; 28 is sequential MNIST.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
import venv
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from nervura import training
from nervura.dataset import Dataset
from nervura.designing import design

PACKAGES = ["aeon>=1.0"]
PEERS = """
import json, sys, time
import numpy as np
from aeon.classification.convolution_based import MiniRocketClassifier
from aeon.classification.distance_based import KNeighborsTimeSeriesClassifier
for file in sys.argv[1:]:
    kept = np.load(file)
    x, y, test, truth = (kept[name] for name in ("x_train", "y_train", "x_test", "y_test"))
    # Neither takes missing values: gaps and ends stand still.
    def filled(rows):
        rows = rows.astype(np.float64)
        for row in rows:
            known = np.flatnonzero(np.isfinite(row))
            row[:] = np.interp(np.arange(len(row)), known, row[known])
        return rows[:, None]
    told = {"set": file}
    for name, model in (("minirocket_aeon", MiniRocketClassifier(random_state=0)),
                        ("dtw", KNeighborsTimeSeriesClassifier(distance="dtw"))):
        began = time.process_time()
        model.fit(filled(x), y)
        told[name] = float((model.predict(filled(test)) == truth).mean())
        told[name + "_seconds"] = time.process_time() - began
    print(json.dumps(told), flush=True)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    kinds = parser.add_subparsers(dest="kind", required=True)
    series = kinds.add_parser("series")
    series.add_argument("folder", type=Path)
    series.add_argument("--only", nargs="*")
    series.add_argument("--networks", nargs="*", default=["minirocket"])
    series.add_argument("--environment", type=Path, default=Path(tempfile.gettempdir()) / "peers" / "aeon")
    series.add_argument("--no-peers", action="store_true")
    text = kinds.add_parser("text")
    text.add_argument("folder", type=Path)
    text.add_argument("--only", nargs="*", default=["sms_spam", "20newsgroups"])
    text.add_argument("--networks", nargs="*", default=["bag_of_words"])
    adding = kinds.add_parser("adding")
    adding.add_argument("--steps", type=int, default=50)
    adding.add_argument("--rows", type=int, default=4_000)
    adding.add_argument("--epochs", type=int, default=30)
    mnist = kinds.add_parser("mnist")
    mnist.add_argument("file", type=Path)
    mnist.add_argument("--side", type=int, default=14)
    mnist.add_argument("--rows", type=int, default=5_000)
    mnist.add_argument("--epochs", type=int, default=5)
    for one in (adding, mnist):
        one.add_argument("--networks", nargs="*", default=["recurrent", "lstm", "gru"])
    given = parser.parse_args()
    {"series": of_series, "text": of_text, "adding": of_adding, "mnist": of_mnist}[given.kind](given)


def of_series(given: argparse.Namespace) -> None:
    files = [file for file in sorted(given.folder.glob("*.npz")) if not given.only or file.stem in given.only]
    rows = []
    for file in files:
        row: dict[str, Any] = {"set": file.stem}
        for network in given.networks:
            row[network], _, row[f"{network}_seconds"] = trained(Dataset.open(file), network, {})
        print(json.dumps(row), flush=True)
        rows.append(row)
    if not given.no_peers:
        python = environment(given.environment)
        command = [str(python), "-c", PEERS, *map(str, files)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as peers:
            for line in peers.stdout or ():
                print(line, end="", flush=True)
                told = json.loads(line)
                next(row for row in rows if row["set"] == Path(told.pop("set")).stem).update(told)
    show(rows)


def of_text(given: argparse.Namespace) -> None:
    rows = []
    for name in given.only:
        frame = pl.read_parquet(given.folder / f"{name}.parquet")
        if "split" in frame.columns:
            text = pl.col("text").str.replace(r"(?s)^.*?\n\n", "")
            learnt, test = (
                frame.filter(pl.col("split") == part).select("label", text.alias("text")) for part in ("train", "test")
            )
        else:
            order = np.random.default_rng(0).permutation(frame.height)
            test, learnt = (
                frame[part].select("label", "text") for part in np.split(order, [round(0.2 * frame.height)])
            )
        row: dict[str, Any] = {"set": name}
        dataset = Dataset.open(learnt, "label", test=test, kinds={"text": "document"})
        for network in given.networks:
            row[network], row[f"{network}_log_loss"], row[f"{network}_seconds"] = trained(dataset, network, {})
            print(json.dumps(row), flush=True)
        row |= tuned_linear(learnt, test)
        print(json.dumps(row), flush=True)
        rows.append(row)
    show(rows)


def tuned_linear(learnt: pl.DataFrame, test: pl.DataFrame) -> dict[str, float]:
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import log_loss
    from sklearn.model_selection import GridSearchCV
    from sklearn.pipeline import make_pipeline

    began = time.process_time()
    model = make_pipeline(TfidfVectorizer(sublinear_tf=True, min_df=2), LogisticRegression(max_iter=100))
    grid = {"tfidfvectorizer__ngram_range": [(1, 1), (1, 2)], "logisticregression__C": [10.0, 100.0]}
    search = GridSearchCV(model, grid, cv=3, scoring="neg_log_loss")
    search.fit(learnt["text"].to_list(), learnt["label"].to_list())
    shares, truth = search.predict_proba(test["text"].to_list()), test["label"].to_numpy()
    return {
        "tfidf_linear": float((search.classes_[shares.argmax(1)] == truth).mean()),
        "tfidf_linear_log_loss": float(log_loss(truth, shares, labels=search.classes_)),
        "tfidf_linear_seconds": time.process_time() - began,
    }


def of_adding(given: argparse.Namespace) -> None:
    draw = np.random.default_rng(0)
    count = given.rows + 1_000
    x = np.zeros((count, given.steps, 2))
    x[..., 0] = draw.uniform(size=(count, given.steps))
    halves = draw.integers(0, given.steps // 2, (count, 2)) + [0, given.steps // 2]
    x[np.arange(count)[:, None], halves, 1] = 1
    y = (x[..., 0] * x[..., 1]).sum(1)
    # Below zero somewhere: brightness never is, so that these are no pictures.
    x[..., 1] -= 0.5
    rows = []
    for network in given.networks:
        dataset = Dataset.open((x[:-1_000], y[:-1_000]), problem="regression", test=(x[-1_000:], y[-1_000:]))
        options = {"epochs": given.epochs, "patch": 1, "bidirectional": "no", "readout": "last", "dropout": 0}
        error, _, seconds = trained(dataset, network, options)
        rows.append({"network": network, "squared_error": error, "seconds": seconds})
        print(json.dumps(rows[-1]), flush=True)
    show(rows)


def of_mnist(given: argparse.Namespace) -> None:
    with np.load(given.file) as kept:
        parts = {name: kept[name] for name in ("x_train", "y_train", "x_test", "y_test")}

    def pixels(pictures: np.ndarray) -> np.ndarray:
        side = pictures.shape[1] // given.side * given.side
        times = side // given.side
        small = pictures[:, :side, :side].reshape(len(pictures), given.side, times, given.side, times).mean((2, 4))
        return small.reshape(len(small), -1, 1) / 127.5 - 1

    rows = []
    learnt = pixels(parts["x_train"][: given.rows]), parts["y_train"][: given.rows]
    test = pixels(parts["x_test"][:2_000]), parts["y_test"][:2_000]
    for network in given.networks:
        dataset = Dataset.open(learnt, problem="multiclass", test=test)
        options = {"epochs": given.epochs, "patch": 1, "bidirectional": "no", "readout": "last", "dropout": 0}
        accuracy, _, seconds = trained(dataset, network, options)
        rows.append({"network": network, "accuracy": accuracy, "seconds": seconds})
        print(json.dumps(rows[-1]), flush=True)
    show(rows)


def trained(dataset: Dataset, network: str, options: dict[str, Any]) -> tuple[float, float, float]:
    """Accuracy (of values the mean squared error), log loss and CPU seconds of one network on the test rows."""
    began = time.process_time()
    made = design(dataset.problem, network, dataset.schema, options, 0, dataset.folds)
    training.fit(made, dataset.arrays("train"), dataset.arrays("validation"), folds=dataset.fold_of_training)
    x, truth = dataset.arrays("test")[0], dataset.truth("test")
    estimates = made.problem.estimates(training.predict(made.model, x))
    seconds = time.process_time() - began
    if dataset.problem.supervised_by == "regressor":
        return float(np.square(estimates - truth).mean()), 0.0, seconds
    named = estimates.argmax(1)
    return float((named == truth).mean()), dataset.problem.scores(truth, estimates)["log_loss"], seconds


def environment(folder: Path) -> Path:
    """The Python of an environment with aeon, made when it is not there."""
    python = folder / "bin" / "python"
    if not python.exists():
        venv.create(folder, with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *PACKAGES], check=True)
    return python


def show(rows: list[dict[str, Any]]) -> None:
    frame = pl.DataFrame(rows)
    numbers = frame.select(pl.selectors.numeric().mean())
    with pl.Config(tbl_rows=-1, tbl_cols=-1, float_precision=4, tbl_width_chars=200):
        print(frame)
        print("mean", numbers)


if __name__ == "__main__":
    sys.exit(main())
