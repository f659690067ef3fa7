"""What is in a picture, in words: a text for each picture, learnt from texts of people."""

from __future__ import annotations

import time
from collections import Counter
from functools import partial
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np
import polars as pl

from nervura import likeness, pictures, plots, sentences
from nervura.errors import ProblemError
from nervura.problems.base import (
    Answers,
    Appraisal,
    Appraised,
    Both,
    Declined,
    Finding,
    Metric,
    Rival,
    TextHead,
    Trained,
    no_labels,
)
from nervura.schema import Column

if TYPE_CHECKING:
    import keras

    from nervura.encoding import Tensor

MOST_CAPTIONS = 10
"""Of a picture with more captions, so many are learnt."""

SIDES = frozenset(
    "left right esquerda esquerdo direita direito izquierda izquierdo derecha derecho gauche droite links rechts sinistra "
    "destra".split()
)
SIDED = 0.01
"""Where this share of the captions has one of these words, pictures are not mirrored."""

SHOWN, EXPLAINED, MOST_TYPICAL_OF = 6, 3, 30_000


class Captioning(Appraised):
    name = "captioning"
    summary = "A text that says what is in a picture, learnt from one or several texts for each."
    metric = "cider_d"
    metrics = {
        "cider_d": Metric(
            likeness.cider_d, True, "likeness to all of a picture's captions, rare words counting more, 0 to 10"
        ),
        **{
            f"bleu_{order}": Metric(
                partial(likeness.bleu, order=order), True, f"share of rows of up to {order} words that people wrote too"
            )
            for order in range(1, likeness.ORDERS + 1)
        },
        "rouge_l": Metric(likeness.rouge_l, True, "share of words in common in the same order"),
    }
    targets = frozenset({"captions"})
    network = "captioner"
    answered: ClassVar[frozenset[str]] = frozenset({"validation", "test"})

    def fits(self, target: Column, values: pl.Series) -> str:
        if not any(map(sentences.words_of, values.explode())):
            raise Declined("the captions have no words")
        texts = values.list.len()
        return f"the target has {texts.sum():,} captions for {len(values):,} pictures"

    def insist(self, target: Column, values: pl.Series) -> None:
        if not any(map(sentences.words_of, values.explode())):
            raise ProblemError(f"Captions have words; those in '{target.name}' have none. Name another target.")

    def learn(self, values: pl.Series) -> Self:
        texts = [sentences.words_of(text) for text in values.explode()]
        sided = sum(not SIDES.isdisjoint(words) for words in texts)
        return type(self)(
            {
                "words": sentences.vocabulary(texts),
                "length": sentences.length_for(texts),
                "captions": min(MOST_CAPTIONS, max(len(own) for own in values)),
                "sided": sided > SIDED * len(texts),
            }
        )

    def encode(self, values: pl.Series) -> np.ndarray:
        """The captions as codes of words, int32 (rows, captions, length + 1); of fewer captions the last rows are empty."""
        codes = {word: sentences.FIRST_WORD + place for place, word in enumerate(self.coding["words"])}
        length, most = self.coding["length"], self.coding["captions"]
        made = np.zeros((len(values), most, length + 1), np.int32)
        for row, texts in zip(made, values.to_list(), strict=True):
            found = [sentences.words_of(text) for text in (texts or ())]
            coded = sentences.coded([words for words in found if words][:most], codes, length)
            row[: len(coded)] = coded
        return made

    def head(self, label_smoothing: float = 0.0) -> TextHead:
        codes = sentences.FIRST_WORD + len(self.coding.get("words", ()))
        told = {"length": self.coding.get("length", 1), "sided": self.coding.get("sided", False)}
        return TextHead(codes, "softmax", "SparseCategoricalCrossentropy", {}, **told)

    def designed(self, tensors: list[Tensor], model: keras.Model) -> Self:
        looks = model.output_shape[-1] > self.coding["length"] + 1
        grid = list(model.get_layer("features").input.shape[1:3]) if looks else [0, 0]
        return type(self)({**self.coding, "grid": grid}, self.arrays)

    @property
    def width(self) -> int:
        length, (down, across) = self.coding["length"], self.coding.get("grid", (0, 0))
        return length + 1 + length * down * across

    def truth(self, encoded: np.ndarray) -> np.ndarray:
        """Zeros: how good a caption is stands in the estimates."""
        return np.zeros(len(encoded))

    def texts(self, outputs: np.ndarray) -> list[str]:
        """What a network wrote."""
        codes = np.rint(outputs[:, : self.coding["length"]]).astype(np.int64)
        return [sentences.text_of(row, self.coding["words"]) for row in codes.tolist()]

    def decode(self, estimates: np.ndarray) -> pl.DataFrame:
        probable = estimates[:, self.coding["length"]].astype(np.float64)
        texts = pl.Series("prediction", self.texts(estimates), pl.String)
        return pl.DataFrame([texts, pl.Series("log_probability", probable)])

    def measured(self, outputs: np.ndarray, labels: pl.Series | None = None) -> tuple[np.ndarray, np.ndarray]:
        if labels is None or labels.null_count() == len(labels):
            raise no_labels(self)
        known = labels.is_not_null().to_numpy()
        found = self.facts(self.texts(outputs[known]), labels.drop_nulls())
        return np.zeros(len(found)), found

    def facts(self, texts: list[str], labels: pl.Series) -> np.ndarray:
        """What the metrics are made of (``nervura.likeness``), of texts and what people wrote of the same pictures."""
        references = [[sentences.words_of(text) for text in own] for own in labels]
        return likeness.facts([sentences.words_of(text) for text in texts], references)

    def appraise(self, trained: Trained) -> Appraisal:
        parts = trained.parts
        learnt, held = parts["train"], [parts["validation"], parts["test"]]
        labels = [answers.labels for answers in held]
        if learnt.labels is None or any(one is None for one in labels):
            raise no_labels(self)

        written: dict[str, list[list[str]]] = {}

        def rival(name: str, kind: str, simplicity: int, seconds: float) -> Rival:
            both = zip(written[name], labels, strict=True)
            validation, test = (self.facts(own, known) for own, known in both)  # type: ignore[arg-type]
            return Rival(name, kind, simplicity, validation, test, seconds)

        trained.tell("scores of the captions")
        written[trained.name] = [self.texts(answers.outputs) for answers in held]
        rivals = [rival(trained.name, "deep", 6, trained.seconds)]
        trained.tell("the most typical caption")
        began = time.monotonic()
        texts = learnt.labels.explode()
        common = most_typical(texts.gather_every(1 + len(texts) // MOST_TYPICAL_OF))
        written["typical_caption"] = [[common] * len(answers.x["pictures"]) for answers in held]
        seconds = time.monotonic() - began
        rivals.append(rival("typical_caption", "constant", 0, seconds))
        trained.tell("captions of the nearest pictures")
        began = time.monotonic()
        own = [most_typical(texts) for texts in learnt.labels]
        written["nearest_picture"] = [
            [own[row] for row in nearest(learnt.x["pictures"], answers.x["pictures"])] for answers in held
        ]
        seconds = time.monotonic() - began
        rivals.append(rival("nearest_picture", "neighbours", 1, seconds))
        found = Appraisal(rivals)
        tested = parts["test"]
        order = np.argsort(-rivals[0].test[:, likeness.CIDER], kind="stable")
        self._show(found, tested, order)
        self._look(found, tested, order)
        found.findings.append(_variety({name: texts[1] for name, texts in written.items()}, learnt.labels))
        if (people := _people(self, tested.labels)) is not None:
            found.findings.append(people)
        return found

    def _show(self, found: Appraisal, tested: Answers, order: np.ndarray) -> None:
        """The best captions, those in the middle and the worst, with their pictures and what people wrote."""
        texts, few = self.texts(tested.outputs), min(SHOWN, len(order))
        middle = max(0, len(order) // 2 - few // 2)
        for name, title, rows in (
            ("best", ("The best captions", "As melhores legendas"), order[:few]),
            ("middle", ("Captions in the middle", "Legendas do meio"), order[middle : middle + few]),
            ("worst", ("The worst captions", "As piores legendas"), order[::-1][:few]),
        ):
            found.arrays[f"{name}_pictures"] = tested.x["pictures"][rows]
            found.findings.append(
                Finding(
                    title,
                    (
                        f"Of {len(order):,} test pictures, by CIDEr-D. Below each what the network wrote, then what a person "
                        "wrote.",
                        f"De {len(order):,} imagens de teste, por CIDEr-D. Por baixo de cada uma, o que a rede escreveu e "
                        "depois o que uma pessoa escreveu.",
                    ),
                    pictures=f"{name}_pictures",
                    captions=[[texts[row], tested.labels[int(row)][0]] for row in rows],  # type: ignore[index]
                )
            )

    def _look(self, found: Appraisal, tested: Answers, order: np.ndarray) -> None:
        """Where the network looked at each word, of the best caption, one in the middle and the worst."""
        (down, across), length = self.coding["grid"], self.coding["length"]
        if not down:
            return
        height, width = tested.x["pictures"].shape[1:3]
        for name, row in zip(("best", "middle", "worst"), order[[0, len(order) // 2, -1]], strict=True):
            words = self.texts(tested.outputs[row : row + 1])[0].split()
            if not words:
                continue
            looked = tested.outputs[row, length + 1 :].reshape(length, down, across)[: len(words)]
            heat = looked / np.maximum(looked.max(axis=(1, 2), keepdims=True), 1e-12)
            picture = tested.x["pictures"][row]
            tiles = [np.broadcast_to(picture, (height, width, 3))]
            tiles += [plots.warmed(picture, _stretched(one, height, width)) for one in heat]
            found.arrays[f"{name}_looked"] = np.array(tiles)
            found.findings.append(
                Finding(
                    (f"Where it looked: {' '.join(words)}", f"Para onde olhou: {' '.join(words)}"),
                    (
                        "The picture, and for each word how much each region weighed as it was written; warm is much.",
                        "A imagem e, para cada palavra, quanto pesou cada região ao escrevê-la; o quente é muito.",
                    ),
                    pictures=f"{name}_looked",
                    captions=[["–"], *([word] for word in words)],
                )
            )


def most_typical(texts: pl.Series) -> str:
    """The text that is most like all others: by the cosine of its rows of 1 to 4 words with the sum over all texts."""
    counted = []
    for text in texts:
        words = sentences.words_of(text)
        grams = Counter(
            tuple(words[at : at + order])
            for order in range(1, likeness.ORDERS + 1)
            for at in range(len(words) - order + 1)
        )
        norm = sum(count * count for count in grams.values()) ** 0.5
        counted.append({gram: count / norm for gram, count in grams.items()})
    whole: Counter[tuple[str, ...]] = Counter()
    for vector in counted:
        whole.update(vector)
    alike = [sum(share * whole[gram] for gram, share in vector.items()) for vector in counted]
    return texts[int(np.argmax(alike))]


def nearest(learnt: np.ndarray, asked: np.ndarray) -> np.ndarray:
    """The row of the nearest of the pictures that were learnt, shrunk, for each of others."""
    from sklearn.neighbors import NearestNeighbors

    near = NearestNeighbors(n_neighbors=1, algorithm="brute").fit(pictures.small(learnt))
    return near.kneighbors(pictures.small(asked), return_distance=False)[:, 0]


def _stretched(heat: np.ndarray, height: int, width: int) -> np.ndarray:
    """A grid of numbers, each laid over its part of a picture."""
    down = np.arange(height) * heat.shape[0] // height
    across = np.arange(width) * heat.shape[1] // width
    return heat[down][:, across]


def _variety(written: dict[str, list[str]], learnt: pl.Series) -> Finding:
    """How many different sentences and words each model uses, and how many sentences no person wrote."""
    known = {" ".join(sentences.words_of(text)) for text in learnt.explode()}
    rows = []
    for name, texts in written.items():
        plain = [" ".join(sentences.words_of(text)) for text in texts]
        words = [word for text in plain for word in text.split()]
        rows.append(
            [
                name,
                len(set(plain)) / len(plain),
                sum(text not in known for text in plain) / len(plain),
                len(set(words)),
                len(words) / len(plain),
            ]
        )
    heads: list[Both] = [
        ("Model", "Modelo"),
        ("different sentences", "frases diferentes"),
        ("new sentences", "frases novas"),
        ("different words", "palavras diferentes"),
        ("words each", "palavras por frase"),
    ]
    return Finding(
        ("How varied the captions are", "Quão variadas são as legendas"),
        (
            "Of the captions of the test pictures: the share that is different from all others, the share that stands in no "
            "training caption word by word, how many words are used at all, and how many a caption has.",
            "Das legendas das imagens de teste: a parte de frases diferentes, a parte que não está, palavra por palavra, em "
            "nenhuma legenda de treino, quantas palavras se usam ao todo, e quantas tem uma legenda.",
        ),
        heads,
        rows,
    )


def _people(problem: Captioning, labels: pl.Series | None) -> Finding | None:
    """What a person's caption scores against those of others of the same picture; None where pictures have one each."""
    if labels is None:
        return None
    several = labels.filter(labels.list.len() > 1)
    if len(several) < max(2, len(labels) // 2):
        return None
    facts = problem.facts(several.list.first().to_list(), several.list.slice(1))
    scores = problem.scores(np.zeros(len(facts)), facts)
    return Finding(
        ("How far people agree", "Até que ponto as pessoas concordam"),
        (
            f"The first caption of {len(several):,} test pictures, scored against the other captions of the same picture as "
            "if a model had written it. One caption fewer to agree with makes these scores a little lower than the models'.",
            f"A primeira legenda de {len(several):,} imagens de teste, avaliada com as outras legendas da mesma imagem como se "
            "um modelo a tivesse escrito. Ter menos uma legenda com que concordar baixa um pouco estes resultados.",
        ),
        [("Score", "Resultado"), ("people", "pessoas")],
        [[name, value] for name, value in scores.items()],
    )
