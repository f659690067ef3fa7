"""The network that writes captions: what its search finds is what its training would score."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

keras = pytest.importorskip("keras")

from nervura import contracts  # noqa: E402
from nervura.designing import design  # noqa: E402
from nervura.layers.caption_objective import encoder_of  # noqa: E402
from nervura.layers.caption_writer import CaptionWriter  # noqa: E402
from nervura.layers.naming import Naming  # noqa: E402
from nervura.layers.one_view import OneView  # noqa: E402
from nervura.sentences import END, FIRST_WORD, PADDING  # noqa: E402
from nervura.zoo.captioner import TOGETHER, WRITING, stages_for  # noqa: E402

LENGTH, REGIONS = 4, 6
PICTURES = np.random.default_rng(0).normal(size=(5, REGIONS, 3)).astype("float32")


def writer(**how: Any) -> CaptionWriter:
    """A small decoder with weights large enough that it is sure of some words."""
    made = CaptionWriter(9, LENGTH, units=8, embedding=6, length_penalty=0.0, **how)
    made.build(PICTURES.shape)
    draw = np.random.default_rng(1)
    made.set_weights([draw.normal(size=weight.shape) for weight in made.get_weights()])
    return made


def answers(layer: CaptionWriter) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Codes, logarithms of probabilities, and where was looked."""
    outputs = keras.ops.convert_to_numpy(layer(PICTURES))
    return np.rint(outputs[:, :LENGTH]).astype(int), outputs[:, LENGTH], outputs[:, LENGTH + 1 :]


def surprise(layer: CaptionWriter, codes: np.ndarray, pictures: np.ndarray = PICTURES) -> np.ndarray:
    """What teacher forcing says of a text for each picture: minus the logarithm of its probability, the end included."""
    texts = np.zeros((len(codes), 1, LENGTH + 1), np.int32)
    texts[:, 0, :LENGTH] = codes
    sizes = (codes != PADDING).sum(1)
    texts[np.arange(len(codes)), 0, sizes] = END
    return keras.ops.convert_to_numpy(layer(pictures, texts)) * (sizes + 1)


@pytest.mark.parametrize("attention", [True, False], ids=["attention", "without"])
@pytest.mark.parametrize("beam", [1, 3])
def test_the_search_and_teacher_forcing_agree_on_probabilities(attention: bool, beam: int) -> None:
    layer = writer(attention=attention, beam=beam)
    codes, probable, _ = answers(layer)
    assert ((codes >= FIRST_WORD) | (codes == PADDING)).all() and (codes[:, 0] >= FIRST_WORD).all()
    assert -surprise(layer, codes) == pytest.approx(probable, abs=1e-4)


def test_a_wide_beam_finds_the_likeliest_of_all_texts() -> None:
    layer = writer(beam=500)
    found, probable, _ = answers(layer)
    words = range(FIRST_WORD, 9)
    every = np.array([[*text, *[PADDING] * (LENGTH - len(text))] for text in _texts(words, LENGTH)])
    pairs = np.tile(every, (len(PICTURES), 1)), np.repeat(PICTURES, len(every), axis=0)
    best = surprise(layer, *pairs).reshape(len(PICTURES), -1).min(1)
    assert probable == pytest.approx(-best, abs=1e-4)
    assert (answers(writer(beam=1))[1] <= probable + 1e-5).all()


def _texts(words: range, length: int) -> list[list[int]]:
    shorter = [[]] if length == 1 else _texts(words, length - 1)
    longest = [text for text in shorter if len(text) == length - 1]
    return [*(text for text in shorter if text), *([*text, word] for text in longest for word in words)]


def test_where_it_looked_sums_to_one_for_each_word() -> None:
    codes, _, looked = answers(writer(beam=2))
    sums = looked.reshape(len(codes), LENGTH, REGIONS).sum(2)
    assert sums == pytest.approx((codes != PADDING).astype(float), abs=1e-5)
    assert answers(writer(attention=False))[2].shape == (len(PICTURES), 0)


def test_words_are_named_by_their_share_of_a_pictures_captions() -> None:
    naming = Naming(3)
    texts = np.array([[[4, 5, 2], [4, 7, 2]], [[6, 6, 2], [0, 0, 0]]])
    assert keras.ops.convert_to_numpy(naming.shares(texts)).tolist() == [[1.0, 0.5, 0.0], [0.0, 0.0, 1.0]]


def test_of_several_views_training_takes_one_and_judgement_the_first() -> None:
    views = np.stack([np.zeros((50, 2)), np.ones((50, 2))], axis=1)
    layer = OneView(seed=1)
    assert not keras.ops.convert_to_numpy(layer(views)).any()
    seen = keras.ops.convert_to_numpy(layer(views, training=True))
    assert 0.2 < seen.mean() < 0.8 and (seen[:, 0] == seen[:, 1]).all()


def test_the_last_maps_have_six_places_a_side_or_more() -> None:
    assert [(side, -(-side // 2 ** stages_for((side, side)))) for side in (12, 32, 48, 96, 128)] == [
        (12, 6),
        (32, 8),
        (48, 6),
        (96, 6),
        (128, 8),
    ]


def test_a_network_that_has_learnt_elsewhere_can_be_the_encoder(tmp_path: Path) -> None:
    seeing = keras.applications.MobileNet(include_top=False, weights=None, input_shape=(32, 32, 3))
    seeing.save_weights(tmp_path / "some.weights.h5")
    dataset = contracts.captions_example()
    options = {"backbone": "MobileNet", "weights": str(tmp_path / "some.weights.h5"), "units": 4, "embedding": 4}
    made = design(dataset.problem, "captioner", dataset.schema, {**options, "flips": "no", "together_epochs": 1})
    assert [phase.name for phase in made.network.phases(made.options)] == [WRITING, TOGETHER]
    pictures = dataset.arrays("test")[0]["pictures"][:2]
    large = keras.ops.convert_to_numpy(keras.layers.Resizing(32, 32)(pictures.astype("float32")))
    expected = keras.ops.convert_to_numpy(seeing(large / 127.5 - 1, training=False)).reshape(2, 1, -1)
    found = keras.ops.convert_to_numpy(encoder_of(made.model)({"pictures": pictures}, training=False))
    assert found == pytest.approx(expected, abs=1e-4)
    learning = {}
    for phase in made.network.phases(made.options):
        made.enter(phase)
        learning[phase.name] = {variable.path.partition("/")[0] for variable in made.model.trainable_variables}
    assert learning[WRITING] == {"writer"} and len(learning[TOGETHER]) > 10
