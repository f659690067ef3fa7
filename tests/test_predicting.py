"""Answers for new rows: in their order, whatever the format, with a word about what is odd."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import nervura
from nervura.errors import MissingDependency, NervuraError, OptionError, RunError, SchemaError
from nervura.predicting import encode_known, judged_by, load_problem, load_schema, predict
from nervura.run import Run


@pytest.fixture(scope="module")
def run(trained: Path) -> Run:
    return nervura.load(trained)


@pytest.fixture(scope="module")
def rows(table: Path) -> pl.DataFrame:
    return pl.read_csv(table)


def test_answers_are_classes_and_probabilities_that_sum_to_one(run: Run, rows: pl.DataFrame) -> None:
    answers = predict(run, rows)
    assert answers.columns[:3] == ["prediction", "probability_no", "probability_yes"] and answers.height == 150
    both = answers.select("probability_no", "probability_yes").to_numpy()
    np.testing.assert_allclose(both.sum(1), 1, rtol=1e-6)
    assert answers["prediction"].to_list() == [["no", "yes"][code] for code in both.argmax(1)]


def test_each_row_is_answered_for_itself(run: Run, rows: pl.DataFrame) -> None:
    whole = predict(run, rows)["probability_yes"].to_numpy()
    order = np.random.default_rng(0).permutation(150)
    np.testing.assert_allclose(predict(run, rows[order])["probability_yes"].to_numpy(), whole[order], rtol=1e-5)
    np.testing.assert_allclose(predict(run, rows[7])["probability_yes"].to_numpy(), whole[[7]], rtol=1e-5)


def test_long_tables_are_answered_in_batches(
    run: Run, rows: pl.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows.write_parquet(tmp_path / "rows.parquet")
    whole = predict(run, rows, keep=["plant"])
    monkeypatch.setattr("nervura.predicting.BATCH_ROWS", 13)
    batched = predict(run, tmp_path / "rows.parquet", keep=["plant"])
    assert batched["plant"].to_list() == whole["plant"].to_list()
    np.testing.assert_allclose(batched["probability_yes"], whole["probability_yes"], rtol=1e-5)


def test_the_format_and_other_columns_make_no_difference(run: Run, rows: pl.DataFrame, tmp_path: Path) -> None:
    whole = predict(run, rows)
    more = rows.select("colour", pl.lit("new").alias("other"), "length")
    more.write_csv(tmp_path / "a.csv")
    more.write_parquet(tmp_path / "a.parquet")
    more.write_ndjson(tmp_path / "a.jsonl")
    for name in ("a.csv", "a.parquet", "a.jsonl"):
        assert predict(run, tmp_path / name)["probability_yes"].to_list() == whole["probability_yes"].to_list(), name


def test_columns_are_kept_in_front(run: Run, rows: pl.DataFrame) -> None:
    answers = predict(run, rows, keep=["healthy", "plant"])
    assert answers.columns[:3] == ["healthy", "plant", "prediction"]
    assert answers["plant"].equals(rows["plant"])
    assert predict(run, rows, keep=["plant", "healthy", "plant"]).columns[:3] == ["plant", "healthy", "prediction"]


def test_all_columns_that_are_missing_are_named_at_once(run: Run, rows: pl.DataFrame) -> None:
    with pytest.raises(SchemaError, match="Missing: 'length', 'colour'. Given: 'plant', 'healthy'"):
        predict(run, rows.select("plant", "healthy"))
    with pytest.raises(SchemaError, match="not there: 'id', 'shop'"):
        predict(run, rows, keep=["id", "plant", "shop"])


def test_a_few_cells_of_another_kind_are_warned_of_and_most_are_refused(run: Run, rows: pl.DataFrame) -> None:
    words = rows["length"].cast(pl.String).to_list()
    few = rows.with_columns(length=pl.Series(["long", *words[1:]]))
    with pytest.warns(UserWarning, match="'length': 1 of 146 values are not of kind number; taken as missing"):
        answers = predict(run, few)
    missing = predict(run, rows.with_columns(length=pl.Series([None, *rows["length"].to_list()[1:]])))
    assert answers["probability_yes"].to_list() == missing["probability_yes"].to_list()
    with pytest.raises(SchemaError, match="'length' must hold values of kind number, as in training.*'long'"):
        predict(run, rows.with_columns(length=pl.lit("long")))


def test_new_levels_are_warned_of_where_they_are_many(run: Run, rows: pl.DataFrame) -> None:
    one = rows.with_columns(colour=pl.Series(["violet", *rows["colour"].to_list()[1:]]))
    assert predict(run, one).height == 150  # one new level in many rows is no news
    with pytest.warns(UserWarning, match="'colour': 150 of 150 rows have a level .* such as 'violet'"):
        predict(run, rows.with_columns(colour=pl.lit("violet")))


def test_rows_that_are_all_missing_are_still_answered(run: Run) -> None:
    nothing = pl.DataFrame({"length": [None, None], "colour": [None, None]})
    answers = predict(run, nothing)
    assert answers["prediction"].is_in(["yes", "no"]).all() and answers["probability_yes"].n_unique() == 1


def test_no_rows_are_told(run: Run, rows: pl.DataFrame, tmp_path: Path) -> None:
    rows.head(0).write_parquet(tmp_path / "none.parquet")
    for source in (rows.head(0), tmp_path / "none.parquet"):
        with pytest.raises(NervuraError, match="rows"):
            predict(run, source)


def known_of(run: Run, rows: pl.DataFrame) -> tuple[dict[str, Any], Any]:
    """What a run is judged by on some rows."""
    schema, problem = load_schema(run), load_problem(run)
    return encode_known(schema, problem, rows.filter(pl.Series(judged_by(schema, problem, rows))))


def test_rows_to_judge_by_are_those_with_a_target(run: Run, rows: pl.DataFrame) -> None:
    partly = rows.with_columns(healthy=pl.when(pl.int_range(pl.len()) % 3 > 0).then("healthy"))
    with pytest.warns(UserWarning, match="50 of 150 rows have no known 'healthy' and are left out"):
        x, truth = known_of(run, partly)
    expected = partly["healthy"].drop_nulls()
    assert all(len(array) == len(truth) == expected.len() for array in x.values())
    assert truth.tolist() == (expected == "yes").cast(int).to_list()
    with pytest.raises(SchemaError, match="column 'healthy' is missing"):
        known_of(run, rows.drop("healthy"))
    with pytest.raises(SchemaError, match="'healthy' has no known value in 150 rows"):
        known_of(run, rows.with_columns(healthy=pl.lit(None, pl.String)))


def test_rows_of_classes_that_training_did_not_have_are_left_out_and_counted(run: Run, rows: pl.DataFrame) -> None:
    other = rows.with_columns(healthy=pl.when(pl.int_range(pl.len()) % 3 == 0).then(pl.lit("dry")).otherwise("healthy"))
    told = "50 of 150 rows have in 'healthy' none of the classes of training .'no', 'yes'., such as 'dry'; they are left out"
    with pytest.warns(UserWarning, match=told):
        x, truth = known_of(run, other)
    assert all(len(array) == len(truth) == 100 for array in x.values())
    assert truth.tolist() == (other.filter(pl.col("healthy") != "dry")["healthy"] == "yes").cast(int).to_list()
    with pytest.raises(SchemaError, match="'healthy'; given were such as 'dry'"):
        known_of(run, other.filter(pl.col("healthy") == "dry"))


def test_any_of_the_models_answers_and_an_unknown_name_is_told(trained: Path, table: Path) -> None:
    run = nervura.load(trained)
    verdict = run.evaluation["verdict"]
    own = run.predict(table)
    assert own.equals(run.predict(table, use="network")) and own.equals(run.predict(table, use="feed_forward"))
    for use in ("best", "simplest"):
        assert run.predict(table, use=use).equals(run.predict(table, use=verdict[use]))
    for name in ("constant", "linear", "boosting", "perceptron", "feed_forward, 2 layers"):
        answers = run.predict(table, use=name, keep=["plant"])
        assert answers.columns == ["plant", "prediction", "probability_no", "probability_yes"]
        assert not answers["probability_yes"].equals(own["probability_yes"])
    assert run.predict(table, use="constant")["probability_yes"].n_unique() == 1
    with pytest.raises(OptionError, match="no model called 'bosting'. Did you mean 'boosting'?"):
        run.predict(table, use="bosting")


def test_a_model_whose_package_or_files_are_gone_is_told(
    trained: Path, table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = shutil.copytree(trained, tmp_path / "run")
    (path / "baselines" / "linear" / "linear.npz").write_bytes(b"no arrays")
    with pytest.raises(RunError, match="baselines/linear cannot be read"):
        nervura.load(path).predict(table, use="linear")
    (path / "baselines" / "perceptron" / "model.keras").write_bytes(b"no model")
    with pytest.raises(RunError, match="perceptron/model.keras cannot be read"):
        nervura.load(path).predict(table, use="perceptron")
    shutil.rmtree(path / "baselines")
    verdict = nervura.load(path).evaluation["verdict"]
    if verdict["best"] != "feed_forward":
        with pytest.raises(RunError, match="was not kept"):
            nervura.load(path).predict(table, use="best")
    (path / "baselines" / "lightgbm").mkdir(parents=True)
    monkeypatch.setattr("nervura.baselines.base.find_spec", lambda name: None)
    with pytest.raises(MissingDependency, match=r"pip install 'nervura\[trees\]'"):
        nervura.load(path).predict(table, use="lightgbm")
