import numpy as np
import pytest

from nervura.errors import SourceError
from nervura.sources import read

PICTURES = np.arange(6 * 8 * 8, dtype=np.uint8).reshape(6, 8, 8)


def test_the_parts_of_the_file_are_the_split(tmp_path):
    file = tmp_path / "digits.npz"
    np.savez(file, x_train=PICTURES[:4], y_train=np.arange(4), x_test=PICTURES[4:], y_test=np.arange(2))
    table = read(file)
    rows = table.frame.collect()
    assert rows["part"].to_list() == ["train"] * 4 + ["test"] * 2
    assert rows["y"].to_list() == [0, 1, 2, 3, 0, 1]
    assert (rows["picture"].to_numpy() == PICTURES).all()
    assert (table.name, table.target, table.part, table.pictures) == ("digits", "y", "part", True)


def test_pictures_need_no_answers(tmp_path):
    np.savez(tmp_path / "new.npz", x=PICTURES[..., None])
    table = read(tmp_path / "new.npz")
    assert table.frame.collect().columns == ["picture"] and table.target is None and table.part is None


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ({"pixels": PICTURES}, "holds pixels. Save it again"),
        ({"x": PICTURES, "y": np.arange(3)}, r"x \(6, 8, 8\) and y \(3,\)"),
        ({"x": np.zeros(4)}, r"has x \(4,\)"),
        ({"x_train": PICTURES, "x_test": PICTURES[:, :4]}, "one shape and type"),
    ],
)
def test_mistakes(tmp_path, arrays, words):
    np.savez(tmp_path / "file.npz", **arrays)
    with pytest.raises(SourceError, match=words):
        read(tmp_path / "file.npz")


def test_a_damaged_file_says_so(tmp_path):
    (tmp_path / "file.npz").write_bytes(b"no archive")
    with pytest.raises(SourceError, match="cannot be read"):
        read(tmp_path / "file.npz")


def test_objects_are_not_unpickled(tmp_path):
    np.savez(tmp_path / "file.npz", x=np.array([{"a": 1}], dtype=object))
    with pytest.raises(SourceError, match="numbers or text"):
        read(tmp_path / "file.npz")
