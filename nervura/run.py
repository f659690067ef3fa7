"""A run: a directory with everything that one training left behind. It knows no step, and nothing in it is executed."""

from __future__ import annotations

import csv
import json
import math
import os
import shutil
import tempfile
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import numpy as np

from nervura.errors import RunError
from nervura.packed import unpack

FORMAT = 1
"""The version of the layout of a run directory, in ``run.json``."""


class Run:
    """A directory of JSON, npz, CSV and .keras files. Every write is whole or not at all.

    Attributes:
        path: the directory, absolute.
        packed: the file that a packed run was read from; it is not written to.
    """

    packed: Path | None = None

    def __init__(self, path: str | Path):
        self.path = Path(path).expanduser().resolve()

    @classmethod
    def create(cls, path: str | Path, **told: Any) -> Self:
        """A new run in an empty or absent directory; ``told`` goes into its run.json.

        Raises:
            RunError: the directory holds something else already, or cannot be written.
        """
        run = cls(path)
        try:
            if run.path.exists() and (not run.path.is_dir() or any(run.path.iterdir())):
                raise RunError(
                    f"A run needs a directory of its own; '{path}' is not empty. Write --out with a new directory."
                )
            run.path.mkdir(parents=True, exist_ok=True)
            run.write("run", {"format": FORMAT, "status": "started", **told})
        except OSError as error:
            raise RunError(
                f"A run is written into a directory; '{path}' cannot be written ({error.strerror}). "
                "Write --out with another directory, or free some space."
            ) from error
        return run

    @classmethod
    def open(cls, path: str | Path, networks: bool = True) -> Self:
        """The run that stands in a directory, or in a packed file, which is checked and unpacked into a temporary directory.

        Args:
            networks: whether the networks of a packed file are unpacked too.

        Raises:
            RunError: there is none, or it is damaged.
        """
        run = cls(path)
        if run.path.is_file():
            run = cls._unpacked(run.path, networks)
        if not run.path.exists():
            raise RunError(f"A run is a directory made by 'nervura train'; '{path}' does not exist.")
        state = run.read("run") if run.path.is_dir() else None
        if state is None:
            raise RunError(f"A run is a directory made by 'nervura train'; '{path}' has no run.json.")
        if state.get("format") != FORMAT:
            raise RunError(
                f"This version reads runs of format {FORMAT}; '{path}' has format {state.get('format')!r}. "
                "Use the version of nervura that made it."
            )
        return run

    @classmethod
    def _unpacked(cls, file: Path, networks: bool) -> Self:
        folder = Path(tempfile.mkdtemp(prefix="nervura-"))
        run = cls(folder / file.stem)
        # The directory goes when nobody has the run any more.
        weakref.finalize(run, shutil.rmtree, folder, ignore_errors=True)
        run.path.mkdir()
        try:
            unpack(file, run.path, networks)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        run.packed = file
        return run

    def read(self, name: str, /) -> dict[str, Any] | None:
        """The JSON file ``<name>.json``, or None when it is absent.

        Raises:
            RunError: it is there and is not JSON.
        """
        file = self.path / f"{name}.json"
        try:
            found = json.loads(
                file.read_text(encoding="utf-8"), object_hook=lambda told: _Told(told, f"{self.path}", file.name)
            )
        except FileNotFoundError:
            return None
        except (ValueError, OSError) as error:
            raise RunError(
                f"The run '{self.path}' is damaged: {file.name} cannot be read ({error}). Train it again."
            ) from error
        if not isinstance(found, dict):
            raise RunError(f"The run '{self.path}' is damaged: {file.name} holds no JSON object. Train it again.")
        return found

    def need(self, name: str) -> dict[str, Any]:
        """Like ``read``, for a file that must be there.

        Raises:
            RunError: it is absent: the run was stopped before that step.
        """
        found = self.read(name)
        if found is None:
            raise RunError(
                f"The run '{self.path}' has no {name}.json: it is damaged, or was stopped before that step. "
                f"Write: nervura resume {self.path}"
            )
        return found

    def write(self, name: str, data: dict[str, Any]) -> None:
        """Writes ``<name>.json``; numbers that JSON lacks (nan, infinities) become null."""
        self.write_text(f"{name}.json", json.dumps(plain(data), indent=1, ensure_ascii=False, allow_nan=False) + "\n")

    def update(self, file: str, /, **values: Any) -> None:
        """Sets some keys of ``<file>.json``."""
        self.write(file, {**(self.read(file) or {}), **values})

    def write_text(self, name: str, text: str) -> None:
        self.write_file(name, lambda temporary: temporary.write_text(text, encoding="utf-8"))

    def write_arrays(self, name: str, arrays: dict[str, np.ndarray]) -> None:
        """Writes ``<name>.npz``."""

        def save(temporary: Path) -> None:
            with temporary.open("wb") as file:
                np.savez(file, allow_pickle=False, **arrays)

        self.write_file(f"{name}.npz", save)

    def read_arrays(self, name: str) -> dict[str, np.ndarray] | None:
        """The arrays of ``<name>.npz``, or None when it is absent.

        Raises:
            RunError: it is there and cannot be read.
        """
        file = self.path / f"{name}.npz"
        if not file.exists():
            return None
        try:
            # NumPy leaves a file that it opened itself open when it turns out to be damaged.
            with file.open("rb") as opened, np.load(opened, allow_pickle=False) as arrays:
                return {key: arrays[key] for key in arrays.files}
        except Exception as error:  # a damaged zip raises one of a dozen kinds
            raise RunError(
                f"The run '{self.path}' is damaged: {name}.npz cannot be read ({error}). "
                f"Delete that file and write: nervura resume {self.path}"
            ) from error

    def write_file(self, name: str, write: Callable[[Path], object]) -> None:
        """Lets ``write`` make a temporary file, which then takes its name in one step.

        Raises:
            RunError: it cannot be written; what stood there before is left as it was.
        """
        target = self._to_write(name)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            handle, temporary_name = tempfile.mkstemp(
                dir=target.parent, prefix=f".{target.stem}-", suffix=target.suffix
            )
            os.close(handle)
            temporary = Path(temporary_name)
            try:
                write(temporary)
                with temporary.open("rb") as file:
                    os.fsync(file.fileno())
                os.replace(temporary, target)
            finally:
                temporary.unlink(missing_ok=True)
        except OSError as error:
            raise RunError(
                f"'{target}' cannot be written ({error.strerror or error}). Free some space or make the folder "
                f"writable, then write: nervura resume {self.path}"
            ) from error

    def write_folder(self, name: str, write: Callable[[Path], object]) -> None:
        """Lets ``write`` fill a temporary folder, which then takes its name in place of what stood there.

        Raises:
            RunError: it cannot be written.
        """
        target = self._to_write(name)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=target.parent, prefix=".") as temporary:
                made = Path(temporary) / target.name
                made.mkdir()
                write(made)
                if target.exists():
                    os.replace(target, Path(temporary) / "before")
                os.replace(made, target)
        except OSError as error:
            raise RunError(
                f"'{target}' cannot be written ({error.strerror or error}). Free some space or make the folder "
                f"writable, then write: nervura resume {self.path}"
            ) from error

    def _to_write(self, name: str) -> Path:
        if self.packed is not None:
            raise RunError(
                f"A packed run is not written to; '{self.packed}' would get '{name}'. Use the run's directory for that."
            )
        return self.path / name

    def history(self) -> dict[str, list[float]]:
        """The columns of history.csv, one value per epoch; empty when there is none."""
        file = self.path / "history.csv"
        if not file.exists():
            return {}
        with file.open(encoding="utf-8", newline="") as lines:
            rows = list(csv.DictReader(lines))
        return {name: [float(row[name] or "nan") for row in rows] for name in (rows[0] if rows else {})}

    def __repr__(self) -> str:
        return f"Run({str(self.path)!r})"


class _Told(dict[str, Any]):
    """A JSON object of a run; a key that it lacks means that the run is damaged, and says so."""

    def __init__(self, told: dict[str, Any], run: str, file: str):
        super().__init__(told)
        self._run, self._file = run, file

    def __missing__(self, key: str) -> Any:
        raise RunError(f"The run '{self._run}' is damaged: {self._file} has no '{key}'. Train it again.")


def kept_in(name: str) -> str:
    """The folder of a run that holds one of the models that its network was judged beside."""
    return f"baselines/{name}"


def next_directory(parent: str | Path, source: str, network: str) -> Path:
    """``parent/<source>-<network>-<number>`` with the first number that is free."""
    stem = in_file_names(f"{source}-{network}")
    number = 1
    while (path := Path(parent) / f"{stem}-{number}").exists():
        number += 1
    return path


def in_file_names(text: str) -> str:
    """A text with underscores for what does not belong into the name of a file."""
    return "".join(letter if letter.isalnum() or letter in "-_." else "_" for letter in text)


def plain(value: Any) -> Any:
    """The same in the types of JSON; numbers that JSON lacks (nan, infinities) become None."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
