"""Ridge regression towards plain forecasts."""

import numpy as np
import pytest

from nervura.regressing import plain_forecasts, regress


def test_plain_forecasts_are_the_last_season_and_the_mean_one() -> None:
    wave = np.array([3.0, -1.0, -2.0])
    window = np.concatenate([10 + wave, 20 + 3 * wave]) - 20  # around the level of the last season
    last, mean, both = plain_forecasts(6, 4, 3, 6)
    assert window @ last == pytest.approx(3 * wave[[0, 1, 2, 0]])
    assert window @ mean == pytest.approx(2 * wave[[0, 1, 2, 0]])
    assert both == pytest.approx((last + mean) / 2)
    assert len(plain_forecasts(5, 2, 1, 7)) == 1


def test_with_many_rows_it_is_least_squares_and_with_noise_the_plain_forecast() -> None:
    draw = np.random.default_rng(0)
    rows, weights = draw.normal(size=(600, 6)), draw.normal(size=(6, 4))
    towards = plain_forecasts(6, 4, 3, 6)
    found = regress(rows, rows @ weights + 0.01 * draw.normal(size=(600, 4)) + 2.0, towards, 4)
    assert found.weights == pytest.approx(weights, abs=0.01) and found.start == pytest.approx(2.0, abs=0.01)
    noise = regress(rows[:60], rows[:60] @ towards[0] + 5 * draw.normal(size=(60, 4)), towards, 4)
    assert np.abs(noise.weights - towards[0]).max() < 0.8
    least = np.linalg.lstsq(rows[:60], rows[:60] @ towards[0] + 5 * draw.normal(size=(60, 4)), rcond=None)[0]
    assert np.abs(noise.weights - towards[0]).mean() < 0.6 * np.abs(least - towards[0]).mean()


def test_rows_too_few_to_choose_by_are_drawn_to_the_plain_forecast() -> None:
    draw = np.random.default_rng(0)
    rows = draw.normal(size=(9, 6))
    towards = plain_forecasts(6, 4, 3, 6)
    found = regress(rows, rows @ towards[0], towards, 4)
    assert np.isnan(found.loss) and found.weights == pytest.approx(towards[0], abs=1e-6)
