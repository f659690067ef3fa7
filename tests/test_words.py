"""Documents as bags of words."""

import numpy as np
import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from nervura import words
from nervura.inspecting import infer_schema
from nervura.sources import read

ENGLISH = (
    "The judges of the court were asked whether the ships had been sailing when it was dark, and they said that not."
)
PORTUGUESE = (
    "Os juízes do tribunal perguntaram se os navios estavam a navegar quando já era de noite, e eles disseram que não."
)


def test_the_language_is_found_out():
    assert words.languages_of(pl.Series([ENGLISH] * 3)) == ["en"]
    assert words.languages_of(pl.Series([PORTUGUESE] * 3)) == ["pt"]
    assert words.languages_of(pl.Series([ENGLISH, PORTUGUESE, PORTUGUESE])) == ["pt", "en"]
    assert words.languages_of(pl.Series(["xqzzt wvvkr bntpl", None])) == []


def test_words_of_no_meaning_are_left_out_and_the_others_cut_to_stems():
    assert words.stems_of(["the", "sailing", "sails", "court"], ["en"]) == ["", "sail", "sail", "court"]
    assert words.stems_of(["navegar", "navegando", "não", "tribunais"], ["pt"]) == ["naveg", "naveg", "", "tribun"]


def test_the_stems_of_most_documents_are_counted():
    texts = pl.Series(["the ship and ships of a wave " + "judge " * 300, "it was the ship", "a wave and a wave", None])
    found = words.learn(texts, 2)
    assert found["stems"] == ["ship", "wave"] and found["indicator"]
    assert words.count(texts, found).tolist() == [[2, 1], [1, 0], [0, 2], [0, 0]]
    assert words.count(texts, words.learn(texts))[0].max() == 255


def test_people_read_the_commonest_form_of_a_stem():
    texts = pl.Series(["they were sailing and sailing, then they sailed"] * 3)
    assert words.learn(texts)["words"] == ["sailing"]


@given(st.lists(st.one_of(st.none(), st.text(max_size=60)), min_size=1, max_size=30))
def test_any_texts_are_counted_alike_alone_and_together(texts):
    series = pl.Series(texts, dtype=pl.String)
    learnt = words.learn(series)
    counts = words.count(series, learnt)
    assert counts.shape == (len(texts), len(learnt["stems"]))
    alone = [words.count(series[i : i + 1], learnt) for i in range(len(texts))]
    assert np.array_equal(counts, np.vstack(alone))


def test_weights_have_one_length():
    found = words.weights(np.array([[1, 1], [255, 0], [0, 0]], np.uint8))
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), [1, 1, 0], atol=1e-6)


def long(count, length):
    return [f"report {i} " + " ".join(f"word{i + j}" for j in range(length)) for i in range(count)]


def test_long_texts_are_documents_and_short_ones_where_they_are_all_there_is():
    few = {"y": ["a", "b"] * 30}
    kinds = {
        (length, beside): infer_schema(
            read({"text": long(60, length), **few, **({"size": np.linspace(0.1, 1.9, 60)} if beside else {})}), "y"
        )["text"].kind
        for length in (3, 10, 30)
        for beside in (True, False)
    }
    documents = {case for case, kind in kinds.items() if kind == "document"}
    assert documents == {(30, True), (30, False), (10, False)}
    told = infer_schema(read({"text": long(60, 3), **few}), "y", {"text": "document"})
    assert told["text"].kind == "document"
