"""The report of a run: one dict, written as HTML that opens offline, as Markdown and as JSON."""

from __future__ import annotations

from pathlib import Path

from nervura.messages import language_index
from nervura.rendering import render_html, render_markdown
from nervura.run import Run
from nervura.summarising import summarise


def report(run: Run, lang: str = "en") -> Path:
    """Writes ``report.html``, ``report.md`` and ``report.json`` into the run.

    Args:
        lang: ``en`` or ``pt``.

    Returns:
        The path of ``report.html``.

    Raises:
        OptionError: there is no such language.
        RunError: a file of the run is damaged, or the report cannot be written.
    """
    language_index(lang)
    summary = summarise(run)
    page, markdown = render_html(summary, lang), render_markdown(summary, lang)
    run.write("report", summary)
    run.write_text("report.md", markdown)
    run.write_text("report.html", page)
    return run.path / "report.html"
