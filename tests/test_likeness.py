"""The scores of captions are those of the well-kept implementations."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nervura import likeness
from nervura.sentences import words_of

WRITTEN = [
    "a dog runs through the green grass",
    "two men in red shirts are playing football",
    "a child is on a swing",
    "a black dog and a white dog are running and running",
    "people",
]
PEOPLE = [
    ["a brown dog is running through the grass", "the dog runs over a green field", "a dog in grass"],
    ["two men play football on a field", "men in red playing a game of football in the sun today", "football players"],
    ["a girl swings", "the little child is on a swing in the park", "a child swinging high on the swing"],
    ["two dogs run", "a black dog and a white dog run side by side", "dogs are running"],
    ["a crowd of people stands in the street", "many people at a parade", "people on a street"],
]
TEXTS, REFERENCES = [words_of(text) for text in WRITTEN], [[words_of(one) for one in own] for own in PEOPLE]
FACTS = likeness.facts(TEXTS, REFERENCES)
ONCE = np.ones((1, len(FACTS)))


def test_the_scores_are_those_of_coco() -> None:
    pytest.importorskip("pycocoevalcap")
    from pycocoevalcap.bleu.bleu_scorer import BleuScorer
    from pycocoevalcap.cider.cider_scorer import CiderScorer
    from pycocoevalcap.rouge.rouge import Rouge

    references = {i: [" ".join(words) for words in own] for i, own in enumerate(REFERENCES)}
    written = {i: [" ".join(words)] for i, words in enumerate(TEXTS)}
    bleu, cider = BleuScorer(n=4), CiderScorer(n=4, sigma=6.0)
    for i in references:
        bleu += (written[i][0], references[i])
        cider += (written[i][0], references[i])
    for order, expected in enumerate(bleu.compute_score(option="closest")[0], 1):
        assert likeness.bleu(ONCE, FACTS, ONCE, order)[0] == pytest.approx(expected)
    assert FACTS[:, likeness.ROUGE] == pytest.approx(Rouge().compute_score(references, written)[1])
    assert FACTS[:, likeness.CIDER] == pytest.approx(cider.compute_score()[1])


def test_scores_of_resamples_are_those_of_the_texts_that_were_drawn() -> None:
    drawn = [0, 0, 3, 4]
    weights = np.bincount(drawn, minlength=len(FACTS))[None].astype(float)
    for order in (1, 4):
        alone = likeness.bleu(ONCE, FACTS[drawn], np.ones((1, 4)), order)
        assert likeness.bleu(ONCE, FACTS, weights, order) == pytest.approx(alone)
    assert likeness.rouge_l(ONCE, FACTS, weights)[0] == pytest.approx(FACTS[drawn, likeness.ROUGE].mean())


SOME_WORDS = st.lists(st.sampled_from("a dog cat runs in the grass".split()), min_size=4, max_size=12)


@settings(deadline=None)
@given(st.lists(SOME_WORDS, min_size=2, max_size=5))
def test_a_text_that_is_its_own_reference_has_the_best_scores(texts: list[list[str]]) -> None:
    facts = likeness.facts(texts, [[text] for text in texts])
    once = np.ones((1, len(texts)))
    assert likeness.bleu(once, facts, once)[0] == pytest.approx(1)
    assert facts[:, likeness.ROUGE] == pytest.approx(1)
    assert (facts[:, likeness.CIDER] <= 10 + 1e-9).all()


def test_an_empty_text_scores_nothing() -> None:
    facts = likeness.facts([[], ["a"]], [[["a", "dog"]], [["a", "dog"]]])
    assert facts[0, [likeness.ROUGE, likeness.CIDER, likeness.LENGTH]].tolist() == [0, 0, 0]
    assert likeness.bleu(ONCE, facts, np.array([[1.0, 0.0]]))[0] == 0
