"""How like texts are to references: BLEU, ROUGE-L and CIDEr-D, as the captions of pictures are judged by.

What a corpus's scores are made of is kept for each text, so that they can be had for many resamples of the texts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import partial

import numpy as np

ORDERS = 4
MATCHES, TOTALS, LENGTH, REFERENCE_LENGTH, ROUGE, CIDER, COLUMNS = 0, ORDERS, 8, 9, 10, 11, 12
"""Where the facts of a text stand, (texts, ``COLUMNS``): matched and all n-grams of 1 to 4 words, its words, those of the
reference nearest in length, ROUGE-L and CIDEr-D."""

RECALL_WEIGHT = 1.2
"""Of ROUGE-L: how many times as much recall weighs as precision."""

LENGTH_SPREAD = 6.0
"""Of CIDEr-D: by how many words a text may differ in length, in the manner of a standard deviation."""

Text = Sequence[str]


def facts(texts: Sequence[Text], references: Sequence[Sequence[Text]]) -> np.ndarray:
    """What the scores of texts are made of, float64 (texts, ``COLUMNS``).

    Args:
        texts: each as its words.
        references: one or more for each text. How rare an n-gram is is told by them.
    """
    found = np.zeros((len(texts), COLUMNS))
    counted = [[_grams(reference) for reference in own] for own in references]
    rarity = _Rarity(counted)
    for row, words, own, grams in zip(found, texts, references, counted, strict=True):
        mine = _grams(words)
        most: Counter[tuple[str, ...]] = Counter()
        for reference in grams:
            most |= reference
        for gram, count in mine.items():
            row[MATCHES + len(gram) - 1] += min(count, most[gram])
        for order in range(ORDERS):
            row[TOTALS + order] = max(0, len(words) - order)
        row[LENGTH] = len(words)
        row[REFERENCE_LENGTH] = min((len(reference) for reference in own), key=lambda n: (abs(n - len(words)), n))
        row[ROUGE] = _rouge(words, own)
        row[CIDER] = rarity.likeness(words, mine, own, grams)
    return found


def bleu(truth: np.ndarray, estimates: np.ndarray, weights: np.ndarray, order: int = 4) -> np.ndarray:
    """BLEU of n-grams of 1 to ``order`` words, of the weighted texts together: (sets,).

    Source: Papineni, Roukos, Ward and Zhu, BLEU: a Method for Automatic Evaluation of Machine Translation (ACL 2002),
    without smoothing; of several references the one nearest in length counts for the penalty of short texts.

    Args:
        estimates: the ``facts`` of the texts.
        weights: (sets, texts).
    """
    sums = weights @ estimates
    with np.errstate(divide="ignore", invalid="ignore"):
        precision = sums[:, MATCHES : MATCHES + order] / np.maximum(sums[:, TOTALS : TOTALS + order], 1)
        brevity = np.minimum(0.0, 1 - sums[:, REFERENCE_LENGTH] / sums[:, LENGTH])
        return np.nan_to_num(np.exp(np.log(precision).mean(1) + brevity))


def _mean(truth: np.ndarray, estimates: np.ndarray, weights: np.ndarray, column: int) -> np.ndarray:
    return weights @ estimates[:, column] / weights.sum(1)


rouge_l = partial(_mean, column=ROUGE)
cider_d = partial(_mean, column=CIDER)


def _grams(words: Text) -> Counter[tuple[str, ...]]:
    """How often each row of 1 to 4 words occurs."""
    return Counter(
        tuple(words[start : start + order]) for order in range(1, ORDERS + 1) for start in range(len(words) - order + 1)
    )


def _rouge(words: Text, references: Sequence[Text]) -> float:
    """Source: C.-Y. Lin, ROUGE: A Package for Automatic Evaluation of Summaries (2004): the longest common subsequence,
    the best precision and the best recall over the references, as the evaluation of COCO captions has it."""
    if not words:
        return 0.0
    common = [_common(words, reference) for reference in references]
    precision = max(common) / len(words)
    recall = max(
        shared / len(reference) if reference else 0.0 for shared, reference in zip(common, references, strict=True)
    )
    if not (precision and recall):
        return 0.0
    square = RECALL_WEIGHT**2
    return (1 + square) * precision * recall / (recall + square * precision)


def _common(one: Text, other: Text) -> int:
    """The length of the longest common subsequence."""
    lengths = [0] * (len(other) + 1)
    for word in one:
        before = 0
        for place, against in enumerate(other, 1):
            above = lengths[place]
            lengths[place] = before + 1 if word == against else max(above, lengths[place - 1])
            before = above
    return lengths[-1]


class _Rarity:
    """CIDEr-D, with the rarity of n-grams among the references of the texts that are judged.

    Source: Vedantam, Zitnick and Parikh, CIDEr: Consensus-based Image Description Evaluation (CVPR 2015).
    """

    def __init__(self, counted: Sequence[Sequence[Counter[tuple[str, ...]]]]) -> None:
        self.texts_with: Counter[tuple[str, ...]] = Counter()
        for own in counted:
            self.texts_with.update({gram for reference in own for gram in reference})
        self.most = np.log(max(len(counted), 1))
        self.kept: dict[tuple[str, ...], float] = {}

    def _weight(self, gram: tuple[str, ...]) -> float:
        if gram not in self.kept:
            self.kept[gram] = float(self.most - np.log(max(1, self.texts_with[gram])))
        return self.kept[gram]

    def _vector(self, grams: Counter[tuple[str, ...]]) -> tuple[dict[tuple[str, ...], float], list[float]]:
        """The weights of a text's n-grams, and their norm for each order."""
        vector = {gram: count * self._weight(gram) for gram, count in grams.items()}
        squares = [0.0] * ORDERS
        for gram, value in vector.items():
            squares[len(gram) - 1] += value * value
        return vector, [square**0.5 for square in squares]

    def likeness(
        self,
        words: Text,
        grams: Counter[tuple[str, ...]],
        references: Sequence[Text],
        counted: Sequence[Counter[tuple[str, ...]]],
    ) -> float:
        mine, norms = self._vector(grams)
        total = 0.0
        for reference, own in zip(references, counted, strict=True):
            theirs, their_norms = self._vector(own)
            shared = [0.0] * ORDERS
            for gram, value in mine.items():
                other = theirs.get(gram, 0.0)
                # A word that is repeated counts as often as the reference has it.
                shared[len(gram) - 1] += min(value, other) * other
            alike = [
                product / (norm * their) if norm and their else 0.0
                for product, norm, their in zip(shared, norms, their_norms, strict=True)
            ]
            apart = len(words) - len(reference)
            total += sum(alike) / ORDERS * float(np.exp(-(apart**2) / (2 * LENGTH_SPREAD**2)))
        return 10.0 * total / len(references)
