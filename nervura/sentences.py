"""Texts as words: how they are cut, which words are known, and words as codes."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np

PADDING, START, END, UNKNOWN = 0, 1, 2, 3
"""The codes of no word, of the beginning and the end of a text, and of a word that is not in the vocabulary."""

FIRST_WORD = 4
MOST_WORDS = 20_000
LONGEST = 40
"""A text that is learnt has at most so many words."""

LONG_ENOUGH = 0.98
"""This share of the texts fits whole into the length that is learnt."""

MANY_TEXTS, SOME_TEXTS = 10_000, 1_000
"""Of so many texts a word is known that occurs in five, or in two; of fewer every word is."""

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")


def words_of(text: str) -> list[str]:
    """The words of a text in small letters, without punctuation."""
    return _WORD.findall(text.lower())


def vocabulary(texts: Sequence[Sequence[str]]) -> list[str]:
    """The words that are common enough to be learnt, the commonest first; their codes begin at ``FIRST_WORD``.

    Args:
        texts: each as its words.
    """
    least = 5 if len(texts) > MANY_TEXTS else 2 if len(texts) > SOME_TEXTS else 1
    counts = Counter(word for words in texts for word in set(words))
    known = sorted((word for word, count in counts.items() if count >= least), key=lambda word: (-counts[word], word))
    return known[:MOST_WORDS]


def length_for(texts: Iterable[Sequence[str]]) -> int:
    """How many words a learnt text has at most."""
    sizes = [len(words) for words in texts] or [1]
    return int(max(1, min(LONGEST, np.ceil(np.quantile(sizes, LONG_ENOUGH)))))


def coded(texts: Sequence[Sequence[str]], codes: dict[str, int], length: int) -> np.ndarray:
    """Texts as codes, int32 (texts, length + 1): their words, the end, padding. Of a longer text the beginning is kept."""
    made = np.zeros((len(texts), length + 1), np.int32)
    for row, words in zip(made, texts, strict=True):
        found = [codes.get(word, UNKNOWN) for word in words[: length + 1]]
        row[: len(found)] = found
        if len(words) <= length:
            row[len(words)] = END
    return made


def text_of(codes: Iterable[int], words: Sequence[str]) -> str:
    """The text of codes up to the end, without words that are not known."""
    found = []
    for code in codes:
        if code in (PADDING, END):
            break
        if code >= FIRST_WORD:
            found.append(words[int(code) - FIRST_WORD])
    return " ".join(found)
