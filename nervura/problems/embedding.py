"""What rows have in common: a short code for each, from which the row can be rebuilt."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import polars as pl

from nervura import plots
from nervura.problems.base import Answers, Appraisal, Both, Declined, Finding, Metric, Rival, Targetless, Trained
from nervura.rebuilding import Layout
from nervura.schema import Schema

if TYPE_CHECKING:
    import keras

NEIGHBOURED_ROWS = 10_000
"""Nearest neighbours are looked for among so many training rows, of so many test rows at most."""

MOST_CLASSES = 100
SHOWN, MAPPED, MOST_FEATURES = 10, 1_000, 50


def _mean_error(truth: np.ndarray, estimates: np.ndarray, weights: np.ndarray, kind: str | None = None) -> np.ndarray:
    """The mean over rows of the errors of one kind, or of all: estimates (rows, kinds), weights (sets, rows)."""
    errors = estimates.sum(1) if kind is None else estimates[:, ORDER.index(kind)]
    return weights @ errors / weights.sum(1)


ORDER = ("numbers", "flags", "levels", "counts", "pixels")
MEANING = {
    "numbers": "of the numbers, in units of their deviation",
    "flags": "of yes and no, from 0 to 1",
    "levels": "of the levels of categories, each from 0 to 1",
    "counts": "of the shares of words, in units that make them as large as other columns",
    "pixels": "of the pixels, from 0 to 1",
}


class Embedding(Targetless):
    name = "embedding"
    summary = "A short code for each row, from which the row can be rebuilt: no target is needed."
    metric = "squared_error"
    metrics = {
        "squared_error": Metric(_mean_error, False, "squared error of the rebuilt row, summed over its values"),
        **{
            f"{kind}_error": Metric(partial(_mean_error, kind=kind), False, f"the same {MEANING[kind]} alone")
            for kind in ORDER
        },
    }
    rank = 10

    def __init__(self, coding: dict[str, Any] | None = None, arrays: dict[str, np.ndarray] | None = None):
        super().__init__(coding, arrays)
        if "layout" in self.coding:
            kinds = [block["kind"] for block in self.coding["layout"]["blocks"]]
            told = {f"{kind}_error" for kind in kinds if len(kinds) > 1}
            all_metrics = type(self).metrics
            self.metrics = {name: all_metrics[name] for name in all_metrics if name in {"squared_error", *told}}

    def fits_rows(self, schema: Schema) -> str:
        if not schema.inputs:
            raise Declined("there is no column to rebuild")
        if schema.inputs[0].kind == "image":
            return "pictures can be told by a short code each"
        if schema.inputs[0].kind == "series":
            raise Declined(
                "series are not rebuilt; --column with number in place of series reads them as plain numbers"
            )
        columns = len(schema.inputs)
        if columns == 1 and schema.inputs[0].kind == "document":
            return "documents can be told by a short code each"
        if columns < 2:
            raise Declined("one column alone has nothing in common with others")
        return f"{columns:,} columns can be told by fewer numbers, as far as they have something in common"

    def measured(self, outputs: np.ndarray, labels: pl.Series | None = None) -> tuple[np.ndarray, np.ndarray]:
        layout = self.layout
        errors = layout.errors_by_kind(outputs)
        estimates = np.zeros((len(outputs), len(ORDER)))
        for place, block in enumerate(layout.blocks):
            estimates[:, ORDER.index(block.kind)] = errors[:, place]
        return np.zeros(len(outputs)), estimates

    def decode(self, estimates: np.ndarray) -> pl.DataFrame:
        codes = self.layout.code(estimates).astype(np.float64)
        return pl.DataFrame({f"code_{place}": codes[:, place - 1] for place in range(1, codes.shape[1] + 1)})

    def constant(self, truth: np.ndarray, rows: int) -> np.ndarray:
        return np.zeros(rows)

    def appraise(self, trained: Trained) -> Appraisal:
        trained.tell("principal components")
        layout, parts = self.layout, trained.parts
        given = {part: layout.given(answers.outputs) for part, answers in parts.items()}
        began = time.monotonic()
        components = Components.of(given["train"], layout.length)
        seconds = time.monotonic() - began
        linear = {part: components.outputs(rows) for part, rows in given.items()}
        flat = {part: components.without().outputs(given[part]) for part in ("validation", "test")}

        def estimates(outputs: np.ndarray) -> np.ndarray:
            return self.measured(outputs)[1]

        network = {part: estimates(answers.outputs) for part, answers in parts.items() if part != "train"}
        rivals = [
            Rival(trained.name, trained.kind, 6, network["validation"], network["test"], trained.seconds),
            Rival("mean", "constant", 0, estimates(flat["validation"]), estimates(flat["test"]), 0.0),
            Rival(
                "principal_components",
                "linear",
                1,
                estimates(linear["validation"]),
                estimates(linear["test"]),
                seconds,
                components.model(trained.model),
            ),
        ]
        found = Appraisal(rivals)
        spread = layout_spread(layout, given["train"])
        found.findings.append(_kept(layout, parts["test"].outputs, linear["test"], spread, trained.name))
        neighbours = _neighbours(layout, parts, linear, trained)
        if neighbours:
            found.findings.append(neighbours)
        _show(found, layout, parts["test"], linear["test"])
        return found


class Components:
    """Principal components of given rows, in the layout of a network's outputs."""

    def __init__(self, mean: np.ndarray, axes: np.ndarray, length: int):
        self.mean, self.axes, self.length = mean, axes, length

    @classmethod
    def of(cls, rows: np.ndarray, length: int) -> Self:
        """The ``length`` components of rows (rows, width) along which they vary most; fewer if there are not so many."""
        from sklearn.decomposition import PCA

        found = PCA(min(length, *rows.shape), random_state=0).fit(rows)
        return cls(found.mean_.astype(np.float32), found.components_.astype(np.float32), length)

    def without(self) -> Components:
        """The mean alone."""
        return Components(self.mean, self.axes[:0], self.length)

    def outputs(self, given: np.ndarray) -> np.ndarray:
        """Code, rebuilt and given row, (rows, length + 2 x width)."""
        code = (given - self.mean) @ self.axes.T
        filled = np.zeros((len(given), self.length), np.float32)
        filled[:, : code.shape[1]] = code
        return np.hstack([filled, code @ self.axes + self.mean, given])

    def model(self, network: keras.Model) -> keras.Model:
        """The same as a Keras model with the inputs of a network: a linear autoencoder."""
        import keras

        given = network.get_layer("given").output
        code = keras.layers.Dense(self.length, name="code")
        rebuilt = keras.layers.Dense(len(self.mean), name="decoded")
        coded = code(given)
        outputs = keras.layers.Concatenate(name="output")([coded, rebuilt(coded), given])
        model = keras.Model(network.inputs, outputs, name="principal_components")
        axes = np.zeros((self.length, len(self.mean)), np.float32)
        axes[: len(self.axes)] = self.axes
        code.set_weights([axes.T, -self.mean @ axes.T])
        rebuilt.set_weights([axes, self.mean])
        # Weights are shared with the network where a layer is: a copy has its own.
        copy = keras.models.clone_model(model)
        copy.set_weights(model.get_weights())
        return copy


def layout_spread(layout: Layout, given: np.ndarray) -> np.ndarray:
    """The squared deviation of each feature from its mean, summed over its values, (features,)."""
    starts = np.cumsum([0, *(size for block in layout.blocks for size in block.sizes)])[:-1]
    return np.add.reduceat(given.var(0, dtype=np.float64), starts)


def _kept(layout: Layout, outputs: np.ndarray, linear: np.ndarray, spread: np.ndarray, name: str) -> Finding:
    """How much of each column is lost, by the network and by principal components."""
    lost = [layout.errors(rows).mean(0) / np.maximum(spread, 1e-12) for rows in (outputs, linear)]
    order = [place for place in np.argsort(-lost[0]) if spread[place] > 1e-9][:MOST_FEATURES]
    names = layout.names
    return Finding(
        ("What the code loses", "O que o código perde"),
        (
            "The share of each column's variance that is lost when test rows are rebuilt from their codes: 0 is nothing, "
            "1 as much as answering its mean. Those that lose most stand first.",
            "A parte da variância de cada coluna que se perde quando as linhas de teste são reconstruídas a partir dos "
            "códigos: 0 é nada, 1 é tanto como responder a média. As que mais perdem vêm primeiro.",
        ),
        [("Column", "Coluna"), (name, name), ("principal components", "componentes principais")],
        [[names[place], float(lost[0][place]), float(lost[1][place])] for place in order],
    )


def _neighbours(
    layout: Layout, parts: dict[str, Answers], linear: dict[str, np.ndarray], trained: Trained
) -> Finding | None:
    """How often the nearest training row has the label of a test row; None without labels, or where they are values."""
    learnt, tested = parts["train"].labels, parts["test"].labels
    if learnt is None or tested is None or not 2 <= learnt.drop_nulls().n_unique() <= MOST_CLASSES:
        return None
    if trained.left() < 5.0:
        return None
    trained.tell("nearest neighbours")
    rows = [_some(np.flatnonzero(labels.is_not_null().to_numpy())) for labels in (learnt, tested)]
    if not all(len(chosen) for chosen in rows):
        return None
    true = [labels[chosen].to_numpy() for labels, chosen in zip((learnt, tested), rows, strict=True)]
    outputs = {part: answers.outputs for part, answers in parts.items()}
    spaces: list[tuple[Both, Callable[[np.ndarray], np.ndarray], dict[str, np.ndarray]]] = [
        ((f"code of {trained.name}", f"código de {trained.name}"), layout.code, outputs),
        (("principal components", "componentes principais"), layout.code, linear),
        (("rows as they are", "linhas como são"), layout.given, outputs),
    ]
    table = []
    for title, space, of in spaces:
        right = _nearest(space(of["train"])[rows[0]], space(of["test"])[rows[1]], true[0]) == true[1]
        share, error = float(right.mean()), float(right.std() / np.sqrt(len(right)))
        table.append([list(title), share, max(0.0, share - 1.96 * error), min(1.0, share + 1.96 * error)])
    return Finding(
        ("What the code knows of the labels", "O que o código sabe das etiquetas"),
        (
            f"The share of {len(rows[1]):,} test rows whose nearest of {len(rows[0]):,} training rows has their label. "
            "Labels played no part in the training.",
            f"A parte de {len(rows[1]):,} linhas de teste cuja vizinha mais próxima, de {len(rows[0]):,} de treino, tem a "
            "mesma etiqueta. As etiquetas não tomaram parte no treino.",
        ),
        [("Neighbours in", "Vizinhas em"), ("accuracy", "exatidão"), ("from", "de"), ("to", "a")],
        table,
    )


def _some(rows: np.ndarray) -> np.ndarray:
    return rows[:: max(1, -(-len(rows) // NEIGHBOURED_ROWS))]


def _nearest(learnt: np.ndarray, asked: np.ndarray, labels: np.ndarray) -> np.ndarray:
    from sklearn.neighbors import KNeighborsClassifier

    return KNeighborsClassifier(1, algorithm="brute").fit(learnt, labels).predict(asked)


def _show(found: Appraisal, layout: Layout, test: Answers, linear: np.ndarray) -> None:
    """Pictures beside what is rebuilt of them."""
    if layout.blocks[-1].kind != "pixels" or len(layout.blocks) > 1:
        return
    pictures = test.x["pictures"]
    chosen = np.linspace(0, len(pictures) - 1, min(SHOWN, len(pictures))).astype(int)
    shape = pictures.shape[1:]

    def drawn(outputs: np.ndarray) -> np.ndarray:
        return np.clip(255 * layout.rebuilt(outputs[chosen]), 0, 255).astype(np.uint8).reshape(-1, *shape)

    tiles = np.concatenate([pictures[chosen], drawn(test.outputs), drawn(linear)])
    found.arrays["rebuilt"] = plots.mosaic(tiles, len(chosen), 56)
    found.findings.append(
        Finding(
            ("Pictures and what is rebuilt of them", "Imagens e o que delas se reconstrói"),
            (
                "Test pictures above, below them what the network and then principal components rebuild from codes of "
                f"{layout.length} numbers.",
                "Imagens de teste em cima; por baixo, o que a rede e depois as componentes principais reconstroem a partir "
                f"de códigos de {layout.length} números.",
            ),
            picture="rebuilt",
        )
    )
