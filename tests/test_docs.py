"""The documentation says what is so: its code runs, its links resolve, its generated parts are current."""

import importlib.util
import os
import re
import runpy
import shlex
import shutil
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import nervura
from nervura import evaluation, searching, training
from nervura.baselines import base
from nervura.cli import main
from nervura.contracts import documents_example

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(DOCS.glob("*.md"))]
WRITTEN = [*PAGES, *sorted((DOCS / "zoo").glob("*.md")), ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md"]
FENCE = re.compile(r"(?:<!-- ([^\n]*) -->\n)?^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))


def blocks(page):
    """(mark, language, text) of every code block of a page; a mark is the comment on the line before."""
    return FENCE.findall(page.read_text(encoding="utf-8"))


def runnable(page):
    return [block for block in blocks(page) if block[1] in ("python", "sh")]


def write_tables(folder):
    draw = np.random.default_rng(0)
    colours = draw.choice(["red", "green", "blue"], 160)
    rows = pl.DataFrame({"size": draw.normal(5, 2, 160).round(2), "weight": draw.normal(70, 9, 160), "colour": colours})
    odds = (rows["size"] - 5) / 2 + (rows["colour"] == "red").cast(pl.Float64)
    rows = rows.with_columns(y=pl.Series(np.where(odds.to_numpy() + draw.normal(0, 0.7, 160) > 0.3, "yes", "no")))
    rows.write_csv(folder / "table.csv")
    rows.head(80).with_columns(size=pl.col("size") + 0.001).write_csv(folder / "newer.csv")
    rows.head(20).drop("y").write_csv(folder / "new.csv")
    seldom = pl.when(pl.int_range(pl.len()) < 100).then(pl.col("y"))
    rows.with_columns(y=seldom).write_csv(folder / "partly.csv")


def write_pictures(folder):
    image = pytest.importorskip("PIL.Image")
    draw = np.random.default_rng(0)
    for kind, bright in (("day", 150), ("night", 0)):
        (folder / "photos" / kind).mkdir(parents=True)
        for number in range(30):
            pixels = draw.integers(bright, bright + 100, (12, 12, 3), np.uint8)
            image.fromarray(pixels).save(folder / "photos" / kind / f"{number}.png")

    (folder / "captioned").mkdir()
    lines = ["image,caption"]
    for number in range(30):
        pixels = draw.integers(150 * (number % 2), 150 * (number % 2) + 100, (12, 12, 3), np.uint8)
        image.fromarray(pixels).save(folder / "captioned" / f"{number}.png")
        lines += [f"{number}.png,{text} {('night', 'day')[number % 2]}" for text in ("it is", "a picture by")]
    (folder / "captioned" / "captions.txt").write_text("\n".join(lines), encoding="utf-8")


def write_documents(folder):
    for number, (text, subject) in enumerate(documents_example(80).iter_rows()):
        for name in ("letters", "new_letters") if number < 5 else ("letters",):
            (folder / name / subject).mkdir(parents=True, exist_ok=True)
            (folder / name / subject / f"{number}.txt").write_text(text)


@pytest.fixture(scope="module", autouse=True)
def quick():
    """Two epochs, one seed, few rivals and trees: what is tested is that the code runs, not what it finds."""
    fit = training.fit

    def short(design, *data, **how):
        design.options.epochs = min(design.options.epochs, 2)
        return fit(design, *data, **how)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training, "fit", short)
        patch.setattr(evaluation, "SEEDS", 1)
        patch.setattr(evaluation, "LADDERS", {**evaluation.LADDERS, None: evaluation.LADDER[:1]})
        patch.setattr(base, "MOST_TREES", 10)
        patch.setattr(searching, "MOST_TRIALS", 2)
        yield


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    """A folder with the tables and, in ``my_run``, the run that the pages speak of."""
    folder = tmp_path_factory.mktemp("desk")
    write_tables(folder)
    write_pictures(folder)
    write_documents(folder)
    nervura.train(folder / "table.csv", "y", options={"hidden": [8]}, out=folder / "my_run")
    return folder


@pytest.fixture
def here(desk, tmp_path, monkeypatch):
    shutil.copytree(desk, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


def run_shell(line):
    words = shlex.split(line.replace(".venv/bin/", ""), comments=True)
    if words[:1] == ["nervura"]:
        assert main(words[1:]) == 0, line


def add_entry_point(folder, group):
    """What installing a package with this part of a pyproject.toml does."""
    info = folder / "my_networks-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: my-networks\nVersion: 1.0\n")
    name, place = re.search(r"(\w+) = \"(.*)\"", group).groups()
    shelf = re.search(r"entry-points\.\"(.*)\"", group)[1]
    (info / "entry_points.txt").write_text(f"[{shelf}]\n{name} = {place}\n")


@pytest.mark.parametrize("page", [p for p in PAGES if runnable(p)], ids=lambda page: page.stem)
def test_code_runs(page, here, capsys):
    if page.name == "README.md":
        shutil.rmtree("my_run")  # its own commands make it
    names = {"__name__": page.stem}
    for mark, language, text in blocks(page):
        if mark.startswith("file: "):
            Path(mark.removeprefix("file: ")).write_text(text)
        elif mark == "entry point":
            add_entry_point(here, text)
        elif language == "python":
            exec(compile(text, f"{page.name}", "exec"), names)
        elif language == "sh":
            for line in text.splitlines():
                run_shell(line)
    sys.modules.pop("my_networks", None)
    assert "nervura: " not in capsys.readouterr().err


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.stem)
def test_examples_run(example, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    runpy.run_path(str(example), run_name="__main__")
    assert capsys.readouterr().out


def test_generated_parts_are_current(monkeypatch):
    monkeypatch.setattr(os, "environ", dict(os.environ))
    spec = importlib.util.spec_from_file_location("generate", DOCS / "generate.py")
    generate = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(generate)
    wanted = generate.files()
    stale = [path.name for path, text in wanted.items() if path.read_text(encoding="utf-8") != text]
    gone = {path for path in (DOCS / "zoo").glob("*.md")} - set(wanted)
    assert not stale and not gone, "write: python dev.py docs"


def test_the_tree_of_the_readme_is_that_of_the_files():
    shown = (ROOT / "README.md").read_text(encoding="utf-8").split("<!-- tree -->")[1].split("<!-- end of tree -->")[0]
    found, parents = set(), []
    for line in shown.strip().splitlines()[1:-1]:
        depth = (len(line) - len(line.lstrip())) // 2
        name, _, comment = line.strip().partition(" ")
        assert comment.strip(), f"{name} has no comment"
        parents = [*parents[:depth], name.rstrip("/")]
        if name.endswith(".py"):
            found.add("/".join(parents))
    files = {str(path.relative_to(ROOT)) for path in (ROOT / "nervura").rglob("*.py")}
    assert found == {file for file in files if not file.endswith("__init__.py")}


@pytest.mark.parametrize("name", nervura.__all__)
def test_public_names_are_documented(name):
    assert f"nervura.{name}" in (DOCS / "python.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("page", WRITTEN, ids=lambda page: page.stem)
def test_links_resolve(page):
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    for link in re.findall(r"\]\(([^)]+)\)", text):
        if link.startswith("http"):
            continue
        path, _, place = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{page.name}: {link}"
        if place:
            heads = re.findall(r"^#+ (.*)$", target.read_text(encoding="utf-8"), re.MULTILINE)
            assert place in {re.sub(r"[^\w\- ]", "", head).lower().replace(" ", "-") for head in heads}, link


def test_every_page_is_listed():
    listed = re.findall(r"\]\(([\w.]+\.md)\)", (DOCS / "index.md").read_text(encoding="utf-8"))
    assert sorted([*listed, "index.md"]) == sorted(page.name for page in DOCS.glob("*.md"))


def test_pictures_are_small():
    for picture in (DOCS / "images").glob("*.png"):
        assert picture.stat().st_size < 200_000, picture.name
