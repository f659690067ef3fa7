"""Folders of pictures, and tables that hold or name pictures."""

import io
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from nervura.errors import SourceError
from nervura.sources import read

Image = pytest.importorskip("PIL.Image")


def png(level: int = 9) -> bytes:
    written = io.BytesIO()
    Image.new("L", (8, 8), level).save(written, "PNG")
    return written.getvalue()


def folder_of(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(png())
    return root


def test_sub_folders_are_labels(tmp_path):
    table = read(folder_of(tmp_path, "7/a.png", "7/old/b.JPG", "10/c.webp", "d.gif", ".cache/e.png", "7/notes.txt"))
    rows = table.frame.collect()
    assert rows["path"].to_list() == ["10/c.webp", "7/a.png", "7/old/b.JPG", "d.gif"]
    assert rows["label"].cast(pl.String).to_list() == ["10", "7", "7", None]
    assert rows["picture"].to_list() == [str(tmp_path / name) for name in rows["path"]]
    assert (table.target, table.part, table.names, table.pictures) == ("label", None, "path", True)


def test_a_folder_of_unlabelled_pictures_is_no_class(tmp_path):
    table = read(folder_of(tmp_path, "cat/1.png", "dog/1.png", "Unlabelled/1.png", "Unlabelled/2.png", "3.png"))
    assert sorted(table.frame.collect()["label"].to_list(), key=str) == [None, None, None, "cat", "dog"]
    assert table.notes == ()


def test_parts_of_the_split_stand_above_the_labels(tmp_path):
    table = read(folder_of(tmp_path, "Train/cat/1.png", "Train/dog/2.png", "val/cat/3.png", "test/dog/4.png"))
    rows = table.frame.collect().sort("path")
    assert rows["part"].to_list() == ["train", "train", "test", "validation"]
    assert rows["label"].cast(pl.String).to_list() == ["cat", "dog", "dog", "cat"]
    assert table.part == "part"


def test_a_class_may_be_called_test(tmp_path):
    table = read(folder_of(tmp_path, "test/1.png", "control/2.png"))
    assert table.part is None
    assert table.frame.collect()["label"].cast(pl.String).to_list() == ["control", "test"]


def test_a_folder_of_pictures_without_classes_has_no_target(tmp_path):
    table = read(folder_of(tmp_path, "1.png", "2.png"))
    assert table.target is None and table.frame.collect().height == 2


def test_a_folder_of_other_files_is_no_folder_of_pictures(tmp_path):
    (tmp_path / "notes.log").write_text("nothing")
    with pytest.raises(SourceError, match="no files that can be read together"):
        read(tmp_path)


def test_paths_in_a_table_are_found_from_its_folder(tmp_path):
    folder_of(tmp_path, "shots/a.png", "shots/b.png")
    pl.DataFrame({"file": ["shots/a.png", "shots/b.png"], "price": [1.5, 2.5]}).write_csv(tmp_path / "table.csv")
    table = read(tmp_path / "table.csv")
    rows = table.frame.collect()
    assert rows["file"].to_list() == ["shots/a.png", "shots/b.png"]
    assert rows["picture"].to_list() == [str(tmp_path / "shots/a.png"), str(tmp_path / "shots/b.png")]
    assert table.names == "file" and table.pictures and table.target is None


def test_names_of_pictures_that_are_not_there_are_plain_words(tmp_path):
    pl.DataFrame({"file": ["a.png", "b.png"], "price": [1.5, 2.5]}).write_csv(tmp_path / "table.csv")
    table = read(tmp_path / "table.csv")
    assert not table.pictures and table.frame.collect().columns == ["file", "price"]


@pytest.mark.parametrize("stored", [True, False], ids=["bytes", "paths"])
def test_the_form_of_public_data_hubs_is_read(tmp_path, stored):
    folder_of(tmp_path, "a.png", "b.png")
    images = [{"bytes": png() if stored else None, "path": name} for name in ("a.png", "b.png")]
    schema = {"image": pl.Struct({"bytes": pl.Binary, "path": pl.String}), "label": pl.Int64, "split": pl.String}
    rows = pl.DataFrame({"image": images, "label": [0, 1], "split": ["train", "test"]}, schema=schema)
    rows.write_parquet(tmp_path / "hub.parquet")
    table = read(tmp_path / "hub.parquet")
    found = table.frame.collect()
    assert found["path"].to_list() == ["a.png", "b.png"]
    assert found["picture"].to_list() == ([png()] * 2 if stored else [str(tmp_path / "a.png"), str(tmp_path / "b.png")])
    assert (table.target, table.part, table.names) == ("label", "split", "path")


def test_a_column_of_files_is_read_whatever_it_is_called():
    table = read(pl.DataFrame({"scan": [png(), png()], "class": ["a", "b"], "part": ["left", "right"]}))
    assert table.frame.collect()["picture"].to_list() == [png()] * 2
    assert (table.target, table.part, table.names) == ("class", None, None)


def test_bytes_that_are_no_pictures_stay_what_they_are():
    table = read(pl.DataFrame({"key": [b"\x00\x01", b"\x02"], "y": [1, 2]}))
    assert not table.pictures and table.frame.collect().columns == ["key", "y"]


def test_arrays_of_pictures_are_one_column():
    table = read((np.zeros((5, 8, 9, 3), np.uint8), np.arange(5)))
    rows = table.frame.collect()
    assert rows.columns == ["picture", "y"] and rows["picture"].dtype.shape == (8, 9, 3)
    assert table.pictures and table.target == "y"


@pytest.mark.parametrize("around", ["flowers", "train", "a/b"])
def test_a_folder_around_all_classes_is_passed_through(tmp_path, around):
    table = read(folder_of(tmp_path, f"{around}/cat/1.png", f"{around}/dog/2.png", f"{around}/dog/old/3.png"))
    rows = table.frame.collect()
    assert rows["label"].cast(pl.String).to_list() == ["cat", "dog", "dog"]
    assert rows["path"][0] == f"{around}/cat/1.png" and table.part is None
    assert table.notes == (f"All pictures are below '{around}', so the sub-folders of that are the classes.",)


def test_a_split_below_a_folder_around_it_is_kept(tmp_path):
    table = read(folder_of(tmp_path, "set/train/cat/1.png", "set/train/dog/2.png", "set/test/cat/3.png"))
    rows = table.frame.collect()
    assert rows["part"].to_list() == ["test", "train", "train"]
    assert rows["label"].cast(pl.String).to_list() == ["cat", "cat", "dog"]


def test_one_class_alone_stays_a_class(tmp_path):
    assert read(folder_of(tmp_path, "cat/1.png", "cat/2.png")).frame.collect()["label"].unique().to_list() == ["cat"]


@pytest.mark.parametrize("split", [False, True])
def test_folders_without_pictures_are_named_and_are_no_classes(tmp_path, split):
    part = "train/" if split else ""
    folder_of(tmp_path, f"{part}cat/1.png", f"{part}dog/2.png", *(["test/cat/3.png"] if split else []))
    for name in (f"{part}new cat", "__MACOSX", ".cache"):
        (tmp_path / name).mkdir()
    table = read(tmp_path)
    assert table.notes == ("These folders hold no picture and are no classes: new cat.",)
    assert table.reading["classes"] == 2


def test_one_picture_is_read_alone(tmp_path):
    table = read(folder_of(tmp_path, "new/my picture.JPG", "new/other.png") / "new" / "my picture.JPG")
    rows = table.frame.collect()
    assert rows["path"].to_list() == ["my picture.JPG"]
    assert rows["picture"].to_list() == [str(tmp_path / "new/my picture.JPG")]
    assert table.pictures and table.target is None and table.notes == ()
