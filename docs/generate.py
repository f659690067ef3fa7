"""Writes what the documentation takes from the package: the tree of the README, a page per network, the command line.

``python docs/generate.py`` writes; with ``--check`` it writes nothing and fails when a file is out of date.
"""

from __future__ import annotations

import argparse
import ast
import inspect
import os
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent


def tree(shown: str) -> str:
    """The tree of the package's files. Order and comments stay as ``shown`` has them; what is gone goes, and a new file
    comes last in its folder, with the first line of its docstring as its comment."""
    kept: dict[str, str] = {}
    parents: list[str] = []
    for line in shown.splitlines():
        depth = (len(line) - len(line.lstrip())) // 2
        name, _, comment = line.strip().partition(" ")
        parents = [*parents[:depth], name]
        kept["".join(parents)] = comment.strip()
    here = {f"{path}/" if path.is_dir() else str(path): path for path in python_files(ROOT / "nervura")}
    names = {str(Path(name).relative_to(ROOT)) + "/" * name.endswith("/"): path for name, path in here.items()}
    places = {name: place for place, name in enumerate(kept)}

    def order(name: str) -> list[tuple[bool, int, str]]:
        parts = Path(name).parts
        steps = ["/".join(parts[: i + 1]) for i in range(len(parts))]
        folders = [step + "/" * (step + "/" in names) for step in steps]
        return [(folder.endswith("/"), places.get(folder, len(places)), folder) for folder in folders]

    lines = []
    for name in sorted(names, key=order):
        path = names[name]
        shape = "  " * (len(Path(name).parts) - 1) + path.name + "/" * path.is_dir()
        lines.append(f"{shape:<25} {kept.get(name) or first_line(path)}".rstrip())
    return "\n".join(lines)


def python_files(folder: Path) -> list[Path]:
    """The modules below a folder, and the folders that hold some."""
    found = [path for path in folder.rglob("*.py") if path.name != "__init__.py"]
    return [*found, *{path.parent for path in found}]


def first_line(path: Path) -> str:
    file = path / "__init__.py" if path.is_dir() else path
    text = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""
    return text.split("\n")[0].replace("``", "").rstrip(".")


def readme() -> str:
    """The README with the tree put between its marks."""
    before, rest = (ROOT / "README.md").read_text(encoding="utf-8").split("<!-- tree -->\n")
    shown, after = rest.split("<!-- end of tree -->")
    shown = shown.replace("```text\n", "").replace("```\n", "")
    return f"{before}<!-- tree -->\n```text\n{tree(shown)}\n```\n<!-- end of tree -->{after}"


def command_line() -> str:
    """The ``--help`` of every command."""
    os.environ["COLUMNS"] = "88"
    from nervura.cli import _parser

    parser = _parser()
    subparsers = next(a for a in parser._actions if isinstance(a, argparse._SubParsersAction))
    pages = [
        "# The command line",
        "This page is what `nervura --help` and `nervura COMMAND --help` print.",
        "Every command exits with 0, with 2 for input that you can mend, or with 130 after Ctrl-C; `train --only-if-better` also "
        "with 3.",
        f"```text\n{parser.format_help().strip()}\n```",
    ]
    for name, command in subparsers.choices.items():
        pages += [f"## nervura {name}", f"```text\n{command.format_help().strip()}\n```"]
    return "\n\n".join(pages) + "\n"


def zoo_pages() -> dict[str, str]:
    """One page per network, from its docstring and options."""
    from nervura.zoo import zoo
    from nervura.zoo.base import describe_options

    pages = {}
    for network in zoo:
        text = inspect.cleandoc(network.__doc__ or "").replace("``", "`")
        # The facts of a docstring (Shapes, Cost, Paper ...) become a list.
        facts = tuple(f"{word}: " for word in ("Shapes", "Shapes and cost", "Cost", "Paper", "Papers", "Source"))
        lines = [f"- {line}" if line.startswith((*facts, "Choose it")) else line for line in text.split("\n")]
        first = next((i for i, line in enumerate(lines) if line.startswith("- ")), len(lines))
        lines = lines[: first + 1] + [
            line if line.startswith("- ") or not line else f"  {line}" for line in lines[first + 1 :]
        ]
        problem = " --problem embedding" if network.rebuilds else ""
        source = "photos" if network.takes == {"pictures"} else "toy:iris"
        parts = [
            f"# {network.name}",
            f"*{network.summary[0].upper()}{network.summary[1:]}.*",
            "\n".join(lines),
            f"It takes {', '.join(sorted(network.takes))} and answers {', '.join(sorted(network.suits))}.",
            f"```sh\nnervura train {source}{problem} --network {network.name}\n```",
            "## Options",
            "Set with `--set OPTION=VALUE`, or in Python with `options={...}`.",
        ]
        rows = ["| option | default | allowed | meaning |", "|---|---|---|---|"]
        for row in describe_options(network.Options):
            default = row["default"] if row["default"] != "" else "(empty)"
            rows.append(f"| `{row['option']}` | {default} | {row['allowed']} | {row['meaning']} |")
        pages[network.name] = "\n\n".join([*parts, "\n".join(rows)]) + "\n"
    return pages


def files() -> dict[Path, str]:
    """Every file that is generated, whole or in part, with what it ought to hold."""
    made = {ROOT / "README.md": readme(), HERE / "command_line.md": command_line()}
    return made | {HERE / "zoo" / f"{name}.md": page for name, page in zoo_pages().items()}


def main(arguments: list[str]) -> int:
    stale = []
    wanted = files()
    for old in set((HERE / "zoo").glob("*.md")) - set(wanted):
        stale.append(old)
        if "--check" not in arguments:
            old.unlink()
    for path, text in wanted.items():
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        stale.append(path)
        if "--check" not in arguments:
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
    for path in stale:
        print(path.relative_to(ROOT))
    if stale and "--check" in arguments:
        print("These are out of date. Write: python dev.py docs")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
