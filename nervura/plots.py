"""Charts as inline SVG: colours are CSS variables of the page, texts are text, and the same data gives the same bytes."""

from __future__ import annotations

import io
import math
import re
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK, MUTED, RULE = "#111101", "#111102", "#111103"
"""Stand-ins that no palette holds; ``_svg`` writes the page's variables in their place."""

SERIES = 8
"""The page names this many colours for series, ``--series-1`` and so on."""

_VARIABLES = {INK: "var(--ink)", MUTED: "var(--muted)", RULE: "var(--rule)"} | {
    f"#2222{i:02x}": f"var(--series-{i + 1})" for i in range(SERIES)
}

Points = tuple[Sequence[float | None], Sequence[float | None]]
Number = Callable[[float], str]

WIDE, NARROW = (7.2, 3.2), (4.4, 3.5)
DASHES = ("-", (0, (5, 2)), (0, (1.5, 1.5)))


def series_colour(index: int) -> str:
    """The CSS colour of a series, as legends outside the chart need it."""
    return f"var(--series-{index % SERIES + 1})"


def ramp_colour(index: int, count: int) -> str:
    """The CSS colour of one of many ordered series, from the first (deep) to the last (bright)."""
    share = round(100 * index / max(1, count - 1))
    return f"color-mix(in oklab, var(--ramp-last) {share}%, var(--ramp-first))"


def learning_curves(
    name: str,
    loss: Sequence[float | None],
    validation: Sequence[float | None],
    best: int | None,
    labels: dict[str, str],
    number: Number,
) -> str:
    """Training and validation loss by epoch, with a mark at the best epoch."""
    figure, axes = _figure(WIDE, labels["x"], labels["y"], number)
    for i, values in enumerate((loss, validation)):
        if values:
            marker = "o" if len(values) < 3 else ""
            axes.plot(range(1, len(values) + 1), _floats(values), color=_series(i), linewidth=1.6, marker=marker)
    if best:
        axes.plot([best], _floats([validation[best - 1]]), "o", color=_series(1), markersize=5)
    _logarithmic(axes, [*loss, *validation], number)
    _epochs(axes, max(len(loss), len(validation)), number)
    return _svg(figure, name, labels["title"])


def ordered_lines(name: str, lines: list[Sequence[float | None]], labels: dict[str, str], number: Number) -> str:
    """One line per layer over the epochs, coloured from the first layer to the last."""
    figure, axes = _figure(WIDE, labels["x"], labels["y"], number)
    stand_ins = {}
    for i, values in enumerate(lines):
        colour = f"#3333{i:02x}"
        stand_ins[colour] = ramp_colour(i, len(lines))
        marker = "o" if len(values) < 3 else ""
        axes.plot(range(1, len(values) + 1), _floats(values), color=colour, linewidth=1.3, marker=marker)
    _logarithmic(axes, [value for values in lines for value in values], number)
    _epochs(axes, max(map(len, lines)), number)
    return _svg(figure, name, labels["title"], stand_ins)


def unit_curves(
    name: str, curves: list[Points], labels: dict[str, str], number: Number, diagonal: bool = True, dots: bool = False
) -> str:
    """Curves in the unit square: ROC, precision-recall, reliability."""
    figure, axes = _figure(NARROW, labels["x"], labels["y"], number)
    if diagonal:
        axes.plot([0, 1], [0, 1], color=MUTED, linewidth=0.9, linestyle=(0, (4, 3)))
    for i, (x, y) in enumerate(curves):
        dash = DASHES[i // SERIES % len(DASHES)]
        axes.plot(
            _floats(x),
            _floats(y),
            color=_series(i),
            linewidth=1.6,
            linestyle=dash,
            marker="o" if dots else "",
            markersize=4,
        )
    axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), aspect="equal")
    return _svg(figure, name, labels["title"])


def scatter(name: str, points: Points, labels: dict[str, str], number: Number) -> str:
    """Predicted against true values, with the line where they are equal."""
    figure, axes = _figure(NARROW, labels["x"], labels["y"], number)
    x, y = _floats(points[0]), _floats(points[1])
    known = [value for value in [*x, *y] if math.isfinite(value)]
    ends = [min(known), max(known)]
    axes.plot(ends, ends, color=MUTED, linewidth=0.9, linestyle=(0, (4, 3)))
    axes.plot(x, y, "o", color=_series(0), markersize=2.6, alpha=0.5, markeredgewidth=0)
    return _svg(figure, name, labels["title"])


def histogram(name: str, edges: Sequence[float], counts: Sequence[int], labels: dict[str, str], number: Number) -> str:
    """Bars over bins, with a line at zero."""
    figure, axes = _figure(NARROW, labels["x"], labels["y"], number)
    widths = [right - left for left, right in zip(edges, edges[1:], strict=False)]
    axes.bar(edges[:-1], counts, widths, align="edge", color=_series(0), edgecolor="none", alpha=0.8)
    axes.axvline(0, color=MUTED, linewidth=0.9, linestyle=(0, (4, 3)))
    return _svg(figure, name, labels["title"])


def mosaic(tiles: np.ndarray, columns: int, tile: int = 48) -> np.ndarray:
    """Pictures side by side and below each other, light lines between them: uint8 (height, width, channels).

    Args:
        tiles: uint8 (pictures, height, width, channels).
        columns: pictures in a row.
        tile: pixels of the longer side of one, at least; small ones are enlarged by whole numbers of pixels.
    """
    times = max(1, -(-tile // max(tiles.shape[1:3])))
    large = tiles.repeat(times, axis=1).repeat(times, axis=2)
    count, height, width, channels = large.shape
    rows = -(-count // columns)
    whole = np.full((rows * (height + GAP) - GAP, min(columns, count) * (width + GAP) - GAP, channels), 235, "uint8")
    for i, one in enumerate(large):
        top, left = i // columns * (height + GAP), i % columns * (width + GAP)
        whole[top : top + height, left : left + width] = one
    return whole


GAP = 2


def warmed(picture: np.ndarray, heat: np.ndarray) -> np.ndarray:
    """A picture in faint grey, warm where ``heat`` (height, width), 0 to 1, is high: uint8 (height, width, 3)."""
    grey = 0.6 * picture.mean(-1, keepdims=True) + 60
    share = 0.75 * np.clip(heat, 0, 1)[..., None]
    colour = np.array([235.0, 85.0, 20.0]) + share * np.array([20.0, 110.0, 20.0])
    return np.clip(grey * (1 - share) + colour * share, 0, 255).astype("uint8")


def scattered(tiles: np.ndarray, places: np.ndarray, size: tuple[int, int] = (420, 640), tile: int = 28) -> np.ndarray:
    """Pictures on a white ground at their places: uint8 (height, width, channels).

    Args:
        tiles: uint8 (pictures, height, width, channels).
        places: (pictures, 2), across and up, in any units.
        tile: pixels of the longer side of one, about.
    """
    step = max(1, max(tiles.shape[1:3]) // tile)
    times = max(1, tile // max(tiles.shape[1:3]))
    small = tiles[:, ::step, ::step].repeat(times, axis=1).repeat(times, axis=2)
    _, height, width, channels = small.shape
    spread = np.ptp(places, axis=0)
    share = (places - places.min(0)) / np.where(spread > 0, spread, 1.0)
    whole = np.full((*size, channels), 255, "uint8")
    for one, (across, up) in zip(small, share, strict=True):
        top, left = round((1 - up) * (size[0] - height)), round(across * (size[1] - width))
        whole[top : top + height, left : left + width] = one
    return whole


def heated_series(series: np.ndarray, heats: np.ndarray, titles: list[str]) -> np.ndarray:
    """Series below each other, the ground behind them warm where they matter: uint8 (height, width, 3).

    Args:
        series: (rows, length, channels), NaN beyond their ends.
        heats: (rows, length) from 0 to 1.
        titles: one line for each.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.2, 1.15 * len(series)), dpi=110, layout="constrained", facecolor="white")
    canvas = FigureCanvasAgg(figure)
    for place, (one, heat, title) in enumerate(zip(series, heats, titles, strict=True), 1):
        axes = figure.add_subplot(len(series), 1, place)
        length = len(one)
        axes.imshow(
            heat[None], aspect="auto", cmap="Oranges", vmin=0, vmax=1.4, extent=(0.5, length + 0.5, 0, 1),
            transform=axes.get_xaxis_transform(), zorder=0,
        )  # fmt: skip
        for channel in range(one.shape[1]):
            axes.plot(
                np.arange(1, length + 1), one[:, channel], color=["#1d3a5f", "#4f7f4a", "#7a4a7f"][channel % 3], lw=1.1
            )
        axes.set_title(title, fontsize=8, loc="left", pad=2, parse_math=False)
        axes.set_xlim(0.5, length + 0.5)
        known = one[~np.isnan(one)]
        low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 1.0)
        room = 0.05 * (high - low) or 1.0
        axes.set_ylim(low - room, high + room)
        axes.tick_params(labelsize=7, length=2)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()


DOT_COLOURS = (
    (0, 114, 178), (230, 159, 0), (0, 158, 115), (204, 121, 167), (86, 180, 233),
    (213, 94, 0), (120, 94, 240), (148, 148, 40), (140, 86, 75), (110, 110, 110),
)  # fmt: skip
"""Colours of groups on a white ground, which people tell apart who see few colours; their numbers tell the rest."""


@dataclass
class Forecast:
    """What is drawn of one forecast.

    Attributes:
        before: the last values that were known (steps,).
        after: what came (horizon,); NaN where it is not known.
        lines: forecasts (horizon,): the first is drawn in blue, others dashed.
        low, high: the interval of the first one (horizon,).
    """

    title: str
    before: np.ndarray
    after: np.ndarray
    lines: list[np.ndarray]
    low: np.ndarray
    high: np.ndarray


def forecasts(shown: list[Forecast]) -> np.ndarray:
    """What was known of series, what came, and what was expected, below each other: uint8 (height, width, 3)."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.2, 2.3 * len(shown)), dpi=110, layout="constrained", facecolor="white")
    canvas = FigureCanvasAgg(figure)
    for place, one in enumerate(shown, 1):
        axes = figure.add_subplot(len(shown), 1, place)
        past, ahead = np.arange(-len(one.before), 0), np.arange(-1, len(one.after))
        axes.axvline(-0.5, color="#bbbbbb", linewidth=0.8)
        axes.fill_between(ahead[1:], one.low, one.high, color="#9ecae1", alpha=0.6, linewidth=0)
        axes.plot(past, one.before, color="#888888", linewidth=1.2)
        axes.plot(ahead, np.concatenate([one.before[-1:], one.after]), color="#111111", linewidth=1.4)
        for line, (colour, style) in zip(one.lines, (("#1f6fb4", "-"), ("#d9700a", "--")), strict=False):
            axes.plot(ahead, np.concatenate([one.before[-1:], line]), color=colour, linestyle=style, linewidth=1.3)
        axes.set_title(one.title, fontsize=8, loc="left", pad=3, parse_math=False)
        axes.spines[["top", "right"]].set_visible(False)
        axes.tick_params(labelsize=7, length=2)
        axes.margins(x=0.01)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()


def dotted(
    places: np.ndarray, groups: np.ndarray, names: Sequence[str], size: tuple[int, int] = (480, 680)
) -> np.ndarray:
    """Rows as dots in the colours of their groups, whose names stand in their middles: uint8 (height, width, 3).

    Args:
        places: (rows, 2), across and up, in any units.
        groups: the number of each row's group (rows,).
        names: of the groups.
    """
    from PIL import Image, ImageDraw, ImageFont

    spread, edge = np.ptp(places, axis=0), 12
    share = (places - places.min(0)) / np.where(spread > 0, spread, 1.0)
    across = edge + share[:, 0] * (size[1] - 2 * edge)
    down = edge + (1 - share[:, 1]) * (size[0] - 2 * edge)
    picture = Image.new("RGB", (size[1], size[0]), "white")
    draw, font = ImageDraw.Draw(picture), ImageFont.load_default(16)
    for x, y, group in zip(across, down, groups, strict=True):
        draw.ellipse((x - 3, y - 3, x + 3, y + 3), fill=DOT_COLOURS[group % len(DOT_COLOURS)])
    for group in np.unique(groups):
        own = groups == group
        # The dot of the group that is nearest to its middle: the middle itself may lie in another group.
        middle = np.median(across[own]), np.median(down[own])
        nearest = np.argmin((across[own] - middle[0]) ** 2 + (down[own] - middle[1]) ** 2)
        place = float(across[own][nearest]), float(down[own][nearest])
        draw.text(place, names[group], "black", font, "mm", stroke_width=3, stroke_fill="white")
    return np.asarray(picture)


def network_picture(rows: list[list[dict[str, Any] | None]], title: str) -> str:
    """Boxes from top to bottom, each with a title and a line of small print; wider where more values leave.

    Args:
        rows: boxes that stand side by side, from the top. Each leads to the one below it where the row below has as many,
            else all of a row lead to the row below; None lets what stands above pass. A box has a ``title``, a ``small``
            print, a ``size`` (values that leave it; None if not known) and a ``role`` (input, hidden, output, more).
    """
    width, height, gap, narrowest = 560, 46, 20, 250
    most = math.log2(1 + max([box["size"] or 1 for row in rows for box in row if box], default=1))
    parts, top = [], 1
    for i, row in enumerate(rows):
        room = (width - 2) / len(row)
        straight = i + 1 < len(rows) and len(rows[i + 1]) == len(row)
        for k, box in enumerate(row):
            middle = 1 + room * (k + 0.5)
            start, end = top + height, top + height + gap - 2
            if box is None:
                parts.append(f'<path class="wire" d="M{middle:g} {top - 2}V{start}"/>')
            if i + 1 < len(rows):
                below = middle if straight else _towards(middle, width / 2)
                parts.append(f'<path class="wire" d="M{middle:g} {start}L{below:g} {end}"/>')
                if straight and rows[i + 1][k]:
                    parts.append(_tip(middle, end))
            if box is None:
                continue
            share = math.log2(1 + (box["size"] or 1)) / most
            wide = min(round(narrowest + (width - 2 - narrowest) * share), room - (16 if len(row) > 1 else 0))
            letters = int(wide / 8)
            parts.append(
                f'<rect class="box {box["role"]}" x="{middle - wide / 2:g}" y="{top}" width="{wide:g}" height="{height}" rx="6"/>'
                f'<text class="box-title" x="{middle:g}" y="{top + (20 if box["small"] else 28)}">'
                f"{escape(shorten(box['title'], letters))}</text>"
                f'<text class="box-small" x="{middle:g}" y="{top + 36}">{escape(shorten(box["small"], letters + 4))}</text>'
            )
        top += height + (gap if i + 1 < len(rows) else 0)
    label = escape(title, quote=True)
    return (
        f'<svg class="network" role="img" aria-label="{label}" viewBox="0 0 {width} {top + 1}">'
        f"<title>{label}</title>{''.join(parts)}</svg>"
    )


def _tip(place: float, end: float) -> str:
    """The tip of a wire that leads straight down."""
    return f'<path class="wire" d="M{place - 4:g} {end - 4}L{place:g} {end}L{place + 4:g} {end - 4}"/>'


def _towards(place: float, middle: float) -> float:
    """Where a wire from ``place`` arrives at the row below: within the narrowest box that stands there."""
    return middle + max(-110.0, min(110.0, place - middle))


def interval_bar(row: dict[str, Any], extent: tuple[float, float], label: str) -> str:
    """A value and its interval on an axis with these ends, for a cell of a table; empty without a value."""
    if row.get("value") is None:
        return ""
    low, high = extent
    span = (high - low) or 1.0

    def place(value: float) -> str:
        return f"{3 + 94 * (value - low) / span:.2f}%"

    bounds = ""
    if row.get("low") is not None and row.get("high") is not None:
        bounds = f'<line class="bounds" x1="{place(row["low"])}" x2="{place(row["high"])}" y1="50%" y2="50%"/>'
    zero = f'<line class="zero" x1="{place(0)}" x2="{place(0)}" y1="0" y2="100%"/>' if low < 0 < high else ""
    said = escape(label, quote=True)
    return (
        f'<svg class="interval" role="img" aria-label="{said}"><title>{said}</title>{zero}{bounds}'
        f'<circle cx="{place(row["value"])}" cy="50%" r="4"/></svg>'
    )


def shorten(text: str, most: int) -> str:
    """At most ``most`` letters on one line, an ellipsis in place of the rest."""
    text = " ".join(str(text).split())
    return text if len(text) <= most else text[: most - 1] + "…"


def _series(index: int) -> str:
    return f"#2222{index % SERIES:02x}"


def _floats(values: Sequence[float | None]) -> list[float]:
    return [math.nan if value is None else float(value) for value in values]


def _figure(size: tuple[float, float], x: str, y: str, number: Number) -> tuple[Figure, Axes]:
    from matplotlib.figure import Figure
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    figure = Figure(figsize=size, layout="constrained")
    axes = figure.add_subplot()
    for patch in (figure.patch, axes.patch):
        patch.set_visible(False)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(RULE)
    axes.tick_params(colors=MUTED, labelcolor=MUTED, labelsize=8.5, length=0, pad=4)
    axes.grid(color=RULE, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.set_xlabel(x, color=INK, fontsize=9)
    axes.set_ylabel(y, color=INK, fontsize=9)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(FuncFormatter(lambda value, _: number(value)))
        axis.set_major_locator(MaxNLocator(5))
    return figure, axes


def _epochs(axes: Axes, count: int, number: Number) -> None:
    """Whole numbers from the first epoch to the last."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    axes.xaxis.set_major_locator(MaxNLocator(8, integer=True, min_n_ticks=1))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: number(round(value))))
    aside = 0.02 * count
    axes.set_xlim(1 - aside, count + aside)


def _logarithmic(axes: Axes, values: Sequence[float | None], number: Number) -> None:
    """A logarithmic height where the values are positive and span more than a factor of 20."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    known = [value for value in _floats(values) if math.isfinite(value)]
    if not known or min(known) <= 0 or max(known) / min(known) < 20:
        return
    axes.set_yscale("log")
    axes.yaxis.set_major_locator(LogLocator(10, numticks=6))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: number(value)))
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.tick_params(which="minor", length=0)


def _svg(figure: Figure, name: str, title: str, stand_ins: dict[str, str] | None = None) -> str:
    """The figure as an element for a page: no addresses, ids of its own, named for screen readers."""
    import matplotlib

    settings: Any = {
        "svg.fonttype": "none",
        "svg.hashsalt": "nervura",
        "font.family": "DejaVu Sans",
        "text.parse_math": False,
    }
    buffer = io.StringIO()
    with matplotlib.rc_context(settings), warnings.catch_warnings():
        # The page draws the letters; that matplotlib's own font lacks some of them does not matter.
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    drawn = buffer.getvalue()
    drawn = drawn[drawn.index("<svg") :]
    view = re.search(r'viewBox="([^"]+)"', drawn)
    body = drawn[drawn.index(">") + 1 : drawn.rindex("</svg>")]
    body = re.sub(r"<metadata>.*?</metadata>|<style.*?</style>|<!--.*?-->", "", body, flags=re.DOTALL)
    body = body.replace("xlink:href", "href")
    body = re.sub(r'\bid="', f'id="{name}-', body)
    body = re.sub(r'href="#', f'href="#{name}-', body).replace("url(#", f"url(#{name}-")
    for stand_in, variable in (_VARIABLES | (stand_ins or {})).items():
        body = body.replace(stand_in, variable)
    body = re.sub(r"\n\s*", "\n", body).strip()
    label = escape(title, quote=True)
    box = view.group(1) if view else "0 0 100 100"
    return f'<svg class="chart" role="img" aria-label="{label}" viewBox="{box}"><title>{label}</title>{body}</svg>'
