"""Tables as files: whole or not at all."""

import errno
import os
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from nervura.errors import OptionError, RunError
from nervura.writing import write_table

FRAME = pl.DataFrame({"name": ["Zoë, the first", 'a "b"', None], "value": [0.1, 2.5, -1e300]})
READERS = {
    ".csv": pl.read_csv,
    ".tsv": lambda path: pl.read_csv(path, separator="\t"),
    ".parquet": pl.read_parquet,
    ".jsonl": pl.read_ndjson,
}


@pytest.mark.parametrize("ending", READERS)
def test_each_format_is_read_back_alike(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"out{ending}"
    write_table(FRAME, path)
    write_table(FRAME, path)  # over itself
    assert_frame_equal(READERS[ending](path), FRAME)
    assert list(tmp_path.iterdir()) == [path]


def test_the_ending_may_be_in_capitals(tmp_path: Path) -> None:
    write_table(FRAME, tmp_path / "OUT.CSV")
    assert_frame_equal(pl.read_csv(tmp_path / "OUT.CSV"), FRAME)


@pytest.mark.parametrize("name", ["out.xlsx", "out"])
def test_another_ending_is_told(tmp_path: Path, name: str) -> None:
    with pytest.raises(OptionError, match=rf"\.csv, \.tsv, \.parquet, \.jsonl; given was .*{name}"):
        write_table(FRAME, tmp_path / name)
    assert not any(tmp_path.iterdir())


def test_a_close_ending_is_suggested(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="Did you mean '.parquet'"):
        write_table(FRAME, tmp_path / "out.parqet")


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"cannot be written \(No such file or directory\).*--out"):
        write_table(FRAME, tmp_path / "nowhere" / "out.csv")


@pytest.mark.parametrize("ending", READERS)
def test_a_full_disk_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, ending: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / f"out{ending}"
    path.write_text("old")

    def full(*paths: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(RunError, match="No space left on device.*free some space"):
        write_table(FRAME, path)
    assert path.read_text() == "old" and list(tmp_path.iterdir()) == [path]
