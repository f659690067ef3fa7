"""Schema, rows and split of one table, drawn once from a seed."""

import datetime
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nervura import dataset as dataset_module
from nervura import encoding
from nervura.dataset import Dataset
from nervura.errors import NervuraError, ProblemError, SchemaError

ROWS = 300


def frame(rows: int = ROWS, **more: Any) -> pl.DataFrame:
    draw = np.random.default_rng(0)
    x = draw.normal(size=rows)
    return pl.DataFrame(
        {"x": x, "colour": draw.choice(["red", "green"], rows), "y": np.where(x > 0, "yes", "no"), **more}
    )


def test_the_shares_of_the_split() -> None:
    dataset = Dataset.open(frame(), "y")
    assert [dataset.rows(part) for part in ("train", "validation", "test")] == [192, 48, 60]
    other = Dataset.open(frame(), "y", test_share=0.5, validation_share=0.1)
    assert [other.rows(part) for part in ("train", "validation", "test")] == [135, 15, 150]


def test_the_split_depends_on_the_seed_alone() -> None:
    parts = [Dataset.open(frame(), "y", seed=seed).split.parts for seed in (5, 5, 6)]
    assert (parts[0] == parts[1]).all() and (parts[0] != parts[2]).any()


def test_arrays_are_the_rows_of_each_part_in_the_tables_order() -> None:
    data = frame()
    dataset = Dataset.open(data, "y")
    for code, part in enumerate(("train", "validation", "test")):
        x, y = dataset.arrays(part)
        raw = data.filter(pl.Series(dataset.split.parts == code))
        assert all(len(array) == len(y) == raw.height == dataset.rows(part) for array in x.values())
        assert np.corrcoef(x["numbers"][:, 0], raw["x"])[0, 1] == pytest.approx(1, abs=1e-6)
        np.testing.assert_array_equal(dataset.truth(part), (raw["y"] == "yes").to_numpy())
        assert dataset.sample(part, 10_000).equals(raw)
        assert 5 <= dataset.sample(part, 10).height <= 10


def test_the_encoding_is_learnt_from_the_training_rows_alone() -> None:
    data = frame()
    dataset = Dataset.open(data, "y")
    training = data.filter(pl.Series(dataset.split.parts == 0))
    assert (dataset.schema["x"].encoding or {})["origin"] == training["x"].median()


def test_rows_without_a_target_are_left_out_and_counted() -> None:
    y = [None if row % 10 == 0 else f"class {row % 3}" for row in range(ROWS)]
    dataset = Dataset.open(frame(y=y), "y")
    assert dataset.split.counts()["left out"] == 30
    assert sum(dataset.rows(part) for part in ("train", "validation", "test")) == 270
    assert sum(len(dataset.arrays(part)[1]) for part in ("train", "validation", "test")) == 270
    assert any("30 rows have no known target" in note for note in dataset.split.notes)


def test_groups_are_kept_whole_and_are_no_input() -> None:
    plots = [f"plot {row // 10}" for row in range(ROWS)]
    dataset = Dataset.open(frame(plot=plots), "y", group="plot")
    parts = pl.DataFrame({"plot": plots, "part": dataset.split.parts})
    assert (parts.group_by("plot").n_unique()["part"] == 1).all()
    assert "plot" not in [column.name for column in dataset.schema.inputs]


def test_the_latest_rows_are_the_test_and_time_is_no_input() -> None:
    days = [datetime.date(2024, 1, 1) + datetime.timedelta(days=row % 100) for row in range(ROWS)]
    dataset = Dataset.open(frame(day=days), "y", time="day")
    found = np.array(days)
    latest = [found[dataset.split.parts == part] for part in (0, 1, 2)]
    assert latest[0].max() < latest[1].min() and latest[1].max() < latest[2].min()
    assert "day" not in [column.name for column in dataset.schema.inputs]
    assert dataset.fold_of_training is None and dataset.folds == 1


def test_a_test_file_of_its_own_takes_no_rows_from_the_table(tmp_path: Path) -> None:
    own = frame(40, y=["yes", "no", None, "no"] * 10)
    own.write_csv(tmp_path / "test.csv")
    for test in (own, tmp_path / "test.csv"):
        dataset = Dataset.open(frame(), "y", test=test)
        assert dataset.split.counts() == {"train": 240, "validation": 60, "test": 0, "left out": 0}
        assert dataset.rows("test") == 30, "rows without a target judge nothing"
        np.testing.assert_array_equal(dataset.truth("test"), [1, 0, 0] * 10)
        assert dataset.sample("test", 7).height == 7


def test_rows_of_a_test_file_that_cannot_judge_are_left_out_and_counted() -> None:
    dataset = Dataset.open(frame(), "y", test=frame(40, y=["yes", "maybe", None, "no"] * 10))
    np.testing.assert_array_equal(dataset.truth("test"), [1, 0] * 10)
    assert dataset.rows("test") == 20 and all(len(array) == 20 for array in dataset.arrays("test")[0].values())
    assert dataset.split.notes[-2:] == [
        "10 of the test rows have no known target and are left out.",
        "10 of the test rows have a class that was not in training, such as 'maybe', and are left out.",
    ]
    for values in (["maybe"] * 40, [None] * 40):
        with pytest.raises(SchemaError, match="known values of 'y', of classes that training had; none of 40 has"):
            Dataset.open(frame(), "y", test=frame(40, y=pl.Series(values, dtype=pl.String))).arrays("test")


@pytest.mark.parametrize("column", ["x", "y"])
def test_a_test_file_that_lacks_a_column_is_told(column: str) -> None:
    with pytest.raises(SchemaError, match=f"columns of the training rows; missing: {column}"):
        Dataset.open(frame(), "y", test=frame(40).drop(column)).arrays("test")


def test_a_test_file_of_another_format_is_read_alike(tmp_path: Path) -> None:
    data, own = frame(), frame(40)
    data.write_csv(tmp_path / "table.csv")
    encoded = []
    for table, test in ((data, own), (tmp_path / "table.csv", own)):
        encoded.append(Dataset.open(table, "y", test=test).arrays("test")[0])
    for name, array in encoded[0].items():
        np.testing.assert_allclose(encoded[1][name], array, rtol=1e-6)


def test_folds_cover_the_training_rows_and_keep_apart_from_validation() -> None:
    dataset = Dataset.open(frame(), "y")
    folds = dataset.fold_of_training
    assert folds is not None and len(folds) == dataset.rows("train")
    assert set(folds) == set(range(1, dataset.folds))
    assert max(np.bincount(folds)[1:]) - min(np.bincount(folds)[1:]) <= dataset.folds


def test_one_row_in_a_class_is_learnt_and_told() -> None:
    y = ["a", "b"] * 149 + ["a", "c"]
    dataset = Dataset.open(frame(y=y), "y")
    assert dataset.problem.coding["classes"] == ["a", "b", "c"]
    assert dataset.split.parts[-1] == 0
    assert any("one row alone" in note for note in dataset.split.notes)


def test_one_class_that_can_be_split_is_not_enough() -> None:
    with pytest.raises(ProblemError, match="two or more different values"):
        Dataset.open(frame(y=["a"] * (ROWS - 1) + [None]), "y")


def test_a_long_file_is_read_in_batches_to_the_same_arrays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = frame(y=[None if row % 7 == 0 else f"class {row % 3}" for row in range(ROWS)])
    data.write_parquet(tmp_path / "table.parquet")
    whole = Dataset.open(tmp_path / "table.parquet", "y")
    arrays = {part: whole.arrays(part) for part in ("train", "validation", "test")}
    monkeypatch.setattr("nervura.dataset.HELD_ROWS", 10)
    monkeypatch.setattr("nervura.dataset.BATCH_ROWS", 17)
    batched = Dataset.open(tmp_path / "table.parquet", "y")
    assert not batched.table.in_memory
    for part, (x, y) in arrays.items():
        np.testing.assert_array_equal(batched.arrays(part)[1], y)
        for name, array in x.items():
            np.testing.assert_array_equal(batched.arrays(part)[0][name], array)


CELL = st.one_of(
    st.none(),
    st.text(max_size=8),
    st.sampled_from(["1", "2.5", "1e308", "-inf", "nan", "NA", "yes", "no", "2024-02-30", "01/02/2024", "1,5", " 7 "]),
)


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_any_strings_give_a_dataset_or_an_error_in_words(data: st.DataObject) -> None:
    rows = data.draw(st.integers(1, 40))
    names = data.draw(st.lists(st.text(min_size=1, max_size=5), min_size=1, max_size=4, unique=True))
    table = {name: data.draw(st.lists(CELL, min_size=rows, max_size=rows)) for name in names}
    table["the target"] = data.draw(st.lists(CELL, min_size=rows, max_size=rows))
    try:
        dataset = Dataset.open(pl.DataFrame(table, schema=dict.fromkeys(table, pl.String)), "the target")
    except NervuraError as error:
        assert str(error)
        return
    x, y = dataset.arrays("train")
    assert len(y) == dataset.rows("train") > 0
    assert all(np.isfinite(array).all() for array in (*x.values(), y))


# --- Pictures ---


def test_every_part_of_the_pictures_is_decoded_once_in_the_tables_order(photos: Path) -> None:
    dataset = Dataset.open(photos)
    rows = dataset.table.frame.collect()
    assert rows.height == 90, "what cannot be read is left out"
    assert dataset.fold_of_training is not None and dataset.folds == 1
    for part in ("train", "validation", "test"):
        x, y = dataset.arrays(part)
        names = dataset.names(part)
        assert names is not None and len(names) == len(y) == dataset.rows(part)
        assert x["pictures"].shape == (len(y), 16, 16, 3) and x["pictures"].dtype == np.uint8
        assert [dataset.problem.coding["classes"][code] for code in y] == [name.split("/")[0] for name in names]
        encoded = encoding.encode(dataset.schema, rows.filter(pl.col("path").is_in(names)))
        assert (encoded["pictures"] == x["pictures"]).all()


def test_pictures_that_memory_would_not_hold_lie_in_a_file(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = Dataset.open(photos).arrays("train")
    monkeypatch.setattr(dataset_module, "MEMORY", 1_000)
    found = Dataset.open(photos).arrays("train")
    assert isinstance(found[0]["pictures"], np.memmap)
    assert (found[0]["pictures"] == expected[0]["pictures"]).all() and (found[1] == expected[1]).all()


def test_a_size_that_is_asked_for_is_kept(photos: Path) -> None:
    assert Dataset.open(photos, size="8x12").arrays("test")[0]["pictures"].shape[1:] == (8, 12, 3)


def in_parts(photos: Path, root: Path, **parts: slice) -> Path:
    for part, chosen in parts.items():
        for kind in ("lying", "standing"):
            (root / part / kind).mkdir(parents=True)
            for file in sorted((photos / kind).glob("*.png"))[chosen]:
                shutil.copy(file, root / part / kind)
    return root


def test_folders_of_parts_are_the_split(photos: Path, tmp_path: Path) -> None:
    root = in_parts(photos, tmp_path / "a", train=slice(0, 16), val=slice(16, 20), test=slice(20, 30))
    dataset = Dataset.open(root)
    assert [dataset.rows(part) for part in ("train", "validation", "test")] == [32, 8, 20]
    assert all(name.startswith("test/") for name in dataset.names("test") or [])
    root = in_parts(photos, tmp_path / "b", train=slice(0, 20), test=slice(20, 30))
    dataset = Dataset.open(root)
    assert [dataset.rows(part) for part in ("train", "validation", "test")] == [32, 8, 20]
    assert "test as in the data" in dataset.split.method


def test_pictures_that_are_nearly_equal_stay_on_one_side(photos: Path, tmp_path: Path) -> None:
    image = pytest.importorskip("PIL.Image")
    draw = np.random.default_rng(0)
    for kind in ("dark", "light"):
        (tmp_path / kind).mkdir()
        for number in range(20):
            coarse = draw.integers(0, 120, (4, 4, 3)) + (120 if kind == "light" else 0)
            picture = image.fromarray(coarse.astype(np.uint8)).resize((64, 64), image.Resampling.BICUBIC)
            picture.save(tmp_path / kind / f"{number}.png")
            picture.save(tmp_path / kind / f"{number} again.jpg", quality=70)
    dataset = Dataset.open(tmp_path)
    parts = dict(zip(dataset.table.frame.collect()["path"], dataset.split.parts, strict=True))
    assert all(parts[path] == parts[path.replace(".png", " again.jpg")] for path in parts if path.endswith(".png"))
    assert dataset.split.notes == [
        "80 pictures are nearly equal to another (40 groups); such pictures stay on one side."
    ]


def test_copies_of_test_pictures_among_those_to_learn_from_are_told(photos: Path, tmp_path: Path) -> None:
    dataset = Dataset.open(in_parts(photos, tmp_path / "a", train=slice(0, 20), test=slice(15, 30)))
    assert any(
        note.startswith("10 pictures to learn from are nearly equal to one of the test") for note in dataset.split.notes
    )


def test_beside_pictures_no_other_columns_are_read(photos: Path) -> None:
    files = sorted(photos.rglob("*.png"))
    rows = pl.DataFrame({"photo": [file.read_bytes() for file in files], "weight": range(len(files))})
    dataset = Dataset.open(rows.with_columns(label=pl.Series([file.parent.name for file in files])))
    assert [column.name for column in dataset.schema.inputs] == ["picture"]
    assert dataset.schema["weight"].reason == "beside pictures no other columns are read"


def test_test_pictures_of_their_own(photos: Path, tmp_path: Path) -> None:
    root = in_parts(photos, tmp_path / "a", new=slice(0, 5))
    (root / "new" / "lying" / "broken.png").write_bytes(b"")
    dataset = Dataset.open(photos, test=root / "new")
    assert dataset.rows("test") == 10 and dataset.rows("train") + dataset.rows("validation") == 90
    assert "1 of the test pictures cannot be read and are left out." in dataset.split.notes


def test_pictures_of_which_none_can_be_read_say_so(tmp_path: Path) -> None:
    for kind in ("a", "b"):
        (tmp_path / kind).mkdir()
        (tmp_path / kind / "1.png").write_bytes(b"")
    with pytest.raises(NervuraError, match="None of the 2 pictures"):
        Dataset.open(tmp_path)
