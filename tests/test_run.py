"""A run directory: every file whole or not at all, and damage told in words."""

import errno
import json
import os
from pathlib import Path

import numpy as np
import pytest

from nervura.errors import RunError
from nervura.run import FORMAT, Run, next_directory, plain


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run.create(tmp_path / "deep" / "run", seed=3)


def hidden(folder: Path) -> list[str]:
    return [path.name for path in folder.rglob("*") if path.name.startswith(".")]


def test_a_run_is_created_with_what_is_told_and_opened_again(run: Run) -> None:
    assert run.path.is_absolute()
    told = Run.open(run.path).need("run")
    assert told == {"format": FORMAT, "status": "started", "seed": 3}


def test_an_empty_directory_will_do_and_one_that_holds_something_will_not(tmp_path: Path) -> None:
    Run.create(tmp_path)
    before = (tmp_path / "run.json").read_bytes()
    with pytest.raises(RunError, match="is not empty. Write --out"):
        Run.create(tmp_path, seed=9)
    assert (tmp_path / "run.json").read_bytes() == before
    with pytest.raises(RunError, match="is not empty"):
        Run.create(tmp_path / "run.json")


def test_updates_keep_the_other_keys(run: Run) -> None:
    run.update("run", status="done")
    assert run.need("run") == {"format": FORMAT, "status": "done", "seed": 3}
    run.update("new", key="value")
    assert run.need("new") == {"key": "value"}


def test_json_holds_only_what_json_has(run: Run) -> None:
    data = {"nan": float("nan"), "inf": np.inf, "array": np.array([[1.5, np.nan]]), "n": np.int64(3), 1: (True, "ção")}
    run.write("odd", data)
    text = (run.path / "odd.json").read_text(encoding="utf-8")
    expected = {"nan": None, "inf": None, "array": [[1.5, None]], "n": 3, "1": [True, "ção"]}
    assert json.loads(text) == expected == plain(data) == run.read("odd")
    assert "ção" in text


def test_arrays_come_back_alike(run: Run) -> None:
    arrays = {"a/0": np.arange(6, dtype="int8").reshape(2, 3), "b": np.array(np.inf)}
    run.write_arrays("sub/kept", arrays)
    found = run.read_arrays("sub/kept")
    assert found is not None and set(found) == set(arrays)
    for name, array in arrays.items():
        assert found[name].dtype == array.dtype
        np.testing.assert_array_equal(found[name], array)
    assert run.read_arrays("absent") is None


def test_arrays_hold_no_objects(run: Run) -> None:
    with pytest.raises(ValueError, match="Object arrays"):
        run.write_arrays("objects", {"o": np.array([{}], dtype=object)})
    assert not (run.path / "objects.npz").exists() and not hidden(run.path)


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(run: Run) -> None:
    run.write_text("note.txt", "old")

    def half(temporary: Path) -> None:
        temporary.write_text("half")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run.write_file("note.txt", half)
    assert (run.path / "note.txt").read_text() == "old" and not hidden(run.path)


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_full_disk_is_told_and_leaves_the_old_file(run: Run, call: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before = run.need("run")

    def full(*given: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, call, full)
    with pytest.raises(RunError, match=r"run.json' cannot be written \(No space left on device\).*nervura resume"):
        run.update("run", status="done")
    monkeypatch.undo()
    assert run.need("run") == before and not hidden(run.path)


def test_the_history_comes_back_as_columns(run: Run) -> None:
    assert run.history() == {}
    run.write_text("history.csv", "epoch,loss\n1,0.5\n2,\n")
    history = run.history()
    assert history["epoch"] == [1.0, 2.0]
    np.testing.assert_array_equal(history["loss"], [0.5, np.nan])


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "run.json cannot be read"),
        ('{"format": 1', "run.json cannot be read"),
        ("[1]", "holds no JSON object"),
        ("\x00\x01", "run.json cannot be read"),
        ('{"format": 99}', "reads runs of format 1; .* has format 99"),
        ("{}", "has format None"),
    ],
)
def test_damage_is_told(run: Run, text: str, says: str) -> None:
    (run.path / "run.json").write_text(text)
    with pytest.raises(RunError, match=says):
        Run.open(run.path)


def test_bytes_that_are_no_text_are_told(run: Run) -> None:
    (run.path / "run.json").write_bytes(b"\xff\xfe\xfa")
    with pytest.raises(RunError, match="run.json cannot be read"):
        Run.open(run.path)


def test_a_key_that_is_missing_is_told_by_its_file_and_name(run: Run) -> None:
    with pytest.raises(RunError, match="run.json has no 'decisions'"):
        run.need("run")["decisions"]
    assert run.need("run").get("decisions") is None


def test_a_file_of_a_later_step_is_told_with_the_way_on(run: Run) -> None:
    assert run.read("evaluation") is None
    with pytest.raises(RunError, match="no evaluation.json.*nervura resume"):
        run.need("evaluation")


@pytest.mark.parametrize("cut", [0, 10, 200])
def test_arrays_that_are_cut_off_are_told(run: Run, cut: int) -> None:
    run.write_arrays("split", {"parts": np.zeros(1_000)})
    file = run.path / "split.npz"
    file.write_bytes(file.read_bytes()[:cut])
    with pytest.raises(RunError, match="split.npz cannot be read"):
        run.read_arrays("split")


def test_what_is_no_run_is_told(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="does not exist"):
        Run.open(tmp_path / "nowhere")
    with pytest.raises(RunError, match="has no run.json"):
        Run.open(tmp_path)
    (tmp_path / "file").write_text("{}")
    with pytest.raises(RunError, match="is neither, or is damaged"):
        Run.open(tmp_path / "file")


def test_the_next_directory_has_the_first_free_number_and_a_safe_name(tmp_path: Path) -> None:
    first = next_directory(tmp_path, "my table/2024:é", "feed_forward")
    assert first == tmp_path / "my_table_2024_é-feed_forward-1"
    first.mkdir()
    assert next_directory(tmp_path, "my table/2024:é", "feed_forward").name.endswith("-2")
