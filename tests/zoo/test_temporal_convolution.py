"""The fully convolutional network for series, with the sizes of the paper."""

import pytest

from nervura.encoding import Tensor
from nervura.errors import OptionError
from nervura.problems.base import Head
from nervura.zoo.base import read_options
from nervura.zoo.temporal_convolution import TemporalConvolution

keras = pytest.importorskip("keras")


def test_by_default_it_has_the_blocks_of_the_paper() -> None:
    """Wang, Yan and Oates (IJCNN 2017), section II.B: {128, 256, 128} filters of the sizes {8, 5, 3}."""
    network = TemporalConvolution()
    tensor = Tensor("series", "float32", ("series",), shape=(96, 1))
    head = Head(2, "softmax", "SparseCategoricalCrossentropy", {})
    model = network.build([tensor], head, read_options(network.Options, {"patch": 1}), seed=0)
    counts = [layer.count_params() for layer in model.layers if layer.name.startswith("convolution")]
    assert counts == [8 * 128, 5 * 128 * 256, 3 * 256 * 128]
    assert model.get_layer("pooled").output.shape == (None, 128)
    wrong = read_options(network.Options, {"kernels": "8,5"})
    with pytest.raises(OptionError, match="Each block has filters and a kernel"):
        network.settle(wrong, head, [tensor])
