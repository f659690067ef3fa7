"""What goes wrong, in words: every message states the rule, what was given and what to write instead."""

from difflib import get_close_matches


class NervuraError(Exception):
    """Base of every error that a user can mend; the command line prints it without a traceback and exits with 2."""


class SourceError(NervuraError):
    """The data cannot be read as asked."""


class SchemaError(NervuraError):
    """The columns are not what was promised: a column is missing, of another kind, or of no use."""


class ProblemError(NervuraError):
    """The question cannot be asked of this target."""


class OptionError(NervuraError):
    """An option, network, problem, metric or format of that name or value does not exist."""


class RunError(NervuraError):
    """The run directory is damaged, incomplete or cannot be written."""


class MissingDependency(NervuraError):
    """An optional library is needed and not installed."""

    def __init__(self, what: str, package: str, extra: str):
        super().__init__(
            f"{what} needs the package '{package}', which is not installed. Write: pip install 'nervura[{extra}]'"
        )


def did_you_mean(given: str, known: list[str] | tuple[str, ...]) -> str:
    """A sentence naming the close matches of ``given`` among ``known``, else all of ``known``."""
    lowered = {name.lower(): name for name in reversed(list(known))}
    close = get_close_matches(given.lower(), list(lowered), n=3, cutoff=0.6)
    if close:
        return "Did you mean " + " or ".join(f"'{lowered[name]}'" for name in close) + "?"
    shown = ", ".join(f"'{name}'" for name in list(known)[:12])
    return f"Known are {shown}{' ...' if len(known) > 12 else ''}."
