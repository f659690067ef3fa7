"""A Jupyter notebook: the code export told as a story, with plots."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tempfile
import textwrap
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from nervura.code_text import inline, quoted
from nervura.encoding import PICTURES, SERIES, document_columns, medium
from nervura.errors import RunError
from nervura.exporters import exporters
from nervura.exporters.base import Exporter, Predict, load_problem
from nervura.messages import MESSAGES, localised, text, told
from nervura.problems.base import Appraised, Problem
from nervura.run import Run
from nervura.schema import Schema

BESIDE = ("model.weights.h5", "split.csv", "columns.json")
"""Files of the code export that the cells read."""

SHOWN_COLUMNS = 4
MOST_COLUMNS, MOST_MODELS = 30, 12

DECODING = ("probabilities", "decode")
"""What makes answers of a network's outputs; told with the judgement."""

PARAMETERS, ANSWERS = "parameters", "answers"
"""Tags of cells: what a reader may set, and what is needed to answer new rows."""


class NotebookExporter(Exporter):
    """A folder with ``notebook.ipynb`` and the files that its cells read. The code is that of the code export, in the order of
    the story; cells that answers need are tagged ``answers``, and the names of the files to read ``parameters``."""

    name = "notebook"
    summary = "the code export as a Jupyter notebook with its story and plots, in English or Portuguese"
    requires = [("nbformat", "notebook")]
    file = "notebook"
    speaks = True

    def carries(self, problem: Problem) -> bool:
        return not isinstance(problem, Appraised) and exporters.load("code").carries(problem)

    def write(self, run: Run, path: Path, lang: str = "en") -> Path:
        import nbformat

        if documents := document_columns(Schema.from_json(run.need("schema"))):
            raise RunError(
                "A notebook is written of tables, pictures and series; this run reads the documents of "
                f"'{documents[0].name}'. Write --to code."
            )
        with tempfile.TemporaryDirectory() as folder:
            code = exporters.load("code").write(run, Path(folder) / "code")
            path.mkdir()
            for name in BESIDE:
                if (code / name).exists():
                    (path / name).write_bytes((code / name).read_bytes())
            modules = {file.stem: _Module(file.read_text(encoding="utf-8")) for file in sorted(code.glob("*.py"))}
            needed = (code / "requirements.txt").read_text(encoding="utf-8")
        if run.history():
            (path / "history.csv").write_bytes((run.path / "history.csv").read_bytes())
        (path / "requirements.txt").write_text(
            f"{needed}matplotlib=={version('matplotlib')}\nipykernel\n", encoding="utf-8"
        )
        story = _Story(run, modules, lang)
        book = nbformat.v4.new_notebook(cells=story.told(), metadata=_METADATA)
        nbformat.validate(book)
        nbformat.write(book, path / "notebook.ipynb")
        return path

    def load(self, run: Run, path: Path) -> Predict:
        import nbformat

        book = nbformat.read(path / "notebook.ipynb", as_version=4)
        cells = [cell.source for cell in book.cells if ANSWERS in cell.metadata.get("tags", ())]
        problem = load_problem(run)
        classes = problem.coding.get("classes")

        def predict(rows: pl.DataFrame) -> np.ndarray:
            # A process of its own: the cells must do without this one's modules and settings.
            with tempfile.TemporaryDirectory() as folder:
                source, out, script = (Path(folder) / name for name in ("rows.parquet", "out.parquet", "cells.py"))
                storable(rows).write_parquet(source)
                given = f"SOURCE = NEW = {str(source)!r}"
                script.write_text(
                    "\n\n".join([given, *cells, f"answers.write_parquet({str(out)!r})"]), encoding="utf-8"
                )
                done = subprocess.run([sys.executable, script], cwd=path, capture_output=True, text=True, check=False)
                if done.returncode:
                    raise RuntimeError(f"The cells of the notebook failed:\n{done.stderr}")
                found = pl.read_parquet(out)
            if classes is None:
                return found["prediction"].cast(pl.Float64).to_numpy()
            return found.select(f"probability_{name}" for name in classes).cast(pl.Float64).to_numpy()

        return predict


_METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def storable(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows that Parquet can hold: pictures that are arrays become files."""
    from nervura.pictures import as_png

    return rows.with_columns(
        pl.Series(name, [as_png(picture, largest=0) for picture in rows[name].to_numpy()])
        for name, dtype in rows.schema.items()
        if isinstance(dtype, pl.Array) and len(dtype.shape or ()) >= 2
    )


class _Module:
    """A module of exported code in pieces, each with the comments before it."""

    def __init__(self, source: str):
        tree = ast.parse(source)
        self.imports = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
        self.settings: list[str] = []
        self.definitions: list[tuple[str, str]] = []
        self.before_imports: list[str] = []
        self.body: list[str] = []
        lines = source.splitlines()
        end = 0
        for node in tree.body:
            piece = _here(_lines(lines, node, end))
            end = node.end_lineno or end
            if isinstance(node, ast.FunctionDef) and node.name == "main":
                inner = node.lineno
                for part in node.body:
                    self.body.append(_here(textwrap.dedent(_lines(lines, part, inner))))
                    inner = part.end_lineno or inner
            elif isinstance(node, ast.FunctionDef | ast.ClassDef):
                self.definitions.append((node.name, piece))
            elif isinstance(node, ast.Assign | ast.AnnAssign):
                self.settings.append(piece)
            elif isinstance(node, ast.Expr) and piece.startswith("os."):
                self.before_imports.append(piece)

    def statements(self, *but: str) -> list[str]:
        """What ``main`` does, without reading its arguments and without what begins as one of ``but``."""
        left_out = ("parser", "arguments", *but)
        return [one for one in self.body if not one.lstrip().startswith(left_out)]

    def all(self, but: tuple[str, ...] = ()) -> str:
        """Settings, and all definitions but some."""
        settings = ["\n".join(self.settings)] if self.settings else []
        return "\n\n\n".join([*settings, *(piece for name, piece in self.definitions if name not in but)])

    def some(self, *names: str) -> str:
        """Some of the definitions."""
        return "\n\n\n".join(piece for name, piece in self.definitions if name in names)


def _lines(lines: list[str], node: ast.stmt, end: int) -> str:
    """The source of a statement with the comments and decorators that stand right before it, after the line ``end``."""
    first = min([node.lineno, *(one.lineno for one in getattr(node, "decorator_list", []))]) - 1
    while first > end and lines[first - 1].lstrip().startswith("#"):
        first -= 1
    return "\n".join(lines[first : node.end_lineno])


def _here(code: str) -> str:
    """Code of a file as code of a cell, which knows the folder that it runs in and no arguments."""
    code = code.replace("Path(__file__).with_name(", "Path(").replace("Path(__file__).parent", "Path()")
    code = code.replace("arguments.source", "SOURCE")
    if "__file__" in code or "arguments." in code.replace("arguments.batch_size", "").replace("arguments.out", ""):
        raise RunError("This run's code has no form as a notebook. Write --to code.")
    return code


class _Story:
    """The cells in their order."""

    def __init__(self, run: Run, modules: dict[str, _Module], lang: str):
        self.run, self.modules, self.lang = run, modules, lang
        self.schema, self.problem = Schema.from_json(run.need("schema")), load_problem(run)
        self.classes = self.problem.coding.get("classes")
        self.medium = medium(self.schema)
        self.cells: list[Any] = []

    def say(self, key: str, **values: Any) -> str:
        return text(f"notebook.{key}", self.lang, **{name: self._shown(value) for name, value in values.items()})

    def _shown(self, value: Any) -> str:
        written = f"{value:,}" if isinstance(value, int) else f"{value:.4g}" if isinstance(value, float) else str(value)
        return localised(written, self.lang) if isinstance(value, int | float) else written

    def write(self, *paragraphs: str) -> None:
        from nbformat.v4 import new_markdown_cell

        self.cells.append(
            new_markdown_cell("\n\n".join(one for one in paragraphs if one), id=f"cell-{len(self.cells)}")
        )

    def code(self, source: str, *tags: str, hidden: bool = False) -> None:
        from nbformat.v4 import new_code_cell

        metadata: dict[str, Any] = {"tags": list(tags)} if tags else {}
        if hidden:
            metadata["jupyter"] = {"source_hidden": True}
        self.cells.append(new_code_cell(source.strip("\n"), id=f"cell-{len(self.cells)}", metadata=metadata))

    def told(self) -> list[Any]:
        self._beginning()
        self._data()
        self._problem()
        self._network()
        self._training()
        self._judgement()
        self._answers()
        return self.cells

    def _beginning(self) -> None:
        made, design = self.run.need("run"), self.run.need("design")
        name = made.get("name", self.run.path.name)
        self.write(
            f"# {self.say('title', name=name, target=self.schema.target.name)}",
            self.say("lead", network=design["network"], parameters=int(design["parameters"])),
            self.say("how"),
        )
        self.code(f"SOURCE = {quoted(str((made.get('source') or {}).get('origin', '')))}\nNEW = SOURCE", PARAMETERS)
        self.code(self._imports(), ANSWERS)

    def _imports(self) -> str:
        """The imports of all modules, but for those of each other."""
        plain, names = {"os", "matplotlib.pyplot as plt", "polars as pl", "numpy as np"}, dict[str, set[str]]()
        for module in self.modules.values():
            for node in module.imports:
                if isinstance(node, ast.ImportFrom):
                    if node.module not in (*self.modules, "__future__"):
                        names.setdefault(str(node.module), set()).update(ast.unparse(one) for one in node.names)
                else:
                    plain |= {ast.unparse(one) for one in node.names if one.name != "argparse"}
        lines = [f"import {one}" for one in plain] + [
            f"from {one} import {', '.join(sorted(names[one]))}" for one in names
        ]
        lines.sort(key=lambda line: (line.split()[1].partition(".")[0] not in sys.stdlib_module_names, line.split()[1]))
        # What TensorFlow says while it starts is no news to a reader.
        quiet = 'os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")'
        settings = dict.fromkeys(one for module in self.modules.values() for one in module.before_imports)
        first = next(
            i for i, line in enumerate(lines) if line.split()[1].partition(".")[0] not in sys.stdlib_module_names
        )
        return "\n".join([*lines[:first], "", quiet, *settings, "", *lines[first:]])

    def _data(self) -> None:
        inputs = self.schema.inputs
        what = {PICTURES: "pictures", SERIES: "series"}.get(self.medium or "", "table")
        self.write(
            f"## {self.say('data')}",
            self.say(f"data_{what}", rows=self.schema.rows, columns=len(inputs)),
            self._columns() if what == "table" else "",
        )
        self.code(self.modules["data"].all(but=DECODING), ANSWERS, hidden=what == "table")
        self.code("rows = read_table(SOURCE)\nrows.head()")
        self.write(self.say("target", target=self.schema.target.name))
        self.code(self._plot_of_target())
        if what == "table":
            shown = self._most_important()
            self.write(self.say("inputs", columns=", ".join(f"`{name}`" for name in shown)))
            self.code(self._plot_of_inputs(shown))
        elif what == "pictures":
            self.write(self.say("pictures"))
            self.code(self._plot_of_pictures())
        else:
            self.write(self.say("series"))
            self.code(self._plot_of_series())

    def _columns(self) -> str:
        """The columns as a table."""
        head = [text(f"column.{key}", self.lang) for key in ("column", "kind", "missing")]
        lines = [f"| {' | '.join(head)} |", "|---|---|---:|"]
        for column in self.schema.inputs[:MOST_COLUMNS]:
            share = column.missing / self.schema.rows if self.schema.rows else 0.0
            missing = localised(f"{share:.1%}", self.lang) if column.missing else ""
            lines.append(f"| {_cell(column.name)} | {self._named('kind', column.kind)} | {missing} |")
        more = len(self.schema.inputs) - MOST_COLUMNS
        aside = [f"- {_cell(one.name)}: {told(one.reason, self.lang)}" for one in self.schema.aside[:MOST_COLUMNS]]
        parts = ["\n".join(lines), text("page.more", self.lang, count=more) if more > 0 else ""]
        parts += [self.say("aside"), "\n".join(aside)] if aside else []
        return "\n\n".join(one for one in parts if one)

    def _named(self, group: str, name: str) -> str:
        key = f"{group}.{name}"
        return text(key, self.lang) if key in MESSAGES else name

    def _most_important(self) -> list[str]:
        """The columns that the run found to matter most, or the first ones."""
        told_of = (self.run.read("explanation") or {}).get("importance") or []
        drawn = [one.name for one in self.schema.inputs if one.kind in ("number", "category", "boolean")]
        ordered = [one["column"] for one in sorted(told_of, key=lambda one: -(one.get("value") or 0.0))]
        return [name for name in dict.fromkeys([*ordered, *drawn]) if name in drawn][:SHOWN_COLUMNS]

    def _problem(self) -> None:
        problem, split = self.run.need("problem"), self.run.read("split")
        reason = problem.get("reason")
        asked = self._named("problem", problem["name"])
        paragraphs = [
            self.say("asked", problem=asked, reason=told(reason, self.lang)) if reason else asked,
            self.say("parts"),
        ]
        if split is not None:
            counts = {part: int(split["rows"][part]) for part in ("train", "validation", "test")}
            paragraphs.append(self.say("split", method=told(split["method"], self.lang), **counts))
        self.write(f"## {self.say('problem')}", *paragraphs)
        train = self.modules["train"]
        self.code("\n".join(train.settings) + "\n\n\n" + train.some("split", "deal"))
        before = self._body()[0]
        self.code("\n".join([*before, *SIZES.splitlines()]))

    def _body(self) -> tuple[list[str], list[str], list[str]]:
        """What the training script does: until there is a model, training it, and judging it."""
        body = self.modules["train"].statements("rows = read_table", "model.save_weights")
        made = next(i for i, one in enumerate(body) if "model = build_model()" in one)
        judged = next(i for i, one in enumerate(body) if one.startswith("for part in"))
        return body[:made], body[made:judged], body[judged:]

    def _network(self) -> None:
        design = self.run.need("design")
        summary = told(design.get("summary", ""), self.lang)
        rule = told(design["rule"], self.lang) if design.get("rule") else ""
        self.write(
            f"## {self.say('network')}",
            self.say("built", network=design["network"], summary=summary, parameters=int(design["parameters"])),
            rule,
        )
        if "layers" in self.modules:
            self.write(self.say("layers"))
            self.code(self.modules["layers"].all(), ANSWERS, hidden=True)
        self.code(self.modules["model"].all(), ANSWERS)
        self.code("model = build_model()\nmodel.summary()", ANSWERS)

    def _training(self) -> None:
        history, decided = self.run.history(), self.run.need("run").get("decisions") or []
        self.write(
            f"## {self.say('training')}",
            told(decided[0], self.lang) if decided else "",
            self.say("curve") if history else "",
        )
        if history.get("loss"):
            self.code(
                CURVE.format(
                    epoch=self._axis("column.epoch"),
                    loss=self._axis("axis.loss"),
                    **self._axes("training", "validation"),
                )
            )
        self.write(self.say("again"))
        train = self.modules["train"]
        self.code(train.some(*(name for name, _ in train.definitions if name not in ("split", "deal"))))
        training = textwrap.indent("\n".join(self._body()[1]), "    ")
        self.code(
            f'TRAIN_AGAIN = False\nif TRAIN_AGAIN:\n{training}\nelse:\n    model.load_weights("model.weights.h5")',
            ANSWERS,
        )

    def _judgement(self) -> None:
        evaluation = self.run.read("evaluation") or {}
        verdict = evaluation.get("verdict") or {}
        said = verdict.get("text_pt" if self.lang == "pt" else "text", "")
        self.write(f"## {self.say('judgement')}", _cell(said), self._scores(evaluation))
        self.write(self.say("decoding"))
        self.code(self.modules["data"].some(*DECODING), ANSWERS)
        self.write(self.say("again_judged"))
        self.code("\n".join(self._body()[2]))
        if self.classes:
            self.write(self.say("confusion"))
            self.code(CONFUSION.format(**self._axes("true", "named", "mean", "came_true")))
        else:
            self.write(self.say("scatter"))
            self.code(SCATTER.format(**self._axes("true", "predicted", "error", "rows")))

    def _scores(self, evaluation: dict[str, Any]) -> str:
        """The deciding metric of the models on the test rows, as a table."""
        if "test" not in evaluation:
            return ""
        metric, own = evaluation["metric"], self.run.need("design")["network"]
        models = {own: evaluation["test"], **evaluation.get("baselines", {})}
        lines = [f"| {text('column.model', self.lang)} | {self._named('metric', metric)} | 95 % |", "|---|---:|---:|"]
        for name, scores in list(models.items())[:MOST_MODELS]:
            score = scores[metric]
            bounds = f"{score['low']:.4g} – {score['high']:.4g}" if score.get("low") is not None else ""
            value = f"{score['value']:.4g}" if score.get("value") is not None else "–"
            shown = f"**{_cell(name)}**" if name == own else _cell(name)
            lines.append(f"| {shown} | {localised(value, self.lang)} | {localised(bounds, self.lang)} |")
        return "\n".join(lines)

    def _answers(self) -> None:
        body = self.modules["predict"].statements("model = ", "model.load_weights")
        size = "64" if self.medium == PICTURES else "1024"
        lines = [one.replace("SOURCE", "NEW").replace("arguments.batch_size", size) for one in body]
        last = re.sub(r"\.write_csv\(arguments\.out\)\s*$", "", lines[-1])
        self.write(f"## {self.say('answers')}", self.say("new"))
        self.code("\n".join([*lines[:-1], f"answers = {last}", "answers.head()"]), ANSWERS)

    def _axis(self, key: str) -> str:
        return quoted(text(key, self.lang))

    def _axes(self, *names: str) -> dict[str, str]:
        return {name: quoted(self.say(f"axis_{name}")) for name in names}

    def _plot_of_target(self) -> str:
        return (CLASS_COUNTS if self.classes else VALUES).format(
            title=quoted(self.schema.target.name), **self._axes("rows")
        )

    def _plot_of_inputs(self, shown: list[str]) -> str:
        return (INPUTS_BY_CLASS if self.classes else INPUTS_BY_VALUE).format(
            shown=inline(shown), target=quoted(self.schema.target.name), **self._axes("rows", "share")
        )

    def _plot_of_pictures(self) -> str:
        return PICTURES_OF_CLASSES if self.classes else PICTURES_OF_VALUES

    def _plot_of_series(self) -> str:
        return SERIES_OF_CLASSES if self.classes else SERIES_OF_VALUES


def _cell(said: str) -> str:
    """Text that Markdown leaves as it is."""
    return re.sub(r"([\\`*_\[\]<>|$])", r"\\\1", said)


SIZES = """{part: len(target) for part, target in y.items()}"""

CURVE = """history = pl.read_csv("history.csv")
figure, axis = plt.subplots(figsize=(7, 3.5), layout="constrained")
axis.plot(history["epoch"], history["loss"], label={training})
axis.plot(history["epoch"], history["val_loss"], label={validation})
best = history["val_loss"].arg_min()
axis.axvline(history["epoch"][best], color="grey", linewidth=0.8, linestyle="--")
axis.set(xlabel={epoch}, ylabel={loss})
axis.spines[["top", "right"]].set_visible(False)
axis.legend(frameon=False)
plt.show()"""

CLASS_COUNTS = """codes = read_target(rows).drop_nulls().to_numpy()
figure, axis = plt.subplots(figsize=(7, max(1.5, 0.4 * len(CLASSES))), layout="constrained")
bars = axis.barh(CLASSES, np.bincount(codes, minlength=len(CLASSES)))
axis.bar_label(bars, padding=4)
axis.invert_yaxis()
axis.set(xlabel={rows}, title={title})
axis.spines[["top", "right"]].set_visible(False)
plt.show()"""

VALUES = """values = read_target(rows).drop_nulls().to_numpy() * DEVIATION + MEAN
figure, axis = plt.subplots(figsize=(7, 3), layout="constrained")
axis.hist(values, bins=40)
axis.set(xlabel={title}, ylabel={rows})
axis.spines[["top", "right"]].set_visible(False)
plt.show()"""

INPUTS_BY_CLASS = """shown = {shown}
values, codes = read_values(rows), read_target(rows)
figure, axes = plt.subplots(1, len(shown), figsize=(3.6 * len(shown), 3.2), layout="constrained", squeeze=False)
for axis, column in zip(axes[0], shown):
    if values[column].dtype.is_numeric():
        edges = np.histogram_bin_edges(values[column].drop_nulls(), 25)
        for place, class_name in enumerate(CLASSES[:8]):
            axis.hist(values[column].filter(codes == place).drop_nulls(), edges, histtype="step", density=True, label=class_name)
        axis.set(xlabel=column, yticks=[])
    else:
        # For each name how often each class stands beside it.
        levels = values[column].cast(pl.String).value_counts(sort=True).drop_nulls()[column].head(10).to_list()
        left = np.zeros(len(levels))
        for place, class_name in enumerate(CLASSES[:8]):
            counts = [(codes.filter(values[column].cast(pl.String) == level) == place).mean() or 0.0 for level in levels]
            axis.barh(levels, counts, left=left, label=class_name)
            left += counts
        axis.invert_yaxis()
        axis.set(xlabel={share}, title=column)
    axis.spines[["top", "right"]].set_visible(False)
axes[0][0].legend(frameon=False, title={target})
plt.show()"""

INPUTS_BY_VALUE = """shown = {shown}
values, wanted_values = read_values(rows), read_target(rows) * DEVIATION + MEAN
figure, axes = plt.subplots(1, len(shown), figsize=(3.6 * len(shown), 3.2), layout="constrained", squeeze=False)
for axis, column in zip(axes[0], shown):
    if values[column].dtype.is_numeric():
        axis.plot(values[column], wanted_values, ".", markersize=3, alpha=0.4)
        axis.set(xlabel=column)
    else:
        levels = values[column].cast(pl.String).value_counts(sort=True).drop_nulls()[column].head(10).to_list()
        groups = [wanted_values.filter(values[column].cast(pl.String) == level).drop_nulls() for level in levels]
        axis.boxplot(groups, tick_labels=levels, showfliers=False)
        axis.tick_params(axis="x", rotation=45)
        axis.set(xlabel=column)
    axis.spines[["top", "right"]].set_visible(False)
axes[0][0].set(ylabel={target})
plt.show()"""

PICTURES_OF_CLASSES = """codes = read_target(rows)
figure, axes = plt.subplots(len(CLASSES[:6]), 8, figsize=(9, 1.25 * len(CLASSES[:6])), layout="constrained", squeeze=False)
for place, line in enumerate(axes):
    some, _ = read_pictures(rows.filter(codes == place).head(8))
    for axis in line:
        axis.axis("off")
    for axis, picture in zip(line, some):
        axis.imshow(picture.squeeze(), cmap="gray")
    line[0].set_title(CLASSES[place], loc="left")
plt.show()"""

PICTURES_OF_VALUES = """some, _ = read_pictures(rows.head(8))
figure, axes = plt.subplots(1, 8, figsize=(9, 1.6), layout="constrained")
for axis, picture, value in zip(axes, some, read_target(rows).head(8) * DEVIATION + MEAN):
    axis.imshow(picture.squeeze(), cmap="gray")
    axis.axis("off")
    axis.set_title(f"{value:.3g}")
plt.show()"""

SERIES_OF_CLASSES = """codes, given = read_target(rows), encode(rows)["series"]
figure, axes = plt.subplots(len(CLASSES[:6]), 1, figsize=(8, 1.6 * len(CLASSES[:6])), layout="constrained", squeeze=False)
for place, axis in enumerate(axes[:, 0]):
    axis.plot(given[(codes == place).fill_null(False).to_numpy()][:5, :, 0].T, linewidth=0.9)
    axis.set_title(CLASSES[place], loc="left")
    axis.spines[["top", "right"]].set_visible(False)
plt.show()"""

SERIES_OF_VALUES = """given = encode(rows)["series"]
figure, axis = plt.subplots(figsize=(8, 3), layout="constrained")
axis.plot(given[:8, :, 0].T, linewidth=0.9)
axis.spines[["top", "right"]].set_visible(False)
plt.show()"""

CONFUSION = """shares = probabilities(outputs)
counts = np.zeros((len(CLASSES), len(CLASSES)), int)
np.add.at(counts, (y["test"], shares.argmax(axis=1)), 1)
figure, (left, right) = plt.subplots(1, 2, figsize=(9, 4), layout="constrained")
left.imshow(counts, cmap="Blues")
if len(CLASSES) <= 12:
    for (row, column), count in np.ndenumerate(counts):
        left.text(column, row, count, ha="center", va="center", color="white" if count > counts.max() / 2 else "black")
    left.set_xticks(range(len(CLASSES)), CLASSES, rotation=45)
    left.set_yticks(range(len(CLASSES)), CLASSES)
left.set(xlabel={named}, ylabel={true})
# Of the rows that were given about the same probability, how many came true?
given = shares[:, 1] if len(CLASSES) == 2 else shares.max(axis=1)
came_true = y["test"] == (1 if len(CLASSES) == 2 else shares.argmax(axis=1))
places = np.minimum((given * 10).astype(int), 9)
filled = [place for place in range(10) if (places == place).any()]
right.plot([0, 1], [0, 1], color="grey", linewidth=0.8, linestyle="--")
right.plot([given[places == p].mean() for p in filled], [came_true[places == p].mean() for p in filled], "o-")
right.set(xlabel={mean}, ylabel={came_true}, xlim=(0, 1), ylim=(0, 1), aspect="equal")
plt.show()"""

SCATTER = """true, predicted = y["test"] * DEVIATION + MEAN, outputs.reshape(-1) * DEVIATION + MEAN
figure, (left, right) = plt.subplots(1, 2, figsize=(9, 4), layout="constrained")
ends = [min(true.min(), predicted.min()), max(true.max(), predicted.max())]
left.plot(ends, ends, color="grey", linewidth=0.8, linestyle="--")
left.plot(true, predicted, ".", markersize=4, alpha=0.5)
left.set(xlabel={true}, ylabel={predicted})
right.hist(true - predicted, bins=30)
right.set(xlabel={error}, ylabel={rows})
for axis in (left, right):
    axis.spines[["top", "right"]].set_visible(False)
plt.show()"""
