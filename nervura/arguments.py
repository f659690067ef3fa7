"""How the command line reads its words: the types of options, and complaints in one message with close names."""

from __future__ import annotations

import argparse
from typing import NoReturn

from nervura.errors import OptionError, did_you_mean

LANGUAGES = ("en", "pt")


class Parser(argparse.ArgumentParser):
    """A parser whose complaints are one message like all others, with the close names."""

    def error(self, message: str) -> NoReturn:
        for action in self._actions:
            if isinstance(action, argparse._SubParsersAction) and message.startswith("argument COMMAND: invalid"):
                given = message.split("'")[1]
                message = f"There is no command '{given}'. {did_you_mean(given, list(action.choices))}"
        raise OptionError(
            f"{message[0].upper()}{message[1:].rstrip('.?')}{message[-1] if message[-1] in '.?' else '.'} "
            f"Write: {self.prog} --help"
        )


def language(given: str) -> str:
    """A language that reports are written in."""
    if given not in LANGUAGES:
        raise argparse.ArgumentTypeError(f"there is no language '{given}'. {did_you_mean(given, LANGUAGES)}")
    return given


def whole_number(given: str) -> int:
    """A seed, or a number of things."""
    if not given.isdecimal():
        raise argparse.ArgumentTypeError(f"a whole number from 0 on is needed; given was '{given}'")
    return int(given)


def minutes(given: str) -> float:
    """A time budget."""
    try:
        return float(given)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"a time budget is a number of minutes, such as 5; given was '{given}'"
        ) from None


def level(given: str) -> float:
    """A share of new rows."""
    try:
        return float(given)
    except ValueError:
        raise argparse.ArgumentTypeError(f"a level is a share, such as 0.9; given was '{given}'") from None


def amount(given: str) -> float:
    """A limit of size, time or width."""
    try:
        return float(given)
    except ValueError:
        raise argparse.ArgumentTypeError(f"a number is needed, such as 2; given was '{given}'") from None
