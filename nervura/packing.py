"""Packs a run: one file with all that answers need, a manifest of hashes and a model card. ``packed.py`` reads it."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import tempfile
import zipfile
from pathlib import Path
from typing import Any

from nervura import __version__
from nervura.errors import RunError
from nervura.exporters.base import load_problem
from nervura.messages import language_index
from nervura.packed import CARD, ENDINGS, FORMAT, MANIFEST, unpack
from nervura.problems.base import Targetless
from nervura.rendering import render_markdown
from nervura.run import Run, kept_in
from nervura.summarising import summarise

ENDING = ".nervura"

FILES = (
    "run.json",
    "schema.json",
    "split.json",
    "split.npz",
    "problem.json",
    "problem.npz",
    "design.json",
    "evaluation.json",
    "explanation.json",
    "histograms.json",
    "history.csv",
    "model.keras",
)
"""What is packed of a run beside the models that its network was judged with."""

CARD_HEAD = {
    "en": """# Model card: {name}

Packed by nervura {version}. The file answers new rows, in the order in which they come:

    nervura predict {file} NEW.csv --out ANSWERS.csv

{rows}{left_out} It answers rows like those that it was trained on: the same columns, gathered in the same way. Whether it \
treats groups of people alike was not looked at.
""",
    "pt": """# Ficha do modelo: {name}

Empacotado pelo nervura {version}. O ficheiro responde a linhas novas, pela ordem em que vêm:

    nervura predict {file} NOVAS.csv --out RESPOSTAS.csv

{rows}{left_out} Responde a linhas como aquelas com que foi treinado: as mesmas colunas, recolhidas da mesma maneira. Não se \
verificou se trata por igual grupos de pessoas.
""",
}
ROWS = {
    "en": (
        "No rows of the data are in it; names of columns and of their levels are.",
        "Encoded rows that it learnt from are in it (problem.npz), since it cannot answer without them: whoever may not pass "
        "rows on may not pass this file on.",
    ),
    "pt": (
        "Não contém linhas dos dados; contém nomes de colunas e dos seus níveis.",
        "Contém linhas codificadas com que aprendeu (problem.npz), pois sem elas não pode responder: quem não pode dar as "
        "linhas não pode dar este ficheiro.",
    ),
}
LEFT_OUT = {
    "en": " Left out are models that only libraries of their own can read: {names}.",
    "pt": " Ficaram de fora modelos que só bibliotecas próprias sabem ler: {names}.",
}


def pack(run: Run, out: str | Path | None = None, lang: str = "en") -> Path:
    """Writes a run as one file and gives its path: by default ``<run>.nervura`` beside the run.

    Pictures, example values and other parts of rows are left out, save where the problem cannot answer without rows.

    Args:
        out: a file that does not exist yet.
        lang: of the model card.

    Raises:
        RunError: the run is not whole, or the file cannot be written.
    """
    language_index(lang)
    if run.packed is not None:
        raise RunError(f"'{run.packed}' is packed already. Copy it.")
    if not (run.path / "model.keras").exists():
        raise RunError(f"A trained network is needed; the run '{run.path}' has none. Write: nervura resume {run.path}")
    target = run.path.with_name(run.path.name + ENDING) if out is None else Path(out).expanduser().absolute()
    if target.exists():
        raise RunError(f"A run is packed into a new file; '{target}' exists. Write --out with another name.")
    try:
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".pack-") as temporary:
            folder, made = Path(temporary) / run.path.name, Path(temporary) / target.name
            told = _gather(run, folder)
            (folder / CARD).write_text(_card(Run(folder), told, target.name, lang), encoding="utf-8")
            _write(folder, told, made)
            # What cannot be read again is not handed over.
            again = Path(temporary) / "again"
            again.mkdir()
            unpack(made, again)
            os.replace(made, target)
    except OSError as error:
        raise RunError(f"'{target}' cannot be written ({error.strerror or error}). Write --out elsewhere.") from error
    return target


def _gather(run: Run, folder: Path) -> dict[str, Any]:
    """Copies what is packed of a run into a folder, and gives what the manifest tells of it."""
    kept = Run.create(folder)
    for name in FILES:
        if (run.path / name).exists():
            shutil.copyfile(run.path / name, folder / name)
    schema = run.need("schema")
    kept.write("schema", {**schema, "columns": [{**column, "examples": []} for column in schema["columns"]]})
    explanation = run.read("explanation")
    if explanation is not None:
        kept.write("explanation", _without_rows(explanation))
    for file in sorted((run.path / "exports").glob("[!.]*.onnx")):
        (folder / "exports").mkdir(exist_ok=True)
        shutil.copyfile(file, folder / "exports" / file.name)
    left_out = []
    for models in sorted(run.path.glob(kept_in("[!.]*"))):
        files = [file for file in sorted(models.rglob("*")) if file.is_file()]
        if any(file.suffix not in ENDINGS for file in files):
            left_out.append(models.name)
            continue
        for file in files:
            place = folder / file.relative_to(run.path)
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, place)
    problem = load_problem(run)
    return {
        "format": FORMAT,
        "nervura": __version__,
        "name": (run.read("run") or {}).get("name", run.path.name),
        "problem": problem.name,
        "network": run.need("design")["network"],
        "holds_rows": isinstance(problem, Targetless) and problem.keeps_rows,
        "left_out": left_out,
    }


def _without_rows(explanation: dict[str, Any]) -> dict[str, Any]:
    """An explanation without what shows rows of the data: pictures, and the texts below them."""
    kept = {name: part for name, part in explanation.items() if name != "inside"}
    if "findings" in kept:
        nothing: dict[str, Any] = {"picture": None, "pictures": None, "captions": []}
        kept["findings"] = [{**one, **nothing} for one in kept["findings"] if one["rows"]]
    return kept


def _card(run: Run, told: dict[str, Any], file: str, lang: str) -> str:
    """The model card: what the file is for, and all that the report tells in words."""
    left_out = LEFT_OUT[lang].format(names=", ".join(told["left_out"])) if told["left_out"] else ""
    rows = ROWS[lang][told["holds_rows"]]
    head = CARD_HEAD[lang].format(name=told["name"], version=__version__, file=file, rows=rows, left_out=left_out)
    report = render_markdown(summarise(run), lang)
    return head + "\n" + re.sub(r"\A# .*\n+", "", report)


def _write(folder: Path, told: dict[str, Any], made: Path) -> None:
    """The files of a folder as a zip file, uncompressed, with the manifest first; the same files give the same bytes."""
    files = {
        str(file.relative_to(folder).as_posix()): file.read_bytes()
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }
    told = {
        **told,
        "files": {
            name: {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
            for name, content in files.items()
        },
    }
    manifest = json.dumps(told, indent=1, ensure_ascii=False) + "\n"
    with zipfile.ZipFile(made, "w", zipfile.ZIP_STORED) as archive:
        for name, content in {MANIFEST: manifest.encode(), **files}.items():
            info = zipfile.ZipInfo(name)
            info.external_attr = 0o100644 << 16
            archive.writestr(info, content)
