"""A crowd of odd rows does not hide itself from samples."""

import numpy as np

from nervura.detectors import detectors


def test_a_crowd_that_all_neighbours_take_for_usual_is_found_by_samples() -> None:
    draw = np.random.default_rng(0)
    usual, odd = draw.normal(size=(4000, 4)), 6 + 0.01 * draw.normal(size=(15, 4))
    rows = np.vstack([usual, odd])
    missed = {
        name: float((fitted.score(odd)[:, None] < fitted.score(usual)).mean())
        for name in ("neighbours", "sampled_neighbours")
        for fitted in [detectors.load(name).fit(rows)]
    }
    assert missed["neighbours"] > 0.9
    assert missed["sampled_neighbours"] < 0.05
