"""Tells trackers of a run: before its training, during it and at its end."""

from __future__ import annotations

import tempfile
import warnings
import zipfile
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from nervura.errors import MissingDependency, NervuraError
from nervura.packed import CARD
from nervura.packing import ENDING, pack
from nervura.run import Run
from nervura.trackers import trackers
from nervura.trackers.base import Tracker

REPORTS = ("report.html", "report.md", "report.json")


def chosen(names: Sequence[str]) -> list[Tracker]:
    """The trackers of these names.

    Raises:
        OptionError: there is none of a name.
        MissingDependency: one needs a package that is not installed.
    """
    found = [trackers.load(name) for name in dict.fromkeys(names)]
    for tracker in found:
        for package, extra in tracker.requires:
            if find_spec(package) is None:
                raise MissingDependency(f"The tracker '{tracker.name}'", package, extra)
    return found


def finish(found: Sequence[Tracker], run: Run, lang: str) -> None:
    """Hands report, model card and packed run to each tracker. The run is whole: what a tracker refuses is warned of."""
    if not found:
        return
    with tempfile.TemporaryDirectory() as folder:
        packed = pack(run, Path(folder) / f"{run.path.name}{ENDING}", lang)
        card = Path(folder) / CARD
        with zipfile.ZipFile(packed) as archive:
            card.write_bytes(archive.read(CARD))
        files = [*(file for name in REPORTS if (file := run.path / name).exists()), card, packed]
        for tracker in found:
            try:
                tracker.finish(run, files)
            except NervuraError as error:
                warnings.warn(f"The run is whole, but: {error}", UserWarning, stacklevel=2)


def stop(found: Sequence[Tracker], run: Run) -> None:
    """Tells each tracker that the training was stopped; what one refuses is warned of."""
    for tracker in found:
        try:
            tracker.stop(run)
        except NervuraError as error:
            warnings.warn(str(error), UserWarning, stacklevel=2)
