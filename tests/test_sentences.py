import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from nervura import sentences


def test_words_have_no_punctuation_and_small_letters() -> None:
    assert sentences.words_of("A dog's owner, 2 men -- e a MÃE 🐕!") == [
        "a",
        "dog's",
        "owner",
        "2",
        "men",
        "e",
        "a",
        "mãe",
    ]


@settings(deadline=None)
@given(st.lists(st.lists(st.sampled_from("a dog cat runs fast".split()), max_size=6), min_size=1, max_size=5))
def test_texts_survive_their_codes(texts: list[list[str]]) -> None:
    words = sentences.vocabulary(texts)
    codes = {word: sentences.FIRST_WORD + place for place, word in enumerate(words)}
    coded = sentences.coded(texts, codes, 6)
    assert coded.shape == (len(texts), 7)
    assert [sentences.text_of(row, words) for row in coded] == [" ".join(text) for text in texts]


def test_longer_texts_keep_their_beginning_and_unknown_words_a_place() -> None:
    coded = sentences.coded([["a", "dog", "barks", "loudly"], ["a"]], {"a": 4, "barks": 5}, 2)
    assert coded.tolist() == [[4, sentences.UNKNOWN, 5], [4, sentences.END, sentences.PADDING]]


def test_of_many_texts_rare_words_are_not_learnt() -> None:
    texts = [["common"]] * 10_000 + [["some"]] * 5 + [["rare"]] * 4
    assert sentences.vocabulary(texts) == ["common", "some"]
    assert sentences.length_for([["a"] * 3] * 99 + [["a"] * 90]) == 3
    assert sentences.length_for([["a"] * 90] * 9) == sentences.LONGEST
    assert np.unique(sentences.coded([["a"] * 90], {"a": 4}, 3)).tolist() == [4]
