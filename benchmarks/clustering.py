"""Groups of rows beside other methods, on batteries of sets with reference groups and on pictures.

    python benchmarks/clustering.py tables DATA_DIR OUT.csv [--rows 2000] [--part 0 --parts 1]
    python benchmarks/clustering.py pictures FILE.npz [--rows 70000] [--minutes M] [--set OPTION=VALUE ...]
    python benchmarks/clustering.py OUT.csv

Each set of DATA_DIR/BATTERY/NAME.npz holds X and labels0, or several reference groupings labels0, labels1 ...; 0 marks noise,
which is grouped but not judged. Every method is told the true number of clusters (HDBSCAN finds its own); the score of a set
is its best adjusted Rand index over the reference groupings. Rows come standardised; k-means is also run on them as they are.
Of more than --rows rows so many are taken evenly. ``nervura`` is what the problem `clustering` chooses without labels.

FILE.npz holds x_train, x_test, y_train and y_test; all pictures are grouped, as in the literature, and labels judge.
"""

from __future__ import annotations

import argparse
import csv
import os
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

for variable in ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
    os.environ.setdefault(variable, "2")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np  # noqa: E402

from nervura import grouping  # noqa: E402
from nervura.clusterers import clusterers  # noqa: E402


def methods(X: np.ndarray) -> dict[str, Callable[[int], np.ndarray]]:
    """Each method by name: the number of clusters to the groups of the rows."""
    from nervura.problems.clustering import GRAPH, NARROW, PANEL, chosen

    rows = (X - X.mean(0)) / np.maximum(X.std(0), 1e-12)

    def by(name: str, rows: np.ndarray) -> Callable[[int], np.ndarray]:
        return lambda count: clusterers.load(name).fit(rows, count).probabilities(rows).argmax(1)

    found = {one.name: by(one.name, rows) for one in clusterers}
    found["k_means, not standardised"] = by("k_means", X)
    likely = (*PANEL, GRAPH) if rows.shape[1] > NARROW else PANEL
    found["nervura"] = lambda count: by(chosen(rows, count, likely), rows)(count)
    return found


def tables(args: argparse.Namespace) -> None:
    heads = ["battery", "set", "method", "adjusted_rand", "seconds"]
    done = {tuple(row[key] for key in heads[:3]) for row in read(args.out)} if args.out.exists() else set()
    with args.out.open("a", newline="") as file:
        out = csv.writer(file)
        if not done:
            out.writerow(heads)
        for path in sorted(args.data.glob("*/*.npz"))[args.part :: args.parts]:
            with np.load(path) as kept:
                X = kept["X"].astype(np.float64).reshape(len(kept["X"]), -1)
                references = [kept[key] for key in sorted(kept.files) if key.startswith("labels")]
            step = max(1, -(-len(X) // args.rows))
            X, references = X[::step], [labels[::step] for labels in references]
            for name, method in methods(X).items():
                if (path.parent.name, path.stem, name) in done:
                    continue
                began, scores, groups = time.process_time(), [], {}
                for labels in references:
                    judged = labels > 0
                    count = len(np.unique(labels[judged]))
                    if count not in groups:
                        groups[count] = method(count)
                    once = np.ones((1, int(judged.sum())))
                    truth = np.unique(labels[judged], return_inverse=True)[1]
                    scores.append(grouping.adjusted_rand(truth, groups[count][judged], once)[0])
                seconds = time.process_time() - began
                out.writerow([path.parent.name, path.stem, name, f"{max(scores):.4f}", f"{seconds:.2f}"])
            file.flush()
            print(path.parent.name, path.stem, flush=True)


def pictures(args: argparse.Namespace) -> None:
    import nervura

    with np.load(args.data) as kept:
        X = np.concatenate([kept["x_train"], kept["x_test"]])
        y = np.concatenate([kept["y_train"], kept["y_test"]]).astype(np.int64)
    step = max(1, -(-len(X) // args.rows))
    X, y = X[::step], y[::step]
    count, once = len(np.unique(y)), np.ones((1, len(y)))
    print("| method | accuracy | NMI | adjusted Rand | seconds |\n| --- | ---: | ---: | ---: | ---: |")

    def told(name: str, groups: np.ndarray, seconds: float) -> None:
        scores = (grouping.matched_accuracy, grouping.normalized_mutual_info, grouping.adjusted_rand)
        figures = " | ".join(f"{100 * score(y, groups, once)[0]:.1f}" for score in scores)
        print(f"| {name} | {figures} | {seconds:.0f} |", flush=True)

    began = time.monotonic()
    options = dict(one.split("=", 1) for one in args.set)
    made = nervura.Clusterer(count, options=options, minutes=args.minutes, validation_share=0.1).fit(X)
    how = made.problem_.coding["grouped"]
    epochs = len(made.history_["loss"])
    told(f"nervura: {how['method']} of {how['view']}, {epochs} epochs", made.labels_, time.monotonic() - began)
    from nervura.predicting import outputs

    answered = outputs(made._network, made.schema_, made._rows(X))
    for view in ("code", "rows"):
        seen = made.problem_.seen(answered, view)
        for clusterer in clusterers:
            if (clusterer.name, view) == (how["method"], how["view"]):
                continue
            began = time.monotonic()
            groups = clusterer.fit(seen, count).probabilities(seen).argmax(1)
            told(f"{clusterer.name} of {view}", groups, time.monotonic() - began)


def read(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def table(path: Path) -> None:
    """The mean adjusted Rand index of each method by battery, best first, as Markdown."""
    found: dict[str, dict[str, dict[str, float]]] = defaultdict(lambda: defaultdict(dict))
    for row in read(path):
        found[row["method"]][row["battery"]][row["set"]] = 100 * float(row["adjusted_rand"])
    batteries = sorted({battery for of in found.values() for battery in of})
    print(f"| method | {' | '.join(batteries)} | all sets |\n| --- |{' ---: |' * (len(batteries) + 1)}")

    def mean(of: dict[str, dict[str, float]]) -> float:
        return float(np.mean([value for sets in of.values() for value in sets.values()]))

    for method, of in sorted(found.items(), key=lambda item: -mean(item[1])):
        cells = " | ".join(f"{np.mean(list(of[battery].values())):.1f}" for battery in batteries)
        print(f"| {method} | {cells} | {mean(of):.1f} |")
    sets = [f"{battery} {len(found['nervura'][battery])}" for battery in batteries]
    print(f"\nsets: {', '.join(sets)}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", help="tables, pictures, or a file that tables wrote")
    parser.add_argument("data", type=Path, nargs="?")
    parser.add_argument("out", type=Path, nargs="?")
    parser.add_argument("--rows", type=int)
    parser.add_argument("--part", type=int, default=0)
    parser.add_argument("--parts", type=int, default=1)
    parser.add_argument("--minutes", type=float)
    parser.add_argument("--set", nargs="*", default=[])
    args = parser.parse_args()
    args.rows = args.rows or (2_000 if args.what == "tables" else 70_000)
    if args.what == "tables":
        tables(args)
    elif args.what == "pictures":
        pictures(args)
    else:
        table(Path(args.what))


if __name__ == "__main__":
    main()
