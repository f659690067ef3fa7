"""Which columns the predictions rest on."""

import time
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from nervura import contracts, training
from nervura.dataset import Dataset
from nervura.designing import Design, design
from nervura.explanation import explain
from nervura.rendering import render_html
from nervura.run import Run
from nervura.summarising import summarise

ROWS = 600


@pytest.fixture(scope="module")
def fitted() -> tuple[Dataset, Design]:
    """A network that has learnt a target made of one category with 30 % of its cells missing, and a little of a number."""
    draw = np.random.default_rng(0)
    leaf = draw.choice(["oak", "ash", None], ROWS, p=[0.4, 0.3, 0.3])
    small, noise = draw.normal(size=(2, ROWS))
    chance = {"oak": 3.0, "ash": -3.0, None: 0.0}
    y = np.where(np.array([chance[name] for name in leaf]) + small + draw.normal(size=ROWS) > 0, "yes", "no")
    frame = pl.DataFrame({"noise": noise, "leaf": list(leaf), "small": small, "y": y})
    dataset = Dataset.open(frame, "y")
    made = design(dataset.problem, "feed_forward", dataset.schema, {"hidden": [8], "epochs": 40, "learning_rate": 0.01})
    training.fit(made, dataset.arrays("train"), dataset.arrays("validation"))
    return dataset, made


def explained(fitted: tuple[Dataset, Design], path: Path, **more: float) -> dict:
    run = Run.create(path, seed=0)
    found = explain(run, fitted[0], fitted[1], **more)
    assert run.read("explanation") == found
    return found


def test_the_columns_stand_in_the_order_of_what_they_matter(fitted: tuple[Dataset, Design], tmp_path: Path) -> None:
    found = explained(fitted, tmp_path)
    assert [row["column"] for row in found["importance"]] == ["leaf", "small", "noise"]
    leaf, small, noise = (row["value"] for row in found["importance"])
    assert leaf > 0.3 and small > 0.02 and abs(noise) < 0.02
    assert all(row["low"] <= row["value"] <= row["high"] for row in found["importance"])
    assert found["metric"] == "log_loss" and found["rows"] == 120 and found["left_out"] == 0


def test_it_depends_on_the_runs_seed_alone(fitted: tuple[Dataset, Design], tmp_path: Path) -> None:
    first, second = (explained(fitted, tmp_path / name) for name in ("a", "b"))
    assert first == second
    other = explain(Run.create(tmp_path / "c", seed=1), fitted[0], fitted[1])
    assert other["importance"] != first["importance"]


def test_columns_that_the_budget_leaves_out_are_counted(fitted: tuple[Dataset, Design], tmp_path: Path) -> None:
    found = explained(fitted, tmp_path, deadline=time.monotonic() - 1)
    assert found["importance"] == [] and found["left_out"] == 3


def test_the_data_stay_as_they_were(fitted: tuple[Dataset, Design], tmp_path: Path) -> None:
    before = {name: array.copy() for name, array in fitted[0].arrays("test")[0].items()}
    explained(fitted, tmp_path)
    for name, array in before.items():
        np.testing.assert_array_equal(fitted[0].arrays("test")[0][name], array)


@pytest.mark.parametrize(("network", "classes"), [("convolutional", 4), ("airbench", None)])
def test_a_network_of_pictures_is_seen_from_inside(network: str, classes: int | None, tmp_path: Path) -> None:
    dataset = contracts.pictures_example(classes)
    made = design(dataset.problem, network, dataset.schema, {"filters": [4, 8], "epochs": 2})
    training.fit(made, dataset.arrays("train"), dataset.arrays("validation"))
    run = Run.create(tmp_path / "run", seed=0)
    inside = explain(run, dataset, made)["inside"]
    kept = run.read_arrays("inside")
    assert inside["left_out"] == []
    assert inside["metric"] == ("rmse" if classes is None else "accuracy")
    assert [one["pixels"] for one in inside["shifts"]] == [0, 1, 2, 3]
    assert 1 <= len(inside["answers"]) <= 6
    for one in inside["excited"]:
        patches = kept[f"patches/{one['layer']}"]
        assert patches.shape[:1] == (len(one["channels"]),) and list(patches.shape[2:4]) == one["field"]
    assert kept["grad_cam"].shape == kept["occlusion"].shape == (len(inside["answers"]), 12, 12)
    for lang in ("en", "pt"):
        page = render_html(summarise(run), lang)
        assert '<a href="#inside">' in page
        shown = page[page.index('<section id="inside"') :]
        shown = shown[: shown.index("</section>")]
        # Answers, filters, the picture, its maps, the patches and the dreams of each channel, the map of the last layer.
        channels = sum(len(one["channels"]) for one in inside["excited"])
        dreams = sum(len(one) for name, one in kept.items() if name.startswith("dreams/"))
        maps = sum(name.startswith("maps/") for name in kept)
        assert shown.count("<img ") == len(inside["answers"]) + 1 + 1 + maps + channels + dreams + 1


def test_parts_that_the_budget_leaves_out_are_named(tmp_path: Path) -> None:
    dataset = contracts.pictures_example(2)
    made = design(dataset.problem, "convolutional", dataset.schema, {"filters": [4], "epochs": 1})
    run = Run.create(tmp_path / "run", seed=0)
    inside = explain(run, dataset, made, deadline=time.monotonic() - 1)["inside"]
    assert inside["left_out"] == ["maps", "answers", "excited", "shifts", "map", "dream"]
    page = render_html(summarise(run))
    assert "Left out for lack of time: A picture, layer by layer; Where answers" in page
    assert "in two dimensions; A picture made to excite a channel." in page
