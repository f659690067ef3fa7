"""Codes without a target: what is judged, what labels are for, and principal components beside the network."""

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import nervura
from nervura.dataset import Dataset
from nervura.designing import design
from nervura.errors import OptionError, ProblemError
from nervura.problems.embedding import Components
from nervura.reporting import report

OPTIONS = {"latent_dim": 2, "hidden": [16], "epochs": 12, "learning_rate": 0.01}


def curved(rows: int = 300) -> pl.DataFrame:
    """Five numbers and a yes or no that two hidden ones tell, and labels, some of them missing."""
    draw = np.random.default_rng(0)
    hidden = draw.normal(size=(rows, 2))
    numbers = np.tanh(hidden @ draw.normal(size=(2, 5))) + 0.05 * draw.normal(size=(rows, 5))
    named = np.where(draw.random(rows) < 0.1, None, np.where(hidden[:, 0] > 0, "left", "right"))
    columns = {f"number_{i}": numbers[:, i] for i in range(5)}
    return pl.DataFrame({**columns, "up": hidden[:, 1] > 0, "side": pl.Series(named, dtype=pl.String)})


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("embedding")
    curved().write_csv(folder / "rows.csv")
    return nervura.train(folder / "rows.csv", "side", problem="embedding", options=OPTIONS, out=folder / "run")


def test_labels_are_no_input_and_no_row_is_left_out_for_want_of_one(run: Any) -> None:
    inputs = [name for tensor in run.need("design")["inputs"] for name in tensor["features"]]
    assert inputs == [*(f"number_{i}" for i in range(5)), "up"]
    assert sum(run.evaluation["rows"].values()) == 300


def test_errors_are_told_by_kind_beside_components_and_the_mean(run: Any) -> None:
    evaluation = run.evaluation
    for scores in (evaluation["test"], *evaluation["baselines"].values()):
        parts = scores["numbers_error"]["value"] + scores["flags_error"]["value"]
        assert scores["squared_error"]["value"] == pytest.approx(parts)
        assert list(scores) == ["squared_error", "numbers_error", "flags_error"]
    error = {name: scores["squared_error"]["value"] for name, scores in evaluation["baselines"].items()}
    # The mean loses the variance: 1 of each of five standardised numbers, a quarter of a yes or no.
    assert error["mean"] == pytest.approx(5.25, abs=0.7)
    assert error["principal_components"] < 0.5 * error["mean"]
    assert evaluation["verdict"]["deep_warranted"] in ("yes", "no", "undecided")


def test_the_report_tells_what_the_code_loses_and_knows_in_both_languages(run: Any) -> None:
    page = Path(report(run, "pt")).read_text(encoding="utf-8")
    assert "O que o código perde" in page and "O que o código sabe das etiquetas" in page
    assert "O que os dados têm em comum" in page and "Omitido" not in page
    told = report(run, "en").with_suffix(".md").read_text(encoding="utf-8")
    assert "What the code loses" in told and "No target is predicted" in told
    assert "Predicting" not in told


def test_neighbours_in_the_code_know_the_labels(run: Any) -> None:
    findings = {one["title"][0]: one for one in run.need("explanation")["findings"]}
    shares = [row[1] for row in findings["What the code knows of the labels"]["rows"]]
    assert len(shares) == 3 and min(shares) > 0.7


def test_codes_are_predicted_by_the_network_and_by_components(run: Any) -> None:
    rows = curved(20).drop("side")
    for use in ("network", "principal_components"):
        codes = run.predict(rows, use=use)
        assert codes.columns == ["code_1", "code_2"] and codes.height == 20
    assert not np.allclose(run.predict(rows), codes)


def test_it_is_judged_on_other_rows(run: Any) -> None:
    from nervura.evaluation import evaluate_on

    found = evaluate_on(run, curved(300).drop("side"))
    assert found["rows"] == {"given": 300}
    assert found["test"]["squared_error"]["value"] == pytest.approx(
        run.evaluation["test"]["squared_error"]["value"], rel=0.5
    )


def test_it_is_exported_and_says_what_cannot_carry_it(run: Any, tmp_path: Path) -> None:
    assert run.export("keras", tmp_path / "model.keras").exists()
    assert run.export("onnx", tmp_path / "model.onnx").exists()
    for form in ("notebook", "savedmodel", "litert"):
        with pytest.raises(OptionError, match="problem embedding: .*Write --to code or keras or onnx"):
            run.export(form)


def test_without_a_target_it_is_chosen_and_said(tmp_path: Path) -> None:
    said: list[str] = []
    made = nervura.train(
        curved(60).drop("side"), options={**OPTIONS, "epochs": 1}, out=tmp_path / "run", tell=said.append
    )
    told = made.need("problem")
    assert told["name"] == "embedding" and told["reason"] == "no target was named"
    assert any("6 columns can be told by fewer numbers" in text for text in said)


def test_a_run_that_was_stopped_goes_on_to_the_same_codes(tmp_path: Path) -> None:
    class Stop(Exception):
        pass

    def stop(progress: Any) -> None:
        if progress.epoch == 3:
            raise Stop

    curved(100).write_csv(tmp_path / "rows.csv")
    from nervura import keeping

    how: dict[str, Any] = {"problem": "embedding", "options": {**OPTIONS, "epochs": 6}}
    whole = nervura.train(tmp_path / "rows.csv", out=tmp_path / "whole", **how)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keeping, "CHECKPOINT_SECONDS", -1.0)
        with pytest.raises(Stop):
            nervura.train(tmp_path / "rows.csv", out=tmp_path / "run", watchers=[stop], **how)
        resumed = nervura.resume(tmp_path / "run")
    rows = curved(100)
    assert resumed.predict(rows).equals(whole.predict(rows))


def test_pictures_need_no_labels_and_are_shown_beside_what_is_rebuilt(tmp_path: Path) -> None:
    draw = np.random.default_rng(0)
    pictures = np.clip(draw.normal(100, 10, (60, 6, 6)) + 60 * draw.normal(size=(60, 1, 6)), 0, 255).astype("uint8")
    made = nervura.train(pictures, options={"latent_dim": 3, "hidden": [16], "epochs": 2}, out=tmp_path / "run")
    assert made.need("problem")["name"] == "embedding"
    assert made.predict(pictures[:5]).columns == ["code_1", "code_2", "code_3"]
    assert "data:image/png" in (tmp_path / "run" / "report.html").read_text(encoding="utf-8")


def test_one_column_alone_is_declined() -> None:
    with pytest.raises(ProblemError, match="nothing in common"):
        Dataset.open(pl.DataFrame({"a": np.random.default_rng(0).normal(size=50)}), problem="embedding")


def test_components_as_a_model_give_what_scikit_learn_gives() -> None:
    dataset = Dataset.open(curved(80), "side", problem="embedding")
    made = design(dataset.problem, "autoencoder", dataset.schema, {"latent_dim": 3, "hidden": [4]})
    from nervura import training

    x = dataset.arrays("train")[0]
    made.network.prepare(made.model, x)
    given = made.problem.layout.given(training.predict(made.model, x))
    components = Components.of(given, 3)
    assert np.allclose(training.predict(components.model(made.model), x), components.outputs(given), atol=1e-5)
