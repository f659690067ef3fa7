"""Documents as bags of words: the language, words without those of no meaning, stems, and how often each occurs.

What is learnt is JSON in ``Column.encoding``: ``languages``, ``stems``, the ``words`` that stand for them where people
read, and ``indicator``. Stems are counted from 0 to 255.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from nervura.errors import MissingDependency

if TYPE_CHECKING:
    import numpy as np
    import polars as pl

WORD = r"\p{L}{2,}"
"""A word of a document: two or more letters."""

MOST_STEMS = 2_000
FEWEST_DOCUMENTS = 3
"""A stem that is in fewer documents tells nothing that they share, unless there are fewer than ten times as many."""

COMMON = 0.5
"""A stem in a larger share of the documents tells none apart."""

LANGUAGE_DOCUMENTS, LETTERS = 500, 2_000
"""So many documents, by so many letters from the beginning of each, tell the language."""

SPOKEN = 0.05
"""A language of a larger share of the documents has its words of no meaning left out."""

FEWEST_KNOWN = 0.1
"""A text of whose words a smaller share is in every list of such words is of no language that is known."""

STEMMERS = {
    "ar": "arabic", "ca": "catalan", "cs": "czech", "da": "danish", "de": "german", "el": "greek", "en": "english",
    "es": "spanish", "fi": "finnish", "fr": "french", "hi": "hindi", "hu": "hungarian", "id": "indonesian", "it": "italian",
    "nb": "norwegian", "nl": "dutch", "pl": "polish", "pt": "portuguese", "ro": "romanian", "ru": "russian",
    "sv": "swedish", "tr": "turkish",
}  # fmt: skip
"""The languages that are told, and the Snowball stemmer of each."""

AT_ONCE = 5_000
"""So many documents are taken apart at once."""


@cache
def empty_words(language: str) -> frozenset[str]:
    """The words of a language that mean nothing by themselves: scikit-learn's for English, else those of stop-words."""
    if language == "en":
        from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

        # The tokenizer takes contractions apart.
        return frozenset(ENGLISH_STOP_WORDS) | {
            "don",
            "didn",
            "doesn",
            "isn",
            "wasn",
            "ve",
            "ll",
            "re",
            "couldn",
            "wouldn",
        }
    try:
        from stop_words import get_stop_words
    except ImportError as error:
        raise MissingDependency("Reading documents", "stop-words", "tensorflow") from error
    return frozenset(get_stop_words(language))


@cache
def _stemmer(language: str) -> Any:
    try:
        import Stemmer
    except ImportError as error:
        raise MissingDependency("Reading documents", "PyStemmer", "tensorflow") from error
    # Its own cache is cleared again and again, which takes longer than stemming.
    return Stemmer.Stemmer(STEMMERS[language], 0)


def languages_of(texts: pl.Series) -> list[str]:
    """The languages of documents, the commonest first; none where no list of words of no meaning knows their words.

    Each text is of the language whose list knows most of its words.
    """
    import polars as pl

    known = texts.drop_nulls()
    some = known.gather_every(max(1, known.len() // LANGUAGE_DOCUMENTS)).str.slice(0, LETTERS)
    words = some.to_frame("words").select(
        pl.col("words").str.to_lowercase().str.extract_all(WORD)
    ).with_row_index("text").explode("words").drop_nulls()  # fmt: skip
    if words.is_empty():
        return []
    shares = words.group_by("text").agg(
        pl.col("words").is_in(list(empty_words(language))).mean().alias(language) for language in STEMMERS
    )
    all_of_them = pl.concat_list(list(STEMMERS))
    best = shares.select(language=all_of_them.list.arg_max(), share=all_of_them.list.max()).filter(
        pl.col("share") >= FEWEST_KNOWN
    )
    counts = best["language"].value_counts(sort=True).sort(["count", "language"], descending=[True, False])
    return [list(STEMMERS)[place] for place, count in counts.iter_rows() if count >= SPOKEN * some.len()]


def stems_of(words: list[str], languages: list[str]) -> list[str]:
    """The stem of each word; empty for words of no meaning. The commonest language has the stemmer."""
    empty = frozenset[str]().union(*(empty_words(language) for language in languages))
    stems = _stemmer(languages[0]).stemWords(words) if languages else words
    return ["" if word in empty else stem for word, stem in zip(words, stems, strict=True)]


def learn(texts: pl.Series, most: int = MOST_STEMS) -> dict[str, Any]:
    """The encoding of a column of documents, from those of the training rows: the ``most`` stems that are in most of them."""
    import polars as pl

    languages = languages_of(texts)
    found = []
    for start in range(0, texts.len(), AT_ONCE):
        words = _words(texts[start : start + AT_ONCE])
        found.append(words.group_by("word").agg(pl.col("text").n_unique().alias("texts"), pl.len().alias("times")))
    counts = pl.concat(found).group_by("word").agg(pl.col("texts").sum(), pl.col("times").sum())
    counts = counts.with_columns(stem=pl.Series(stems_of(counts["word"].to_list(), languages), dtype=pl.String))
    # Texts with two forms of a stem are counted twice; the order hardly depends on it.
    stems = (
        counts.filter(pl.col("stem") != "")
        .sort(["times", "word"], descending=[True, False])
        .group_by("stem", maintain_order=True)
        .agg(pl.col("texts").sum(), pl.col("word").first())
        .sort(["texts", "stem"], descending=[True, False])
    )
    rows = texts.len() - texts.null_count()
    fewest = FEWEST_DOCUMENTS if rows >= 10 * FEWEST_DOCUMENTS else 1
    kept = stems.filter((pl.col("texts") >= fewest) & ((pl.col("texts") <= COMMON * rows) | (rows < 10)))
    kept = kept if kept.height else stems
    return {
        "languages": languages,
        "stems": kept["stem"].head(most).to_list(),
        "words": kept["word"].head(most).to_list(),
        "indicator": texts.null_count() > 0,
    }


def count(texts: pl.Series, encoding: dict[str, Any]) -> np.ndarray:
    """How often each stem of the encoding is in each document, (rows, stems) uint8; 255 stands for more too."""
    import numpy as np
    import polars as pl

    places = {stem: place for place, stem in enumerate(encoding["stems"])}
    made = np.zeros((texts.len(), len(places)), np.uint8)
    for start in range(0, texts.len(), AT_ONCE):
        counts = _words(texts[start : start + AT_ONCE]).group_by("text", "word").len("times")
        forms = counts["word"].unique().to_list()
        known = {
            form: places[stem]
            for form, stem in zip(forms, stems_of(forms, encoding["languages"]), strict=True)
            if stem in places
        }
        counts = counts.with_columns(
            place=pl.col("word").replace_strict(
                list(known), list(known.values()), default=None, return_dtype=pl.Int64
            )
        )  # fmt: skip
        counts = counts.drop_nulls("place").group_by("text", "place").agg(pl.col("times").sum())
        at = (counts["text"].to_numpy() + start, counts["place"].to_numpy())
        made[at] = np.minimum(counts["times"].to_numpy(), 255)
    return made


def _words(texts: pl.Series) -> pl.DataFrame:
    """Every word of the texts in lower case, with the number of its text."""
    import polars as pl

    words = (
        texts.rename("word").to_frame().select(pl.col("word").cast(pl.String).str.to_lowercase().str.extract_all(WORD))
    )
    return words.with_row_index("text").explode("word").drop_nulls()


def weights(counts: np.ndarray) -> np.ndarray:
    """Counts as models of tables take them, (rows, stems) float32: log(1 + count), rows of unit length."""
    import numpy as np

    found = np.log1p(counts, dtype=np.float32)
    return found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-12)
