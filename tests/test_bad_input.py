"""What people get wrong: one clear message, exit status 2, no traceback, and nothing half-written."""

import errno
import gzip
import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import nervura
from nervura.cli import main
from nervura.dataset import Dataset

QUICK = ["--network", "feed_forward", "--set", "hidden=8", "--set", "epochs=2"]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def refused(capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Runs a command line that must be refused, leave all files as they were and say so in one line; gives that line."""

    def run(*words: object) -> str:
        before = files()
        status = main([str(word) for word in words])
        out, err = capsys.readouterr()
        assert status == 2 and out == ""
        told = [line for line in err.splitlines() if line.startswith("nervura: ")]
        assert len(told) == 1 and err.endswith(told[0] + "\n"), "the message is one line, and the last"
        assert "Traceback" not in err and "Warning" not in err
        assert len(told[0]) < 1_000
        assert files() == before
        return told[0]

    return run


def files() -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in Path.cwd().rglob("*") if path.is_file()}


def rows(count: int = 60, **columns: Any) -> pl.DataFrame:
    draw = np.random.default_rng(0)
    x = draw.normal(size=count)
    return pl.DataFrame({"x": x, "z": draw.normal(size=count), "y": np.where(x > 0, "yes", "no"), **columns})


# --- Files ---


def cut_gzip() -> bytes:
    whole = gzip.compress(rows(5_000).write_csv().encode())
    return whole[: len(whole) // 2]


FILES: dict[str, tuple[str, bytes, str]] = {
    "empty": ("t.csv", b"", "header and rows; .*t.csv' is empty"),
    "blank": ("t.csv", b"\n\n  \n", "t.csv"),
    "a header alone": ("t.csv", b"x,z,y\n", "rows"),
    "ragged": ("t.csv", b"x,z,y\n" + b"1,2,a\n" * 30 + b"1,2\n" + b"3,4,b\n" * 30, "as many fields.*line 32 .* has 2"),
    "binary": ("t.csv", bytes(range(256)) * 40, "t.csv"),
    "an image": ("t.csv", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(500), "t.csv"),
    "cut off": ("t.csv.gz", cut_gzip(), "t.csv.gz"),
    "not compressed": ("t.csv.gz", b"x,z,y\n1,2,a\n", "t.csv.gz"),
    "no Parquet": ("t.parquet", b"PAR1 or not", "t.parquet"),
    "no Excel": ("t.xlsx", b"x,z,y\n1,2,a\n", "t.xlsx"),
    "no JSON": ("t.jsonl", b'{"x": 1\n', "t.jsonl"),
    "no database": ("t.db", b"not SQLite" * 100, "t.db"),
}


@pytest.mark.parametrize("case", FILES)
def test_files_that_hold_no_table(refused: Callable[..., str], folder: Path, case: str) -> None:
    name, content, says = FILES[case]
    (folder / name).write_bytes(content)
    told = refused("train", name, "--target", "y", "--out", "run", *QUICK)
    assert_says(told, says)


def assert_says(told: str, says: str) -> None:
    assert re.search(says, told), told


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("tabel.csv", "no file 'tabel.csv'. Did you mean 'table.csv'"),
        ("nowhere/table.csv", "no folder 'nowhere'"),
        (".", "Name one file"),
    ],
)
def test_files_that_are_not_there(refused: Callable[..., str], folder: Path, name: str, says: str) -> None:
    rows().write_csv("table.csv")
    (folder / "other.txt").write_text("x")
    assert_says(refused("train", name, "--target", "y", "--out", "run", *QUICK), says)


# --- Targets ---


TARGETS: dict[str, tuple[list[Any], str]] = {
    "one class": (["yes"] * 60, "two or more different values; 'y' has 1 in 60 rows"),
    "all different": ([f"name {row * 7919 % 60}" for row in range(60)], "60 different values.*--problem NAME"),
    "all missing": ([None] * 60, "all 60 values of 'y' are missing"),
    "nearly all missing": (["a", "b"] + [None] * 58, "At least 10 rows with a known target.*'y' has 2"),
    "three rows": (["a", "b", "a"], "At least 10 rows"),
    "one number": ([4.5] * 60, "two or more different values"),
}


@pytest.mark.parametrize("case", TARGETS)
def test_targets_that_cannot_be_learnt(refused: Callable[..., str], case: str) -> None:
    values, says = TARGETS[case]
    rows(len(values), y=values).write_csv("table.csv")
    assert_says(refused("train", "table.csv", "--target", "y", "--out", "run", *QUICK), says)


def test_a_table_without_a_useful_column(refused: Callable[..., str]) -> None:
    rows().select("y", x=pl.lit(1)).write_csv("table.csv")
    told = refused("train", "table.csv", "--target", "y", "--out", "run", *QUICK)
    assert_says(told, "at least one input.*'x': it has the same value in every row")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--target", ""], "target column must be in the table; '' is not"),
        (["--target", "y", "--time", "none"], "dates or numbers; 'none' has no known value. Name another"),
    ],
)
def test_columns_that_are_named_in_vain(refused: Callable[..., str], words: list[str], says: str) -> None:
    rows(none=[""] * 60).write_csv("table.csv")
    assert_says(refused("train", "table.csv", *words, "--out", "run", *QUICK), says)


# --- Places to write to ---


def full(*given: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_disk_that_is_full_at_once(refused: Callable[..., str], call: str, monkeypatch: pytest.MonkeyPatch) -> None:
    rows().write_csv("table.csv")
    monkeypatch.setattr(os, call, full)
    told = refused("train", "table.csv", "--target", "y", "--out", "run", *QUICK)
    assert_says(told, "cannot be written .No space left on device")
    assert not Path("run").exists() or not any(Path("run").iterdir())


def test_a_disk_that_fills_up_while_training(refused: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> None:
    rows().write_csv("table.csv")
    replace = os.replace

    def full_for_models(source: Any, target: Any) -> None:
        full() if str(target).endswith(".keras") else replace(source, target)

    monkeypatch.setattr(os, "replace", full_for_models)
    told = refused("train", "table.csv", "--target", "y", "--out", "run", *QUICK)
    assert_says(told, "model.keras' cannot be written .No space left on device")
    assert not Path("run").exists()


@pytest.fixture
def tiny_disk(folder: Path) -> Any:
    disk = folder / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=24k", "tmpfs", str(disk)]
    if os.geteuid() or not shutil.which("mount") or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("a tiny disk can be mounted by root alone")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def test_a_disk_that_is_really_full(refused: Callable[..., str], tiny_disk: Path) -> None:
    rows().write_csv("table.csv")
    told = refused("train", "table.csv", "--target", "y", "--out", tiny_disk / "run", *QUICK, "--set", "hidden=512,64")
    assert_says(told, "cannot be written .*[Ff]ree some space")
    assert not any(tiny_disk.iterdir())


@pytest.mark.parametrize("out", ["file/run", "/proc/nervura/run"])
def test_a_folder_that_cannot_be_made(refused: Callable[..., str], folder: Path, out: str) -> None:
    rows().write_csv("table.csv")
    (folder / "file").write_text("mine")
    assert_says(refused("train", "table.csv", "--target", "y", "--out", out, *QUICK), "cannot be written.*Write --out")


def test_a_folder_that_may_not_be_written(refused: Callable[..., str], folder: Path) -> None:
    if not os.geteuid():
        pytest.skip("root may write everywhere")
    rows().write_csv("table.csv")
    (folder / "locked").mkdir(mode=0o500)
    assert_says(refused("train", "table.csv", "--target", "y", "--out", "locked/run", *QUICK), "Permission denied")


def test_a_folder_that_holds_something(refused: Callable[..., str], folder: Path) -> None:
    rows().write_csv("table.csv")
    (folder / "mine").mkdir()
    (folder / "mine" / "notes.txt").write_text("keep me")
    told = refused("train", "table.csv", "--target", "y", "--out", "mine", *QUICK)
    assert_says(told, "'mine' is not empty. Write --out with a new directory")


# --- Runs ---


@pytest.fixture
def run(trained: Path, folder: Path) -> Path:
    return shutil.copytree(trained, folder / "run")


def garbled(content: bytes) -> Callable[[Path], None]:
    return lambda file: file.write_bytes(content)


def cut_in_half(file: Path) -> None:
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


DAMAGE: dict[str, tuple[str, Callable[[Path], None], str]] = {
    "no run.json": ("run.json", Path.unlink, "no run.json"),
    "garbled run.json": ("run.json", garbled(b"{"), "damaged: run.json"),
    "binary run.json": ("run.json", garbled(bytes(range(256))), "damaged: run.json"),
    "run.json of another version": ("run.json", garbled(b'{"format": 7}'), "format 7"),
    "no schema.json": ("schema.json", Path.unlink, "no schema.json"),
    "garbled schema.json": ("schema.json", cut_in_half, "damaged: schema.json"),
    "schema.json without columns": ("schema.json", garbled(b'{"rows": 3}'), "schema.json has no 'columns'"),
    "schema.json of something else": ("schema.json", garbled(b'{"rows": 3, "columns": [{"n": 1}]}'), "schema.json"),
    "schema.json with odd columns": ("schema.json", garbled(b'{"rows": 3, "columns": 5}'), "schema.json"),
    "no problem.json": ("problem.json", Path.unlink, "no problem.json"),
    "problem.json without a coding": ("problem.json", garbled(b'{"name": "binary"}'), "problem.json has no 'coding'"),
    "no model.keras": ("model.keras", Path.unlink, "no model.keras.*nervura resume"),
    "garbled model.keras": ("model.keras", garbled(b"PK\3\4 or not"), "damaged: model.keras"),
    "empty model.keras": ("model.keras", garbled(b""), "damaged: model.keras"),
    "cut model.keras": ("model.keras", cut_in_half, "damaged: model.keras"),
}


@pytest.mark.parametrize("case", DAMAGE)
def test_a_damaged_run_does_not_predict(refused: Callable[..., str], run: Path, table: Path, case: str) -> None:
    name, damage, says = DAMAGE[case]
    damage(run / name)
    assert_says(refused("predict", run, table, "--out", "answers.csv"), says)


@pytest.mark.parametrize(
    ("command", "name"),
    [
        ("evaluate", "evaluation.json"),
        ("explain", "explanation.json"),
        ("compare", "evaluation.json"),
        ("compare", "problem.json"),
    ],
)
def test_a_file_that_is_missing_or_garbled_is_named(
    refused: Callable[..., str], run: Path, command: str, name: str
) -> None:
    cut_in_half(run / name)
    assert_says(refused(command, run), f"damaged: {name}")
    (run / name).unlink()
    assert_says(refused(command, run), name.partition(".")[0])


def test_a_report_tells_of_a_garbled_file_and_does_without_a_missing_one(
    refused: Callable[..., str], run: Path
) -> None:
    cut_in_half(run / "design.json")
    assert_says(refused("report", run), "damaged: design.json")
    (run / "design.json").unlink()
    assert main(["report", str(run)]) == 0


@pytest.fixture
def stopped(table: Path, folder: Path) -> Path:
    """A run that was stopped after an epoch."""

    def stop(progress: Any) -> None:
        raise KeyboardInterrupt

    options = {"hidden": [8], "epochs": 2}
    with pytest.raises(KeyboardInterrupt):
        nervura.train(table, "healthy", network="feed_forward", options=options, out=folder / "run", watchers=[stop])
    return folder / "run"


def test_a_checkpoint_that_is_damaged(refused: Callable[..., str], stopped: Path) -> None:
    (stopped / "checkpoint" / "training.npz").write_bytes(b"PK\3\4 or not")
    assert_says(refused("resume", stopped), "damaged: checkpoint/training.npz.*Delete that file.*nervura resume")


def test_a_checkpoint_of_something_else(refused: Callable[..., str], stopped: Path) -> None:
    np.savez(stopped / "checkpoint" / "training.npz", other=np.zeros(3))
    assert_says(refused("resume", stopped), "checkpoint/training.npz belongs to another network. Delete that file")


def test_data_that_are_gone_or_have_changed_since(refused: Callable[..., str], stopped: Path, table: Path) -> None:
    told = json.loads((stopped / "run.json").read_text(encoding="utf-8"))
    pl.read_csv(table).head(100).write_csv("table.csv")
    told["source"]["origin"] = str(Path("table.csv").resolve())
    (stopped / "run.json").write_text(json.dumps(told), encoding="utf-8")
    assert_says(refused("resume", stopped), "table.csv' has changed since. Train afresh")
    Path("table.csv").unlink()
    assert_says(refused("resume", stopped), "no file '.*table.csv'")


# --- New data ---


def test_new_data_that_lack_a_column(refused: Callable[..., str], trained: Path, table: Path) -> None:
    pl.read_csv(table).drop("length").write_csv("new.csv")
    told = refused("predict", trained, "new.csv", "--out", "answers.csv")
    assert_says(told, "Missing: 'length'. Given: 'plant', 'colour', 'healthy'")


def test_new_data_of_another_kind(refused: Callable[..., str], trained: Path, table: Path) -> None:
    pl.read_csv(table).with_columns(length=pl.lit("long")).write_csv("new.csv")
    told = refused("predict", trained, "new.csv", "--out", "answers.csv")
    assert_says(told, "'length' must hold values of kind number.*such as 'long'")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--keep", "plnt"], "to keep must be in the data; not there: 'plnt'"),
        (["--out", "answers.xlsx"], "written as .csv"),
        (["--out", "nowhere/answers.csv"], "cannot be written"),
    ],
)
def test_answers_that_cannot_be_given(
    refused: Callable[..., str], trained: Path, table: Path, words: list[str], says: str
) -> None:
    assert_says(refused("predict", trained, table, *words), says)


def test_columns_to_keep_that_are_called_as_answers_are(
    refused: Callable[..., str], trained: Path, table: Path
) -> None:
    pl.read_csv(table).with_columns(prediction=pl.lit(1)).write_csv("new.csv")
    told = refused("predict", trained, "new.csv", "--keep", "prediction", "--out", "answers.csv")
    assert_says(told, "'prediction'")


def test_new_data_without_rows_or_without_the_target(refused: Callable[..., str], trained: Path, table: Path) -> None:
    pl.read_csv(table).drop("healthy").write_csv("new.csv")
    assert_says(refused("evaluate", trained, "new.csv"), "need the target; the column 'healthy' is missing")
    pl.read_csv(table).head(0).write_csv("new.csv")
    assert_says(refused("predict", trained, "new.csv", "--out", "answers.csv"), "rows")
    assert_says(refused("evaluate", trained, "new.csv"), "rows")


def test_rows_to_judge_by_that_have_no_target(refused: Callable[..., str], trained: Path, table: Path) -> None:
    pl.read_csv(table).with_columns(healthy=pl.lit(None, pl.String)).write_parquet("new.parquet")
    assert_says(refused("evaluate", trained, "new.parquet"), "healthy")


# --- What is no reason to stop ---


def test_infinities_count_as_missing_with_a_warning() -> None:
    x = np.random.default_rng(0).normal(size=60)
    x[:3] = np.inf, -np.inf, np.nan
    dataset = Dataset.open(rows(x=x), "y")
    assert any("2 infinite values; they count as missing" in warning for warning in dataset.schema.warnings)
    arrays = dataset.arrays("train")[0]
    assert all(np.isfinite(array).all() for array in arrays.values())


def test_a_column_of_mixed_types_is_read_as_categories_with_a_warning(folder: Path) -> None:
    mixed = [str(row % 9) if row % 5 else f"about {row % 7}" for row in range(200)]
    rows(200, mixed=mixed).write_csv("table.csv")
    dataset = Dataset.open("table.csv", "y")
    warnings = dataset.schema["mixed"].warnings
    assert any("80.0% of the values are numbers" in warning and "about" in warning for warning in warnings), warnings
    assert dataset.schema["mixed"].kind == "category"


def test_three_thousand_columns_are_opened() -> None:
    draw = np.random.default_rng(0)
    wide = pl.DataFrame(draw.normal(size=(60, 3_000)).round(3), schema=[f"c{i}" for i in range(3_000)])
    dataset = Dataset.open(wide.with_columns(y=pl.Series(["yes", "no"] * 30)), "y")
    assert len(dataset.schema.inputs) == 3_000
    assert dataset.arrays("train")[0]["numbers"].shape[1] == 3_000


def test_one_row_in_a_class_is_learnt_from_with_a_note() -> None:
    dataset = Dataset.open(rows(y=["a", "b"] * 29 + ["a", "c"]), "y")
    assert dataset.problem.name == "multiclass"
    assert any("1 class has one row alone" in note for note in dataset.split.notes)
