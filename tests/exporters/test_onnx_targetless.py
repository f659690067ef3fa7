"""ONNX Runtime alone gives codes, clusters and scores of odd rows as the run does; what it cannot have is refused."""

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from nervura.dataset import Dataset
from nervura.designing import design
from nervura.errors import OptionError, RunError
from nervura.exporting import export
from nervura.oddness import Surprise
from nervura.oddness import p_values as p_values_of
from nervura.onnx_encoding import feeds
from nervura.onnx_graph import Graph
from nervura.onnx_targetless import _surprise, p_values
from nervura.predicting import load_schema, predict
from nervura.problems.base import Answers, Targetless
from nervura.run import Run
from nervura.serving_model import Served, Settings
from nervura.training import predict as outputs_of

pytest.importorskip("keras")
onnxruntime = pytest.importorskip("onnxruntime")
pytest.importorskip("tf2onnx")
# Keras's own conversions do not yet follow NumPy 2 with TensorFlow.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


def rows(count: int = 150) -> pl.DataFrame:
    """Two groups, gaps, and rows that stand there twice."""
    draw = np.random.default_rng(0)
    size = draw.normal(size=count) + 6 * (np.arange(count) % 2)
    frame = pl.DataFrame(
        {
            "size": [None if i % 17 == 0 else float(value) for i, value in enumerate(size)],
            "weight": 2 * size + draw.normal(size=count),
            "town": draw.choice(["Porto", "Lisboa"], count),
        }
    )
    return pl.concat([frame, frame.head(10)])


def made_run(folder: Path, problem: str, **options: Any) -> Run:
    """A run of a network with first weights, without its judgement."""
    rows().write_parquet(folder / "rows.parquet")
    dataset = Dataset.open(folder / "rows.parquet", problem=problem, options=options)
    made = design(dataset.problem, "autoencoder", dataset.schema, {"latent_dim": 2, "hidden": [4]})
    parts = {part: dataset.arrays(part)[0] for part in ("train", "validation")}
    made.network.prepare(made.model, parts["train"])
    found = made.problem
    assert isinstance(found, Targetless)
    found = found.settle({part: Answers(x, outputs_of(made.model, x)) for part, x in parts.items()})
    run = Run.create(folder / "run")
    run.write("schema", dataset.schema.to_json())
    run.write("problem", {"name": problem, "needs_target": False, "coding": found.coding})
    if found.arrays:
        run.write_arrays("problem", found.arrays)
    run.write("design", made.to_json())
    run.update("run", source={"origin": dataset.table.origin, "reading": dataset.table.reading})
    made.model.save(run.path / "model.keras")
    return run


def answered(run: Run, file: Path) -> tuple[dict[str, np.ndarray], pl.DataFrame]:
    """What the graph gives of all rows, by the names of its outputs, and what the run does."""
    session = onnxruntime.InferenceSession(file)
    outputs = session.run(None, feeds(load_schema(run), rows()))
    return dict(zip([one.name for one in session.get_outputs()], outputs, strict=True)), predict(run, rows())


def test_codes(tmp_path: Path) -> None:
    run = made_run(tmp_path, "embedding")
    file = export(run, "onnx", rows=rows())
    with pytest.raises(RunError, match="this run's problem is embedding, which predicts none"):
        Served(Settings(str(run.path), str(file), "", ""))
    found, expected = answered(run, file)
    assert np.abs(found["code"] - expected.to_numpy()).max() < 1e-5


def test_scores_of_odd_rows(tmp_path: Path) -> None:
    run = made_run(tmp_path, "anomaly")
    found, expected = answered(run, export(run, "onnx", rows=rows()))
    assert list(found) == ["prediction", "score", "p_value"]
    assert np.abs(found["score"] - expected["score"].to_numpy()).max() < 1e-5
    # A p-value makes a step where a score passes that of a row that calibrates.
    alike = np.isclose(found["p_value"], expected["p_value"].to_numpy(), atol=1e-9)
    assert alike.mean() > 0.9 and (found["prediction"][alike] == expected["prediction"].to_numpy()[alike]).all()


@pytest.mark.parametrize("method", ["k_means", "mixture"])
def test_clusters(method: str, tmp_path: Path) -> None:
    run = made_run(tmp_path, "clustering", method=method, clusters=3)
    found, expected = answered(run, export(run, "onnx", rows=rows()))
    assert found["prediction"].tolist() == expected["prediction"].to_list()
    assert np.abs(found["probabilities"] - expected.drop("prediction").to_numpy()).max() < 1e-5


@pytest.mark.parametrize(
    ("problem", "options"),
    [("clustering", {"method": "neighbour_graph", "clusters": 2}), ("anomaly", {"clean": "yes"})],
)
def test_rows_that_were_learnt_from_are_in_no_graph(problem: str, options: dict[str, Any], tmp_path: Path) -> None:
    run = made_run(tmp_path, problem, **options)
    with pytest.raises(RunError, match="holds none of the rows that were learnt from.* Write --to code"):
        export(run, "onnx", rows=rows())


def test_captions_are_refused_with_the_reason(tmp_path: Path) -> None:
    run = made_run(tmp_path, "embedding")
    run.write("problem", {"name": "captioning", "coding": {"words": [], "length": 1}})
    with pytest.raises(OptionError, match="searched for in a loop.* Write --to code or keras"):
        export(run, "onnx")


def test_surprises_and_p_values_are_those_of_numpy() -> None:
    """Of scores that are equal, below all known ones and above them."""
    draw = np.random.default_rng(0)
    known = np.sort(draw.exponential(size=301).round(1))
    scores = np.concatenate([[-1.0, 0.0, 0.05], known, 2 * draw.exponential(size=300)])
    for logarithmic in (False, True):
        surprise, graph = Surprise(np.log(known + 0.1) if logarithmic else known, logarithmic), Graph()
        given = graph.input("scores", np.float64, ["rows", 1])
        graph.output("surprise", _surprise(given, surprise.ordered, logarithmic), np.float64, ["rows", 1])
        graph.output("p_value", p_values(given, known), np.float64, ["rows", 1])
        session = onnxruntime.InferenceSession(graph.model({}, "").SerializeToString())
        told, values = session.run(None, {"scores": scores[:, None]})
        assert np.abs(told[:, 0] - surprise(scores)).max() < 1e-9
        assert np.array_equal(values[:, 0], p_values_of(scores, known))
