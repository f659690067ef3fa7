"""Folders of text files."""

import polars as pl
import pytest

from nervura.dataset import Dataset
from nervura.errors import SourceError
from nervura.inspecting import infer_schema
from nervura.sources import read
from nervura.sources.documents import read_document


def folder_of(root, **files):
    for name, data in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return root


def test_sub_folders_are_labels_and_their_parts_the_split(tmp_path):
    files = {
        "train/law/1.txt": "a court",
        "train/sea/2.md": "a ship",
        "test/sea/3.txt": "a wave",
        "test/law/.x.txt": "-",
    }
    table = read(folder_of(tmp_path, **files))
    rows = table.frame.collect().sort("path")
    assert rows["document"].to_list() == ["a wave", "a court", "a ship"]
    assert rows["label"].cast(pl.String).to_list() == ["sea", "law", "sea"]
    assert rows["part"].to_list() == ["test", "train", "train"]
    assert (table.target, table.part, table.names, table.documents) == ("label", "part", "path", True)


def test_a_folder_without_classes_has_no_target(tmp_path):
    table = read(folder_of(tmp_path, **{"only/1.txt": "one text", "only/2.txt": "another text"}))
    assert table.target is None and table.frame.collect().columns == ["path", "document"]


def test_the_encoding_of_each_file_is_found_out(tmp_path):
    said = "A ação é já amanhã, às três."
    folder_of(
        tmp_path,
        **{
            "1.txt": said,
            "2.txt": said.encode("cp1252"),
            "3.txt": said.encode("utf-16"),
            "4.txt": b"\xef\xbb\xbf" + said.encode(),
        },
    )
    table = read(tmp_path)
    assert table.frame.collect()["document"].to_list() == [said] * 4
    assert table.reading["encodings"] == {"utf-8": 1, "cp1252": 1, "utf-16": 1, "utf-8-sig": 1}
    assert "1 as cp1252" in table.notes[0]


def test_empty_and_binary_files_are_named_and_left_out(tmp_path):
    folder_of(
        tmp_path,
        **{"a.txt": "a text", "b.txt": b"", "c.txt": b" \n", "d.txt": b"%PDF-1.7 \x00\x01\x02", "e.txt": b"\0" * 99},
    )
    table = read(tmp_path)
    assert table.frame.collect()["path"].to_list() == ["a.txt"]
    assert table.notes == ("4 of 5 files are empty or no text and are left out: b.txt, c.txt, d.txt, e.txt.",)


def test_files_without_endings_are_told_by_what_is_in_them(tmp_path):
    folder_of(tmp_path, **{"law/51060": "a court", "sea/51061": "a ship"})
    assert read(tmp_path).frame.collect()["document"].to_list() == ["a court", "a ship"]


def test_texts_beside_tables_or_pictures_are_no_documents(tmp_path):
    folder_of(tmp_path, **{"readme.md": "what this is", "rows.csv": "a,b\n1,2\n"})
    with pytest.raises(SourceError, match="no files that can be read together"):
        read(tmp_path)


def test_a_folder_without_any_text_says_so(tmp_path):
    with pytest.raises(SourceError, match="has none that can be read"):
        read(folder_of(tmp_path, **{"a.txt": b"", "b.txt": b""}))


def test_one_document_is_read(tmp_path):
    folder_of(tmp_path, **{"a.txt": "olá".encode("cp1252"), "b.txt": b""})
    assert read_document(tmp_path / "a.txt") == "olá"
    for name, said in (("b.txt", "is empty or holds none"), ("c.txt", "cannot be opened")):
        with pytest.raises(SourceError, match=said):
            read_document(tmp_path / name)


def test_files_are_opened_when_their_text_is_asked_for(tmp_path):
    table = read(folder_of(tmp_path, **{"a.txt": "first", "b.txt": "second"}))
    schema = infer_schema(table)
    (tmp_path / "b.txt").unlink()
    assert schema["document"].kind == "document" and schema["path"].reason == "it names the documents"
    assert table.frame.head(1).collect()["document"].to_list() == ["first"]
    assert table.frame.select("path").collect().height == 2


def test_documents_of_classes_are_rows_of_counts(tmp_path):
    words = {"law": "the court heard the judges", "sea": "the ships sailed the seas"}
    files = {f"{label}/{i}.txt": f"{text} of town {i}" for label, text in words.items() for i in range(20)}
    dataset = Dataset.open(folder_of(tmp_path, **files))
    assert dataset.problem.name == "binary" and dataset.schema["document"].encoding["languages"] == ["en"]
    (x, y), names = dataset.arrays("train"), dataset.schema["document"].encoding["words"]
    assert x["words"].dtype == "uint8" and set(names) == {"court", "heard", "judges", "ships", "sailed", "seas"} | {
        "town"
    } & set(names)
    assert (x["words"][:, names.index("court")] == (y == 0)).all()
