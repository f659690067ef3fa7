"""A search: trials by number, an ensemble of the best as one flat model, and the time budget."""

import itertools
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import nervura
from nervura import ensembling, evaluation, keeping, searching, training
from nervura.baselines import baselines
from nervura.dataset import Dataset
from nervura.designing import design
from nervura.errors import OptionError
from nervura.run import Run
from nervura.zoo import zoo
from nervura.zoo.base import read_options

keras = pytest.importorskip("keras")
pytest.importorskip("optuna")

pytestmark = pytest.mark.usefixtures("quick_judgement")

TINY = {"hidden": [8], "epochs": 1, "members": 2}


def rows() -> pl.DataFrame:
    draw = np.random.default_rng(0)
    x, z = draw.normal(size=(2, 300))
    y = np.where(x * z + 0.3 * draw.normal(size=300) > 0, "a", "b")
    return pl.DataFrame({"x": x, "z": z, "c": draw.choice(["u", "v"], 300), "y": y})


def squared(truth: np.ndarray) -> Any:
    return lambda answer: float(np.mean((answer[:, 0] - truth) ** 2))


@pytest.mark.parametrize("seed", range(5))
def test_members_are_chosen_as_by_trying_everything_at_each_step(seed: int) -> None:
    draw = np.random.default_rng(seed)
    truth = draw.normal(size=40)
    answers = [(truth + draw.normal(size=40))[:, None] for _ in range(6)]
    counts, reached = ensembling.select(answers, squared(truth))
    kept = list(itertools.chain.from_iterable([place] * count for place, count in counts.items()))
    mean = np.mean([answers[place] for place in kept], axis=0)
    assert reached == pytest.approx(squared(truth)(mean))
    assert reached <= min(squared(truth)(answer) for answer in answers)
    # The first two by brute force.
    order: list[int] = []
    for _ in range(2):
        order.append(min(range(6), key=lambda i: squared(truth)(np.mean([answers[j] for j in [*order, i]], axis=0))))
    assert set(order) <= set(counts)


def test_an_ensemble_has_few_members_and_one_where_one_is_best() -> None:
    draw = np.random.default_rng(0)
    truth = draw.normal(size=200)
    answers = [(truth + draw.normal(size=200))[:, None] for _ in range(12)]
    counts, _ = ensembling.select(answers, squared(truth), most=3)
    assert len(counts) <= 3
    alone, reached = ensembling.select([truth[:, None], *answers], squared(truth))
    assert set(alone) == {0} and reached == 0


def test_an_ensemble_is_one_flat_model_that_answers_the_weighted_mean(tmp_path: Path) -> None:
    dataset = Dataset.open(rows(), "y")
    designs = []
    for seed, options in enumerate([TINY, {**TINY, "hidden": [4, 4], "members": 3}]):
        made = design(dataset.problem, "tabm", dataset.schema, options, seed, dataset.folds)
        training.fit(made, dataset.arrays("train"), dataset.arrays("validation"), folds=dataset.fold_of_training)
        designs.append(made)
    both = ensembling.ensemble(designs, [0.75, 0.25])
    x = dataset.arrays("test")[0]
    expected = 0.75 * training.predict(designs[0].model, x) + 0.25 * training.predict(designs[1].model, x)
    np.testing.assert_allclose(training.predict(both.model, x), expected, atol=1e-6)
    assert not any(isinstance(layer, keras.Model) for layer in both.model.layers)
    for fold in range(both.groups):
        apart = [training.outputs_without(made, x, fold) for made in designs]
        np.testing.assert_allclose(
            training.outputs_without(both, x, fold), 0.75 * apart[0] + 0.25 * apart[1], atol=1e-6
        )
    both.model.save(tmp_path / "both.keras")
    loaded = keras.saving.load_model(tmp_path / "both.keras")
    np.testing.assert_allclose(training.predict(loaded, x), expected, atol=1e-6)


def test_what_is_searched_can_be_set() -> None:
    for network in zoo:
        for name, values in searching.search_ranges(network).items():
            for value in values:
                assert getattr(read_options(network.Options, {name: value}), name) == value


QUICK = {"hidden": [8], "epochs": 3}


def search(path: Path, seed: int = 0, watchers: Sequence[keeping.Watcher] = ()) -> searching.Search:
    """A search in ``path``, begun or gone on with, of the network that is trained fastest."""
    dataset = Dataset.open(rows(), "y", problem="binary")
    first = design(dataset.problem, "deep_feed_forward", dataset.schema, QUICK, seed, 1)
    halves = training.halves(dataset.arrays("validation"))
    run = Run(path)
    fit = training.fit(first, dataset.arrays("train"), halves[0])
    run.write_text("history.csv", keeping.history_csv(fit.history))
    return searching.Search(run, dataset, first, halves, QUICK, True, lambda told: None, watchers)


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, searching.Found]:
    path = tmp_path_factory.mktemp("search")
    return path, search(path).go(3, None, 1.0, "epochs")


def assert_equal_weights(one: searching.Found, other: searching.Found) -> None:
    for a, b in zip(one.design.model.get_weights(), other.design.model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_search_that_was_stopped_goes_on_as_if_it_had_not_been(
    searched: tuple[Path, searching.Found], tmp_path: Path
) -> None:
    seen: list[int] = []

    def stop_in_trial_2(progress: keeping.Progress) -> None:
        seen.append(progress.epoch)
        if len(seen) == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        search(tmp_path, watchers=[stop_in_trial_2]).go(3, None, 1.0, "epochs")
    assert sorted(folder.name for folder in (tmp_path / "search").iterdir()) == ["0", "1"]
    found = search(tmp_path).go(3, None, 1.0, "epochs")
    assert_equal_weights(found, searched[1])
    first, second = (json.loads((path / "search.json").read_text()) for path in (tmp_path, searched[0]))
    assert first == second
    # What was decided stays decided: no clock and no trial is asked again.
    assert_equal_weights(search(tmp_path).go(None, 0.0, 1.0, "epochs"), found)


def test_each_trial_is_a_function_of_its_number_and_those_before(searched: tuple[Path, searching.Found]) -> None:
    one, other = search(searched[0]), search(searched[0])
    kept = one.trials[2]
    assert [trial.seed for trial in one.trials] == [0, 1, 2]
    network, options = one.suggest(2)
    assert network == kept.network and options.items() <= kept.options.items()
    assert all(one.suggest(number) == other.suggest(number) for number in (1, 2, 3))
    assert len({json.dumps(one.suggest(number)) for number in range(3, 12)}) > 3
    assert all(one.suggest(number)[1]["hidden"] == [8] for number in range(3, 8))


def test_no_seconds_left_means_the_first_network(tmp_path: Path) -> None:
    begun = search(tmp_path)
    found = begun.go(None, time.monotonic() + 0.01, 1.0, "epochs")
    assert found.design is begun.first and len(begun.trials) == 1
    assert json.loads((tmp_path / "search.json").read_text())["ended"] == "budget"


def test_a_run_tells_what_was_searched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def constant_alone(judge: evaluation._Judge, trained: Any) -> Any:
        return judge._baseline(baselines.load("constant"))

    monkeypatch.setattr(evaluation._Judge, "others", constant_alone)
    nervura.train(rows(), "y", network="deep_feed_forward", trials=3, options=QUICK, out=tmp_path / "run")
    run = nervura.load(tmp_path / "run")
    told, made = run.need("search"), run.need("design")
    assert told["ended"] == "trials" and len(told["trials"]) == 3
    weights = [member["weight"] for member in told["members"]]
    assert sum(weights) == pytest.approx(1)
    if len(weights) > 1:
        assert made["network"] == "ensemble" and [member["weight"] for member in made["ensemble"]] == weights
        assert "weighted mean" in (run.path / "report.md").read_text(encoding="utf-8")
        assert f"model_{len(weights)}_output" in (run.export("code") / "model.py").read_text(encoding="utf-8")
    assert run.need("run")["decisions"][1].startswith("Searched 3 trials")
    assert run.predict(rows()).height == 300
    assert "--trials 3" in run.need("run")["command"]


def test_a_trial_that_is_behind_the_earlier_ones_is_stopped() -> None:
    def see(best: float, epoch: int, earlier: list[list[float]]) -> bool:
        pruner = searching.Pruner(earlier)
        pruner.see(keeping.Progress(epoch, 50, best, best, best, 0.0, 0.0))
        return pruner.behind

    earlier = [[3.0, 2.0, 1.5, 1.0, 0.9], [3.0, 2.0, 1.0, 0.8, 0.5], [4.0, 3.0, 2.5, 1.2]]
    assert see(1.1, 4, earlier) and not see(0.9, 4, earlier)
    assert not see(1.1, 3, earlier) and not see(1.1, 4, earlier[:1])


def test_a_small_budget_is_kept_and_leaves_a_network(tmp_path: Path) -> None:
    began = time.monotonic()
    run = nervura.train(rows(), "y", minutes=0.2, out=tmp_path / "run", problem="binary")
    assert time.monotonic() - began < 12 + 5
    assert run.predict(rows()).height == 300


def test_a_search_has_trials() -> None:
    with pytest.raises(OptionError, match="1 trial or more; given was 0"):
        nervura.train(rows(), "y", trials=0)
