"""Forecasts: of made series whose course is known."""

from datetime import timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import nervura
from nervura import references, training, windows
from nervura.dataset import Dataset
from nervura.designing import design
from nervura.errors import SchemaError
from nervura.workflow import TrainedRun


def sales(days: int = 220, shops: int = 3, seed: int = 0) -> pl.DataFrame:
    """Daily sales of shops of very different size, a weekly wave and noise, in no order."""
    draw = np.random.default_rng(seed)
    day = np.arange(days)
    moments = pl.date_range(pl.date(2021, 1, 4), pl.date(2021, 1, 4) + pl.duration(days=days - 1), "1d", eager=True)
    parts = []
    for shop in range(shops):
        wave = 1 + 0.4 * np.sin(2 * np.pi * day / 7 + shop)
        values = 10**shop * (wave * (5 + 0.01 * day) + 0.5 * draw.normal(size=days))
        parts.append(pl.DataFrame({"day": moments, "shop": f"s{shop}", "y": values}))
    return pl.concat(parts).sample(fraction=1.0, shuffle=True, seed=1)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> TrainedRun:
    out = tmp_path_factory.mktemp("forecast") / "run"
    return nervura.train(sales(), "y", problem="forecasting", options={"window": 28}, out=out)


def test_a_known_season_is_forecast_better_than_by_the_last_one(run: TrainedRun) -> None:
    scores = {one["model"]: one["mase"] for one in run.scores()}
    # The noise of one season on top of that of another is sqrt(2) times the noise that nobody can foresee.
    assert scores["linear_window"] < 0.85 * scores["seasonal_naive"]
    assert {"residual_window", "exponential_smoothing"} <= set(scores)
    assert "stretches of the test period, mase (less is better)" in run.verdict


def test_intervals_hold_the_truth_about_as_often_as_asked(run: TrainedRun) -> None:
    (table,) = (one for one in run.need("explanation")["findings"] if one["title"][0].startswith("How often"))
    assert table["rows"][0][1] == pytest.approx(0.9, abs=0.06)


def test_answers_name_series_and_times_to_come(run: TrainedRun) -> None:
    frame = sales()
    answers = run.predict(frame)
    assert answers.columns == ["shop", "day", "prediction", "low", "high"]
    assert answers.height == 3 * 7
    assert answers["day"].min() == frame["day"].max() + timedelta(days=1)
    assert (answers["low"] < answers["prediction"]).all() and (answers["prediction"] < answers["high"]).all()
    sizes = answers.group_by("shop").agg(pl.col("prediction").mean()).sort("shop")["prediction"].to_list()
    assert sizes[2] > 50 * sizes[0]


def test_new_series_and_short_ones_are_forecast_too(run: TrainedRun) -> None:
    short = sales().filter(pl.col("shop") == "s1").sort("day").tail(12).with_columns(shop=pl.lit("new"))
    with pytest.warns(UserWarning, match="fewer steps than the 28"):
        answers = run.predict(short)
    assert answers.height == 7 and answers["prediction"].is_between(20, 120).all()


def test_a_forecast_answers_alike_in_other_forms(run: TrainedRun) -> None:
    path = run.export("keras")
    assert path.exists()
    with pytest.raises(nervura.errors.OptionError, match="carries runs that predict classes or values"):
        run.export("code")


def test_the_report_of_computed_weights_lacks_nothing(run: TrainedRun) -> None:
    told = run.report().with_suffix(".md").read_text(encoding="utf-8")
    assert "Forecasting y" in told and "The weights were computed, without an epoch of gradients." in told
    assert "Left out, because" not in told


def test_exponential_smoothing_follows_statsmodels() -> None:
    from statsmodels.tsa.holtwinters import ExponentialSmoothing

    draw = np.random.default_rng(0)
    line = 50 + np.arange(96) + 10 * np.sin(2 * np.pi * np.arange(96) / 12) + draw.normal(size=96)
    form = references.Form(True, "add")
    found = references.Smoothing.fit(line, 84, 12, form)
    fitted = ExponentialSmoothing(line[:84], trend="add", damped_trend=True, seasonal="add", seasonal_periods=12).fit()
    assert found.forecast(np.array([84]), 12)[0] == pytest.approx(fitted.forecast(12), rel=1e-6)
    # Later origins know what came, with what was fitted before.
    assert np.abs(found.forecast(np.array([85]), 11)[0] - line[85:]).mean() < 4


@pytest.mark.parametrize(
    ("change", "options", "words"),
    [
        (lambda f: pl.concat([f, f.head(1)]), {"keys": "shop"}, "each moment once"),
        (lambda f: f.with_columns(shop=pl.lit("a")), {"keys": "shop"}, "each moment once"),
        (lambda f: f.sort("day").head(40), {"keys": "shop", "horizon": 7}, "takes a series of about"),
        (lambda f: f.filter(pl.col("day").dt.day().is_in([1, 2, 5, 11])), {"keys": "shop"}, "even steps"),
        (lambda f: f, {"keys": "store"}, "'store' is not"),
        (lambda f: f.with_columns(y=pl.lit("much")), {"keys": "shop"}, "What is forecast is a number"),
        (lambda f: f.with_columns(pl.col("y") * 0, n=1), {"keys": "shop", "transform": "log"}, "above zero"),
    ],
)
def test_what_cannot_be_forecast_is_told(change: object, options: dict[str, object], words: str) -> None:
    with pytest.raises(SchemaError, match=words):
        Dataset.open(change(sales()), "y", problem="forecasting", options=options)  # type: ignore[operator]


def test_a_forecast_that_was_stopped_goes_on(tmp_path: Path) -> None:
    def stop(progress: object) -> None:
        raise KeyboardInterrupt

    frame, options = sales(150, 2), {"window": 14, "epochs": 2, "hidden": [8], "width": 8}
    how = {"problem": "forecasting", "network": "residual_window", "options": options}
    with pytest.raises(KeyboardInterrupt):
        nervura.train(frame, "y", out=tmp_path / "run", watchers=[stop], **how)
    resumed = nervura.resume(tmp_path / "run", source=frame)
    assert resumed.need("run")["status"] == "done" and len(resumed.history()["loss"]) == 2
    assert resumed.predict(frame).height == 14


def test_what_is_known_beforehand_is_learnt_from(tmp_path: Path) -> None:
    draw = np.random.default_rng(0)
    price = draw.uniform(1, 3, 260)
    frame = pl.DataFrame({"n": np.arange(260), "price": price, "y": 50 - 10 * price + 0.1 * draw.normal(size=260)})
    errors = []
    for known in ("price", ""):
        options = {"horizon": 3, "window": 30, "known": known}
        data = Dataset.open(frame.drop([] if known else "price"), "y", problem="forecasting", time="n", options=options)
        made = design(data.problem, "linear_window", data.schema)
        training.fit(made, data.arrays("train"), data.arrays("validation"))
        asked = data.windows_of("test")
        outputs = training.predict(made.model, data.arrays("test")[0])
        errors.append(np.abs(asked.values_of(outputs) - asked.truth()).mean())
    assert errors[0] < 0.2 * errors[1]
    # The prices to come stand in the table without a target.
    ahead = frame.with_columns(y=pl.when(pl.col("n") < 250).then("y"))
    column = Dataset.open(
        frame, "y", problem="forecasting", time="n", options={"horizon": 3, "window": 30, "known": "price"}
    )
    encoding = next(one.encoding for one in column.schema.columns if one.kind == "series")
    latest = windows.latest(ahead, encoding)
    middle, spread = encoding["covariates"]["middle"][0], encoding["covariates"]["spread"][0]
    assert latest.origins.tolist() == [250]
    assert latest.inputs()[0, 30:, 1] * spread + middle == pytest.approx(price[250:253], abs=1e-5)
