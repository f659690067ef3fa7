"""Shows a training as it goes: one live line on a terminal, plain lines in a log."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Self, TextIO

if TYPE_CHECKING:
    from nervura.keeping import Progress

LOG_SECONDS = 5.0
"""At most one line per this many seconds in a log."""


class Display:
    """Tells steps and epochs to people; use it as a context.

    Args:
        stream: where to; a terminal gets one line that is drawn anew, anything else gets lines.
        quiet: tells nothing.
    """

    def __init__(self, stream: TextIO, quiet: bool = False):
        self.stream, self.quiet = stream, quiet
        self.live = not quiet and stream.isatty()
        self.last = 0.0
        self.status: Any = None

    def __enter__(self) -> Self:
        if self.live:
            from rich.console import Console

            self.status = Console(file=self.stream).status("starting")
            self.status.start()
        return self

    def __exit__(self, *error: object) -> None:
        if self.status is not None:
            self.status.stop()

    def step(self, text: str) -> None:
        """A step of the flow has begun."""
        if self.status is not None:
            self.status.update(text)
        elif not self.quiet:
            print(text, file=self.stream, flush=True)

    def epoch(self, progress: Progress) -> None:
        """An epoch has ended."""
        line = (
            f"{progress.phase + ', ' if progress.phase else ''}epoch {progress.epoch}/{progress.epochs}  loss {progress.loss:.4f}  "
            f"validation {progress.validation_loss:.4f} (best {progress.best:.4f})  "
            f"{progress.seconds:.0f} s, at most {progress.seconds_left:.0f} s left"
        )
        if self.status is not None:
            self.status.update(line)
        elif not self.quiet and (time.monotonic() - self.last > LOG_SECONDS or progress.epoch == 1):
            self.last = time.monotonic()
            print(line, file=self.stream, flush=True)
