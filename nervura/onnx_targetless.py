"""What problems without a target make of a network's outputs, as an ONNX graph: codes, clusters, and how odd rows are.

A graph has what is arithmetic on a row: Gaussians, and the nearest rows of small samples. To look a row up among all that
were learnt from is refused.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from nervura.errors import RunError
from nervura.oddness import TAIL, steps
from nervura.onnx_graph import Value
from nervura.rebuilding import Layout

Arrays = dict[str, np.ndarray]


def code(outputs: Value, layout: Layout) -> Value:
    """The codes of rows, float64 (rows, length), from a network's outputs."""
    return outputs.columns(np.arange(layout.length)).cast(np.float64)


class Seen:
    """What detectors and clusterers look at, as ``nervura.viewing.Views`` has it."""

    def __init__(self, outputs: Value, layout: Layout, arrays: Arrays):
        self.graph, self.outputs, self.arrays = outputs.graph, outputs, arrays
        length, width = layout.length, layout.width
        self.code = outputs.columns(np.arange(length))
        self.rebuilt = outputs.columns(np.arange(length, length + width))
        self.given = outputs.columns(np.arange(length + width, length + 2 * width))

    def rows(self) -> Value:
        """The rows as they are given, in comparable units."""
        rows = self.given.cast(np.float64) * self.arrays["scale"]
        return (rows - self.arrays["centre"]) @ self.arrays["axes"].T if "axes" in self.arrays else rows

    def codes(self) -> Value:
        """The codes beside what the network fails to rebuild."""
        missed = (self.given - self.rebuilt).cast(np.float64) * (self.arrays["scale"] * self.arrays["usual"])
        if "axes" in self.arrays:
            missed = missed @ self.arrays["directions"].T
        own = (self.code * self.arrays["code_scale"].astype(np.float32)).cast(np.float64)
        return self.graph.op("Concat", own, missed, axis=1)


def clusters(outputs: Value, coding: dict[str, Any], layout: Layout, arrays: Arrays) -> Value:
    """How probably rows belong to each cluster, float64 (rows, clusters).

    Raises:
        RunError: they are placed by the rows that were learnt from.
    """
    grouped = coding["grouped"]
    own = _below(arrays, "fitted")
    if "factors" not in own:
        raise RunError(
            "An ONNX graph holds none of the rows that were learnt from, by the nearest of which this run places others. "
            "Write --to code, or train with --set method=k_means, gaussian_mixture or mixture."
        )
    seen = Seen(outputs, layout, arrays)
    rows = seen.rows() if grouped["view"] == "rows" else code(outputs, layout)
    owners = np.eye(int(own["owners"].max()) + 1)[own["owners"]][:, arrays["order"]]
    return _densities(rows, own).softmax() @ owners


def scores(outputs: Value, coding: dict[str, Any], layout: Layout, arrays: Arrays) -> Value:
    """How odd rows are, float64 (rows, 1): the mean surprise of the detectors.

    Raises:
        RunError: one of them looks rows up among those that were learnt from.
    """
    seen = Seen(outputs, layout, arrays)
    views = {"rows": seen.rows, "code": seen.codes}
    looked_at = {view: views[view]() for view in dict.fromkeys(one["view"] for one in coding["panel"])}
    surprises = []
    for one in coding["panel"]:
        if one["detector"] not in DETECTORS:
            raise RunError(
                f"An ONNX graph holds none of the rows that were learnt from, among which the detector '{one['detector']}' "
                "looks rows up. Write --to code, or train without --set clean=yes."
            )
        own = _below(arrays, f"{one['detector']}_of_{one['view']}")
        found = DETECTORS[one["detector"]](looked_at[one["view"]], own)
        surprises.append(_surprise(found, own["ordered"], one["logarithmic"]))
    return seen.graph.op("ReduceMean", seen.graph.op("Concat", *surprises, axis=1), np.array([1]), keepdims=1)


def p_values(found: Value, calibration: np.ndarray) -> Value:
    """The share of usual rows that score as high or higher, float64 (rows, 1)."""
    known = len(calibration)
    return (found.graph.constant(known + 1.0) - found.graph.below(found, calibration)) / float(known + 1)


def _below(arrays: Arrays, title: str) -> Arrays:
    return {name.removeprefix(f"{title}/"): array for name, array in arrays.items() if name.startswith(f"{title}/")}


def _densities(rows: Value, own: Arrays) -> Value:
    """The logarithms of the weighted densities of Gaussians, up to a constant, (rows, components)."""
    parts = []
    for weight, mean, factor in zip(own["weights"], own["means"], own["factors"], strict=True):
        away = (rows - mean.astype(np.float64)) @ factor.astype(np.float64)
        told = float(np.log(weight) + np.log(np.diag(factor)).sum())
        parts.append((away * away).sum() * -0.5 + told)
    return rows.graph.op("Concat", *parts, axis=1)


def _gaussian_mixture(rows: Value, own: Arrays) -> Value:
    """Minus the logarithm of the density of a mixture, (rows, 1)."""
    parts, features = _densities(rows, own), own["means"].shape[1]
    most = parts.op("ReduceMax", parts, np.array([1]), keepdims=1)
    summed = (parts - most).op("Exp", parts - most).sum()
    return summed.op("Log", summed) * -1.0 - most + features / 2 * math.log(2 * math.pi)


def _robust_gaussian(rows: Value, own: Arrays) -> Value:
    away = rows - own["mean"]
    return (away * (away @ own["precision"])).sum()


def _sampled_neighbours(rows: Value, own: Arrays) -> Value:
    """The geometric mean, over samples, of the mean distance to the nearest rows of a sample, (rows, 1)."""
    graph, samples = rows.graph, own["samples"]
    each = []
    for sample in samples:
        # The nearest are found by products; how far they are is then told by differences, which lose nothing.
        squares = (rows * rows).sum() - (rows @ sample.T) * 2.0 + (sample**2).sum(1)[None]
        nearest = graph.smallest(squares, min(NEIGHBOURS + 1, len(sample)))
        away = graph.op("Unsqueeze", rows, np.array([1])) - graph.op("Gather", sample, nearest, axis=0)
        squared = graph.op("ReduceSum", away * away, np.array([2]), keepdims=0)
        distances = graph.op("Sqrt", squared)
        count = min(NEIGHBOURS + 1, len(sample))
        first, others = distances.columns(np.arange(count - 1)), distances.columns(np.arange(1, count))
        # A row is not its own neighbour.
        own_row = distances.op("Less", distances.columns([0]), SAME * math.sqrt(sample.shape[1]))
        mean = graph.op("ReduceMean", graph.op("Where", own_row, others, first), np.array([1]), keepdims=1)
        each.append(graph.op("Log", mean + 1e-9))
    found = graph.op("ReduceMean", graph.op("Concat", *each, axis=1), np.array([1]), keepdims=1)
    return graph.op("Exp", found)


NEIGHBOURS, SAME = 3, 1e-5
"""As of the detector of that name, and of ``nervura.detectors.base.Index``."""

DETECTORS = {
    "gaussian_mixture": _gaussian_mixture,
    "robust_gaussian": _robust_gaussian,
    "sampled_neighbours": _sampled_neighbours,
}


def _surprise(found: Value, ordered: np.ndarray, logarithmic: bool) -> Value:
    """``nervura.oddness.Surprise``, (rows, 1)."""
    graph = found.graph
    if logarithmic:
        found = graph.op("Log", graph.op("Max", found, 1e-12))
    border = float(np.quantile(ordered, 1 - TAIL))
    beyond = max(float((ordered[ordered >= border] - border).mean()), 1e-9)
    shares = _interpolated(found, *steps(ordered, len(ordered)))
    inside = graph.op("Log", graph.op("Max", graph.constant(1.0) - shares, TAIL)) * -1.0
    outside = (found - border) * (1 / beyond) - math.log(TAIL)
    return graph.op("Where", found.op("Greater", found, border), outside, inside)


def _interpolated(values: Value, known: np.ndarray, heights: np.ndarray) -> Value:
    """``numpy.interp``, (rows, 1): along straight lines between known values in ascending order, level beyond them."""
    graph, last = values.graph, len(known) - 1
    if last == 0:
        return values * 0.0 + float(heights[0])
    place = graph.op("Clip", graph.below(values, known), 1.0, float(last)).cast(np.int64)
    before = place - np.int64(1)
    low, high = (graph.op("Gather", known, one, axis=0) for one in (before, place))
    from_height, to_height = (graph.op("Gather", heights, one, axis=0) for one in (before, place))
    share = graph.op("Clip", (values - low) / (high - low), 0.0, 1.0)
    return from_height + share * (to_height - from_height)
