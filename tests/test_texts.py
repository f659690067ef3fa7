"""Texts as tokens and terms: any text becomes numbers, the weights are TF-IDF as scikit-learn has it."""

import json

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.feature_extraction.text import TfidfVectorizer

from nervura import texts
from nervura.dataset import Dataset

WRITTEN = (
    st.none() | st.text(max_size=40) | st.sampled_from(["", "😀 😀 ok", "今天天气很好", "olá! mundo", "a'b c_d 1.5"])
)


@settings(max_examples=40, deadline=None)
@given(st.lists(WRITTEN, min_size=1, max_size=8), st.lists(WRITTEN, max_size=5))
def test_any_texts_become_numbers_that_are_listed(seen: list[str | None], unseen: list[str | None]) -> None:
    told = json.loads(json.dumps(texts.learn(pl.Series(seen, dtype=pl.String))))
    tokens, terms = texts.sizes(told)
    for rows in (seen, unseen):
        series = pl.Series(rows, dtype=pl.String)
        ordered, weighted = texts.in_order(series, told), texts.weighted(series, told)
        assert (
            ordered.shape == (len(rows), told["length"])
            and 0 <= ordered.min(initial=0) <= ordered.max(initial=0) < tokens
        )
        assert weighted.shape == (len(rows), told["most"], 2) and weighted[..., 0].max(initial=0) < terms
        lengths = np.linalg.norm(weighted[..., 1], axis=1)
        assert (np.isclose(lengths, 1, atol=1e-3) | (lengths < 1)).all() and np.isfinite(weighted).all()


def test_weights_are_those_of_scikit_learn() -> None:
    rows = ["the cat sat on the mat", "the dog sat", "a cat and a dog", "mat"]
    told = texts.learn(pl.Series(rows))
    found = texts.weighted(pl.Series(rows), told)
    model = TfidfVectorizer(sublinear_tf=True, ngram_range=(1, 2), token_pattern=r"\w+")
    expected = model.fit_transform(rows).toarray()
    for text, weights in zip(found, expected, strict=True):
        own = {told["terms"][int(number) - 1]: weight for number, weight in text if number}
        other = {term: weights[place] for term, place in model.vocabulary_.items() if weights[place]}
        assert own == pytest.approx(other, rel=1e-4)


def test_order_emoji_letters_without_spaces_and_unlisted_words() -> None:
    rows = ["Good 😀 day", "good day", "今天 good", "day 今天"] * 6
    told = texts.learn(pl.Series(rows))
    assert {"good", "day", "😀", "今", "天"} <= set(told["vocabulary"])
    ordered = texts.in_order(pl.Series(["day good", "good day", "unheard of", ""]), told)
    assert ordered[0, :2].tolist() == ordered[1, 1::-1].tolist()
    assert (ordered[2, :2] > 0).all() and (ordered[2, :2] <= texts.UNLISTED).all()
    assert not ordered[3].any()
    long = texts.in_order(pl.Series(["good " * 10_000]), told)
    assert long.shape[1] == told["length"] and long.all()


def test_a_lone_document_with_a_target_has_tokens_and_terms() -> None:
    rows = [f"{'rough' if row % 2 else 'calm'} sea and a long day at the harbour number {row % 7}" for row in range(60)]
    frame = pl.DataFrame({"text": rows, "y": [row % 2 for row in range(60)]})
    x = Dataset.open(frame, "y", kinds={"text": "document"}).arrays("train")[0]
    assert {"words", "tokens", "terms"} == set(x)
    beside = frame.with_columns(size=pl.Series(np.random.default_rng(0).normal(size=60)))
    assert {"words", "numbers"} == set(Dataset.open(beside, "y", kinds={"text": "document"}).arrays("train")[0])
