"""The command line: exit statuses, what is printed where, and the texts themselves, kept in ``tests/golden``.

Where a text was changed on purpose: NERVURA_UPDATE_GOLDEN=1 pytest tests/test_cli.py
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from nervura import __version__
from nervura.cli import main

pytestmark = pytest.mark.usefixtures("quick_judgement")

GOLDEN = Path(__file__).parent / "golden"
COMMANDS = [
    "train",
    "check",
    "predict",
    "similar",
    "evaluate",
    "explain",
    "report",
    "export",
    "pack",
    "serve",
    "compare",
    "zoo",
    "resume",
]


@pytest.fixture(autouse=True)
def page(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Texts are wrapped for a page of one width, and nothing is written beside the package."""
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def nervura(capsys: pytest.CaptureFixture[str]) -> Any:
    """Runs a command line; gives its exit status, standard output and standard error."""

    def run(*words: object) -> tuple[int, str, str]:
        try:
            status = main([str(word) for word in words])
        except SystemExit as stop:  # argparse ends so after --help
            status = int(stop.code or 0)
        shown = capsys.readouterr()
        return status, shown.out, shown.err

    return run


def golden(name: str, text: str) -> None:
    """``text`` is what the golden file says."""
    file = GOLDEN / f"{name}.txt"
    if os.environ.get("NERVURA_UPDATE_GOLDEN"):
        GOLDEN.mkdir(exist_ok=True)
        file.write_text(text, encoding="utf-8")
    assert text == file.read_text(encoding="utf-8")


# --- Texts ---


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help(nervura: Any, command: str) -> None:
    status, out, err = nervura(*command.split(), "--help")
    assert (status, err) == (0, "")
    golden(f"help_{command or 'nervura'}", out)


def test_every_command_has_its_help_tested(nervura: Any) -> None:
    listed = nervura("--help")[1].partition("COMMAND\n")[2]
    assert [line.split()[0] for line in listed.splitlines() if line.startswith("    ") and line[4] != " "] == COMMANDS


@pytest.mark.parametrize("words", ["zoo", "zoo perceptron", "zoo feed_forward"])
def test_the_zoo(nervura: Any, words: str) -> None:
    status, out, err = nervura(*words.split())
    assert (status, err) == (0, "")
    golden(words.replace(" ", "_"), out)


MISTAKES = """
nervura
nervura trian leaves.csv
nervura zoo --jsn
nervura zoo feed_forward perceptron
nervura zoo feed_foward
nervura train
nervura train leaves.csv --taget healthy
nervura train leaves.csv --target healthy --minutes soon
nervura train leaves.csv --target healthy --minutes 0
nervura train leaves.csv --target healthy --seed -1
nervura train leaves.csv --target healthy --lang ptt
nervura train leaves.csv --target healthy --set epochs
nervura train leaves.csv --target healthy --set epoch=3 --set dropout=2 --network feed_forward
nervura train leaves.csv --target healthy --set epochs=many --network feed_forward
nervura train leaves.csv --target healthy --set optimizer=adm --network feed_forward
nervura train leaves.csv --target healthy --network feedforward
nervura train leaves.csv --target healthy --problem binry
nervura train leaves.csv --target healty
nervura train leaves.csv --problem binary
nervura train leaves.csv --problem embedding --network tabm
nervura train leaves.csv --problem embedding --trials 3
nervura train leaves.csv --target healthy --network autoencoder
nervura train leaves.csv --problem embedding --metric log_loss
nervura train leaves.csv --problem embedding --drop length --drop colour
nervura train leaves.csv --target healthy --drop lenght
nervura train leaves.csv --target healthy --column lenght=number
nervura train leaves.csv --target healthy --column length=numbr
nervura train leaves.csv --target healthy --column length
nervura train leaves.csv --target healthy --group plnt
nervura train leaves.csv --target healthy --time colour
nervura train leaves.csv --target healthy --group colour --drop colour
nervura train leafs.csv --target healthy
nervura train nowhere/leaves.csv --target healthy
nervura train toy:irs
nervura check leaves.csv --target healty
nervura check leaves.csv
nervura check leaves.csv --target healthy --problem embedding
nervura predict no_run leaves.csv
nervura report . --lang en
nervura compare no_run
""".strip().splitlines()


def test_mistakes_are_told_in_one_line_with_what_to_write(nervura: Any, table: Path) -> None:
    shutil.copy(table, "leaves.csv")
    shown = []
    for line in MISTAKES:
        status, out, err = nervura(*line.split()[1:])
        assert status == 2 and out == "", line
        assert sum(text.startswith("nervura: ") for text in err.splitlines()) == 1, line
        told = err[err.index("nervura: ") :]
        assert told.count("\n") == 1, line
        shown.append(f"$ {line}\n{told.replace(str(Path.cwd()), '/here')}")
    golden("mistakes", "\n".join(shown))
    assert [path.name for path in Path.cwd().iterdir()] == ["leaves.csv"]


def test_the_version(nervura: Any) -> None:
    assert nervura("--version") == (0, f"nervura {__version__}\n", "")


def test_mistakes_are_json_too_where_it_is_asked_for(nervura: Any, tmp_path: Path) -> None:
    for words in (["zoo", "feed_foward", "--json"], ["train", "--json"], ["explain", tmp_path, "--json"]):
        status, out, err = nervura(*words)
        told = json.loads(out)
        assert status == 2 and list(told) == ["error"] and told["error"] in err


def test_a_process_ends_with_the_status() -> None:
    done = subprocess.run([sys.executable, "-m", "nervura", "zo"], capture_output=True, text=True)
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr.startswith("nervura: There is no command 'zo'. Did you mean 'zoo'?")


# --- Work ---


OPTIONS = ["--network", "feed_forward", "--set", "hidden=8", "--set", "epochs=3"]


@pytest.fixture(scope="module")
def cut(table: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The table with two columns alone, so that training, comparing and explaining are quickest."""
    path = tmp_path_factory.mktemp("cut") / "two columns.csv"
    pl.read_csv(table).select("length", "healthy").write_csv(path)
    return path


def test_train_prints_scores_and_verdict_and_last_the_runs_path(nervura: Any, cut: Path) -> None:
    status, out, err = nervura("train", cut, "--target", "healthy", *OPTIONS, "--out", "run")
    assert status == 0
    run = Path(out.splitlines()[-1])
    assert run == Path("run").resolve() and (run / "report.html").exists()
    assert f"Report: {run / 'report.html'}" in out
    assert "Problem: binary, because the target has two values: no and yes" in out
    assert "Rows: 96 train, 24 validation, 30 test" in out
    assert "log_loss" in out and "Network: feed_forward" in out
    assert err.splitlines()[:2] == ["reading", "training feed_forward"] and "epoch 1/3" in err
    verdict = json.loads((run / "evaluation.json").read_text(encoding="utf-8"))["verdict"]["text"]
    assert verdict in out
    shown = nervura("resume", run)
    assert shown[0] == 0 and shown[1] == out, "a run that is done is shown again"


def test_train_with_json_prints_one_object_and_no_progress(nervura: Any, cut: Path) -> None:
    words = ["train", cut, "--target", "healthy", *OPTIONS, "--minutes", "0.1", "--out", "run", "--json"]
    status, out, err = nervura(*words)
    told = one_object(out)
    assert (status, err) == (0, "")
    assert told["run"] == str(Path("run").resolve()) and Path(told["report"]).exists()
    assert told["problem"]["name"] == "binary" and set(told["verdict"]) >= {"text", "choice"}


def test_an_interrupt_ends_with_130_and_the_way_on(nervura: Any, cut: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(self: Any, progress: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("nervura.progress.Display.epoch", stop)
    status, out, err = nervura("train", cut, "--target", "healthy", *OPTIONS, "--out", "a run")
    assert status == 130 and out == ""
    path = Path("a run").resolve()
    assert err.splitlines()[-1] == f"nervura: Stopped. Go on with it by: nervura resume '{path}'"
    assert (path / "checkpoint" / "training.npz").exists()


def one_object(out: str) -> dict[str, Any]:
    assert out.count("\n") == 1
    found = json.loads(out)
    assert isinstance(found, dict)
    return found


def test_predict_keeps_the_order_of_the_rows_and_the_columns_asked_for(
    nervura: Any, trained: Path, table: Path, tmp_path: Path
) -> None:
    status, out, err = nervura("predict", trained, table, "--keep", "plant", "--keep", "healthy")
    assert (status, err) == (0, "")
    shown = pl.read_csv(out.encode())
    given = pl.read_csv(table)
    assert shown.columns[:3] == ["plant", "healthy", "prediction"]
    assert shown["plant"].to_list() == given["plant"].to_list()
    assert {"probability_no", "probability_yes"} <= set(shown.columns)
    given.reverse().write_csv("reversed.csv")
    status, out, err = nervura("predict", trained, "reversed.csv", "--keep", "plant", "--out", "answers.csv")
    assert (status, err) == (0, "") and out == "150 rows\nanswers.csv\n"
    answers = pl.read_csv("answers.csv").reverse()
    assert answers["plant"].to_list() == shown["plant"].to_list()
    assert answers["prediction"].to_list() == shown["prediction"].to_list()
    assert (answers["probability_yes"] - shown["probability_yes"]).abs().max() < 1e-6  # type: ignore[operator]


def test_predict_as_json(nervura: Any, trained: Path, table: Path) -> None:
    told = one_object(nervura("predict", trained, table, "--json")[1])
    assert len(told["predictions"]) == 150 and told["predictions"][0]["prediction"] in ("yes", "no")
    assert one_object(nervura("predict", trained, table, "--json", "--out", "a.parquet")[1]) == {
        "rows": 150,
        "out": "a.parquet",
    }
    assert pl.read_parquet("a.parquet").height == 150


@pytest.mark.filterwarnings("default")
def test_warnings_go_to_standard_error_in_words(nervura: Any, trained: Path, table: Path) -> None:
    pl.read_csv(table).with_columns(colour=pl.lit("violet")).write_csv("new.csv")
    status, out, err = nervura("predict", trained, "new.csv")
    assert status == 0 and "violet" not in out
    assert err.startswith("Warning: Column 'colour': 150 of 150 rows have a level that was not in training")
    assert err.count("\n") == 1


def test_evaluate_shows_the_scores_or_judges_on_other_rows(nervura: Any, trained: Path, table: Path) -> None:
    status, out, err = nervura("evaluate", trained)
    assert (status, err) == (0, "") and "trained (done)" in out and "feed_forward" in out
    status, out, err = nervura("evaluate", trained, table)
    assert (status, err) == (0, "") and out.startswith("150 rows\n") and "log_loss" in out
    told = one_object(nervura("evaluate", trained, "--json")[1])
    assert told["rows"] == {"train": 96, "validation": 24, "test": 30}
    told = one_object(nervura("evaluate", trained, table, "--json")[1])
    assert told["rows"] == {"given": 150} and 0 < told["test"]["log_loss"]["value"] < 2


def test_other_models_of_a_run_predict_and_are_judged(nervura: Any, trained: Path, table: Path) -> None:
    own = nervura("predict", trained, table)[1]
    status, out, err = nervura("predict", trained, table, "--use", "boosting")
    assert (status, err) == (0, "") and out != own and pl.read_csv(out.encode()).height == 150
    assert nervura("predict", trained, table, "--use", "best")[0] == 0
    status, out, err = nervura("evaluate", trained, "--use", "boosting")
    assert (status, err) == (0, "") and out.startswith("30 rows, answered by boosting\n") and "log_loss" in out
    status, out, err = nervura("evaluate", trained, table, "--use", "simplest", "--json")
    told = one_object(out)
    assert status == 0 and told["rows"] == {"given": 150}
    verdict = json.loads((trained / "evaluation.json").read_text(encoding="utf-8"))["verdict"]
    assert told["model"] == verdict["simplest"]
    status, out, err = nervura("evaluate", trained, "--use", "bosting")
    assert (status, out) == (2, "")
    assert err == f"nervura: The run '{trained}' has no model called 'bosting'. Did you mean 'boosting'?\n"


def test_explain(nervura: Any, trained: Path) -> None:
    status, out, err = nervura("explain", trained)
    assert (status, err) == (0, "") and "log_loss" in out and "length" in out and "colour" in out
    told = one_object(nervura("explain", trained, "--json")[1])
    assert {row["column"] for row in told["importance"]} == {"length", "colour"}


def test_report_in_both_languages(nervura: Any, trained: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(trained, tmp_path / "copy")
    for language in ("en", "pt"):
        status, out, err = nervura("report", copy, "--lang", language)
        assert (status, out, err) == (0, f"{copy / 'report.html'}\n", "")
        assert f'lang="{language}' in (copy / "report.html").read_text(encoding="utf-8")
    assert one_object(nervura("report", copy, "--json")[1]) == {"report": str(copy / "report.html")}


def test_export(nervura: Any, trained: Path, tmp_path: Path) -> None:
    status, out, err = nervura("export", trained, "--to", "keras", "--out", "leaves.keras")
    assert (status, err) == (0, "") and Path(out.strip()).name == "leaves.keras" and Path("leaves.keras").exists()
    told = one_object(nervura("export", trained, "--to", "keras", "--out", "again.keras", "--json")[1])
    assert Path(told["export"]).exists()
    status, _, err = nervura("export", trained, "--to", "kears")
    assert status == 2 and "Did you mean 'keras'?" in err
    status, _, err = nervura("export", trained, "--use", "linear")
    assert status == 2 and err.count("\n") == 1 and "Write --to onnx" in err


def test_export_of_another_model_as_onnx(nervura: Any, trained: Path) -> None:
    pytest.importorskip("tf2onnx")
    onnxruntime = pytest.importorskip("onnxruntime")
    for use in ("linear", "network"):
        status, out, err = nervura("export", trained, "--to", "onnx", "--use", use, "--out", f"{use}.onnx")
        assert (status, err) == (0, "") and Path(out.strip()).name == f"{use}.onnx"
        names = [one.name for one in onnxruntime.InferenceSession(f"{use}.onnx").get_inputs()]
        assert names == ["length", "colour"]


def test_compare(nervura: Any, trained: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(trained, tmp_path / "copy")
    status, out, err = nervura("compare", trained, copy)
    assert (status, err) == (0, "")
    assert [line.split()[0] for line in out.splitlines()] == ["run", out.splitlines()[1].split()[0], "trained", "copy"]
    rows = one_object(nervura("compare", trained, copy, "--json")[1])["runs"]
    assert [row["run"] for row in rows] == ["trained", "copy"]


def test_check(nervura: Any, cut: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nervura.designing.DEFAULT_NETWORK", "feed_forward")  # measures its speed sooner
    status, out, err = nervura("check", cut, "--target", "healthy", "--json")
    assert (status, err) == (0, "")
    told = one_object(out)
    assert told["state"] in ("ok", "warning", "fail") and not list(Path.cwd().iterdir())


def test_the_zoo_as_json(nervura: Any) -> None:
    names = [row["network"] for row in one_object(nervura("zoo", "--json")[1])["networks"]]
    for name in names:
        told = one_object(nervura("zoo", name, "--json")[1])
        assert told["network"] == name and told["options"] and told["page"]
