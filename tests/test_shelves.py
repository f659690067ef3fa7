"""Walks every shelf: each member keeps the contract of its shelf."""

import sqlite3
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from nervura import contracts, training
from nervura.baselines import baselines
from nervura.bodies import bodies
from nervura.clusterers import clusterers
from nervura.contracts import BrokenContract
from nervura.dataset import Dataset
from nervura.designing import design
from nervura.detectors import detectors
from nervura.encoding import values
from nervura.exporters import exporters
from nervura.problems import problems
from nervura.problems.base import Targetless
from nervura.run import Run
from nervura.shelf import Shelf
from nervura.sources import sources
from nervura.trackers import trackers
from nervura.zoo import zoo
from nervura.zoo.base import Network

from .conftest import SMALLER

SHELVES = {
    "sources": sources,
    "problems": problems,
    "zoo": zoo,
    "exporters": exporters,
    "trackers": trackers,
    "baselines": baselines,
    "clusterers": clusterers,
    "detectors": detectors,
    "bodies": bodies,
}
MEMBERS = [
    pytest.param(shelf, name, id=f"{folder}-{name}") for folder, shelf in SHELVES.items() for name in shelf.names()
]


@cache
def example(problem: str, network: str = "feed_forward") -> Dataset:
    return contracts.example_for(zoo.load(network), problem)


@pytest.mark.parametrize(("shelf", "name"), MEMBERS)
def test_members_are_called_as_their_file_and_described(shelf: Shelf[Any], name: str) -> None:
    contracts.check_member(shelf, name)


@pytest.mark.parametrize("network", [network.name for network in zoo])
def test_networks_suit_problems_that_there_are(network: str) -> None:
    assert zoo.load(network).suits <= set(problems.names())


ROWS = pl.DataFrame({"town": ["Ghent", None, "Porto"], "height": [1.5, 2.0, None], "count": [3, 4, 5]})


def table_in(kind: str, folder: Path) -> Any:
    """The table ROWS as something that the source ``kind`` reads."""
    file = folder / f"rows.{kind}"
    if kind == "csv":
        ROWS.write_csv(file)
    elif kind == "jsonl":
        ROWS.write_ndjson(file)
    elif kind == "parquet":
        ROWS.write_parquet(file)
    elif kind == "arrow":
        ROWS.write_ipc(file)
    elif kind == "excel":
        file = folder / "rows.xlsx"
        ROWS.write_excel(file)
    elif kind == "sql":
        file = folder / "rows.sqlite"
        with sqlite3.connect(file) as connection:
            connection.execute("create table rows (town text, height real, count integer)")
            connection.executemany("insert into rows values (?, ?, ?)", ROWS.rows())
        connection.close()
    elif kind == "frame":
        return ROWS
    elif kind == "array":
        return {name: np.array(ROWS[name].to_list(), dtype=object) for name in ROWS.columns}
    return str(file)


@pytest.mark.parametrize(
    "name", [name for name in sources.names() if name not in ("toy", "images", "documents", "captions", "npz")]
)
def test_sources_keep_their_contract(name: str, tmp_path: Path) -> None:
    contracts.check_source(sources.load(name), table_in(name, tmp_path), ROWS)


def test_the_source_of_toys_keeps_its_contract() -> None:
    toy = sources.load("toy")
    contracts.check_source(toy, "toy:wine", toy.read("toy:wine").frame.collect())


def test_the_source_of_folders_of_pictures_keeps_its_contract(tmp_path: Path) -> None:
    for label in ("cat", "dog"):
        (tmp_path / label).mkdir()
        (tmp_path / label / "1.PNG").write_bytes(b"not opened")
    files = ["cat/1.PNG", "dog/1.PNG"]
    expected = pl.DataFrame(
        {"path": files, "picture": [str(tmp_path / file) for file in files], "label": ["cat", "dog"]}
    )
    contracts.check_source(sources.load("images"), str(tmp_path), expected)


def test_the_source_of_captions_keeps_its_contract(tmp_path: Path) -> None:
    for name in ("1.png", "2.png"):
        (tmp_path / name).write_bytes(b"not opened")
    (tmp_path / "captions.txt").write_text("image,caption\n1.png,a cat\n2.png,a dog\n", encoding="utf-8")
    files = ["1.png", "2.png"]
    columns = {"path": files, "picture": [str(tmp_path / file) for file in files], "captions": [["a cat"], ["a dog"]]}
    contracts.check_source(sources.load("captions"), str(tmp_path), pl.DataFrame(columns))


def test_the_source_of_folders_of_documents_keeps_its_contract(tmp_path: Path) -> None:
    for label in ("law", "sea"):
        (tmp_path / label).mkdir()
        (tmp_path / label / "1.TXT").write_text(f"of the {label}")
    expected = pl.DataFrame(
        {"path": ["law/1.TXT", "sea/1.TXT"], "document": ["of the law", "of the sea"], "label": ["law", "sea"]}
    )
    contracts.check_source(sources.load("documents"), str(tmp_path), expected)


def test_the_source_of_archives_keeps_its_contract(tmp_path: Path) -> None:
    np.savez(tmp_path / "rows.npz", x=np.arange(6).reshape(3, 2), y=np.array(["a", "b", "a"]))
    expected = pl.DataFrame({"x0": [0, 2, 4], "x1": [1, 3, 5], "y": ["a", "b", "a"]})
    contracts.check_source(sources.load("npz"), str(tmp_path / "rows.npz"), expected)


@pytest.mark.parametrize("name", [problem.name for problem in problems if not problem.needs_target])
def test_problems_without_a_target_keep_their_contract(name: str) -> None:
    problem = problems.load(name)
    assert isinstance(problem, Targetless)
    contracts.check_targetless(problem, zoo.load("autoencoder"))


@pytest.mark.parametrize("name", sorted(contracts.CLASSES))
def test_problems_keep_their_contract(name: str) -> None:
    dataset = example(name)
    target = dataset.schema.target
    known = dataset.table.frame.select(values(target)).collect().to_series()
    contracts.check_problem(problems.load(name), target, known)


ON_ONE_PROBLEM = ("pretrained", "recurrent", "lstm", "gru", "attention", "temporal_convolution", "bag_of_embeddings")
"""Networks that take long to compile, and whose way to the head is the same for all problems."""


@pytest.fixture(scope="module")
def left(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the walk through the zoo leaves the networks that it has trained, each in a folder of its name."""
    return tmp_path_factory.mktemp("networks")


@pytest.mark.parametrize("network", [network.name for network in zoo])
def test_networks_keep_their_contract_on_each_problem_that_they_suit(
    network: str, tmp_path: Path, left: Path, carried_over: dict[str, Any]
) -> None:
    member, options = zoo.load(network), {**SMALLER, "pretrained": carried_over}.get(network)
    first, *others = sorted(member.suits)
    contracts.check_network(member, example(first, network), left / network, options)
    for problem in () if network in ON_ONE_PROBLEM else others:
        contracts.check_answers(member, example(problem, network), tmp_path / problem, options)


def test_saved_networks_answer_alike_in_a_fresh_process(left: Path, carried_over: dict[str, Any]) -> None:
    for network in zoo:
        if (left / network.name).exists():
            continue
        options = {**SMALLER, "pretrained": carried_over}.get(network.name)
        dataset = example(min(network.suits), network.name)
        contracts.check_saved(network, dataset, left / network.name, options)
    contracts.check_in_fresh_process([left / name for name in zoo.names()])


@pytest.mark.parametrize("problem", sorted(contracts.CLASSES))
def test_exporters_keep_their_contract(problem: str, tmp_path: Path) -> None:
    dataset = example(problem)
    made = design(dataset.problem, "deep_feed_forward", dataset.schema, {"epochs": 2})
    training.fit(made, dataset.arrays("train"), dataset.arrays("validation"))
    run = Run.create(tmp_path / "run")
    run.write("schema", dataset.schema.to_json())
    run.write("problem", {"name": problem, "coding": dataset.problem.coding})
    run.write("design", made.to_json())
    run.update("run", source={"origin": "frame", "reading": {"format": "polars"}}, asked={}, versions={}, seed=0)
    made.model.save(run.path / "model.keras")
    for exporter in exporters:
        contracts.check_exporter(exporter, run, dataset.table.frame.collect())


@pytest.mark.parametrize("problem", sorted(contracts.CLASSES))
@pytest.mark.parametrize("name", baselines.names())
def test_baselines_keep_their_contract(name: str, problem: str, tmp_path: Path) -> None:
    baseline = baselines.load(name)
    for package, _ in baseline.missing():
        pytest.importorskip(package)
    dataset = example(problem) if baseline.needs is None else contracts.texts_example(contracts.CLASSES[problem])
    contracts.check_baseline(baseline, dataset, tmp_path)


@pytest.mark.parametrize("name", detectors.names())
def test_detectors_keep_their_contract(name: str, tmp_path: Path) -> None:
    draw = np.random.default_rng(0)
    rows, odd = draw.normal(size=(400, 4)), 6 + 0.1 * draw.normal(size=(10, 4))
    contracts.check_detector(detectors.load(name), rows, odd, tmp_path)


@pytest.mark.parametrize("name", clusterers.names())
def test_clusterers_keep_their_contract(name: str, tmp_path: Path) -> None:
    draw = np.random.default_rng(0)
    groups = draw.integers(0, 3, 400)
    rows = draw.normal(size=(400, 4)) + 12 * np.eye(4)[groups]
    contracts.check_clusterer(clusterers.load(name), rows, groups, tmp_path)


class Forgetful(Network):
    """Breaks its contract: the seed plays no part."""

    name = "forgetful"
    summary = "is different each time"

    def features(self, inputs: Any, tensors: Any, head: Any, options: Any, seeds: Any) -> Any:
        import keras

        return keras.layers.Dense(4)(inputs["numbers"])


def test_a_network_that_ignores_its_seed_breaks_the_contract(tmp_path: Path) -> None:
    with pytest.raises(BrokenContract, match="two designs of one seed"):
        contracts.check_network(Forgetful(), example("regression"), tmp_path / "run")
