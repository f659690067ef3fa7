"""The tables of scikit-learn, and what the door says of things that are no source."""

import pytest

from nervura.errors import SourceError
from nervura.sources import read, sources

pytest.importorskip("sklearn")


@pytest.mark.parametrize(
    ("name", "shape", "target", "level"),
    [
        ("iris", (150, 5), "species", "setosa"),
        ("wine", (178, 14), "cultivar", "class_0"),
        ("breast_cancer", (569, 31), "diagnosis", "malignant"),
        ("digits", (1797, 65), "digit", "0"),
        ("diabetes", (442, 11), "progression", 151.0),
    ],
)
def test_toys(name, shape, target, level):
    found = read(f"toy:{name}")
    frame = found.frame.collect()
    assert (frame.shape, found.target, found.name) == (shape, target, name)
    assert frame[target][0] == level


def test_unknown_toys():
    with pytest.raises(SourceError, match="Did you mean 'iris'"):
        read("toy:irs")


def test_what_is_no_source(tmp_path):
    (tmp_path / "sales.csv").write_text("a,b\n1,2\n")
    with pytest.raises(SourceError, match="Did you mean 'sales.csv'"):
        read(tmp_path / "sales.cvs")
    with pytest.raises(SourceError, match="given was 'nonsense'"):
        read("nonsense")
    with pytest.raises(SourceError, match="it holds sales.csv"):
        read(tmp_path)
    with pytest.raises(SourceError, match="type builtins.int"):
        read(3)
    (tmp_path / "notes.md").write_text("# Title\n\nSome words, and more.\n")
    with pytest.raises(SourceError, match="of no kind"):
        read(tmp_path / "notes.md")
    assert all(member.summary for member in sources)
