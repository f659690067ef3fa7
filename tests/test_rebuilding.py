"""Where code, rebuilt row and given row stand in an autoencoder's outputs."""

import numpy as np

from nervura.encoding import Tensor
from nervura.rebuilding import Layout, layout

TENSORS = [
    Tensor("numbers", "float32", ("a", "b")),
    Tensor("flags", "float32", ("yes",)),
    Tensor("categories", "int32", ("town", "shop"), (3, 2)),
]


def test_outputs_are_cut_into_code_rebuilt_and_given_row() -> None:
    found = layout(TENSORS, 2)
    outputs = np.arange(2 * 18, dtype="float32").reshape(2, 18)
    assert found.width == 8 and outputs.shape[1] == found.length + 2 * found.width
    assert found.code(outputs)[0].tolist() == [0, 1]
    assert found.rebuilt(outputs)[0].tolist() == list(range(2, 10))
    assert found.given(outputs)[0].tolist() == list(range(10, 18))


def test_errors_are_summed_over_the_levels_of_a_column_and_the_columns_of_a_kind() -> None:
    found = layout(TENSORS, 1)
    rebuilt = np.array([[1.0, 0, 0.5, 0.2, 0.3, 0.5, 1, 0]])
    given = np.array([[0.0, 2, 1.0, 0.0, 0.0, 1.0, 0, 1]])
    outputs = np.hstack([[[7.0]], rebuilt, given])
    assert np.allclose(found.errors(outputs), [[1, 4, 0.25, 0.04 + 0.09 + 0.25, 2]])
    assert np.allclose(found.errors_by_kind(outputs), [[5, 0.25, 2.38]])
    assert found.names == ["a", "b", "yes", "town", "shop"]


def test_pictures_are_one_feature_with_all_their_pixels() -> None:
    found = layout([Tensor("pictures", "uint8", ("picture",), (), 1, (4, 3, 1))], 5)
    assert found.width == 12
    outputs = np.zeros((3, 5 + 24))
    outputs[:, 5:17] = 0.5
    assert found.errors(outputs).tolist() == [[3.0]] * 3


def test_a_layout_survives_json() -> None:
    found = layout(TENSORS, 2)
    assert Layout.from_json(found.to_json()) == found
