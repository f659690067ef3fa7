"""Groups without labels: what is found, told and kept, and what labels are for."""

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import nervura
from nervura.errors import OptionError, ProblemError
from nervura.reporting import report

OPTIONS = {"latent_dim": 2, "hidden": [16], "epochs": 3}
TOWNS = ("Ghent", "Turin", "Porto")


def rows(count: int = 300) -> pl.DataFrame:
    """Three groups that heights, weights and towns tell, and their names, some of them missing."""
    draw = np.random.default_rng(0)
    group = np.sort(draw.choice(3, count, p=[0.5, 0.3, 0.2]))
    group = draw.permutation(group)
    frame = {
        "height": 4.0 * (group == 1) + 0.5 * draw.normal(size=count),
        "weight": 4.0 * (group == 2) + 0.5 * draw.normal(size=count),
        "noise": draw.normal(size=count),
        "town": [TOWNS[g] if seldom else "Lyon" for g, seldom in zip(group, draw.random(count) < 0.9, strict=True)],
        "kind": [None if seldom else "abc"[g] for g, seldom in zip(group, draw.random(count) < 0.1, strict=True)],
    }
    return pl.DataFrame(frame)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("clustering")
    rows().write_csv(folder / "rows.csv")
    return nervura.train(
        folder / "rows.csv", "kind", problem="clustering", options={**OPTIONS, "clusters": "3"}, out=folder / "run"
    )


def test_groups_are_found_beside_other_methods_and_judged_by_labels(run: Any) -> None:
    evaluation = run.evaluation
    assert evaluation["test"]["adjusted_rand"]["value"] > 0.9
    assert evaluation["test"]["matched_accuracy"]["value"] > 0.9
    assert {"constant", "mixture", "gaussian_mixture", "hdbscan", "ward"} <= set(evaluation["baselines"])
    assert evaluation["baselines"]["constant"]["adjusted_rand"]["value"] == pytest.approx(0.0)
    assert evaluation["verdict"]["deep_warranted"] in ("no", "undecided")


def test_labels_choose_nothing(run: Any, tmp_path: Path) -> None:
    without = nervura.train(
        rows().drop("kind"), problem="clustering", options={**OPTIONS, "clusters": "3"}, out=tmp_path / "run"
    )
    assert without.predict(rows()).equals(run.predict(rows()))
    assert list(without.evaluation["test"]) == ["silhouette"]
    verdict = without.evaluation["verdict"]
    assert verdict["deep_warranted"] is None and "cannot be judged" in verdict["text"]
    assert "They are found again" in verdict["text"] and "Voltam a ser encontrados" in verdict["text_pt"]


def test_new_rows_have_a_cluster_and_probabilities_and_columns_are_kept(run: Any) -> None:
    answers = run.predict(rows(50), keep=["town"])
    assert answers.columns == ["town", "prediction", "probability_1", "probability_2", "probability_3"]
    shares = answers.select(pl.selectors.starts_with("probability_")).to_numpy()
    assert shares.sum(1) == pytest.approx(1.0)
    assert answers["prediction"].to_list() == [str(1 + place) for place in shares.argmax(1)]
    sizes = run.predict(rows())["prediction"].value_counts().sort("prediction")["count"].to_list()
    assert sizes == sorted(sizes, reverse=True)


def test_the_report_tells_what_sets_each_cluster_apart_in_both_languages(run: Any) -> None:
    found = {one["title"][0]: one for one in run.need("explanation")["findings"]}
    told = {row[0]: row[3] for row in found["The clusters"]["rows"]}
    assert sum(row[1] for row in found["The clusters"]["rows"]) == run.evaluation["rows"]["test"]
    assert any("height high" in one and "town = Turin" in one for one, _ in told.values())
    assert any("height alto" in one for _, one in told.values())
    stable = {row[0]: row for row in found["How many clusters, and how stable"]["rows"]}
    assert stable[3][1] > 0.9 and stable[3][3][0] == "chosen"
    assert {row[0]: row[2] for row in found["Clusters and labels"]["rows"]}["1"] > 0.9
    page = Path(report(run, "pt")).read_text(encoding="utf-8")
    assert "Os grupos" in page and "Um mapa" in page and "data:image/png" in page
    assert "Que linhas pertencem juntas" in page


def test_how_many_there_are_is_found_out(tmp_path: Path) -> None:
    made = nervura.train(
        rows().drop("kind"), problem="clustering", options={**OPTIONS, "epochs": 1}, out=tmp_path / "run"
    )
    assert made.need("problem")["coding"]["grouped"]["clusters"] == 3


def test_it_is_judged_on_other_rows_and_exported(run: Any, tmp_path: Path) -> None:
    from nervura.evaluation import evaluate_on

    assert evaluate_on(run, rows(100))["test"]["adjusted_rand"]["value"] > 0.8
    with pytest.raises(ProblemError, match="takes labels"):
        evaluate_on(run, rows(100).drop("kind"))
    assert run.export("keras", tmp_path / "model.keras").exists()


def test_pictures_are_grouped_by_their_codes_and_shown(tmp_path: Path) -> None:
    draw = np.random.default_rng(0)
    bright = np.arange(90) % 3
    pictures = draw.integers(0, 40, (90, 9, 9)).astype("uint8")
    for picture, place in zip(pictures, bright, strict=True):
        picture[3 * place : 3 * place + 3] += 150
    options = {**OPTIONS, "epochs": 30, "clusters": "3", "learning_rate": 0.01}
    made = nervura.train(pictures, problem="clustering", options=options, out=tmp_path / "run")
    assert made.need("problem")["coding"]["grouped"]["view"] == "code"
    answers = made.predict(pictures)["prediction"].to_numpy()
    assert all(len(set(answers[bright == place])) == 1 for place in range(3)) and len(set(answers)) == 3
    titles = [one["title"][0] for one in made.need("explanation")["findings"]]
    assert "Typical pictures" in titles and "A map" in titles


def test_what_cannot_be_is_said(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="auto or a whole number from 2"):
        nervura.train(rows(), problem="clustering", options={"clusters": "many"}, out=tmp_path / "a")
    with pytest.raises(OptionError, match="Did you mean 'mixture'"):
        nervura.train(rows(), problem="clustering", options={"method": "mixtur"}, out=tmp_path / "b")
    with pytest.raises(ProblemError, match="500 are asked for"):
        nervura.train(rows(), problem="clustering", options={**OPTIONS, "clusters": "500"}, out=tmp_path / "c")
