"""The linear network of texts: it is a full connection on the terms, of which a text touches its own."""

import numpy as np
import pytest

from nervura.encoding import Tensor
from nervura.problems.base import Head
from nervura.zoo.bag_of_embeddings import BagOfEmbeddings
from nervura.zoo.bag_of_words import BagOfWords
from nervura.zoo.base import read_options

keras = pytest.importorskip("keras")

HEAD = Head(3, "softmax", "SparseCategoricalCrossentropy", {})


def test_it_is_the_linear_model_of_the_paper() -> None:
    """Wang and Manning (2012), section 2: the answer is linear in the terms, one weight for each term and class."""
    network = BagOfWords()
    tensor = Tensor("terms", "float32", ("text",), (50,), shape=(4, 2))
    model = network.build([tensor], HEAD, read_options(network.Options, {}), seed=0)
    assert model.count_params() == 50 * 3 + 3
    draw = np.random.default_rng(0)
    table = draw.normal(size=(50, 3)).astype("float32")
    model.get_layer("output").table.assign(table)
    x = np.array([[[7, 0.6], [49, 0.8], [0, 0], [0, 0]]], "float32")
    sums = 0.6 * table[7] + 0.8 * table[49]
    expected = np.exp(sums) / np.exp(sums).sum()
    assert np.allclose(keras.ops.convert_to_numpy(model({"terms": x}))[0], expected, atol=1e-5)


def test_a_text_is_the_mean_of_its_words_whatever_their_order() -> None:
    """Joulin et al. (2017), section 2: vectors of words are averaged; the output layer reads the average."""
    network = BagOfEmbeddings()
    tensor = Tensor("tokens", "int32", ("text",), (30,), shape=(6,))
    model = network.build([tensor], HEAD, read_options(network.Options, {"embedding": 5}), seed=0)
    assert model.count_params() == 30 * 5 + 2 * 5 * 3 + 3
    x = np.array([[3, 9, 4, 0, 0, 0], [9, 4, 3, 0, 0, 0], [0, 0, 0, 0, 0, 0]], "int32")
    outputs = keras.ops.convert_to_numpy(model({"tokens": x}))
    assert np.allclose(outputs[0], outputs[1], atol=1e-6) and np.isfinite(outputs).all()
    vectors = keras.ops.convert_to_numpy(model.get_layer("steps").embeddings)[[3, 9, 4]]
    pooled = keras.Model(model.inputs, model.get_layer("pooled").output)({"tokens": x})
    assert np.allclose(keras.ops.convert_to_numpy(pooled)[0, :5], vectors.mean(0), atol=1e-6)
