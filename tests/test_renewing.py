"""New data for an earlier run's question: what is learnt again, what judges, and what is said of champion and challenger."""

import hashlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import nervura
from nervura import evaluation, judging
from nervura.cli import EXIT_NOT_BETTER, main
from nervura.dataset import Dataset
from nervura.errors import OptionError, ProblemError, RunError, SchemaError
from nervura.recognising import hashes, repeated
from nervura.renewing import Champion
from nervura.sources import read
from nervura.splitting import FOLDS, TEST, TRAIN

from .conftest import brief_rivals


@pytest.fixture(scope="module", autouse=True)
def quick() -> Iterator[None]:
    """What challengers are judged beside apart from the champion are a few trees."""
    with brief_rivals(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(evaluation, "SEEDS", 1)
        patch.setitem(evaluation.LADDERS, None, ())
        yield


def leaves(rows: int, seed: int, turned: bool = False) -> pl.DataFrame:
    """Rows like those of the fixture ``table``; turned ones have the answers the other way round."""
    draw = np.random.default_rng(seed)
    length, colour = draw.normal(size=rows).round(4), draw.choice(["red", "green", "blue"], rows)
    healthy = (length + (colour == "green") > 0.3) != turned
    names = [f"plant_{seed}_{row}" for row in range(rows)]
    return pl.DataFrame({"plant": names, "length": length, "colour": colour, "healthy": np.where(healthy, "yes", "no")})


def files(folder: Path) -> dict[str, str]:
    paths = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


@pytest.fixture(scope="module")
def grown(trained: Path, table: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A challenger on the champion's own rows, other rows after them."""
    rows = pl.concat([pl.read_csv(table), leaves(120, 1)])
    return nervura.train(rows, from_run=trained, out=tmp_path_factory.mktemp("challenger") / "grown")


# --- What judges ---


def test_rows_that_the_champion_learnt_from_judge_neither(grown: Any, trained: Path, table: Path) -> None:
    with np.load(trained / "split.npz") as before, np.load(grown.path / "split.npz") as now:
        learnt = before["parts"] != TEST
        assert (now["parts"][:150][learnt] == TRAIN).all()
        assert (now["folds"][:150][learnt] == FOLDS).all(), "no group of a bagged network leaves them out"
        assert (now["parts"] == TEST).sum() == round(0.2 * (120 + (~learnt).sum()))
        test = now["parts"] == TEST
    rows = pl.concat([pl.read_csv(table), leaves(120, 1)]).filter(pl.Series(test))
    truth = (rows["healthy"] == "yes").to_numpy()
    losses = []
    for path in (grown.path, trained):
        probability = nervura.load(path).predict(rows)["probability_yes"].to_numpy()
        losses.append(-np.log(np.where(truth, probability, 1 - probability)).mean())
    found = grown.evaluation["champion"]
    assert found["rows"] == test.sum() and found["network"] == "feed_forward"
    assert found["challenger"]["log_loss"]["value"] == pytest.approx(losses[0], abs=1e-5)
    assert found["champion"]["log_loss"]["value"] == pytest.approx(losses[1], abs=1e-5)
    assert found["difference"] == pytest.approx(losses[0] - losses[1], abs=1e-5)
    assert found["low"] < found["difference"] < found["high"]
    assert (found["verdict"] == "better") == (found["high"] < 0)


def test_what_validates_better_is_kept(grown: Any) -> None:
    starts = grown.need("run")["starts"]
    assert set(starts["validation"]) == {"warm", "afresh"} and starts["metric"] == "log_loss"
    assert starts["kept"] == min(starts["validation"], key=starts["validation"].get)
    assert not (grown.path / "starts").exists()
    assert len(grown.history()["loss"]) == 3 and (grown.path / "model.keras").exists()


def test_the_report_tells_it_in_both_languages(grown: Any) -> None:
    for lang, title, word in (("en", "Champion and challenger", "champion"), ("pt", "Campeão e desafiante", "campeão")):
        grown.report(lang)
        for file in ("report.html", "report.md"):
            told = (grown.path / file).read_text(encoding="utf-8")
            assert title in told and f"{word} trained" in told
    assert json.loads((grown.path / "report.json").read_text())["champion"] == grown.evaluation["champion"]


@given(st.lists(st.tuples(st.sampled_from([0.0, 1.5, float("nan")]), st.integers(0, 2)), min_size=1, max_size=30))
def test_equal_rows_have_equal_hashes(rows: list[tuple[float, int]]) -> None:
    x, y = np.array([[row[0]] for row in rows], np.float32), np.array([row[1] for row in rows])
    found = hashes({"numbers": x}, y)
    same = [[str(a) == str(b) for b in rows] for a in rows]
    assert ((found[:, None] == found[None]) == np.array(same)).all()


def test_rows_of_few_values_are_equal_by_chance() -> None:
    draw = np.random.default_rng(0)
    few, more = (draw.integers(0, 20, rows).astype(np.uint64) for rows in (100, 300))
    notes: list[str] = []
    assert not repeated(few, more, "old", notes).any() and "chance" in notes[0]
    alone = np.arange(100, dtype=np.uint64)
    assert repeated(alone[90:], alone[:95], "old", notes).sum() == 5 and "5 of 10 rows" in notes[1]
    assert not repeated(alone[90:], alone[:90], "old", notes).any() and notes[2].startswith("None of the rows")


@pytest.mark.parametrize("how", [{"group": "g"}, {"time": "when"}], ids=["group", "time"])
def test_groups_and_times_are_kept_to(how: dict[str, str]) -> None:
    draw = np.random.default_rng(0)
    numbers = np.arange(300)
    columns = {"a": draw.normal(size=300), "g": [f"g{i // 5}" for i in numbers], "when": numbers}
    both = pl.DataFrame({**columns, "y": draw.choice(["u", "v"], 300)})
    old = Dataset.open(both[:200], "y", **how)
    learnt = np.concatenate([hashes(*old.arrays(part)) for part in ("train", "validation")])
    found = Dataset.like(read(both), old.schema, old.problem, learnt, "old", **how)
    parts = found.split.parts
    assert (parts[:200][old.split.parts != TEST] == TRAIN).all()
    assert abs(found.rows("test") - 0.2 * 140) < 5, "a fifth of the rows that are new"
    if "group" in how:
        assert not set(both["g"].filter(pl.Series(parts == TEST))) & set(both["g"].filter(pl.Series(parts != TEST)))
    else:
        assert both["when"].filter(pl.Series(parts == TEST)).min() > both["when"].filter(pl.Series(parts != TEST)).max()


# --- The gate ---


def test_a_pipeline_goes_by_the_exit_status(trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = files(trained)
    leaves(400, 2, turned=True).write_parquet(tmp_path / "turned.parquet")
    words = ["train", str(tmp_path / "turned.parquet"), "--from", str(trained), "--only-if-better"]
    assert main([*words, "--out", str(tmp_path / "turned")]) == 0
    told = capsys.readouterr().out
    assert "The challenger is better. On the 80 test rows" in told
    run = nervura.load(tmp_path / "turned")
    assert run.need("run")["command"].split()[-2:] == ["--seed", "0"] and "--from" in run.need("run")["command"]
    # Of answers that are drawn at random nothing can be learnt.
    drawn = pl.Series("healthy", np.random.default_rng(0).choice(["yes", "no"], 60))
    leaves(60, 3).with_columns(drawn).write_parquet(tmp_path / "drawn.parquet")
    words[1] = str(tmp_path / "drawn.parquet")
    assert main([*words, "--json", "--out", str(tmp_path / "drawn")]) == EXIT_NOT_BETTER
    assert json.loads(capsys.readouterr().out)["champion"]["verdict"] != "better"
    assert files(trained) == before


def test_the_gate_needs_a_champion(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "toy:iris", "--only-if-better"]) == 2
    assert "--from RUN" in capsys.readouterr().err


# --- Going on ---


def test_a_challenger_that_was_stopped_ends_as_if_it_had_not_been(
    grown: Any, trained: Path, table: Path, tmp_path: Path
) -> None:
    rows, path, seen = pl.concat([pl.read_csv(table), leaves(120, 1)]), tmp_path / "stopped", []

    def stop(progress: Any) -> None:
        seen.append(progress.epoch)
        if len(seen) == 5:  # the second epoch of the second training
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        nervura.train(rows, from_run=nervura.load(trained), out=path, watchers=[stop])
    assert (path / "starts" / "warm" / "model.keras").exists()
    run = nervura.resume(path, source=rows, watchers=[lambda progress: seen.append(progress.epoch)])
    assert seen == [1, 2, 3, 1, 2, 3], (
        "the first training is over, and the second goes on after the epoch that had ended"
    )
    for one, other in zip(run.model.get_weights(), grown.model.get_weights(), strict=True):
        assert np.array_equal(one, other)
    assert run.evaluation["champion"]["difference"] == grown.evaluation["champion"]["difference"]


# --- What is refused ---


@pytest.mark.parametrize(
    ("rows", "error", "told"),
    [
        (leaves(60, 5).drop("length"), SchemaError, "Missing: 'length'"),
        (leaves(60, 5).drop("healthy"), SchemaError, "the target of the run trained, 'healthy'"),
        (leaves(60, 5).with_columns(length=pl.lit("long")), SchemaError, "Column 'length' must hold values of kind number"),
        (
            leaves(60, 5).with_columns(healthy=pl.lit("perhaps")),
            ProblemError,
            "tells the classes 'no', 'yes' of 'healthy' apart; 60 of 60 rows have others, such as 'perhaps'",
        ),
        (leaves(60, 5).with_columns(healthy=pl.lit(None, pl.String)), SchemaError, "it has no value"),
    ],
)  # fmt: skip
def test_rows_for_another_question_are_refused(
    trained: Path, tmp_path: Path, rows: pl.DataFrame, error: type[Exception], told: str
) -> None:
    with pytest.raises(error, match=told):
        nervura.train(rows, from_run=trained, out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_the_champions_own_rows_alone_judge_nobody(trained: Path, table: Path) -> None:
    with np.load(trained / "split.npz") as split:
        learnt = pl.read_csv(table).filter(pl.Series(split["parts"] != TEST))
    with pytest.raises(ProblemError, match="has not learnt from; of 120 there are 0. Add rows."):
        Champion.open(trained).dataset(learnt, None, 0)


def test_what_is_not_known_or_new_is_said(trained: Path) -> None:
    rows = leaves(100, 6).with_columns(colour=pl.lit("violet"), soil=pl.lit("dry"))
    champion = Champion.open(trained)
    with pytest.warns(UserWarning, match="Column 'colour': 100 of 100 rows have a level that was not in training"):
        dataset = champion.dataset(rows, None, 0)
    assert "Columns that the run trained did not know are not read: soil." in dataset.table.notes
    assert dataset.split.notes[0] == "None of the rows is one that the run trained learnt from."
    champion.learnt = None
    with pytest.warns(UserWarning):
        assert "is not known any more" in champion.dataset(rows, None, 0).split.notes[0]


def test_what_the_champion_decides_is_not_asked_again(trained: Path, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="given were --target, --set. Leave them out"):
        nervura.train(leaves(60, 7), "healthy", from_run=trained, options={"epochs": 1}, out=tmp_path / "run")
    with pytest.raises(RunError, match="does not exist"):
        nervura.train(leaves(60, 7), from_run=tmp_path / "nowhere")
    with pytest.raises(RunError, match="directory of its own"):
        nervura.train(leaves(60, 7), from_run=trained, out=trained)


def test_a_run_that_judges_itself_is_no_champion(trained: Path, tmp_path: Path) -> None:
    other = shutil.copytree(trained, tmp_path / "codes")
    told = json.loads((other / "problem.json").read_text())
    (other / "problem.json").write_text(json.dumps({**told, "name": "embedding"}))
    with pytest.raises(OptionError, match="the problem of the run trained is embedding"):
        Champion.open(other)


def test_a_paired_difference_of_a_model_with_itself_is_nothing(grown: Any) -> None:
    from nervura.exporters.base import load_problem

    problem, estimates = load_problem(grown), np.tile([[0.3, 0.7]], (40, 1))
    found = judging.compare(problem, np.arange(40) % 2, [estimates], [estimates])
    assert found["low"] <= 0 <= found["high"] and found["difference"] == 0
