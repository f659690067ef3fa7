"""A notebook runs from top to bottom without nervura, and answers like the run."""

import json
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

import nervura
from nervura.errors import OptionError
from nervura.exporting import export

nbformat = pytest.importorskip("nbformat")
nbclient = pytest.importorskip("nbclient")


@pytest.fixture(scope="module")
def book(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return export(nervura.load(trained), "notebook", tmp_path_factory.mktemp("notebook") / "story", lang="pt")


def test_it_tells_the_story_in_its_order_and_language(book: Path) -> None:
    cells = nbformat.read(book / "notebook.ipynb", as_version=4).cells
    heads = [cell.source.partition("\n")[0] for cell in cells if cell.source.startswith("## ")]
    assert [head[3:] for head in heads] == [
        *("Os dados", "O problema", "A rede", "O treino", "A avaliação", "Respostas para linhas novas")
    ]
    assert [cell.id for cell in cells] == [f"cell-{place}" for place in range(len(cells))]
    assert {path.name for path in book.iterdir()} == {
        *("notebook.ipynb", "model.weights.h5", "split.csv", "history.csv", "requirements.txt")
    }
    code = "\n".join(cell.source for cell in cells if cell.cell_type == "code")
    assert "nervura" not in code and "Linhas" in code and "def build_model" in code


def test_its_code_has_no_name_that_is_not_there(book: Path) -> None:
    words = [sys.executable, "-m", "ruff", "check", "--isolated", "--select", "E9,F", "notebook.ipynb"]
    found = subprocess.run(words, cwd=book, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_it_runs_in_a_fresh_kernel_and_answers_like_the_run(book: Path, trained: Path, table: Path) -> None:
    told = nbformat.read(book / "notebook.ipynb", as_version=4)
    told.cells.append(nbformat.v4.new_code_cell('answers.write_parquet("answers.parquet")'))
    nbclient.NotebookClient(told, timeout=300, resources={"metadata": {"path": str(book)}}).execute()
    found, expected = pl.read_parquet(book / "answers.parquet"), nervura.load(trained).predict(table)
    assert found["prediction"].equals(expected["prediction"])
    assert (found["probability_yes"] - expected["probability_yes"]).abs().max() < 1e-5
    pictures = [output for cell in told.cells for output in cell.get("outputs", ()) if "data" in output]
    assert sum("image/png" in output["data"] for output in pictures) == 4
    printed = json.dumps([cell.get("outputs") for cell in told.cells])
    value = nervura.load(trained).evaluation["test"]["log_loss"]["value"]
    assert f"test log_loss: {value:.4g}" in printed


def test_there_is_no_other_language(trained: Path) -> None:
    with pytest.raises(OptionError, match="'en' and 'pt'"):
        export(nervura.load(trained), "notebook", lang="fr")
