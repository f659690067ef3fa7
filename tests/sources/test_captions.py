"""Pictures with captions, in the forms that they come in."""

import json
from pathlib import Path

import pytest

from nervura.errors import SourceError
from nervura.sources import read

NAMES = ("1.jpg", "2.jpg", "3.jpg")


def pictures(folder: Path, names: tuple[str, ...] = NAMES) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).write_bytes(b"not opened")
    return folder


def captions(table) -> dict[str, list[str] | None]:
    rows = table.frame.collect()
    return dict(zip(rows["path"], rows["captions"].to_list(), strict=True))


def test_lines_below_a_header_are_one_caption_each(tmp_path: Path) -> None:
    pictures(tmp_path / "Images")
    lines = ["image,caption", "1.jpg,A dog , running", '2.jpg,"Two cats, asleep"', "1.jpg,A brown dog", "3.jpg,"]
    (tmp_path / "captions.txt").write_text("\n".join(lines), encoding="utf-8")
    for given in (tmp_path, tmp_path / "captions.txt"):
        table = read(given)
        expected = {"Images/1.jpg": ["A dog , running", "A brown dog"], "Images/2.jpg": ["Two cats, asleep"]}
        assert captions(table) == {**expected, "Images/3.jpg": None}
        assert (table.target, table.names, table.part) == ("captions", "path", None)
        assert table.notes == ("Pictures that have no caption: Images/3.jpg.",)


def test_numbered_lines_and_lists_of_names_tell_captions_and_parts(tmp_path: Path) -> None:
    pictures(tmp_path / "Flicker8k_Dataset")
    (tmp_path / "Flickr8k.token.txt").write_text(
        "1.jpg#0\tA dog .\n1.jpg#1\tThe dog .\n2.jpg#0\tA cat .\n3.jpg#0\tA cow\n"
    )
    for part, name in (("train", "1.jpg"), ("dev", "2.jpg"), ("test", "3.jpg")):
        (tmp_path / f"Flickr_8k.{part}Images.txt").write_text(name + "\n")
    table = read(tmp_path)
    assert table.frame.collect()["part"].to_list() == ["train", "validation", "test"]
    assert captions(table)["Flicker8k_Dataset/1.jpg"] == ["A dog .", "The dog ."]


def test_files_of_coco_tell_captions_and_parts(tmp_path: Path) -> None:
    pictures(tmp_path / "train2017", ("1.jpg",)), pictures(tmp_path / "val2017", ("2.jpg", "3.jpg"))
    (tmp_path / "annotations").mkdir()
    for part, images in (("train", {1: "1.jpg", 9: "gone.jpg"}), ("val", {2: "2.jpg", 3: "3.jpg"})):
        held = {
            "info": {},
            "images": [{"id": key, "file_name": name} for key, name in images.items()],
            "annotations": [{"image_id": key, "caption": f"It is {key}"} for key in images],
        }
        (tmp_path / "annotations" / f"captions_{part}2017.json").write_text(json.dumps(held))
    table = read(tmp_path)
    assert captions(table) == {
        "train2017/1.jpg": ["It is 1"],
        "val2017/2.jpg": ["It is 2"],
        "val2017/3.jpg": ["It is 3"],
    }
    assert table.frame.collect()["part"].to_list() == ["train", "validation", "validation"]
    assert table.notes == ("Captions are left out whose pictures are not there: gone.jpg.",)
    assert read(tmp_path / "annotations" / "captions_val2017.json").notes == (
        "Pictures that have no caption: train2017/1.jpg.",
    )


def test_captions_without_any_picture_are_no_captions_of_pictures(tmp_path: Path) -> None:
    pictures(tmp_path, ("other.jpg",))
    (tmp_path / "captions.csv").write_text("image,caption\n1.jpg,A dog\n")
    with pytest.raises(SourceError, match="Put the file of captions into the folder of its pictures"):
        read(tmp_path)


def test_other_tables_and_folders_are_read_as_before(tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_text("image,caption\nnone,1\nother,2\n")
    assert read(tmp_path / "table.csv").reading["format"] == "csv"
    pictures(tmp_path / "photos" / "cat"), pictures(tmp_path / "photos" / "dog")
    (tmp_path / "photos" / "notes.txt").write_text("image,words\nabout,them\n")
    assert read(tmp_path / "photos").reading["format"] == "images"
