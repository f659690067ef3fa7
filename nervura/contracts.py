"""The contracts of the shelves as functions: whoever writes a member tests it with one call, here or elsewhere."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

import keras
import numpy as np
import polars as pl

from nervura import exporting, grouping, keeping, training
from nervura.appraisal import appraise, findings_of
from nervura.baselines.base import Baseline
from nervura.bodies.base import Body
from nervura.clusterers.base import Clusterer
from nervura.dataset import Dataset
from nervura.designing import Design, design
from nervura.detectors.base import Detector
from nervura.encoding import PICTURES, SERIES, TERMS, TOKENS, plain, plain_tensors
from nervura.exporters.base import Exporter
from nervura.predicting import load_model, load_problem
from nervura.problems import problems
from nervura.problems.base import Appraised, Declined, Problem, Targetless
from nervura.run import Run
from nervura.schema import Column, Schema
from nervura.serving_fields import BadRequest, Fields
from nervura.shelf import Shelf
from nervura.sources.base import Source, Table
from nervura.zoo.base import Network


class BrokenContract(AssertionError):
    """A member of a shelf does not do what its contract says."""


def check_member(shelf: Shelf[Any], name: str) -> None:
    """A member is found under its name and told to people: a summary of one line and, for a network, its page.

    Raises:
        BrokenContract: as do all checks.
    """
    member = shelf.load(name)
    _must(member.name == name, f"the file is called '{name}' and its member '{member.name}'")
    _must(type(member).__module__.rpartition(".")[2] == name, f"'{name}' is defined in {type(member).__module__}")
    _must(bool(member.summary) and "\n" not in member.summary, f"'{name}' needs a summary of one line")
    module = sys.modules[type(member).__module__]
    _must(bool(type(member).__dict__.get("__doc__") or module.__doc__), f"'{name}' needs a docstring")


def check_source(source: Source, given: Any, expected: pl.DataFrame, table: str | None = None) -> None:
    """A source recognises what it reads and nothing else, reads it the same each time, and says how in JSON.

    Args:
        given: something that the source reads, as a user gives it.
        expected: its rows; values are compared as text, since formats of text have no types.
    """
    _must(source.matches(given) or source.resembles(given), f"'{source.name}' does not recognise {given!r}")
    _must(not source.matches(object()), f"'{source.name}' says that it reads any object")
    _must(not source.matches("no such thing"), f"'{source.name}' says that it reads any text")
    found = source.read(given, table)
    _must(isinstance(found, Table) and isinstance(found.frame, pl.LazyFrame), "a source gives a Table of a LazyFrame")
    _must(bool(found.name) and not set(found.name) & set("/\\"), f"the name '{found.name}' must do for a folder")
    _must(bool(found.origin), "a table says where it is from")
    _must(json.loads(json.dumps(found.reading)) == found.reading, f"the reading is no plain JSON: {found.reading}")
    _must(all(isinstance(note, str) for note in found.notes), "notes are text")
    rows = found.frame.collect()
    _must(rows.columns == expected.columns, f"columns {rows.columns} were read, not {expected.columns}")
    for name in rows.columns:
        read, wanted = (_as_text(frame[name]) for frame in (rows, expected))
        _must(read == wanted, f"the column '{name}' was read as {read[:5]}, not {wanted[:5]}")
    again = source.read(given, table).frame
    _must(rows.equals(again.collect()), "a second reading gives other rows")
    _must(rows.head(1).equals(found.frame.head(1).collect()), "the first row depends on how many are read")


def check_problem(problem: Problem, target: Column, values: pl.Series) -> None:
    """A problem learns a target's coding as JSON, codes the target, judges and decodes with that coding alone.

    Args:
        target: a column that the problem can be asked of.
        values: its known values, as ``encoding.values`` reads them.
    """
    problem.insist(target, values)
    _must(bool(problem.fits(target, values)), "a problem that suits says why")
    bound = problem.learn(values)
    _must(problem.coding == {} and bound is not problem, "learning gives a copy and leaves the shelf's member as it is")
    again = type(problem)(json.loads(json.dumps(bound.coding)))
    encoded = bound.encode(values)
    _must(encoded.shape == (len(values),), f"the encoded target has the shape {encoded.shape}")
    _must(np.array_equal(encoded, again.encode(values)), "the coding does not survive JSON")
    _must(bool(np.isfinite(encoded).all()), "the encoded target has values that are no numbers")
    head, truth = bound.head(), bound.truth(encoded)
    outputs = np.random.default_rng(0).uniform(0.1, 0.9, (len(values), head.units)).astype("float32")
    loss = getattr(keras.losses, head.loss)(**head.loss_options)
    _must(np.isfinite(float(keras.ops.convert_to_numpy(loss(encoded, outputs)))), "the loss is no number")
    estimates = bound.estimates(outputs)
    _must(len(estimates) == len(values) and estimates.dtype == np.float64, "estimates are float64, one per row")
    decoded = bound.decode(estimates)
    _must(decoded.height == len(values) and decoded.columns[0] == "prediction", "answers have one prediction per row")
    _must(len(bound.named(estimates)) == len(values), "each row is named as something")
    for name in problem.metrics:
        other = bound.judged_by(name)
        _must(
            type(problem)(json.loads(json.dumps(other.coding))).metric == name,
            "the deciding metric stands in the coding",
        )
        _must(other.loss(truth, estimates).shape == (1,), f"{name} decides by one figure for all rows")
    _must(bool(np.isfinite(bound.row_losses(truth, estimates)).all()), "a loss per row is a number")
    constant = bound.constant(truth, len(truth))
    _must(constant.shape == estimates.shape, f"constant estimates have the shape {constant.shape}")
    _must(problem.metric in problem.metrics, f"the deciding metric '{problem.metric}' is not among the metrics")
    perfect = np.eye(estimates.shape[1])[truth] if problem.supervised_by == "classifier" else truth
    best, plain = bound.scores(truth, perfect), bound.scores(truth, constant)
    for name, metric in problem.metrics.items():
        sign = 1 if metric.greater_is_better else -1
        _must(sign * best[name] > sign * plain[name], f"{name} does not set the truth above a constant")


def check_targetless(problem: Targetless, network: Network) -> None:
    """A problem without a target suits rows, learns from a trained network's answers what it keeps as JSON and arrays,
    judges and decodes with that alone, and tells what it found in both languages.

    Args:
        network: rebuilds its input.
    """
    dataset = unlabelled_example(problem.name)
    _must(bool(problem.fits_rows(dataset.schema)), "a problem that suits says why")
    made = design(dataset.problem, network, dataset.schema, {"latent_dim": 2, "epochs": EPOCHS})
    training.fit(made, dataset.arrays("train"), dataset.arrays("validation"))
    with TemporaryDirectory() as folder:
        run = Run.create(Path(folder) / "run")
        run.write("problem", {"name": problem.name})
        evaluation = appraise(run, dataset, made, 1.0)
        _must(problem.metric in evaluation["test"], "the deciding metric is measured")
        _must(all(evaluation["verdict"][key] for key in ("text", "text_pt")), "the verdict is told in both languages")
        for found in findings_of(run.need("explanation")):
            _must(len(found.title) == len(found.note) == 2, "findings are told in both languages")
            _must(
                all(len(row) == len(found.columns) for row in found.rows), "a table's rows have as many cells as heads"
            )
            _must(found.picture is None or found.picture in (run.read_arrays("findings") or {}), "pictures are kept")
        again, bound = load_problem(run), made.problem
    assert isinstance(bound, Appraised)
    outputs = training.predict(bound.asked(made.model), dataset.arrays("test")[0])
    _must(outputs.shape[1] == bound.width, f"outputs have the width {bound.width} that the problem says")
    decoded = again.decode(again.estimates(outputs))
    _must(decoded.equals(bound.decode(bound.estimates(outputs))), "what was learnt does not survive being written")
    _must(decoded.height == len(outputs), "answers are one per row")


def check_network(network: Network, dataset: Dataset, folder: Path, options: dict[str, Any] | None = None) -> None:
    """A network is a function of its seed, survives being killed, and is the same once saved.

    Leaves the trained model, its inputs and its outputs in ``folder`` for ``check_in_fresh_process``.

    Args:
        dataset: with a problem that the network suits.
        options: of the network; the epochs are set here.
    """
    first, weights = _trained(network, dataset, options)
    before = _weights(_made(network, dataset, options))
    _must(
        _same(before, _weights(_made(network, dataset, options))), "two designs of one seed have other initial weights"
    )
    _must(not _same(before, weights), "training changed no weight")
    if _same(before, _weights(_made(network, dataset, options, seed=2))):
        other = _weights(_fitted(network, dataset, options, seed=2))
        _must(not _same(weights, other), "another seed led to the same weights")

    run = Run.create(folder)
    with patch.object(keeping, "CHECKPOINT_SECONDS", -1.0):
        try:
            _fitted(network, dataset, options, run, _kill)
        except _Killed:
            pass
        resumed = _weights(_fitted(network, dataset, options, run))
    if not _same(weights, resumed):
        again = _weights(_fitted(network, dataset, options))
        _must(_same(weights, again), "the same seed led to other weights")
        raise BrokenContract("a run that was killed and resumed led to other weights")
    _saved(first, dataset, run)


def check_answers(network: Network, dataset: Dataset, folder: Path, options: dict[str, Any] | None = None) -> None:
    """A network learns a problem to weights and outputs that are numbers, and is the same once saved.

    A part of ``check_network``, for the other problems that a network suits.
    """
    _saved(_trained(network, dataset, options)[0], dataset, Run.create(folder))


def check_saved(network: Network, dataset: Dataset, folder: Path, options: dict[str, Any] | None = None) -> None:
    """A network is the same once saved, with what it takes from the training rows before it is trained.

    Like ``check_network`` it leaves in ``folder`` what ``check_in_fresh_process`` wants.
    """
    design = _made(network, dataset, options)
    network.prepare(design.model, dataset.arrays("train")[0])
    _saved(design, dataset, Run.create(folder))


def _made(network: Network, dataset: Dataset, options: dict[str, Any] | None, seed: int = 1) -> Design:
    given = {**(options or {}), "epochs": EPOCHS}
    return design(dataset.problem, network, dataset.schema, given, seed, dataset.folds)


def _fitted(
    network: Network,
    dataset: Dataset,
    options: dict[str, Any] | None,
    run: Run | None = None,
    watch: Callable[[Any], None] | None = None,
    seed: int = 1,
) -> Design:
    new = _made(network, dataset, options, seed)
    rows = (dataset.arrays(part) for part in ("train", "validation"))
    training.fit(new, *rows, folds=dataset.fold_of_training, run=run, watchers=[watch] if watch else [])
    return new


def _trained(network: Network, dataset: Dataset, options: dict[str, Any] | None) -> tuple[Design, list[np.ndarray]]:
    """The network after a training, and its weights, which must be numbers."""
    first = _fitted(network, dataset, options)
    weights = _weights(first)
    outside = [v.path for v, new in zip(first.model.variables, weights, strict=True) if not np.isfinite(new).all()]
    _must(not outside, f"weights became other than numbers: {outside}")
    return first, weights


def _saved(design: Design, dataset: Dataset, run: Run) -> None:
    """The model answers with numbers, as many as its head has units, and alike when it is saved and loaded."""
    x = dataset.arrays("validation")[0]
    problem, outputs = design.problem, training.predict(design.model, x)
    answered = problem.asked(design.model) if isinstance(problem, Appraised) else design.model
    _must(
        (len(outputs), answered.output_shape[-1]) == (len(dataset.arrays("validation")[1]), problem.width),
        "outputs are (rows, units)",
    )
    _must(bool(np.isfinite(outputs).all()), "the outputs are other than numbers")
    run.write_file("model.keras", lambda temporary: design.model.save(temporary))
    loaded = training.predict(load_model(run), x)
    _must(np.array_equal(loaded, outputs), "the model that was saved and loaded gives other outputs")
    run.write_arrays("inputs", x)
    run.write_arrays("outputs", {"outputs": outputs})


EPOCHS = 3
"""Of the networks that are checked; they are killed after the first."""


class _Killed(Exception):
    """Stands for a process that ends without a word."""


def _kill(progress: keeping.Progress) -> None:
    raise _Killed


_FRESH = """
import sys
import numpy as np
from nervura import backend
backend.choose()
from nervura.predicting import load_model
from nervura.run import Run
from nervura.training import predict
for folder in sys.argv[2:]:
    run = Run.open(folder)
    outputs = predict(load_model(run), run.read_arrays("inputs"))
    difference = np.abs(outputs - run.read_arrays("outputs")["outputs"]).max()
    if not difference <= float(sys.argv[1]):
        sys.exit(f"the model in {folder} gives other outputs in a fresh process, by {difference}")
"""


def check_in_fresh_process(
    folders: Sequence[Path], tolerance: float = 0.0, environment: dict[str, str] | None = None
) -> None:
    """Models that ``check_network`` left behind give the same outputs in a process of their own.

    Args:
        tolerance: the largest difference; another backend, asked for in ``environment``, rounds otherwise.
        environment: of the process; by default this one's.
    """
    command = [sys.executable, "-c", _FRESH, str(tolerance), *map(str, folders)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    _must(done.returncode == 0, done.stderr[-2_000:])


def check_exporter(exporter: Exporter, run: Run, rows: pl.DataFrame) -> None:
    """An exporter writes one new file or folder, leaves the run as it is, and what it wrote predicts like the run.

    Args:
        run: a trained run.
        rows: raw rows to predict, as the run's source reads them.
    """
    before = _files(run.path)
    with TemporaryDirectory() as folder:
        path = exporter.write(run, Path(folder) / exporter.file)
        _must([path] == list(Path(folder).iterdir()), f"one thing called '{exporter.file}' is to be written")
        _must(_files(run.path) == before, "the run was changed by writing it in another form")
        exporting.compare(run, exporter, path, rows)


def check_baseline(baseline: Baseline, dataset: Dataset, folder: Path) -> None:
    """A baseline is a function of its rows and seed, and gives the same estimates once written and read.

    Args:
        folder: where it is left, with and without folds.
    """
    problem, inputs = dataset.problem, plain_tensors(dataset.schema)
    x, rows = plain(dataset.arrays("test")[0]), (plain(dataset.arrays("train")[0]), dataset.truth("train"))
    shape = problem.constant(rows[1], len(dataset.truth("test"))).shape
    folds = dataset.fold_of_training
    _must(folds is not None, "a baseline is checked on rows that come in folds")
    for name, models in (("alone", 0), ("bagged", 2)):
        # The training rows' folds are numbered from 1.
        how: dict[str, Any] = {"folds": folds - 1, "models": models} if models and folds is not None else {}
        fitted = baseline.fit(problem, inputs, rows, **how)
        estimates = fitted.estimates(x)
        _must(estimates.shape == shape and estimates.dtype == np.float64, f"estimates are float64 of the shape {shape}")
        _must(bool(np.isfinite(estimates).all()), "estimates are numbers")
        if problem.supervised_by == "classifier":
            _must(np.allclose(estimates.sum(1), 1), "the probabilities of a row sum to one")
        again = baseline.fit(problem, inputs, rows, **how).estimates(x)
        _must(np.array_equal(estimates, again), "a second fit to the same rows gives other estimates")
        none = {tensor: values[:0] for tensor, values in x.items()}
        _must(fitted.estimates(none).shape == (0, *shape[1:]), "no rows have no estimates")
        place = folder / name
        place.mkdir(parents=True)
        fitted.write(place)
        for file in place.rglob("*"):
            _must(file.is_dir() or file.read_bytes()[:2] not in PICKLES, f"'{file.name}' is a pickle")
        read = baseline.read(place, type(problem)(json.loads(json.dumps(problem.coding))), inputs).estimates(x)
        _must(np.abs(read - estimates).max() <= 1e-12, "what was written and read gives other estimates")


PICKLES = tuple(bytes([0x80, protocol]) for protocol in range(2, 6))
"""How pickles begin."""


def check_detector(detector: Detector, rows: np.ndarray, odd: np.ndarray, folder: Path) -> None:
    """A detector is a function of its rows and seed, finds what is odd, and scores alike once its arrays are written and
    read.

    Args:
        rows: usual rows (rows, features), an even number of them.
        odd: some that are not (others, features).
        folder: where it is left.
    """
    learnt, new = rows[::2], rows[1::2]
    fitted = detector.fit(learnt, 0)
    _must(isinstance(fitted, detector.fitted), "fitting gives what the detector says")
    scores, strange = fitted.score(new), fitted.score(odd)
    _must(scores.shape == (len(new),) and scores.dtype == np.float64, "scores are float64, one per row")
    _must(bool(np.isfinite(scores).all() and np.isfinite(strange).all()), "scores are numbers")
    again = detector.fit(learnt, 0).score(new)
    _must(np.array_equal(again, scores), "a second fit to the same rows gives other scores")
    _must(np.allclose(fitted.score(new[:1]), scores[:1]), "a row's score depends on the rows beside it")
    _must(fitted.score(new[:0]).shape == (0,), "no rows have no scores")
    _must(float((strange[:, None] > scores).mean()) > 0.9, "odd rows are not above usual ones")
    run = Run.create(folder)
    run.write_arrays("state", fitted.arrays())
    kept = run.read_arrays("state")
    _must(kept is not None, "a detector is kept as arrays")
    again = detector.fitted.of(kept or {}).score(new)
    _must(np.abs(again - scores).max() <= 1e-9, "what was written and read gives other scores")


def check_clusterer(clusterer: Clusterer, rows: np.ndarray, groups: np.ndarray, folder: Path) -> None:
    """A clusterer is a function of its rows and seed, finds groups that are far apart, and places new rows alike once its
    arrays are written and read.

    Args:
        rows: of groups that are far apart (rows, features), in random order.
        groups: the number of each row's group (rows,), from 0.
        folder: where it is left.
    """
    learnt, new = rows[::2], rows[1::2]
    count = int(groups.max()) + 1
    fitted = clusterer.fit(learnt, count)
    _must(isinstance(fitted, clusterer.fitted), "fitting gives what the clusterer says")
    shares = fitted.probabilities(new)
    _must(len(shares) == len(new) and shares.dtype == np.float64, "probabilities are float64, one row per row")
    _must(bool(np.allclose(shares.sum(1), 1) and (shares >= 0).all()), "the probabilities of a row sum to one")
    alike = grouping.adjusted_rand(groups[1::2], shares.argmax(1), np.ones((1, len(new))))[0]
    _must(alike > 0.9, f"groups that are far apart are found, with an adjusted Rand index of {alike:.2f}")
    again = clusterer.fit(learnt, count).probabilities(new)
    _must(np.array_equal(again, shares), "a second fit to the same rows gives other groups")
    _must(np.allclose(fitted.probabilities(new[:1]), shares[:1]), "a row's cluster depends on the rows beside it")
    _must(fitted.probabilities(new[:0]).shape == (0, shares.shape[1]), "no rows have no probabilities")
    run = Run.create(folder)
    run.write_arrays("state", fitted.arrays())
    kept = clusterer.fitted.of(run.read_arrays("state") or {}).probabilities(new)
    _must(np.abs(kept - shares).max() <= 1e-9, "what was written and read gives other probabilities")


def example(classes: int | None = None, rows: int = 200) -> Dataset:
    """A small data set with columns of every kind and gaps, to check a network on.

    Args:
        classes: 2 for a binary problem, more for a multiclass one; None for a regression.
    """
    draw = np.random.default_rng(0)
    number = draw.normal(size=rows)
    town = draw.choice(["Ghent", "Turin", "Porto"], rows)
    value = number + 2 * (town == "Porto") + 0.1 * draw.normal(size=rows)
    gaps = draw.random(rows) < 0.1
    frame = pl.DataFrame(
        {
            "number": pl.Series(np.where(gaps, np.nan, number), nan_to_null=True),
            "town": town,
            "yes": draw.random(rows) < 0.5,
            "moment": pl.datetime_range(
                pl.datetime(2020, 1, 1), pl.datetime(2020, 1, 1) + pl.duration(hours=37 * (rows - 1)), "37h", eager=True
            ),
            "y": value if classes is None else np.digitize(value, np.quantile(value, np.arange(1, classes) / classes)),
        }
    )
    problem = "regression" if classes is None else "binary" if classes == 2 else "multiclass"
    return Dataset.open(frame, "y", problem=problem)


def pictures_example(classes: int | None = None, rows: int = 120) -> Dataset:
    """A small data set of grey pictures, 12 x 12, to check a network of pictures on: a bright square, whose place is
    the answer, on a dim ground.

    Args:
        classes: 2 for a binary problem, up to 4 for a multiclass one; None for a regression on the column it begins at.
    """
    draw = np.random.default_rng(0)
    pixels = draw.integers(0, 80, (rows, 12, 12))
    places = draw.integers(0, 8, rows) if classes is None else np.arange(rows) % classes
    for picture, place in zip(pixels, places, strict=True):
        down, across = (draw.integers(0, 8), place) if classes is None else (6 * (place // 2), 6 * (place % 2))
        picture[down : down + 5, across : across + 5] += draw.integers(100, 170)
    y = places.astype(np.float64) + 0.1 * draw.normal(size=rows) if classes is None else places
    problem = "regression" if classes is None else "binary" if classes == 2 else "multiclass"
    return Dataset.open((pixels.astype(np.uint8), y), problem=problem)


def series_example(classes: int | None = None, rows: int = 90) -> Dataset:
    """A small data set of series of two channels and up to 24 moments, some shorter and some with gaps, to check a network
    of series on: a wave, whose pace is the answer, and noise.

    Args:
        classes: 2 for a binary problem, more for a multiclass one; None for a regression on the pace.
    """
    draw = np.random.default_rng(0)
    places = draw.uniform(0, 3, rows) if classes is None else np.arange(rows) % classes
    moments = np.arange(24)
    waves = np.sin((places[:, None] + 1) * moments / 4 + draw.uniform(0, 1, (rows, 1)))
    values = np.stack([waves, draw.normal(size=waves.shape)], axis=2) + 0.1 * draw.normal(size=(rows, 24, 2))
    values[draw.random(values.shape) < 0.02] = np.nan
    for row, length in enumerate(draw.integers(16, 25, rows)):
        values[row, length:] = np.nan
    problem = "regression" if classes is None else "binary" if classes == 2 else "multiclass"
    return Dataset.open((values, places), problem=problem)


def captions_example(rows: int = 60) -> Dataset:
    """A small data set of colour pictures, 12 x 12, with two captions each: whether a light is red or blue, and
    where."""
    draw = np.random.default_rng(0)
    pixels, captions = draw.integers(0, 80, (rows, 12, 12, 3)), []
    for number, picture in enumerate(pixels):
        colour, place = number % 2, (number // 2) % 2
        picture[6 * place : 6 * place + 6, 3:9, 2 * colour] += 170
        words = ("red", "blue")[colour], ("above", "below")[place]
        captions.append([f"{words[0]} {words[1]}", f"{words[1]}, {words[0]}"])
    pictures = pl.Series("picture", pixels.astype(np.uint8), dtype=pl.Array(pl.UInt8, (12, 12, 3)))
    return Dataset.open(pl.DataFrame([pictures, pl.Series("captions", captions)]))


def forecasts_example(days: int = 130) -> Dataset:
    """A small data set of two daily series with a weekly wave, one of them larger and growing, to forecast a week of."""
    draw = np.random.default_rng(0)
    day = np.arange(days)
    wave = np.sin(2 * np.pi * day / 7)
    values = np.stack([10 + wave, 100 + 20 * wave + 0.5 * day]) + 0.1 * draw.normal(size=(2, days))
    moments = pl.datetime_range(
        pl.datetime(2020, 1, 1), pl.datetime(2020, 1, 1) + pl.duration(days=days - 1), "1d", eager=True
    )
    frame = pl.DataFrame(
        {"day": pl.concat([moments, moments]), "shop": ["a"] * days + ["b"] * days, "y": values.reshape(-1)}
    )
    return Dataset.open(frame, "y", problem="forecasting", options={"window": 21})


def texts_example(classes: int | None = None, rows: int = 90) -> Dataset:
    """A small data set of texts of a few words, one of them empty, to check a network of texts on: the answer is a word.

    Args:
        classes: 2 for a binary problem, more for a multiclass one; None for a regression on how often a word occurs.
    """
    draw = np.random.default_rng(0)
    places = draw.integers(0, 5, rows) if classes is None else np.arange(rows) % classes
    plain, told = ["the", "sea", "lies", "still", "today", "\U0001f600", "mar"], ["calm", "rough", "cold", "warm"]
    texts = []
    for place in places:
        chosen = list(draw.choice(plain, draw.integers(6, 12)))
        chosen += ["rough"] * int(place) if classes is None else [told[place % 4]]
        texts.append(" ".join(draw.permutation(chosen)))
    texts[1] = ""
    problem = "regression" if classes is None else "binary" if classes == 2 else "multiclass"
    frame = pl.DataFrame({"text": texts, "y": places + 0.1 * draw.normal(size=rows) if classes is None else places})
    return Dataset.open(frame, "y", problem=problem, kinds={"text": "document"})


CLASSES = {"binary": 2, "multiclass": 3, "regression": None}
"""The problems with a target of a value or of classes, and how many classes the examples of them have."""


def example_for(network: Network, problem: str) -> Dataset:
    """The example of a problem in what a network takes: a table, pictures, series or texts."""
    if problem == "captioning":
        return captions_example()
    if problem == "forecasting":
        return forecasts_example()
    if not problems.load(problem).needs_target:
        if network.takes == {PICTURES}:
            return Dataset.open(pictures_example(2).arrays("train")[0][PICTURES], problem=problem)
        return unlabelled_example(problem)
    classes = CLASSES[problem]
    if SERIES in network.takes:
        return series_example(classes)
    if network.takes & {TOKENS, TERMS}:
        return texts_example(classes)
    return pictures_example(classes) if PICTURES in network.takes else example(classes)


def unlabelled_example(problem: str, rows: int = 200) -> Dataset:
    """The rows of ``example`` for a problem without a target, some of them with labels to judge by."""
    frame = example(3, rows).table.frame.collect()
    seldom = pl.Series(np.random.default_rng(0).random(rows) < 0.9)
    labelled = frame.with_columns(y=pl.when(seldom).then(pl.col("y").cast(pl.String)))
    member = problems.load(problem)
    try:
        assert isinstance(member, Targetless)
        member.fits_rows(Schema([Column("x", "number"), Column("z", "number")]))
    except Declined:  # it is for documents
        labelled = documents_example(rows).with_columns(y=pl.when(seldom).then(pl.col("y")))
        return Dataset.open(labelled, "y", problem=problem, kinds={"document": "document"})
    return Dataset.open(labelled, "y", problem=problem)


SUBJECTS = {
    "law": "court judge law trial witness lawyer crime prison verdict appeal".split(),
    "sea": "ship wave harbour sailor anchor storm island captain tide beach".split(),
    "food": "bread cheese kitchen oven recipe butter sugar dinner soup salt".split(),
}


def documents_example(rows: int = 200) -> pl.DataFrame:
    """English texts of three subjects (``document``), which share half of their words, and which subject (``y``)."""
    draw = np.random.default_rng(0)
    common = "people time work thing year place week part story friend".split()
    texts, subjects = [], draw.choice(list(SUBJECTS), rows)
    for subject in subjects:
        words = np.concatenate([draw.choice(SUBJECTS[subject], 8), draw.choice(common, 8)])
        texts.append("the " + " of the ".join(draw.permutation(words)))
    return pl.DataFrame({"document": texts, "y": subjects})


def _must(holds: bool, text: str) -> None:
    if not holds:
        raise BrokenContract(text)


def _as_text(series: pl.Series) -> list[str | None]:
    """Values as text that does not depend on the format: 1, 1.0 and "1" are the same; lists of texts are lines."""
    if series.dtype == pl.List(pl.String):
        return series.list.join("\n").to_list()
    text = series.cast(pl.String)
    number = text.cast(pl.Float64, strict=False).cast(pl.String)
    return number.fill_null(text).to_list()


def _weights(design: Design) -> list[np.ndarray]:
    return [np.array(keras.ops.convert_to_numpy(variable)) for variable in design.model.variables]


def _same(one: list[np.ndarray], other: list[np.ndarray]) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def _files(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def check_body(body: Body, fields: Fields) -> None:
    """A body reads its own example, refuses what is not of its form, and is described by a JSON schema."""
    media = body.media[0]
    _must(body.takes(media) and not body.takes("no/such"), f"'{body.name}' does not know its media types")
    _must(isinstance(body.schema(fields), dict), f"'{body.name}' has no JSON schema")
    example = body.example(fields)
    if example is not None:
        content = example if isinstance(example, str) else json.dumps(example)
        given = body.read(content.encode(), media, fields, 1)
        _must(given.rows == 1 and given.columns.keys() == fields.names, f"'{body.name}' does not read its own example")
        read = fields.read(given.columns, given.as_text)
        expected = {field.name: field.as_json(field.typical) for field in fields}
        found = {field.name: field.as_json(read[field.name].tolist()[0]) for field in fields}
        _must(found == expected, f"'{body.name}' reads its example as {found}, and not as {expected}")
    for nonsense in (b"", b"\xff\xfe{", b"nothing of the kind"):
        try:
            body.read(nonsense, media, fields, 1)
        except BadRequest as refused:
            _must(400 <= refused.status < 500, f"'{body.name}' refuses {nonsense!r} with {refused.status}")
        else:
            raise BrokenContract(f"'{body.name}' takes {nonsense!r}")
