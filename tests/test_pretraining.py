"""Rows without a target teach a network first: what learns when, what it gains, and where it cannot be."""

from pathlib import Path

import keras
import numpy as np
import polars as pl
import pytest
from sklearn.datasets import load_digits

import nervura
from nervura import contracts, keeping, training
from nervura.dataset import Dataset
from nervura.designing import Design, design
from nervura.errors import OptionError, SchemaError
from nervura.run import Run


def few_labels(known: int = 60) -> pl.DataFrame:
    frame = contracts.example(3).table.frame.collect()
    labels = pl.when(pl.int_range(pl.len()) < known).then(pl.col("y").cast(pl.String))
    return frame.with_columns(y=labels)


TABLE = Dataset.open(few_labels(), "y", pretrain=True)
SMALL = {"hidden": [8], "epochs": 2}


def made(network: str = "deep_feed_forward", dataset: Dataset = TABLE, **options: object) -> Design:
    return design(dataset.problem, network, dataset.schema, {**SMALL, **options}, pretrain=True)


def fitted(one: Design, dataset: Dataset = TABLE, run: Run | None = None, watch: object = None) -> training.Fit:
    rows = dataset.arrays("train"), dataset.arrays("validation")
    return training.fit(one, *rows, unlabelled=dataset.unlabelled, run=run, watchers=[watch] if watch else [])


def test_rows_without_a_target_are_kept_for_pretraining_alone() -> None:
    assert {len(rows) for rows in (TABLE.unlabelled or {}).values()} == {140}
    assert sum(TABLE.rows(part) for part in ("train", "validation", "test")) == 60
    assert "140 rows have no known target and serve for pretraining alone." in TABLE.split.notes
    assert Dataset.open(few_labels(), "y").unlabelled is None


def test_what_is_before_the_output_learns_first_and_the_decoder_rests_then() -> None:
    one = made()
    learning = []
    for phase in one.phases:
        one.enter(phase)
        learning.append({variable.path for variable in one.learner.trainable_variables})
    own = {variable.path for variable in one.model.trainable_variables}
    output = {path for path in own if path.startswith("output/")}
    assert output and learning[0] & own == own - output and learning[0] > own - output
    assert learning[1] == own


@pytest.mark.parametrize("network", ["feed_forward", "deep_feed_forward", "deep_belief"])
def test_networks_learn_without_the_target_and_then_with_it(network: str) -> None:
    phases = []
    one = made(network)
    fitted(one, watch=lambda progress: phases.append(progress.phase))
    first, last = (("Boltzmann machine 1 of 1", "fine-tuning"), ("pretraining", "training"))[network != "deep_belief"]
    assert phases[0] == first and phases[-2:] == [last, last]
    assert training.predict(one.model, TABLE.arrays("test")[0]).shape[1] == 3


def test_a_pretraining_that_is_killed_goes_on_to_the_same_weights(tmp_path: Path) -> None:
    class Killed(Exception):
        pass

    def kill(progress: keeping.Progress) -> None:
        raise Killed

    whole, resumed, run = made(), made(), Run.create(tmp_path / "run")
    fitted(whole)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keeping, "CHECKPOINT_SECONDS", -1.0)
        with pytest.raises(Killed):
            fitted(made(), run=run, watch=kill)
        fitted(resumed, run=run)
    pairs = zip(whole.model.variables, resumed.model.variables, strict=True)
    assert all(np.array_equal(*map(keras.ops.convert_to_numpy, pair)) for pair in pairs)


def test_pictures_without_a_label_pretrain_too() -> None:
    pictures = (load_digits().images[:300] * 15.9).astype("uint8")
    labels = [str(label) if place < 200 else None for place, label in enumerate(load_digits().target[:300])]
    frame = pl.DataFrame({"picture": pictures.reshape(300, -1)}, schema={"picture": pl.Array(pl.UInt8, 64)})
    frame = frame.with_columns(picture=pl.col("picture").reshape((-1, 8, 8)), label=pl.Series(labels))
    dataset = Dataset.open(frame, "label", pretrain=True)
    assert dataset.unlabelled is not None and dataset.unlabelled["pictures"].shape == (100, 8, 8, 1)
    assert np.array_equal(dataset.unlabelled["pictures"][..., 0], pictures[200:])
    one = design(
        dataset.problem, "convolutional", dataset.schema, {"filters": [4], "dense": [8], "epochs": 1}, pretrain=True
    )
    assert fitted(one, dataset).history["loss"][0] > 0


@pytest.mark.usefixtures("quick_judgement")
def test_a_run_tells_what_its_pretraining_gained(tmp_path: Path) -> None:
    run = nervura.train(few_labels(100), "y", options={"hidden": [8], "epochs": 1}, pretrain=True, out=tmp_path / "run")
    gain = run.evaluation["pretraining"]
    assert gain["rows"] == 100 and gain["without"] == "without_pretraining"
    assert gain["low"] <= gain["difference"] <= gain["high"]
    assert gain["without"] in run.evaluation["baselines"]
    assert len(run.predict(few_labels(), use=gain["without"])) == 200
    assert "--pretrain" in run.need("run")["command"]
    page = (run.path / "report.html").read_text(encoding="utf-8")
    assert "100 rows without a target" in page


def test_where_it_cannot_be_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(SchemaError, match="all 200 rows of .* have a value in 'y'"):
        Dataset.open(contracts.example(3).table.frame.collect(), "y", pretrain=True)
    with pytest.raises(OptionError, match="that of 'tabm' cannot be. Write --network with one of deep_belief"):
        design(TABLE.problem, "tabm", TABLE.schema, pretrain=True)
    with pytest.raises(OptionError, match="Leave one of them out"):
        made("deep_belief", pretraining="no")
    unlabelled = contracts.unlabelled_example("embedding")
    with pytest.raises(OptionError, match="this problem predicts none"):
        design(unlabelled.problem, "autoencoder", unlabelled.schema, pretrain=True)
