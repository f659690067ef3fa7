"""Which rows belong together: groups found without labels, how sure each row's is, and what sets each group apart."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import polars as pl

from nervura import grouping, plots
from nervura.clusterers import clusterers
from nervura.clusterers.base import Fitted
from nervura.encoding import PICTURES
from nervura.errors import OptionError, ProblemError
from nervura.grouping import KNOWN_ROWS
from nervura.messages import LANGUAGES, localised
from nervura.problems.base import Answers, Appraisal, Declined, Finding, Metric, Rival, Targetless, Trained
from nervura.problems.base import no_labels as labels_needed
from nervura.schema import Schema
from nervura.viewing import CODE, ROWS, ROWS_AT_ONCE, Views
from nervura.zoo.base import option

if TYPE_CHECKING:
    import keras

    from nervura.encoding import Tensor

FEWEST_VALUES = 15
"""A column of numbers with fewer different values is taken for a category."""

MOST_CLUSTERS = 1_000
MOST_LABELS = 200
"""A column of labels that rows are judged by has so many different values at most."""

PANEL = ("mixture", "k_means", "gaussian_mixture")
"""The clusterers among which the ties between neighbours choose; the first tells how many clusters there are."""

GRAPH, NARROW, HANDICAP = "neighbour_graph", 10, 2.0
"""The clusterer that looks for the fewest ties itself comes into question where rows have more values than the second of
these, and its ties count so many times."""

CUT_ROWS, CLEARLY = 5_000, 0.85
"""Of several ways to group rows the one is taken that cuts the fewest ties between neighbours, among so many rows; the first
of them unless another cuts at most so many times as many. Fixed by the ablation of docs/clustering.md."""

DRAWS, DRAWN_ROWS, JUDGED_ROWS = 5, 2_000, 2_000
"""How stable groups are is told by grouping half of the rows so many times, at most so many each, and placing the same
other rows each time."""

AROUND = 2
"""How many clusters fewer and more than were found are tried beside them."""

MAPPED, PICTURES_MAPPED, TYPICAL, TYPICAL_ROWS = 1_500, 400, 10, 3
MOST_TOLD, MOST_TRAITS, LEAST_TRAIT = 30, 4, 0.3
"""So many clusters are described at most, each by so many traits, which differ from those of all rows by so many
deviations at least."""

JUDGING = ("validation", "test")


def _silhouette(truth: np.ndarray, estimates: np.ndarray, weights: np.ndarray) -> np.ndarray:
    return weights @ estimates[:, 1] / weights.sum(1)


def _beside_labels(score: Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]) -> Any:
    """A score of two groupings for estimates (rows, 2), the first of them the number of the cluster."""

    def of_estimates(truth: np.ndarray, estimates: np.ndarray, weights: np.ndarray) -> np.ndarray:
        return score(truth.astype(np.int64), estimates[:, 0].astype(np.int64), weights)

    return of_estimates


UNLABELLED = {
    "silhouette": Metric(
        _silhouette,
        True,
        "how much nearer rows are to their own cluster than to the next, -1 to 1, by the rows as given",
    )
}
LABELLED = {
    "adjusted_rand": Metric(
        _beside_labels(grouping.adjusted_rand),
        True,
        "share of pairs of rows that labels and clusters treat alike; 0: chance",
    ),
    "normalized_mutual_info": Metric(
        _beside_labels(grouping.normalized_mutual_info), True, "information that labels and clusters share, 0 to 1"
    ),
    "matched_accuracy": Metric(
        _beside_labels(grouping.matched_accuracy), True, "share of rows in the cluster that goes with their label"
    ),
    **UNLABELLED,
}


@dataclass
class ClusteringOptions:
    """What the problem can be told."""

    clusters: str = option("auto", "how many clusters, 2 or more; auto: as many as the rows tell")
    method: str = option(
        "auto",
        "what groups the rows; auto: by the rows themselves",
        choices=("auto", "mixture", "neighbour_graph", "gaussian_mixture", "k_means"),
    )
    view: str = option(
        "auto",
        "what is grouped: the rows as they are given, or their codes; auto: the codes of pictures",
        choices=("auto", ROWS, CODE),
    )


class Clustering(Targetless):
    """Groups of rows, by their codes or as they are given. See docs/clustering.md.

    Estimates are (rows, 2): the number of the cluster, from 0, and the silhouette of the row.
    """

    name = "clustering"
    summary = "Which rows belong together, and what sets each group apart: no target is needed."
    metric = "adjusted_rand"
    metrics = LABELLED
    keeps_rows = True
    rank = 30
    picture_network = "moving_autoencoder"
    Options = ClusteringOptions

    def __init__(self, coding: dict[str, Any] | None = None, arrays: dict[str, np.ndarray] | None = None):
        super().__init__(coding, arrays)
        if "labels" in self.coding:
            self.metrics = LABELLED if self.coding["labels"] else UNLABELLED
            if self.metric not in self.metrics:
                self.metric = next(iter(self.metrics))

    def fits_rows(self, schema: Schema) -> str:
        if not schema.inputs:
            raise Declined("there is no column to group rows by")
        if schema.inputs[0].kind == "series":
            raise Declined(
                "series are not rebuilt; --column with number in place of series reads them as plain numbers"
            )
        return "rows that are alike can be grouped"

    def told(self, given: Mapping[str, Any], level: float | None = None, labels: pl.Series | None = None) -> Self:
        found = super().told(given, level, labels)
        asked = found.options.clusters
        if asked != "auto" and not (asked.isdigit() and 2 <= int(asked) <= MOST_CLUSTERS):
            raise OptionError(
                f"A number of clusters is auto or a whole number from 2 to {MOST_CLUSTERS:,}; given was '{asked}'. "
                "Write --set clusters=5."
            )
        names = [] if labels is None else labels.drop_nulls().unique().sort().to_list()
        return type(self)({**found.coding, "labels": names if 2 <= len(names) <= MOST_LABELS else []})

    def designed(self, tensors: list[Tensor], model: keras.Model) -> Self:
        found = super().designed(tensors, model)
        levels = [names for tensor in tensors for names in tensor.facts.get("levels", [])]
        return type(self)({**found.coding, "levels": levels}, found.arrays)

    def settle(self, parts: dict[str, Answers]) -> Self:
        outputs = self._some_of(parts["train"].outputs)
        views = Views.of(self.layout, outputs)
        made = type(self)({**self.coding, "picture": _picture(parts["train"])}, views.arrays)
        asked = self.options.clusters
        if asked != "auto" and int(asked) > len(outputs):
            raise ProblemError(
                f"Each cluster has a row at least; {asked} are asked for, and {len(outputs):,} rows are learnt from."
            )
        return made._grouped(outputs)

    def _grouped(self, outputs: np.ndarray) -> Self:
        """A copy that has chosen what to group, how, and in how many clusters, and has done so; the largest is the first."""
        view = self._view()
        rows = self.seen(outputs, view)
        method, count = self._method(rows, view)
        fitted = clusterers.load(method).fit(rows, count)
        shares = fitted.probabilities(rows)
        order = np.argsort(-np.bincount(shares.argmax(1), minlength=shares.shape[1]), kind="stable")
        known = _some(outputs, KNOWN_ROWS)
        arrays = {f"fitted/{name}": array for name, array in fitted.arrays().items()}
        arrays |= {"order": order, "known": self.seen(known, ROWS).astype(np.float32)}
        arrays["known_groups"] = np.argsort(order)[fitted.probabilities(self.seen(known, view)).argmax(1)]
        coding = {**self.coding, "grouped": {"view": view, "method": method, "clusters": len(order)}}
        return type(self)(coding, {**self.arrays, **arrays})

    def _view(self) -> str:
        """What is grouped: what was asked for, else the codes of pictures, and the rows of tables."""
        if self.options.view != "auto":
            return self.options.view
        return CODE if self.coding["picture"] is not None else ROWS

    def _method(self, rows: np.ndarray, view: str) -> tuple[str, int]:
        """What groups the rows, and in how many clusters: what was asked for, else what the rows tell."""
        asked, method = self.options.clusters, self.options.method
        likely = (method,) if method != "auto" else self._candidates(rows, view)
        count = clusterers.load(likely[0]).count(rows) if asked == "auto" else int(asked)
        return (likely[0] if len(likely) == 1 else chosen(rows, count, likely)), count

    def _candidates(self, rows: np.ndarray, view: str) -> tuple[str, ...]:
        """The clusterers that come into question."""
        if view == CODE:
            return (GRAPH,)
        likely = PANEL if self._continuous(rows) else PANEL[1:2]
        return (*likely, GRAPH) if rows.shape[1] > NARROW else likely

    def _continuous(self, rows: np.ndarray) -> bool:
        """Whether all columns are numbers with many different values: Gaussians would part others value by value."""
        numbers = {block.kind for block in self.layout.blocks} == {"numbers"}
        return numbers and all(len(np.unique(column)) >= FEWEST_VALUES for column in rows[:KNOWN_ROWS].T)

    def _some_of(self, outputs: np.ndarray) -> np.ndarray:
        """What the network gave for the rows that are grouped."""
        return _some(outputs, grouping.grouped_rows(self.layout.width))

    @cached_property
    def views(self) -> Views:
        return Views(self.layout, self.arrays)

    def seen(self, outputs: np.ndarray, view: str) -> np.ndarray:
        """What is grouped, (rows, features): the rows in comparable units, or their codes."""
        if view == CODE:
            return self.layout.code(outputs).astype(np.float64)
        starts = range(0, max(1, len(outputs)), ROWS_AT_ONCE)
        return np.concatenate([self.views.rows(outputs[start : start + ROWS_AT_ONCE]) for start in starts])

    @property
    def clusters(self) -> list[str]:
        """The names of the clusters, the largest first."""
        return [str(number) for number in range(1, self.coding["grouped"]["clusters"] + 1)]

    @cached_property
    def fitted(self) -> Fitted:
        """The clusterer as it was learnt."""
        own = {name.removeprefix("fitted/"): a for name, a in self.arrays.items() if name.startswith("fitted/")}
        return clusterers.load(self.coding["grouped"]["method"]).fitted.of(own)

    def probabilities(self, outputs: np.ndarray) -> np.ndarray:
        """How probably each row belongs to each cluster (rows, clusters), by the network's outputs."""
        parts = [np.empty((0, len(self.clusters)))]
        for start in range(0, len(outputs), ROWS_AT_ONCE):
            seen = self.seen(outputs[start : start + ROWS_AT_ONCE], self.coding["grouped"]["view"])
            parts.append(self.fitted.probabilities(seen)[:, self.arrays["order"]])
        return np.concatenate(parts)

    def measured(self, outputs: np.ndarray, labels: pl.Series | None = None) -> tuple[np.ndarray, np.ndarray]:
        truth = self._truth(labels, len(outputs))
        if self.coding["labels"] and not np.isfinite(truth).any():
            raise labels_needed(self)
        groups = self.probabilities(outputs).argmax(1)
        known = self.arrays["known"], self.arrays["known_groups"]
        return truth, np.column_stack([groups, grouping.silhouettes(self.seen(outputs, ROWS), groups, *known)])

    def _truth(self, labels: pl.Series | None, rows: int) -> np.ndarray:
        """The number of each row's label, nan where it has none; zeros where none judge."""
        names = self.coding["labels"]
        if not names:
            return np.zeros(rows)
        if labels is None:
            return np.full(rows, np.nan)
        codes = labels.replace_strict(names, list(range(len(names))), default=None, return_dtype=pl.Float64)
        return codes.fill_null(float("nan")).to_numpy()

    def decode(self, estimates: np.ndarray) -> pl.DataFrame:
        shares = self.probabilities(estimates)
        names = np.array(self.clusters)
        columns = {f"probability_{name}": shares[:, place] for place, name in enumerate(self.clusters)}
        return pl.DataFrame({"prediction": names[shares.argmax(1)], **columns})

    def appraise(self, trained: Trained) -> Appraisal:
        parts = {part: answers.outputs for part, answers in trained.parts.items()}
        parts["train"] = self._some_of(parts["train"])
        found = Appraisal(list(self._rivals(trained, parts)))
        if self.coding["labels"]:
            found.truth = {part: self._truth(trained.parts[part].labels, len(parts[part])) for part in JUDGING}
        draws = self._draws(trained, parts)
        if found.truth is None or not all(np.isfinite(truth).any() for truth in found.truth.values()):
            found.verdict = self._unjudged(found, draws)
        if len(trained.parts["train"].outputs) > len(parts["train"]):
            found.notes.append(
                f"Of {len(trained.parts['train'].outputs):,} training rows {len(parts['train']):,}, taken evenly, were grouped; "
                "the others are placed as new rows are."
            )
        test = trained.parts["test"]
        groups = found.rivals[0].test[:, 0].astype(np.int64)
        found.findings = [self._told_apart(test, groups, draws), self._stable(draws)]
        if found.truth is not None:
            found.findings.append(self._beside_labels(test, groups))
        found.findings.append(self._agreeing(found))
        self._show(found, test, groups)
        if trained.left() > 10.0:
            trained.tell("map")
            self._map(found, test, groups)
        return found

    def _rivals(self, trained: Trained, parts: dict[str, np.ndarray]) -> Iterator[Rival]:
        """What was chosen; all rows in one cluster; every clusterer on the rows as they are given; and on their codes."""
        told = self.coding["grouped"]
        seen = {view: {part: self.seen(outputs, view) for part, outputs in parts.items()} for view in (ROWS, CODE)}
        known = _some(seen[ROWS]["train"], KNOWN_ROWS)

        def rival(name: str, kind: str, simplicity: int, groups: dict[str, np.ndarray], seconds: float) -> Rival:
            of_known = _some(groups["train"], KNOWN_ROWS)
            validation, test = (
                np.column_stack([groups[part], grouping.silhouettes(seen[ROWS][part], groups[part], known, of_known)])
                for part in JUDGING
            )
            return Rival(name, kind, simplicity, validation, test, seconds)

        own = {part: self.probabilities(outputs).argmax(1) for part, outputs in parts.items()}
        kind = "deep" if told["view"] == CODE else "clusterer"
        yield rival(trained.name, kind, 6 if kind == "deep" else 3, own, trained.seconds)
        one = {part: np.zeros(len(outputs), np.int64) for part, outputs in parts.items()}
        yield rival("constant", "constant", 0, one, 0.0)
        wanted = [(clusterer, ROWS) for clusterer in clusterers]
        wanted += [(clusterers.load(name), CODE) for name in dict.fromkeys((told["method"], "k_means"))]
        for clusterer, view in wanted:
            if (clusterer.name, view) == (told["method"], told["view"]):
                continue
            if trained.left() < 10.0:
                break
            name = clusterer.name if view == ROWS else f"{clusterer.name}_of_code"
            trained.tell(name)
            began = time.monotonic()
            fitted = clusterer.fit(seen[view]["train"], told["clusters"])
            groups = {part: fitted.probabilities(rows).argmax(1) for part, rows in seen[view].items()}
            seconds = time.monotonic() - began
            if view == CODE:
                yield rival(name, "deep", 7, groups, trained.seconds + seconds)
            else:
                yield rival(name, "clusterer", SIMPLICITY.get(name, 4), groups, seconds)

    def _draws(self, trained: Trained, parts: dict[str, np.ndarray]) -> dict[int, np.ndarray]:
        """For each number of clusters tried, the groups that the same held-out rows fall into where random halves of the
        rows are grouped: (draws, rows)."""
        told = self.coding["grouped"]
        rows, held = (
            self.seen(parts["train"], told["view"]),
            self.seen(_some(parts["validation"], JUDGED_ROWS), told["view"]),
        )
        clusterer = clusterers.load(told["method"])
        found: dict[int, np.ndarray] = {}
        half = min(len(rows) // 2, DRAWN_ROWS)
        counts = sorted(
            range(told["clusters"] - AROUND, told["clusters"] + AROUND + 1), key=lambda k: abs(k - told["clusters"])
        )
        for count in counts:
            if not 2 <= count <= half or (found and trained.left() < 20.0):
                continue
            trained.tell(f"stability of {count} clusters")
            draws = []
            for number in range(DRAWS):
                chosen = np.random.default_rng([trained.seed, number]).permutation(len(rows))[:half]
                draws.append(clusterer.fit(rows[chosen], count, number).probabilities(held).argmax(1))
            found[count] = np.array(draws)
        return dict(sorted(found.items()))

    def _stable(self, draws: dict[int, np.ndarray]) -> Finding:
        """How alike the groupings of different halves of the rows are, for each number of clusters."""
        table: list[list[Any]] = []
        for count, groups in draws.items():
            scores = agreements(groups)
            chosen = ["chosen", "escolhido"] if count == self.coding["grouped"]["clusters"] else ["", ""]
            table.append([count, float(np.mean(scores)), float(np.min(scores)), chosen])
        return Finding(
            ("How many clusters, and how stable", "Quantos grupos, e quão estáveis"),
            (
                f"Random halves of the rows were grouped {DRAWS} times, and the same held-out rows placed each time: the adjusted "
                "Rand index of two such groupings is 1 where they are the same and 0 where they agree by chance. Fewer clusters "
                "tend to be more stable, so that the highest value alone does not tell how many there are.",
                f"Metades das linhas, tiradas à sorte, foram agrupadas {DRAWS} vezes, e as mesmas linhas reservadas colocadas de "
                "cada vez: o índice de Rand ajustado de dois desses agrupamentos é 1 se são iguais e 0 se só concordam por acaso. "
                "Menos grupos tendem a ser mais estáveis, por isso o valor mais alto, só por si, não diz quantos são.",
            ),
            [
                ("Clusters", "Grupos"),
                ("agreement, mean", "concordância, média"),
                ("lowest", "a menor"),
                ("", ""),
            ],
            table,
        )

    def _told_apart(self, test: Answers, groups: np.ndarray, draws: dict[int, np.ndarray]) -> Finding:
        """Each cluster: how large it is, what sets it apart, and its most typical rows."""
        count = len(self.clusters)
        sizes = np.bincount(groups, minlength=count)
        typical = self._typical(test.outputs, groups, TYPICAL_ROWS)
        heads = [("Cluster", "Grupo"), ("test rows", "linhas de teste"), ("share", "parte")]
        rows: list[list[Any]] = [
            [self.clusters[place], int(sizes[place]), float(sizes[place] / len(groups))]
            for place in range(min(count, MOST_TOLD))
        ]
        if self.coding["picture"] is None:
            heads.append(("what sets it apart", "o que o distingue"))
            for row, told in zip(rows, self._traits(test.outputs, groups), strict=False):
                row.append(told)
        heads.append(("typical rows", "linhas típicas"))
        for place, row in enumerate(rows):
            row.append(", ".join(str(_name(test, one)) for one in typical[place]) or "–")
        more = count - len(rows)
        left_out = (
            (f" {more:,} smaller ones are left out.", f" Omitem-se {more:,} mais pequenos.") if more else ("", "")
        )
        how = self.coding["grouped"]
        return Finding(
            ("The clusters", "Os grupos"),
            (
                f"Test rows grouped by {NAMES[how['method']][0]} on {NAMES[how['view']][0]}; the largest cluster of the training rows "
                "is the first. A column sets a cluster apart by how far its mean there is from that of all rows, in deviations; of "
                f"a level, its share there and among all rows. Typical rows are nearest to the middle of their cluster.{left_out[0]}",
                f"Linhas de teste agrupadas por {NAMES[how['method']][1]} sobre {NAMES[how['view']][1]}; o maior grupo das linhas de "
                "treino é o primeiro. Uma coluna distingue um grupo pela distância da sua média aí à de todas as linhas, em desvios; "
                "um nível, pela sua parte aí e entre todas as linhas. As linhas típicas são as mais próximas do meio do seu "
                f"grupo.{left_out[1]}",
            ),
            heads,
            rows,
        )

    def _typical(self, outputs: np.ndarray, groups: np.ndarray, most: int) -> list[np.ndarray]:
        """For each cluster the rows nearest to its middle, the nearest first."""
        seen, found = self.seen(outputs, self.coding["grouped"]["view"]), []
        for place in range(len(self.clusters)):
            own = np.flatnonzero(groups == place)
            away = np.square(seen[own] - seen[own].mean(0)).sum(1) if len(own) else np.empty(0)
            found.append(own[np.argsort(away, kind="stable")[:most]])
        return found

    def _traits(self, outputs: np.ndarray, groups: np.ndarray) -> list[list[str]]:
        """What sets each cluster apart, in English and Portuguese."""
        given, values = self.layout.given(outputs), self._values()
        mean, deviation = given.mean(0, dtype=np.float64), np.maximum(given.std(0, dtype=np.float64), 1e-9)
        found = []
        for place in range(len(self.clusters)):
            own = given[groups == place]
            if not len(own):
                found.append(["–", "–"])
                continue
            here = own.mean(0, dtype=np.float64)
            apart = (here - mean) / deviation
            order = [
                i
                for i in np.argsort(-np.abs(apart), kind="stable")
                if values[i] is not None and abs(apart[i]) >= LEAST_TRAIT
            ]
            told: list[list[str]] = [[], []]
            named: set[str] = set()
            for i in order:
                kind, column, name = values[i]  # type: ignore[misc]
                if column in named:
                    continue
                named.add(column)
                for lang, said in enumerate(told):
                    words = TRAITS[LANGUAGES[lang]]
                    if kind == "numbers":
                        text = f"{name} {words['high' if apart[i] > 0 else 'low']} ({apart[i]:+.1f})"
                    else:
                        text = f"{name} {here[i]:.0%} ({words['all']} {mean[i]:.0%})"
                    said.append(localised(text, LANGUAGES[lang]))
                if len(named) == MOST_TRAITS:
                    break
            found.append([", ".join(said) or "–" for said in told])
        return found

    def _values(self) -> list[tuple[str, str, str] | None]:
        """For each value of a row its kind, the column that it is of and what it is called; None of a level without a name."""
        found: list[tuple[str, str, str] | None] = []
        levels = iter(self.coding["levels"])
        for block in self.layout.blocks:
            for label, size in zip(block.names, block.sizes, strict=True):
                column = label.partition(" › ")[0]
                if block.kind == "levels":
                    names = next(levels)
                    found += [None, (block.kind, column, f"{column} = ?")]
                    found += [(block.kind, column, f"{column} = {name}") for name in names]
                else:
                    found += [(block.kind, column, label)] * size
        return found

    def _beside_labels(self, test: Answers, groups: np.ndarray) -> Finding:
        """Which labels the rows of each cluster have."""
        truth, names = self._truth(test.labels, len(groups)), self.coding["labels"]
        rows: list[list[Any]] = []
        for place, cluster in enumerate(self.clusters[:MOST_TOLD]):
            own = truth[(groups == place) & np.isfinite(truth)].astype(np.int64)
            counts = np.bincount(own, minlength=len(names))
            order = [i for i in np.argsort(-counts, kind="stable")[:3] if counts[i]]
            said = [f"{names[i]} {counts[i] / len(own):.0%}" for i in order]
            texts = [localised(", ".join(said), lang) or "–" for lang in LANGUAGES]
            rows.append([cluster, len(own), float(counts.max() / len(own)) if len(own) else None, texts])
        return Finding(
            ("Clusters and labels", "Grupos e etiquetas"),
            (
                "The commonest labels of the test rows of each cluster. Labels played no part in the training, nor in any choice.",
                "As etiquetas mais comuns das linhas de teste de cada grupo. As etiquetas não tomaram parte no treino nem em "
                "nenhuma escolha.",
            ),
            [
                ("Cluster", "Grupo"),
                ("labelled rows", "linhas com etiqueta"),
                ("share of the commonest", "parte da mais comum"),
                ("labels", "etiquetas"),
            ],
            rows,
        )

    def _agreeing(self, found: Appraisal) -> Finding:
        """How alike the groupings of other methods are."""
        return Finding(
            ("How other methods group the rows", "Como outros métodos agrupam as linhas"),
            (
                f"Each method beside {found.rivals[0].name}: how many clusters it has among the test rows, and the adjusted Rand index "
                "of the two groupings. Agreement is no proof of being right.",
                f"Cada método ao lado de {found.rivals[0].name}: quantos grupos tem nas linhas de teste, e o índice de Rand ajustado "
                "dos dois agrupamentos. Concordar não é prova de acerto.",
            ),
            [("Method", "Método"), ("clusters", "grupos"), ("agreement", "concordância")],
            [[name, count, value] for name, (count, value) in _alike(found).items()],
        )

    def _unjudged(self, found: Appraisal, draws: dict[int, np.ndarray]) -> dict[str, Any]:
        """The verdict where no labels tell which grouping is right: how stable it is and how alike others are."""
        name, how = found.rivals[0].name, self.coding["grouped"]
        stable = float(np.mean(agreements(draws[how["clusters"]]))) if how["clusters"] in draws else float("nan")
        alike = _alike(found)["k_means"][1] if "k_means" in _alike(found) else float("nan")
        said = {"count": how["clusters"], "stable": f"{stable:.2f}", "alike": f"{alike:.2f}"}
        texts = []
        for lang, words in UNJUDGED.items():
            place = LANGUAGES.index(lang)
            method, view = NAMES[how["method"]][place], NAMES[how["view"]][place]
            parts = [words["none"], words["rows" if how["view"] == ROWS else "code"], words["stable"]]
            parts.append(words["firm" if stable >= FIRM else "loose"])
            texts.append(localised(" ".join(parts).format(method=method, view=view, **said), lang))
        best: dict[str, Any] = {
            "best": name,
            "simplest": name,
            "choice": name,
            "deep_warranted": None,
            "differences": {},
        }
        return {"text": texts[0], "text_pt": texts[1], "metric": self.metric, **best}

    def _show(self, found: Appraisal, test: Answers, groups: np.ndarray) -> None:
        """The most typical pictures of each cluster."""
        if self.coding["picture"] is None:
            return
        pictures, shape = test.x[PICTURES], self.coding["picture"]
        shown = [typical for typical in self._typical(test.outputs, groups, TYPICAL)[:MOST_TOLD] if len(typical)]
        tiles = np.full((len(shown), TYPICAL, *shape), 255, np.uint8)
        for row, typical in zip(tiles, shown, strict=True):
            row[: len(typical)] = pictures[typical]
        found.arrays["typical"] = plots.mosaic(tiles.reshape(-1, *shape), TYPICAL, 40)
        found.findings.insert(
            1,
            Finding(
                ("Typical pictures", "Imagens típicas"),
                (
                    "One line for each cluster, from the first: the test pictures nearest to its middle.",
                    "Uma linha por grupo, a começar pelo primeiro: as imagens de teste mais próximas do seu meio.",
                ),
                picture="typical",
            ),
        )

    def _map(self, found: Appraisal, test: Answers, groups: np.ndarray) -> None:
        """Test rows in the plane, those that are alike near each other."""
        chosen = _some(np.arange(len(groups)), MAPPED)
        places = in_the_plane(self.seen(test.outputs[chosen], self.coding["grouped"]["view"]))
        if self.coding["picture"] is None:
            found.arrays["map"] = plots.dotted(places, groups[chosen], self.clusters)
        else:
            few = _some(np.arange(len(chosen)), PICTURES_MAPPED)
            found.arrays["map"] = plots.scattered(test.x[PICTURES][chosen[few]], places[few])
        found.findings.append(
            Finding(
                ("A map", "Um mapa"),
                (
                    f"{len(chosen):,} test rows in the plane: what is near each other is alike, and far apart says little (t-SNE). The "
                    "clusters were found before, and not on the map.",
                    f"{len(chosen):,} linhas de teste no plano: o que está próximo é parecido, e longe diz pouco (t-SNE). Os grupos "
                    "foram encontrados antes, e não no mapa.",
                ),
                picture="map",
            )
        )


FIRM = 0.8
"""Groupings of different halves of the rows that agree so well are called stable."""

SIMPLICITY = {"k_means": 1, "gaussian_mixture": 2, "ward": 2, "hdbscan": 2}

NAMES = {
    ROWS: ("the rows as they are given", "as linhas como são dadas"),
    CODE: ("their codes", "os seus códigos"),
    "mixture": ("a mixture of Gaussians", "uma mistura de gaussianas"),
    "neighbour_graph": ("the graph of neighbours", "o grafo dos vizinhos"),
    "gaussian_mixture": ("one Gaussian each", "uma gaussiana cada"),
    "k_means": ("k-means", "k-médias"),
}

TRAITS = {"en": {"high": "high", "low": "low", "all": "all:"}, "pt": {"high": "alto", "low": "baixo", "all": "todas:"}}

UNJUDGED = {
    "en": {
        "none": "No column says how the rows belong together, so it cannot be judged whether a deep network is warranted here; "
        "with --target COLUMN it can.",
        "rows": "The {count} clusters were found by {method} on {view}: nothing deep is needed for these.",
        "code": "The {count} clusters were found by {method} on {view}.",
        "stable": "What can be said is how stable they are: two groupings of different halves of the rows agree with an adjusted "
        "Rand index of {stable} (1: the same, 0: chance), and k-means agrees with them by {alike}.",
        "firm": "They are found again.",
        "loose": "They are not found again reliably: take them for a way to divide the rows, and not for groups that are there.",
    },
    "pt": {
        "none": "Nenhuma coluna diz que linhas pertencem juntas, por isso não se pode julgar se uma rede profunda se justifica "
        "aqui; com --target COLUNA pode.",
        "rows": "Os {count} grupos foram encontrados por {method} sobre {view}: para estes não é preciso nada profundo.",
        "code": "Os {count} grupos foram encontrados por {method} sobre {view}.",
        "stable": "O que se pode dizer é quão estáveis são: dois agrupamentos de metades diferentes das linhas concordam com um "
        "índice de Rand ajustado de {stable} (1: iguais, 0: acaso), e as k-médias concordam com eles em {alike}.",
        "firm": "Voltam a ser encontrados.",
        "loose": "Não voltam a ser encontrados com segurança: são uma maneira de dividir as linhas, e não grupos que lá estejam.",
    },
}


def chosen(rows: np.ndarray, clusters: int, likely: tuple[str, ...] = PANEL) -> str:
    """The clusterer, of several likely ones, that cuts the fewest ties between neighbours."""
    some = _some(rows, CUT_ROWS)
    ties, cuts = grouping.graph(some.astype(np.float32)), {}
    for name in likely:
        groups = clusterers.load(name).fit(some, clusters).probabilities(some).argmax(1)
        # Who leaves a cluster empty has it cut off, so to say, whole.
        share = grouping.cut(ties, groups) * (HANDICAP if name == GRAPH else 1.0)
        cuts[name] = share + (len(np.unique(groups)) < clusters)
    best = min(cuts, key=cuts.__getitem__)
    return best if cuts[best] < CLEARLY * cuts[likely[0]] else likely[0]


def agreements(draws: np.ndarray) -> np.ndarray:
    """The adjusted Rand index of every two groupings of the same rows, (pairs,), from (draws, rows)."""
    once = np.ones((1, draws.shape[1]))
    pairs = [(i, j) for i in range(len(draws)) for j in range(i)]
    return np.array([grouping.adjusted_rand(draws[i], draws[j], once)[0] for i, j in pairs])


def in_the_plane(rows: np.ndarray) -> np.ndarray:
    """Rows (rows, features) in two dimensions: t-SNE or, of few rows, principal components.

    Source: L. van der Maaten and G. Hinton, Visualizing Data using t-SNE, 2008.
    """
    from sklearn.decomposition import PCA
    from sklearn.manifold import TSNE

    wide = np.pad(rows, ((0, 0), (0, max(0, 2 - rows.shape[1]))))
    if len(wide) < 3:
        return wide[:, :2]
    flat = PCA(2, random_state=0).fit_transform(wide)
    if len(wide) < FEWEST_MAPPED:
        return flat
    start = flat / max(flat[:, 0].std(), 1e-12) * 1e-4
    return TSNE(2, init=start, perplexity=30, random_state=0).fit_transform(wide)


FEWEST_MAPPED = 100


def _alike(found: Appraisal) -> dict[str, tuple[int, float]]:
    own, *others = (one.test[:, 0].astype(np.int64) for one in found.rivals)
    once, names = np.ones((1, len(own))), [one.name for one in found.rivals[1:]]
    return {
        name: (len(np.unique(groups)), float(grouping.adjusted_rand(own, groups, once)[0]))
        for name, groups in zip(names, others, strict=True)
        if name != "constant"
    }


def _name(test: Answers, row: int) -> Any:
    return test.names[row] if test.names is not None else row + 1


def _picture(answers: Answers) -> list[int] | None:
    return list(answers.x[PICTURES].shape[1:]) if PICTURES in answers.x else None


def _some(rows: np.ndarray, most: int) -> np.ndarray:
    return rows[:: max(1, -(-len(rows) // most))]
