"""The estimators: scikit-learn's own checks, its tools, and the tables it does not check."""

import copy
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_iris
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import check_estimator, parametrize_with_checks

import nervura
from nervura.errors import NervuraError, SchemaError
from nervura.estimators import EXPECTED_FAILED_CHECKS

# The smaller network: the checks fit some hundred times.
NETWORK = "deep_feed_forward"
QUICK = {"epochs": 30, "hidden": [32], "learning_rate": 0.02, "dropout": 0.0}
BRIEF = {**QUICK, "epochs": 2}
CODES = {"epochs": 2, "hidden": [8], "latent_dim": 2}


@pytest.mark.filterwarnings("ignore::RuntimeWarning:sklearn")  # a check of scikit-learn's casts nan itself
@parametrize_with_checks(
    [
        nervura.Classifier(NETWORK, QUICK),
        nervura.Regressor(NETWORK, QUICK),
        nervura.Embedder(options=CODES),
        nervura.AnomalyDetector(options=CODES, level=0.9),
        nervura.Clusterer(3, options={**CODES, "epochs": 1, "method": "k_means"}),
    ],
    expected_failed_checks=lambda estimator: EXPECTED_FAILED_CHECKS,
)
def test_meets_the_checks_of_scikit_learn(estimator: Any, check: Callable[[Any], None]) -> None:
    check(estimator)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning")
def test_a_model_of_texts_meets_those_that_are_not_about_tables() -> None:
    check_estimator(nervura.TopicModel(options={"epochs": 1}))


def table(rows: int = 300) -> tuple[pl.DataFrame, np.ndarray]:
    """Names, dates, numbers with gaps; the name alone tells whether the answer is yes."""
    draw = np.random.default_rng(0)
    town = draw.choice(["Ghent", "Turin", "Porto"], rows)
    frame = pl.DataFrame(
        {
            "town": town,
            "height": pl.Series(np.where(draw.random(rows) < 0.2, np.nan, draw.normal(size=rows)), nan_to_null=True),
            "day": pl.date_range(pl.date(2020, 1, 1), pl.date(2020, 1, 1) + pl.duration(days=rows - 1), eager=True),
        }
    )
    return frame, np.where(town == "Porto", "yes", "no")


def as_polars(frame: pl.DataFrame) -> pl.DataFrame:
    return frame


def as_pandas(frame: pl.DataFrame) -> pd.DataFrame:
    return frame.to_pandas().astype({"town": "category"})


def as_objects(frame: pl.DataFrame) -> np.ndarray:
    return frame.drop("day").to_pandas().to_numpy(dtype=object)


@pytest.mark.parametrize("form", [as_polars, as_pandas])
def test_rows_become_codes_within_a_pipeline(form: Callable[[pl.DataFrame], Any]) -> None:
    frame, y = table()
    coder = nervura.Embedder(options={**CODES, "epochs": 40, "latent_dim": 6})
    codes = coder.fit_transform(form(frame))
    assert codes.shape == (300, 6) and coder.get_feature_names_out()[0] == "embedder0"
    again = pickle.loads(pickle.dumps(coder))
    assert np.array_equal(again.transform(form(frame)), codes)
    # The name tells whether the answer is yes, and the code tells the name.
    assert make_pipeline(coder, KNeighborsClassifier(5)).fit(form(frame), y).score(form(frame), y) > 0.9


@pytest.mark.parametrize("form", [as_polars, as_pandas, as_objects])
def test_names_and_missing_values_are_used_as_they_are(form: Callable[[pl.DataFrame], Any]) -> None:
    frame, y = table()
    fitted = nervura.Classifier(NETWORK, options=QUICK).fit(form(frame), y)
    assert fitted.score(form(frame), y) > 0.98
    # A town that was never seen and an empty row are answered too.
    odd = frame.head(2).with_columns(pl.Series("town", ["Bruges", None], dtype=pl.String))
    odd = odd.with_columns(pl.lit(None, dtype=pl.Float64).alias("height"))
    probabilities = fitted.predict_proba(form(odd))
    assert probabilities.shape == (2, 2) and np.allclose(probabilities.sum(1), 1)


def test_pandas_and_polars_frames_give_the_same_network() -> None:
    frame, y = table()
    one = nervura.Classifier(options=BRIEF).fit(frame, y)
    other = nervura.Classifier(options=BRIEF).fit(as_pandas(frame), y)
    np.testing.assert_array_equal(one.predict_proba(frame), other.predict_proba(as_pandas(frame)))
    assert list(one.feature_names_in_) == list(other.feature_names_in_) == ["town", "height", "day"]


def test_categories_of_whole_numbers_are_no_quantities() -> None:
    frame = pd.DataFrame({"shop": pd.Categorical(np.tile([1, 2, 3, 4], 25)), "x": np.linspace(0, 1, 100)})
    schema = nervura.Regressor(NETWORK, options=BRIEF).fit(frame, np.arange(100.0)).schema_
    assert {column.name: column.kind for column in schema.inputs} == {"shop": "category", "x": "number"}


def test_kinds_say_what_the_columns_of_an_array_mean() -> None:
    X = np.column_stack([np.tile([1.0, 2.0, 3.0, 4.0], 25), np.linspace(0, 1, 100)])
    schema = nervura.Regressor(NETWORK, options=BRIEF, kinds={"x0": "category"}).fit(X, X[:, 1]).schema_
    assert [column.kind for column in schema.inputs] == ["category", "number"]


def test_classes_are_those_of_the_target_in_sorted_order() -> None:
    X, y = load_iris(return_X_y=True)
    names = np.array(["10", "9", "b"])[y]
    fitted = nervura.Classifier(NETWORK, options=QUICK).fit(X, names)
    assert fitted.classes_.tolist() == ["10", "9", "b"]
    assert fitted.score(X, names) > 0.9
    assert (fitted.classes_[fitted.predict_proba(X).argmax(1)] == fitted.predict(X)).all()


def test_scores_the_diabetes_table_better_than_the_mean() -> None:
    X, y = load_diabetes(return_X_y=True)
    pipeline = make_pipeline(StandardScaler(), nervura.Regressor("feed_forward", {"epochs": 30, "learning_rate": 0.01}))
    assert cross_val_score(pipeline, X, y, cv=2).min() > 0.3


def test_a_grid_is_searched_over_networks_and_options() -> None:
    X, y = load_iris(return_X_y=True)
    options = [{"epochs": 1, "learning_rate": 1e-6}, {"epochs": 40, "learning_rate": 0.1}]
    grid = {"network": ["perceptron"], "options": options}
    search = GridSearchCV(nervura.Classifier(), grid, cv=2).fit(X, y)
    assert search.best_params_["options"]["epochs"] == 40
    assert search.predict(X).shape == y.shape


def test_a_clone_is_unfitted_and_fits_to_the_same_weights() -> None:
    frame, y = table(100)
    fitted = nervura.Classifier(NETWORK, options=BRIEF, random_state=3).fit(frame, y)
    again = clone(fitted)
    assert not hasattr(again, "model_")
    np.testing.assert_array_equal(again.fit(frame, y).predict_proba(frame), fitted.predict_proba(frame))
    other = clone(fitted).set_params(random_state=4).fit(frame, y)
    assert not np.array_equal(other.predict_proba(frame), fitted.predict_proba(frame))


def test_copies_predict_the_same_here_and_in_another_process(tmp_path: Path) -> None:
    frame, y = table(100)
    fitted = nervura.Classifier(NETWORK, options=BRIEF).fit(frame, y)
    expected = fitted.predict_proba(frame)
    np.testing.assert_array_equal(copy.deepcopy(fitted).predict_proba(frame), expected)
    (tmp_path / "estimator.pickle").write_bytes(pickle.dumps(fitted))
    frame.write_parquet(tmp_path / "frame.parquet")
    code = (
        "import pickle, numpy, polars\n"
        "fitted = pickle.load(open('estimator.pickle', 'rb'))\n"
        "numpy.save('outputs.npy', fitted.predict_proba(polars.read_parquet('frame.parquet')))"
    )
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True)
    np.testing.assert_array_equal(np.load(tmp_path / "outputs.npy"), expected)


def test_a_row_is_answered_alike_whatever_rows_stand_beside_it() -> None:
    frame, y = table()
    fitted = nervura.Classifier(NETWORK, options=BRIEF).fit(frame, y)
    alone = np.concatenate([fitted.predict_proba(frame[i]) for i in range(5)])
    np.testing.assert_allclose(alone, fitted.predict_proba(frame)[:5], rtol=1e-6)


def test_the_budget_ends_the_training() -> None:
    X, y = load_diabetes(return_X_y=True)
    fitted = nervura.Regressor(NETWORK, options={**QUICK, "epochs": 100_000, "patience": 100_000}, minutes=0.05).fit(
        X, y
    )
    assert 0 < len(fitted.history_["loss"]) < 100_000
    assert sum(fitted.history_["seconds"]) < 3


def test_columns_without_information_are_refused_in_words() -> None:
    with pytest.raises(SchemaError, match="same value in every row"):
        nervura.Regressor().fit(np.ones((20, 2)), np.arange(20.0))


def test_one_class_is_refused_in_words() -> None:
    with pytest.raises(ValueError, match="one class"):
        nervura.Classifier().fit(np.random.default_rng(0).normal(size=(20, 2)), np.ones(20))


def test_frames_keep_features_that_look_like_row_numbers_aside() -> None:
    frame, y = table(100)
    numbered = frame.with_row_index("id")
    assert [c.name for c in nervura.Classifier(NETWORK, options=BRIEF).fit(numbered, y).schema_.aside] == ["id"]
    with pytest.raises(NervuraError, match="no network called 'perceptrn'"):
        nervura.Classifier("perceptrn").fit(frame, y)


def test_the_metric_asked_for_names_rare_classes_more_often() -> None:
    draw = np.random.default_rng(0)
    X = draw.normal(size=(800, 2))
    y = np.where(draw.random(800) < 1 / (1 + np.exp(3.5 - 1.5 * X[:, 0])), "sick", "fine")
    plain, asked = (nervura.Classifier(NETWORK, QUICK, metric=name).fit(X, y) for name in (None, "balanced_accuracy"))
    np.testing.assert_array_equal(asked.predict_proba(X), plain.predict_proba(X))
    assert (asked.predict(X) == "sick").sum() > 2 * (plain.predict(X) == "sick").sum()
    again = pickle.loads(pickle.dumps(asked))
    np.testing.assert_array_equal(again.predict(X), asked.predict(X))
    with pytest.raises(NervuraError, match="'mae' is a metric of forecasting and regression problems"):
        nervura.Classifier(NETWORK, BRIEF, metric="mae").fit(X, y)


def test_arrays_of_pictures_are_rows_too() -> None:
    draw = np.random.default_rng(0)
    y = np.arange(60) % 2
    X = np.clip(60 + 100 * y[:, None, None] + draw.normal(0, 20, (60, 10, 12)), 0, 255).astype(np.uint8)
    estimator = nervura.Classifier("convolutional", {"filters": [4], "dense": [4], "epochs": 8, "learning_rate": 0.01})
    estimator.fit(X, np.array(["dark", "light"])[y])
    assert estimator.model_.input_shape == (None, 10, 12, 1)
    assert estimator.score(X, np.array(["dark", "light"])[y]) > 0.9
    again = pickle.loads(pickle.dumps(estimator))
    np.testing.assert_allclose(again.predict_proba(X), estimator.predict_proba(X), atol=1e-6)


def test_an_anomaly_detector_finds_odd_rows_and_says_so_as_scikit_learn_does() -> None:
    draw = np.random.default_rng(0)
    X = draw.normal(size=(300, 3)) @ draw.normal(size=(3, 5))
    odd = X[:10] + 8 * draw.normal(size=(10, 5))
    fitted = nervura.AnomalyDetector(options=CODES, clean=True, level=0.95).fit(X)
    assert (fitted.predict(odd) == -1).mean() > 0.8
    assert (fitted.predict(X) == -1).mean() < 0.15
    assert fitted.decision_function(odd) == pytest.approx(fitted.score_samples(odd) - fitted.offset_)
    assert ((fitted.decision_function(X) < 0) == (fitted.predict(X) == -1)).all()
    again = pickle.loads(pickle.dumps(fitted))
    assert again.score_samples(odd) == pytest.approx(fitted.score_samples(odd))
