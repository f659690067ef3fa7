"""What documents are about: a code for each, topics with their words, and which documents are alike."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import polars as pl

from nervura import plots, topical
from nervura.encoding import WORDS
from nervura.problems.base import (
    Answers,
    Appraisal,
    Both,
    Declined,
    Finding,
    Metric,
    Rival,
    Targetless,
    Trained,
    no_labels,
)
from nervura.rebuilding import Layout
from nervura.schema import Schema
from nervura.topical import NAMING, Mixture
from nervura.zoo.base import option

if TYPE_CHECKING:
    import keras

    from nervura.encoding import Tensor

MOST_TOPICS, DOCUMENTS_OF_ONE, FEWEST_TOPICS = 50, 20, 2
"""By rule there are so many topics, fewer where each would have fewer documents than the second."""

MOST_CLASSES = 200
"""Labels with more different values are none to judge topics by."""

LEARNT_ROWS, JUDGED_ROWS, MAPPED_ROWS = 20_000, 10_000, 1_000
"""Of more documents so many, taken evenly, teach the simpler methods, judge all of them, and are drawn on the map."""

NEIGHBOURS = 10
TYPICAL, NAMED = 3, 12
"""So many documents are told of each topic, and so many topics are named on the map."""

COMPUTED_AT_ONCE = 1_000
PRECISION, FIRST, TOPIC = range(3)
"""The columns of estimates where there are labels: the share of the 10 nearest and of the nearest other document with a
document's label, and its topic, -1 where a method has none. Without labels there is one column: how soon the other half of
a document is found."""


def _mean_of(column: int) -> Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]:
    def mean(truth: np.ndarray, estimates: np.ndarray, weights: np.ndarray) -> np.ndarray:
        return weights @ estimates[:, column] / weights.sum(1)

    return mean


def _by_table(score: Callable[[np.ndarray], float]) -> Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]:
    def scored(truth: np.ndarray, estimates: np.ndarray, weights: np.ndarray) -> np.ndarray:
        topics, labels = estimates[:, TOPIC].astype(np.int64), truth.astype(np.int64)
        if (topics < 0).any():
            return np.full(len(weights), np.nan)
        return np.array([score(topical.table(topics, labels, one)) for one in weights])

    return scored


LABELLED = {
    "precision_at_10": Metric(
        _mean_of(PRECISION), True, "share of the 10 nearest other documents that have a document's label"
    ),
    "precision_at_1": Metric(_mean_of(FIRST), True, "share of documents whose nearest other one has their label"),
    "mutual_information": Metric(
        _by_table(topical.mutual_information), True, "normalised mutual information of topics and labels"
    ),
    "purity": Metric(_by_table(topical.purity), True, "share of documents with the commonest label of their topic"),
}
UNLABELLED = {
    "found_again": Metric(
        _mean_of(0), True, "one over the rank of a document's other half among all other halves, by cosine"
    )
}


@dataclass
class TopicOptions:
    """What the problem can be told."""

    topics: int = option(0, "how many topics; 0: 50, fewer for few documents", low=0, high=1_000)
    stems: int = option(2_000, "how many of the commonest stems are counted", low=10, high=20_000)


class Topics(Targetless):
    """Codes of documents by their cosines, and topics as a mixture of directions of codes. See docs/topics.md.

    Estimates are the codes (rows, length) where documents are answered, and (rows, 3) or (rows, 1) where they are judged.
    """

    name = "topics"
    summary = "What documents are about, and which are alike: no target is needed."
    metric = "precision_at_10"
    metrics = {**LABELLED, **UNLABELLED}
    keeps_rows = True
    rank = 5
    network = "contrastive_autoencoder"
    Options = TopicOptions

    def __init__(self, coding: dict[str, Any] | None = None, arrays: dict[str, np.ndarray] | None = None):
        super().__init__(coding, arrays)
        if "labels" in self.coding:
            self.metrics = LABELLED if self.labels else UNLABELLED
            if self.metric not in self.metrics:
                self.metric = next(iter(self.metrics))

    @property
    def labels(self) -> list[str]:
        """The labels that topics are judged by; empty where there are none."""
        return self.coding.get("labels", [])

    @property
    def names(self) -> list[str]:
        """Of the topics: their leading words."""
        return self.coding["names"]

    def fits_rows(self, schema: Schema) -> str:
        columns = [column for column in schema.inputs if column.kind == "document"]
        if not columns:
            raise Declined("there is no column of documents")
        return "documents can be told by what they are about"

    def set_aside(self, schema: Schema) -> None:
        for column in schema.inputs:
            if column.kind != "document":
                column.role, column.reason = "aside", "topics are those of the documents alone"

    def told(self, given: Mapping[str, Any], level: float | None = None, labels: pl.Series | None = None) -> Self:
        found = super().told(given, level, labels)
        names = [] if labels is None else sorted(labels.drop_nulls().unique().to_list())
        return type(self)({**found.coding, "labels": names if 2 <= len(names) <= MOST_CLASSES else []})

    def designed(self, tensors: list[Tensor], model: keras.Model) -> Self:
        words = list(next(tensor for tensor in tensors if tensor.name == WORDS).features)
        found = super().designed(tensors, model)
        # The layout of a whole row would repeat all words: only the code is asked for.
        layout = Layout(found.layout.length, ()).to_json()
        return type(self)({**found.coding, "layout": layout, "words": [_plain(word) for word in words]}, self.arrays)

    def asked(self, model: keras.Model) -> keras.Model:
        import keras

        return keras.Model(model.inputs, model.get_layer("code").output, name=model.name)

    def settle(self, parts: dict[str, Answers]) -> Self:
        answers = parts["train"]
        codes, counts = answers.outputs, answers.x[WORDS]
        # Rows without a word have no direction.
        told = np.abs(codes).sum(1) > 0
        mixture = Mixture.of(codes[told], self._topics(int(told.sum())))
        given = mixture(codes)
        order = np.argsort(-given.mean(0), kind="stable")
        mixture = Mixture(mixture.centres[order], mixture.shares[order], mixture.sharpness)
        given = given[:, order]
        scores = topical.words_of_topics(counts, given)
        leaders = topical.leading(scores)
        words = [[self.coding["words"][place] for place in topic] for topic in leaders]
        typical = topical.nearest(mixture.centres, codes, TYPICAL)[0]
        places = np.arange(len(codes)) if answers.places is None else answers.places
        names = answers.names or [f"row {place + 1}" for place in places]
        coding = {
            **self.coding,
            "names": _distinct(["_".join(topic[:NAMING]) for topic in words]),
            "leading": words,
            "typical": [[names[place] for place in topic] for topic in typical],
            "shares": given.mean(0).tolist(),
            "sharpness": mixture.sharpness,
        }
        arrays: dict[str, np.ndarray] = {
            "centres": mixture.centres.astype(np.float32),
            "priors": mixture.shares.astype(np.float64),
            "leaders": leaders.astype(np.int32),
            "codes": topical.directed(codes),
            "names": np.array(names, dtype=np.str_),
        }
        return type(self)(coding, arrays)

    def _topics(self, documents: int) -> int:
        return self.options.topics or max(FEWEST_TOPICS, min(MOST_TOPICS, documents // DOCUMENTS_OF_ONE))

    @cached_property
    def mixture(self) -> Mixture:
        return Mixture(self.arrays["centres"], self.arrays["priors"], self.coding["sharpness"])

    def similar(self, code: np.ndarray, count: int) -> pl.DataFrame:
        """The documents learnt from that are nearest to a code (length,): ``document``, ``similarity`` and ``topic``."""
        places, cosines = topical.nearest(code[None], self.arrays["codes"], count)
        topics = self.mixture(self.arrays["codes"][places[0]]).argmax(1)
        return pl.DataFrame(
            {
                "document": self.arrays["names"][places[0]].tolist(),
                "similarity": cosines[0].astype(np.float64),
                "topic": [self.names[topic] for topic in topics],
            },
            schema={"document": pl.String, "similarity": pl.Float64, "topic": pl.String},
        )

    def decode(self, estimates: np.ndarray) -> pl.DataFrame:
        given = self.mixture(estimates).astype(np.float64)
        columns: dict[str, Any] = {
            "prediction": pl.Series([self.names[topic] for topic in given.argmax(1)], dtype=pl.String)
        }
        columns |= {f"probability_{name}": given[:, place] for place, name in enumerate(self.names)}
        columns |= {
            f"code_{place}": estimates[:, place - 1].astype(np.float64) for place in range(1, estimates.shape[1] + 1)
        }
        return pl.DataFrame(columns)

    def constant(self, truth: np.ndarray, rows: int) -> np.ndarray:
        return np.zeros((rows, 3 if self.labels else 1))

    def measured(self, outputs: np.ndarray, labels: pl.Series | None = None) -> tuple[np.ndarray, np.ndarray]:
        truth = self._truth(labels, len(outputs))
        known = np.isfinite(truth)
        if known.sum() <= NEIGHBOURS:
            raise no_labels(self)
        topics = self.mixture(outputs[known]).argmax(1)
        return truth[known], _judged(outputs[known], truth[known], topics)

    def _truth(self, labels: pl.Series | None, rows: int) -> np.ndarray:
        """The places of labels (rows,); NaN where there is none that was known in training."""
        if not self.labels or labels is None:
            return np.full(rows, np.nan)
        places = labels.replace_strict(
            self.labels, list(range(len(self.labels))), default=None, return_dtype=pl.Float64
        )
        return places.fill_null(np.nan).to_numpy()

    def appraise(self, trained: Trained) -> Appraisal:
        model = self.asked(trained.model)

        def coded(counts: np.ndarray) -> np.ndarray:
            return _computed(model, counts)

        learnt = _some(trained.parts["train"].x[WORDS], LEARNT_ROWS)
        judged = {part: _chosen(trained.parts[part], self._truth, bool(self.labels)) for part in ("validation", "test")}
        own = Method(
            trained.name, "deep", 6, coded, lambda codes: self.mixture(codes).argmax(1), self.arrays["leaders"]
        )
        own.seconds = trained.seconds
        methods = [own, *self._methods(learnt, trained)]
        rivals, curves = [], []
        for method in methods:
            codes = {part: method.code(counts) for part, (counts, _) in judged.items()}
            estimates = {part: self._estimates(method, codes[part], *judged[part]) for part in judged}
            rivals.append(
                Rival(
                    method.name,
                    method.kind,
                    method.simplicity,
                    estimates["validation"],
                    estimates["test"],
                    method.seconds,
                )
            )
            if self.labels:
                numbers = neighbours(len(codes["test"]))
                curves.append([*topical.precisions(codes["test"], judged["test"][1], numbers).mean(0)])
        chance = {part: self._chance(*judged[part]) for part in judged}
        rivals.insert(1, Rival("constant", "constant", 0, chance["validation"], chance["test"], 0.0))
        found = Appraisal(rivals)
        if self.labels:
            found.truth = {part: truth.astype(np.float64) for part, (_, truth) in judged.items()}
        found.findings = [self._told_topics(), _qualities(methods, rivals, learnt, self.labels)]
        if self.labels:
            found.findings.append(_curve(methods, curves, numbers))
        if trained.left() > 20.0:
            trained.tell("map")
            self._map(found, coded(judged["test"][0][:: max(1, -(-len(judged["test"][0]) // MAPPED_ROWS))]))
        return found

    def _methods(self, learnt: np.ndarray, trained: Trained) -> list[Method]:
        """Latent semantic analysis of the same length, and topics by it; the weights of words themselves; and the two
        usual models of topics, with as many topics."""
        from sklearn.decomposition import NMF, LatentDirichletAllocation, TruncatedSVD

        rare, topics, length = topical.rarity(learnt), len(self.names), self.layout.length
        weights = topical.tf_idf(learnt, rare)
        found = [Method("tf_idf", "linear", 1, lambda counts: topical.tf_idf(counts, rare).toarray(), None, None)]
        components = min(length, min(weights.shape) - 1)
        if components > 0:
            trained.tell("latent semantic analysis")
            began = time.monotonic()
            reduced = TruncatedSVD(components, random_state=0).fit(weights)
            mixture = Mixture.of(reduced.transform(weights), topics)
            given = mixture(reduced.transform(weights))
            leaders = topical.leading(topical.words_of_topics(learnt, given))
            found.append(
                Method(
                    "latent_semantic_analysis",
                    "linear",
                    2,
                    lambda counts: reduced.transform(topical.tf_idf(counts, rare)),
                    lambda codes: mixture(codes).argmax(1),
                    leaders,
                    time.monotonic() - began,
                )
            )
        decompositions: list[tuple[str, int, Any, Callable[[np.ndarray], Any]]] = [
            (
                "matrix_factorisation",
                3,
                NMF(topics, init="nndsvda" if topics <= min(weights.shape) else "random", max_iter=200, random_state=0),
                lambda counts: topical.tf_idf(counts, rare),
            ),
            (
                "dirichlet_allocation",
                4,
                LatentDirichletAllocation(topics, learning_method="online", batch_size=512, random_state=0),
                lambda counts: counts,
            ),
        ]
        for name, simplicity, model, rows in decompositions:
            if trained.left() < 30.0:
                break
            trained.tell(name)
            began = time.monotonic()
            fitted = _fitted(model, rows(learnt))
            found.append(_decomposition(name, simplicity, fitted, rows))
            found[-1].seconds = time.monotonic() - began
        return found

    def _estimates(self, method: Method, codes: Any, counts: np.ndarray, truth: np.ndarray) -> np.ndarray:
        if self.labels:
            return _judged(codes, truth, np.full(len(truth), -1) if method.topic is None else method.topic(codes))
        one, other = topical.halves(counts)
        return topical.found_again(method.code(one), method.code(other))[:, None]

    def _chance(self, counts: np.ndarray, truth: np.ndarray) -> np.ndarray:
        """What documents drawn by chance, and one topic for all, would give."""
        if not self.labels:
            return np.full((len(counts), 1), (np.log(max(len(counts), 1)) + 0.5772) / max(len(counts), 1))
        codes = truth.astype(np.int64)
        same = (np.bincount(codes)[codes] - 1) / max(len(codes) - 1, 1)
        return np.column_stack([same, same, np.zeros(len(codes))])

    def _told_topics(self) -> Finding:
        rows = [
            [name, share, ", ".join(words), ", ".join(typical)]
            for name, share, words, typical in zip(
                self.names, self.coding["shares"], self.coding["leading"], self.coding["typical"], strict=True
            )
        ]
        return Finding(
            ("Topics", "Temas"),
            (
                "What each topic is about: its share of the documents learnt from, the words that lead it, and its most "
                "typical documents. A word leads a topic that is frequent in it and much rarer elsewhere.",
                "De que trata cada tema: a sua parte dos documentos de treino, as palavras que o conduzem e os seus documentos "
                "mais típicos. Conduz um tema a palavra que nele é frequente e fora dele muito mais rara.",
            ),
            [("Topic", "Tema"), ("share", "parte"), ("words", "palavras"), ("typical documents", "documentos típicos")],
            rows,
        )

    def _map(self, found: Appraisal, codes: np.ndarray) -> None:
        """Test documents in two dimensions, near each other where their codes are."""
        from sklearn.manifold import TSNE

        if len(codes) < 10:
            return
        places = TSNE(
            2, metric="cosine", init="random", perplexity=min(30.0, (len(codes) - 1) / 3), random_state=0, n_jobs=1
        ).fit_transform(topical.directed(codes))
        topics = self.mixture(codes).argmax(1)
        largest = set(np.argsort(-np.bincount(topics, minlength=len(self.names)), kind="stable")[:NAMED])
        names = [name if place in largest else "" for place, name in enumerate(self.names)]
        found.arrays["map"] = plots.dotted(places, topics, names)
        found.findings.append(
            Finding(
                ("Map of the documents", "Mapa dos documentos"),
                (
                    f"{len(codes):,} test documents, drawn so that those with similar codes lie near each other (t-SNE). The "
                    "colour is the topic; the names of the largest stand in the middle of their documents.",
                    f"{len(codes):,} documentos de teste, desenhados de modo que os de códigos parecidos fiquem perto (t-SNE). "
                    "A cor é o tema; os nomes dos maiores estão no meio dos seus documentos.",
                ),
                picture="map",
            )
        )


@dataclass
class Method:
    """One way to codes and topics.

    Attributes:
        code: counts (documents, words) to codes.
        topic: codes to topics; None where it has none.
        leaders: the places of each topic's leading words (topics, count).
    """

    name: str
    kind: str
    simplicity: int
    code: Callable[[np.ndarray], Any]
    topic: Callable[[np.ndarray], np.ndarray] | None
    leaders: np.ndarray | None
    seconds: float = 0.0


def _decomposition(name: str, simplicity: int, fitted: Any, rows: Callable[[np.ndarray], Any]) -> Method:
    """A method whose codes are how much of each topic a document has."""

    def code(counts: np.ndarray) -> np.ndarray:
        return fitted.transform(rows(counts))

    return Method(name, "shallow", simplicity, code, lambda codes: codes.argmax(1), topical.leading(fitted.components_))


def neighbours(documents: int) -> list[int]:
    """1, 3, 7, 15 ... nearest of so many documents, and all others: those of the curve of 2006."""
    found = [1]
    while 2 * found[-1] + 1 < documents - 1:
        found.append(2 * found[-1] + 1)
    return [*found, documents - 1] if documents > 2 else found


def _judged(codes: Any, truth: np.ndarray, topics: np.ndarray) -> np.ndarray:
    """The estimates of documents with labels, (rows, 3)."""
    found = topical.precisions(codes, truth, [1, min(NEIGHBOURS, len(truth) - 1)])
    return np.column_stack([found[:, 1], found[:, 0], topics])


def _chosen(
    answers: Answers, truth_of: Callable[[pl.Series | None, int], np.ndarray], labelled: bool
) -> tuple[np.ndarray, np.ndarray]:
    """The counts of the documents that judge, those with labels where there are some, and their labels' places."""
    counts = answers.x[WORDS]
    truth = truth_of(answers.labels, len(counts))
    known = np.flatnonzero(np.isfinite(truth) if labelled else np.ones(len(truth), bool))
    known = _some(known, JUDGED_ROWS)
    return counts[known], np.nan_to_num(truth[known])


def _qualities(methods: list[Method], rivals: list[Rival], counts: np.ndarray, labels: list[str]) -> Finding:
    """How good the topics of each method are."""
    table = [
        [method.name, topical.coherence(method.leaders, counts), topical.diversity(method.leaders)]
        for method in methods
        if method.leaders is not None
    ]
    return Finding(
        ("How good the topics are", "Como são bons os temas"),
        (
            "Coherence is the normalised mutual information of pairs of a topic's ten leading words over the documents learnt "
            "from, from -1 to 1; diversity the share of all leading words that are different ones. More of both is better.",
            "A coerência é a informação mútua normalizada dos pares das dez palavras que conduzem um tema, nos documentos de "
            "treino, de -1 a 1; a diversidade é a parte das palavras condutoras que são diferentes. Mais de ambas é melhor.",
        ),
        [("Topics by", "Temas por"), ("coherence (NPMI)", "coerência (NPMI)"), ("diversity", "diversidade")],
        table,
    )


def _curve(methods: list[Method], curves: list[list[float]], numbers: list[int]) -> Finding:
    heads: list[Both] = [("Nearest", "Mais próximos"), *((method.name, method.name) for method in methods)]
    rows = [[number, *(float(curve[place]) for curve in curves)] for place, number in enumerate(numbers)]
    return Finding(
        ("How many of the nearest have the same label", "Quantos dos mais próximos têm a mesma etiqueta"),
        (
            "Each test document is held against all others: of its nearest by the cosine of codes, the share that has its label. "
            "Labels played no part in the training.",
            "Cada documento de teste é posto face a todos os outros: dos mais próximos pelo cosseno dos códigos, a parte que "
            "tem a sua etiqueta. As etiquetas não tomaram parte no treino.",
        ),
        heads,
        rows,
    )


def _computed(model: keras.Model, counts: np.ndarray) -> np.ndarray:
    """Codes of counts (documents, words), some at a time."""
    import keras

    parts = [
        keras.ops.convert_to_numpy(model({WORDS: counts[start : start + COMPUTED_AT_ONCE]}, training=False))
        for start in range(0, len(counts), COMPUTED_AT_ONCE)
    ]
    return np.concatenate(parts) if parts else np.empty((0, model.output_shape[-1]), np.float32)


def _fitted(model: Any, rows: Any) -> Any:
    import warnings

    from sklearn.exceptions import ConvergenceWarning

    with warnings.catch_warnings():
        # A factorisation that stopped a little short of its optimum is still one.
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(rows)


def _some(rows: np.ndarray, most: int) -> np.ndarray:
    return rows[:: max(1, -(-len(rows) // most))]


def _plain(feature: str) -> str:
    """The word of a feature, which names its column too."""
    return feature.rpartition(" › ")[2]


def _distinct(names: list[str]) -> list[str]:
    found: list[str] = []
    for name in names:
        number, new = 2, name
        while new in found:
            new, number = f"{name}_{number}", number + 1
        found.append(new)
    return found
