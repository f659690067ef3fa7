"""Arrow files and streams."""

import polars as pl
import pytest

from nervura.errors import SourceError
from nervura.sources import read

FRAME = pl.DataFrame({"a": [1, 2], "b": ["x", None]})


def test_files_are_lazy_and_streams_are_read(tmp_path):
    FRAME.write_ipc(tmp_path / "rows.feather")
    FRAME.write_ipc_stream(tmp_path / "rows.arrow")
    for name, in_memory in [("rows.feather", False), ("rows.arrow", True)]:
        found = read(tmp_path / name)
        assert found.frame.collect().equals(FRAME)
        assert found.in_memory == in_memory


@pytest.mark.parametrize(
    ("content", "words"), [(b"FEA1....", "version 1"), (b"a,b\n1,2\n", "cannot be read"), (b"", "empty")]
)
def test_mistakes(tmp_path, content, words):
    (tmp_path / "bad.arrow").write_bytes(content)
    with pytest.raises(SourceError, match=words):
        read(tmp_path / "bad.arrow")


def test_brackets_in_a_name_are_letters(tmp_path):
    FRAME.write_ipc(tmp_path / "part[1].arrow")
    assert read(tmp_path / "part[1].arrow").frame.collect().equals(FRAME)
