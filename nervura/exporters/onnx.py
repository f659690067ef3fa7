"""One .onnx file: from raw columns to answers, so that ONNX Runtime alone predicts like the run."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from nervura import __version__, metrics, onnx_targetless
from nervura.encoding import SERIES, image_column, medium
from nervura.errors import RunError
from nervura.exporters.base import Answerer, Exporter, Predict, load_network, load_problem
from nervura.onnx_encoding import encoded, feeds, form, input_names, shape
from nervura.onnx_graph import OPSET, Graph, Value
from nervura.problems.base import Appraised, Classification, Problem, Targetless
from nervura.run import Run
from nervura.schema import Column, Schema

if TYPE_CHECKING:
    import onnx

ROWS, PICTURES_AT_ONCE = 1024, 64

USE = """# Answers of the nervura run {run}{asked}, from its raw columns.

import numpy as np
import onnxruntime

session = onnxruntime.InferenceSession({file})
rows = {{
{rows}
}}
for output, answer in zip(session.get_outputs(), session.run(None, rows)):
    print(output.name, answer)
"""


class OnnxExporter(Exporter):
    """The graph has one input for each column, shape (rows, 1); see ``nervura.onnx_encoding`` for what they hold.

    Its outputs are ``prediction`` (rows,), for classes ``probabilities`` (rows, classes), and where the run has them
    ``set`` bool (rows, classes) or ``low`` and ``high`` (rows,). Of clusters they are ``prediction`` and
    ``probabilities``, of anomalies ``prediction``, ``score`` and ``p_value``, each (rows,), of codes ``code``
    (rows, length).
    """

    name = "onnx"
    summary = "one .onnx file from raw columns to answers, for ONNX Runtime"
    file = "model.onnx"
    requires = [("onnx", "onnx"), ("onnxruntime", "onnx"), ("tf2onnx", "onnx"), ("tensorflow", "onnx")]
    any_model = True

    def carries(self, problem: Problem) -> bool:
        return not isinstance(problem, Appraised) or problem.name in (*TARGETLESS, "topics")

    def lacks(self, problem: Problem) -> str:
        return LACKS.get(problem.name, super().lacks(problem))

    def write(self, run: Run, path: Path) -> Path:
        return self.write_model(run, path, Answerer("network", load_problem(run), run.path / "model.keras"))

    def write_model(self, run: Run, path: Path, answerer: Answerer) -> Path:
        schema, graph = Schema.from_json(run.need("schema")), Graph()
        problem = answerer.problem
        if medium(schema) == SERIES:
            raise RunError(
                "ONNX is written for tables and pictures: the gaps and ends of series are found before the network, which a "
                "graph does not carry. Write --to keras, or --to code."
            )
        x = encoded(graph, schema)
        if isinstance(answerer.model, Path):
            network = network_graph(answerer.model)
            (outputs,) = graph.embed(network, {one.name: x[one.name] for one in network.graph.input})
            if isinstance(problem, Targetless):
                return self._written(run, path, answerer, graph, TARGETLESS[problem.name](graph, problem, outputs))
            estimates = _estimates(problem, outputs.cast(np.float64))
        else:
            if image_column(schema) is not None:
                raise RunError(
                    "Of pictures a network alone is written as ONNX: the other models read pictures that nervura has "
                    "shrunk. Write --use network."
                )
            try:
                estimates = answerer.model.graph(x)
            except NotImplementedError as error:
                raise RunError(
                    f"The model '{answerer.name}' has no form as an ONNX graph. Write --use with another model."
                ) from error
        return self._written(run, path, answerer, graph, _answers(graph, problem, estimates))

    def _written(self, run: Run, path: Path, answerer: Answerer, graph: Graph, outputs: list[Output]) -> Path:
        """Writes the graph with its outputs; none takes the name of an input."""
        schema = Schema.from_json(run.need("schema"))
        taken, names = set(input_names(schema).values()), {}
        for what, value, dtype, *more in outputs:
            names[what] = what
            while names[what] in taken:
                names[what] += "_"
            graph.output(names[what], value, dtype, ["rows", *more])
        made = graph.model(*_told(run, schema, answerer, names, path.name))
        path.write_bytes(made.SerializeToString())
        return path

    def load(self, run: Run, path: Path) -> Predict:
        import onnxruntime

        schema = Schema.from_json(run.need("schema"))
        session = onnxruntime.InferenceSession(path)
        told = session.get_modelmeta().custom_metadata_map
        wanted, problem = json.loads(told["outputs"]), load_problem(run)
        estimates = next(wanted[name] for name in ("probabilities", "score", "code", "prediction") if name in wanted)

        def predict(rows: pl.DataFrame) -> np.ndarray:
            step = ROWS if image_column(schema) is None else PICTURES_AT_ONCE
            parts = [
                session.run([estimates], feeds(schema, rows.slice(first, step)))[0]
                for first in range(0, max(1, rows.height), step)
            ]
            found = np.concatenate(parts)
            return found.reshape(len(found), -1) if isinstance(problem, Appraised) else found

        return predict


def _estimates(problem: Problem, outputs: Value) -> Value:
    """``problem.estimates`` as a graph: a network's outputs (rows, units) as probabilities (rows, classes) or values
    (rows, 1), calibrated."""
    graph = outputs.graph
    if not isinstance(problem, Classification):
        return outputs * problem.coding["deviation"] + problem.coding["mean"]
    if problem.name == "binary":
        shares = graph.op("Concat", graph.constant(1.0) - outputs, outputs, axis=1)
    else:
        shares = outputs / outputs.sum()
    temperature = problem.coding.get("temperature", 1.0)
    if temperature == 1.0:
        return shares
    powers = graph.op("Pow", graph.op("Clip", shares, metrics.SMALLEST, 1.0), 1 / temperature)
    return powers / powers.sum()


Output = tuple[Any, ...]
"""Of a graph: what it is called unless a column is called so, its value, its type, and its shape behind the rows."""


def _answers(graph: Graph, problem: Problem, estimates: Value) -> list[Output]:
    """What ``problem.decode`` tells of classes or values."""
    if not isinstance(problem, Classification):
        value = estimates.flat()
        found: list[Output] = [("prediction", value, np.float64)]
        if problem.bound is not None:
            found += [("low", value - problem.bound, np.float64), ("high", value + problem.bound, np.float64)]
        return found
    count = len(problem.classes)
    likeliest, rule = estimates.op("ArgMax", estimates, axis=1, keepdims=1), problem.coding.get("rule")
    if rule is None:
        named = likeliest
    elif "threshold" in rule:
        named = estimates.op("Greater", estimates.columns([1]), rule["threshold"]).cast(np.int64)
    else:
        named = estimates.op("ArgMax", estimates * np.array(rule["weights"]), axis=1, keepdims=1)
    found = [("prediction", _called(named, problem.classes), str), ("probabilities", estimates, np.float64, count)]
    if problem.bound is not None:
        within = estimates.op("GreaterOrEqual", estimates, 1 - problem.bound)
        for code in (likeliest, named):
            within = within.op("Or", within, code.op("Equal", code, np.arange(count)[None]))
        found.append(("set", within, np.bool_, count))
    return found


def _called(codes: Value, names: list[str]) -> Value:
    """The names of codes int64 (rows, 1): strings (rows,)."""
    return codes.op("Gather", np.array(names, dtype=object), codes.flat(), axis=0)


def _codes(graph: Graph, problem: Any, outputs: Value) -> list[Output]:
    return [("code", onnx_targetless.code(outputs, problem.layout), np.float64, problem.layout.length)]


def _clusters(graph: Graph, problem: Any, outputs: Value) -> list[Output]:
    shares = onnx_targetless.clusters(outputs, problem.coding, problem.layout, problem.arrays)
    likeliest = graph.op("ArgMax", shares, axis=1, keepdims=1)
    names = problem.clusters
    return [
        ("prediction", _called(likeliest, names), str),
        ("probabilities", shares, np.float64, len(names)),
    ]


def _odd(graph: Graph, problem: Any, outputs: Value) -> list[Output]:
    scores = onnx_targetless.scores(outputs, problem.coding, problem.layout, problem.arrays)
    values = onnx_targetless.p_values(scores, problem.arrays["calibration"])
    alarms = graph.op("LessOrEqual", values, problem.coding["calibration"]["p_value"]).cast(np.int64)
    return [
        ("prediction", _called(alarms, ["no", "yes"]), str),
        ("score", scores.flat(), np.float64),
        ("p_value", values.flat(), np.float64),
    ]


LACKS = {
    "captioning": "words are searched for in a loop, which a graph does not have",
    "forecasting": "windows are cut, and brought to a level and a spread, before the network",
}
TARGETLESS: dict[str, Callable[[Graph, Any, Value], list[Output]]] = {
    "embedding": _codes,
    "clustering": _clusters,
    "anomaly": _odd,
}
"""What is told without a target, by the problem."""


def _told(
    run: Run, schema: Schema, answerer: Answerer, outputs: dict[str, str], file: str
) -> tuple[dict[str, str], str]:
    """What is kept in the file: strings by name, and the text for people."""
    names = input_names(schema)
    inputs = {
        names[column.name]: {"column": column.name, "kind": column.kind, "holds": form(column), "shape": shape(column)}
        for column in schema.inputs
    }
    problem, state = answerer.problem, run.read("run") or {}
    target = schema.target if problem.needs_target else None
    told: dict[str, Any] = {
        "nervura": __version__,
        "run": state.get("name", run.path.name),
        "model": answerer.name,
        "problem": problem.name,
        "target": target.name if target is not None else "",
        "unit": (target.parsing or {}).get("unit", "") if target is not None else "",
        "classes": problem.coding.get("classes", []),
        "level": (problem.coding.get("conformal") or {}).get("level"),
        "inputs": inputs,
        "outputs": outputs,
    }
    told = {key: value for key, value in told.items() if value not in (None, "", [])}
    rows = [f"    {names[column.name]!r}: {_example(column)}," for column in schema.inputs]
    more = [f"    # and {len(rows) - MOST_SHOWN} more"] if len(rows) > MOST_SHOWN else []
    names_in_code = {
        "run": repr(told["run"]),
        "asked": f" for the column {target.name!r}" if target is not None else f" ({problem.name})",
        "file": json.dumps(file, ensure_ascii=False),
    }
    text = USE.format(**names_in_code, rows="\n".join([*rows[:MOST_SHOWN], *more]))
    kept = {
        key: value if isinstance(value, str) else json.dumps(value, ensure_ascii=False) for key, value in told.items()
    }
    return kept, text


MOST_SHOWN = 20
"""Columns in the example of how the file is used."""


def _example(column: Column) -> str:
    """A row's value of a column, as code."""
    holds = form(column)
    if holds == "string":
        words = (column.encoding or {}).get("levels") or (column.parsing or {}).get("true") or [""]
        return f"np.array([[{words[0]!r}]], dtype=object)"
    if holds == "int64":
        return 'np.array([["2026-01-31"]], dtype="datetime64[ms]").astype(np.int64)'
    if holds == "uint8":
        return f"np.zeros((1, {', '.join(map(str, shape(column)[1:]))}), dtype=np.uint8)"
    return f"np.array([[{(column.encoding or {}).get('origin', 1.0)!r}]])"


def network_graph(path: Path) -> onnx.ModelProto:
    """The network of a .keras file as an ONNX model, whose inputs are its tensors by name.

    TensorFlow writes it, in a process of its own where Keras has another backend here.

    Raises:
        RunError: it cannot be written so.
    """
    import keras
    import onnx

    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / "network.onnx"
        if keras.backend.backend() == "tensorflow":
            write_network(path, made)
        else:
            here = Path(__file__).parents[2]
            code = f"import sys; from pathlib import Path; from {__name__} import write_network; "
            command = [sys.executable, "-c", code + "write_network(*map(Path, sys.argv[1:]))", str(path), str(made)]
            where = {"KERAS_BACKEND": "tensorflow", "PYTHONPATH": os.pathsep.join([str(here), *sys.path])}
            done = subprocess.run(command, env={**os.environ, **where}, capture_output=True, text=True, check=False)
            if done.returncode:
                reason = done.stderr.strip().rpartition("\n")[2]
                raise _not_written(reason)
        return onnx.load(made)


def write_network(path: Path, out: Path) -> None:
    """Writes the network of a .keras file as ONNX; Keras must have TensorFlow as its backend."""
    import onnx

    model = load_network(path)
    # Keras exports models alone that have been called.
    model({tensor.name: np.zeros((1, *tensor.shape[1:]), tensor.dtype) for tensor in model.inputs}, training=False)
    # What it cannot convert tf2onnx only logs; the check below tells of it.
    log = logging.getLogger("tf2onnx")
    before = log.level
    log.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # tf2onnx asks NumPy for names of its first version
            _teach_erfc()
            model.export(out, format="onnx", verbose=False, opset_version=OPSET)
        onnx.checker.check_model(str(out))
    except Exception as error:  # an operator without a counterpart raises one of many kinds
        raise _not_written(str(error).partition("\n")[0]) from error
    finally:
        log.setLevel(before)


@cache
def _teach_erfc() -> None:
    """Tells tf2onnx what it does not know: erfc, by which Keras computes gelu, is 1 - erf."""
    from tf2onnx.handler import tf_op

    @tf_op("Erfc")
    class Erfc:
        @classmethod
        def version_9(cls, graph: Any, node: Any, **more: Any) -> None:
            (given,), (name,), shape = node.input, node.output, node.output_shapes
            kind = [graph.get_dtype(name)]
            graph.remove_node(node.name)
            one = graph.make_const(f"{node.name}/one", np.array(1.0, dtype=np.float32))
            erf = graph.make_node("Erf", [given], shapes=shape, dtypes=kind)
            graph.make_node(
                "Sub", [one.output[0], erf.output[0]], name=node.name, outputs=[name], shapes=shape, dtypes=kind
            )


def _not_written(reason: str) -> RunError:
    return RunError(f"This network has no form as ONNX ({reason}). Write --to keras.")
