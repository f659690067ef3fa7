"""Texts as tokens in their order and as weighted terms, for networks and models that read nothing else.

A token is a word in small letters, a sign (an emoji, a mark), or one letter of a script that has no spaces. Terms are tokens
and pairs of neighbouring tokens. What is learnt is JSON: the ``vocabulary`` of tokens, the ``length`` that texts are cut to,
the ``terms`` with how ``rare`` each is, and ``most``, how many terms of a text are kept.

- ``tokens`` int32   (rows, length): 0 where there is none, then words that are not listed by their hash, then those listed
- ``terms``  float32 (rows, most, 2): the number of a term, from 1, and its weight; 0 and 0 where there are no more
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import polars as pl

WITHOUT_SPACES = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}"
TOKEN = rf"[{WITHOUT_SPACES}]|[[\p{{L}}\p{{M}}\p{{N}}_]&&[^{WITHOUT_SPACES}]]+(?:'\p{{L}}+)?|[^\s\p{{L}}\p{{M}}\p{{N}}]"

UNLISTED = 1_000
"""Words that are not in the vocabulary share so many numbers, by their hash."""

MOST_TOKENS, MOST_TERMS = 30_000, 100_000
FEWEST_TEXTS = 2
"""A token or term of fewer training texts is not listed."""

LONGEST, COVERED = 512, 0.95
"""Texts are cut to the length that so large a share of the training texts have, and to the first of these at most."""

MOST_KEPT, KEPT = 1_024, 0.99
"""Of a text so many terms are kept as so large a share of training texts have, the heaviest ones, at most the first of these."""

AT_ONCE = 2_000


def learn(texts: pl.Series) -> dict[str, Any]:
    """The encoding of texts, from those of the training rows."""
    import polars as pl

    tokens, terms, lengths, distinct = [], [], [], []
    for start in range(0, texts.len(), AT_ONCE):
        found = _tokens(texts[start : start + AT_ONCE])
        lengths.append(_counts(found, min(AT_ONCE, texts.len() - start)))
        tokens.append(found.group_by("token").agg(pl.col("text").n_unique().alias("texts")))
        of_text = _terms(found).group_by("text", "term").len()
        distinct.append(_counts(of_text, min(AT_ONCE, texts.len() - start)))
        terms.append(of_text.group_by("term").agg(pl.len().alias("texts")))
    rows = max(1, texts.len() - texts.null_count())

    def listed(parts: list[pl.DataFrame], name: str, most: int) -> pl.DataFrame:
        whole = pl.concat(parts).group_by(name).agg(pl.col("texts").sum())
        kept = whole.filter(pl.col("texts") >= (FEWEST_TEXTS if rows >= 20 else 1))
        return kept.sort(["texts", name], descending=[True, False]).head(most).sort(name)

    vocabulary, found_terms = listed(tokens, "token", MOST_TOKENS), listed(terms, "term", MOST_TERMS)
    # As scikit-learn has it, smoothed as if one more text had every term.
    rare = np.log((1 + rows) / (1 + found_terms["texts"].to_numpy())) + 1
    return {
        "vocabulary": vocabulary["token"].to_list(),
        "length": int(np.clip(np.ceil(np.quantile(np.concatenate(lengths), COVERED)), 8, LONGEST)),
        "terms": found_terms["term"].to_list(),
        "rare": [float(f"{value:.6g}") for value in rare],
        "most": int(np.clip(np.ceil(np.quantile(np.concatenate(distinct), KEPT)), 8, MOST_KEPT)),
    }


def sizes(encoding: dict[str, Any]) -> tuple[int, int]:
    """How many numbers tokens and terms have, 0 included."""
    return 1 + UNLISTED + len(encoding["vocabulary"]), 1 + len(encoding["terms"])


def in_order(texts: pl.Series, encoding: dict[str, Any]) -> np.ndarray:
    """The tokens of each text, (rows, length) int32; of a longer text the first ones."""
    import polars as pl

    length = encoding["length"]
    made = np.zeros((texts.len(), length), np.int32)
    listed = {token: place for place, token in enumerate(encoding["vocabulary"], 1 + UNLISTED)}
    for start in range(0, texts.len(), AT_ONCE):
        found = _tokens(texts[start : start + AT_ONCE]).with_columns(
            place=pl.int_range(pl.len()).over("text")
        ).filter(pl.col("place") < length)  # fmt: skip
        forms = found["token"].unique().to_list()
        numbers = [listed.get(form) or 1 + zlib.crc32(form.encode()) % UNLISTED for form in forms]
        codes = found["token"].replace_strict(forms, numbers, return_dtype=pl.Int32)
        made[found["text"].to_numpy() + start, found["place"].to_numpy()] = codes.to_numpy()
    return made


def weighted(texts: pl.Series, encoding: dict[str, Any]) -> np.ndarray:
    """The heaviest terms of each text with their weights, (rows, most, 2) float32.

    A weight is (1 + log count) x rareness, and the weights of a text have unit length: TF-IDF.
    """
    import polars as pl

    most = encoding["most"]
    made = np.zeros((texts.len(), most, 2), np.float32)
    listed = pl.DataFrame(
        {"term": encoding["terms"], "rare": encoding["rare"]}, schema={"term": pl.String, "rare": pl.Float64}
    ).with_row_index("number", offset=1)
    for start in range(0, texts.len(), AT_ONCE):
        counts = _terms(_tokens(texts[start : start + AT_ONCE])).group_by("text", "term").len("times")
        weights = counts.join(listed, on="term").with_columns(weight=(1 + pl.col("times").log()) * pl.col("rare"))
        weights = weights.with_columns(weight=pl.col("weight") / pl.col("weight").pow(2).sum().over("text").sqrt())
        weights = weights.sort(["text", "weight", "number"], descending=[False, True, False])
        weights = weights.with_columns(place=pl.int_range(pl.len()).over("text")).filter(pl.col("place") < most)
        at = (weights["text"].to_numpy() + start, weights["place"].to_numpy())
        made[at] = np.column_stack([weights["number"].to_numpy(), weights["weight"].to_numpy()])
    return made


def word_of(number: int, term: bool, encoding: dict[str, Any]) -> str:
    """The token or term of a number; empty for words that are not listed."""
    if term:
        return encoding["terms"][number - 1]
    return encoding["vocabulary"][number - 1 - UNLISTED] if number > UNLISTED else ""


def _tokens(texts: pl.Series) -> pl.DataFrame:
    """Every token with the number of its text, in their order."""
    import polars as pl

    found = (
        texts.rename("token")
        .to_frame()
        .select(pl.col("token").cast(pl.String).str.to_lowercase().str.extract_all(TOKEN))
    )
    return found.with_row_index("text").explode("token").drop_nulls()


def _terms(tokens: pl.DataFrame) -> pl.DataFrame:
    """Every token and every pair of neighbours, with the number of its text; marks alone are no terms, other signs are."""
    import polars as pl

    words = tokens.filter(~pl.col("token").str.contains(r"^[\p{P}_]+$"))
    pairs = words.select(
        "text",
        term=pl.col("token") + " " + pl.col("token").shift(-1).over("text"),
    ).drop_nulls()  # fmt: skip
    return pl.concat([words.rename({"token": "term"}), pairs])


def _counts(found: pl.DataFrame, rows: int) -> np.ndarray:
    return np.bincount(found["text"].to_numpy(), minlength=rows)
