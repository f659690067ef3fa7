"""A CatBoost model as an ONNX graph, from the JSON that CatBoost writes.

Its trees split on numbers, on single codes, and on statistics of the target that are kept by the hash of a combination
of codes and of splits of numbers (Prokhorenkova et al., CatBoost, NeurIPS 2018). CatBoost's own ONNX has numbers alone.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from nervura.onnx_graph import Forest, Value

MULTIPLIER = np.array([0x4906BA494954CB65], dtype=np.int64)
"""Of CatBoost's hash of two numbers: MULTIPLIER * (a + MULTIPLIER * b) in 64 bits, of which the overflow is dropped."""

NO_HASH = 2**64 - 1
"""What stands in an empty place of a table of hashes."""


@dataclass(frozen=True)
class Split:
    """A test of a feature: it is above a border or, where there are ``codes``, one of them."""

    feature: int
    border: float = 0.0
    codes: np.ndarray | None = None


def logits(
    told: dict[str, Any], numbers: Value | None, codes: Value | None, sizes: tuple[int, ...]
) -> tuple[Value, int]:
    """The sums of the trees (rows, outputs), and how many outputs there are.

    Args:
        told: CatBoost's JSON, with the hashes of all codes.
        numbers, codes: float64 (rows, numbers) and int32 (rows, categories), as the model was given them.
        sizes: the number of codes of each category.
    """
    about = told["features_info"]
    hashes = {one["value"]: _signed(one["hash"]) for one in about.get("cat_features_hash") or []}
    hashed = [np.array([hashes[str(code)] for code in range(size)]) for size in sizes]
    blocks = [] if numbers is None else [numbers]
    splits: list[Split] = []
    floats = about.get("float_features") or []
    for one in floats:
        splits += [Split(one["flat_feature_index"], border) for border in one["borders"] or []]
    for one in about.get("categorical_features") or []:
        index = one["feature_index"]
        for value in one.get("values") or []:
            splits.append(Split(one["flat_feature_index"], codes=np.flatnonzero(hashed[index] == _signed(value))))
    if codes is not None:
        blocks.append(codes.cast(np.float64))
    width = len(floats) + len(sizes)
    statistics = about.get("ctrs") or []
    if statistics:
        blocks.append(_statistics(statistics, told["ctr_data"], numbers, codes, hashed))
        splits += [Split(width + n, border) for n, one in enumerate(statistics) for border in one["borders"]]
    features = blocks[0].op("Concat", *blocks, axis=1)
    scale, bias = told["scale_and_bias"]
    sums = features.graph.forest(features, _forest(told["oblivious_trees"], splits, len(bias)), len(bias))
    return sums * float(scale) + np.array(bias, dtype=np.float64), len(bias)


def _signed(number: int) -> np.int64:
    """A hash of 32 bits as CatBoost widens it to 64: its highest bit is a sign."""
    return np.int64(np.array(number % 2**32, dtype=np.uint32).astype(np.int32))


def _forest(trees: list[dict[str, Any]], splits: list[Split], outputs: int) -> Forest:
    """The trees, each of which asks the same at all nodes of a level, once for each output.

    Level after level, the node behind the answers ``path``, a bit each, is number ``2**level - 1 + path``.
    """
    columns: dict[str, list[np.ndarray]] = defaultdict(list)
    roots: list[int] = []
    members: dict[int, np.ndarray] = {}
    first = 0
    for tree in trees:
        asked = [splits[one["split_index"]] for one in tree["splits"] or []]
        for one, split in zip(tree["splits"] or [], asked, strict=True):
            if one.get("border", split.border) != split.border:
                raise NotImplementedError("CatBoost counts its splits in another order than is known here")
        depth = len(asked)
        leaves = np.array(tree["leaf_values"], dtype=np.float64).reshape(2**depth, outputs)
        level = np.repeat(np.arange(depth), 2 ** np.arange(depth))
        path = np.arange(2**depth - 1) - (2**level - 1)
        below = 2 ** (level + 1) - 1 + path
        # A number above the border is a one and goes right; a code that is the one asked for is a one too, but goes left.
        one, zero = below + 2**level, below
        by_code = np.array([split.codes is not None for split in asked], dtype=bool)[level]
        for output in range(outputs):
            ends = np.full(2**depth, -1)
            columns["left"].append(np.append(first + np.where(by_code, one, zero), ends))
            columns["right"].append(np.append(first + np.where(by_code, zero, one), ends))
            columns["feature"].append(np.append(np.array([s.feature for s in asked], dtype=int)[level], 0 * ends))
            columns["threshold"].append(np.append(np.array([s.border for s in asked], dtype=float)[level], 0.0 * ends))
            columns["value"].append(np.append(np.zeros(2**depth - 1), leaves[:, output]))
            members |= {first + int(n): _codes_of(asked[level[n]]) for n in np.flatnonzero(by_code)}
            roots.append(first)
            first += 2 ** (depth + 1) - 1
    shape = {name: np.concatenate(parts) for name, parts in columns.items()}
    return Forest(np.array(roots), np.arange(len(roots)) % outputs, members=members, **shape)


def _codes_of(split: Split) -> np.ndarray:
    assert split.codes is not None
    return split.codes.astype(np.float64)


def _statistics(
    statistics: list[dict[str, Any]],
    data: dict[str, Any],
    numbers: Value | None,
    codes: Value | None,
    hashed: list[np.ndarray],
) -> Value:
    """The statistics (rows, statistics), float64, those that are looked up in one table together."""
    of_table: dict[str, list[int]] = defaultdict(list)
    for place, one in enumerate(statistics):
        of_table[_key(json.loads(one["identifier"]))].append(place)
    tables = {_key(json.loads(name)): table for name, table in data.items()}
    combined: dict[str, Value] = {}
    blocks, order = [], []
    for key, places in of_table.items():
        elements = statistics[places[0]]["elements"]
        combination = json.dumps(elements)
        if combination not in combined:
            combined[combination] = _combined(elements, numbers, codes, hashed)
        found = combined[combination]
        keys, counts = _counts(tables[key])
        table = np.column_stack([_values(statistics[place], tables[key], counts) for place in places])
        row = found.op(
            "LabelEncoder",
            found,
            domain="ai.onnx.ml",
            keys_int64s=keys,
            values_int64s=list(range(len(keys))),
            default_int64=len(keys),
        )
        blocks.append(row.op("Gather", table.astype(np.float64), row.flat(), axis=0))
        order += places
    return blocks[0].op("Concat", *blocks, axis=1).columns(np.argsort(order))


def _key(identifier: dict[str, Any]) -> str:
    return json.dumps(identifier, sort_keys=True)


def _combined(
    elements: list[dict[str, Any]], numbers: Value | None, codes: Value | None, hashed: list[np.ndarray]
) -> Value:
    """The hash of a combination in each row, int64 (rows, 1)."""
    found: Value | None = None
    for step in _steps(elements, numbers, codes, hashed):
        found = (step if found is None else found + step) * MULTIPLIER
    if found is None:
        raise NotImplementedError("a statistic of no column")
    return found


def _steps(
    elements: list[dict[str, Any]], numbers: Value | None, codes: Value | None, hashed: list[np.ndarray]
) -> Iterator[Value]:
    """MULTIPLIER times what each element gives in each row, int64 (rows, 1): the hash of a code, or one and zero."""
    for one in elements:
        kind = one["combination_element"]
        if kind == "float_feature":
            assert numbers is not None
            number = numbers.columns([one["float_feature_index"]])
            yield number.op("Greater", number, float(one["border"])).cast(np.int64) * MULTIPLIER
            continue
        assert codes is not None
        index = one["cat_feature_index"]
        given = hashed[index]
        if kind == "cat_feature_exact_value":
            given = (given == _signed(one["value"])).astype(np.int64)
        elif kind != "cat_feature_value":
            raise NotImplementedError(f"a statistic of a '{kind}'")
        column = codes.columns([index]).flat()
        yield column.op("Gather", (given * MULTIPLIER)[:, None], column, axis=0)


def _counts(table: dict[str, Any]) -> tuple[list[int], np.ndarray]:
    """The hashes of a table as signed numbers, and what is kept for each (hashes, counts)."""
    stride = table["hash_stride"]
    flat = table["hash_map"]
    rows = [flat[first : first + stride] for first in range(0, len(flat), stride)]
    rows = [row for row in rows if int(row[0]) != NO_HASH]
    keys = np.array([int(row[0]) for row in rows], dtype=np.uint64).astype(np.int64)
    return keys.tolist(), np.array([row[1:] for row in rows], dtype=np.float32).reshape(len(rows), stride - 1)


def _values(one: dict[str, Any], table: dict[str, Any], counts: np.ndarray) -> np.ndarray:
    """A statistic for each row of its table and, last, for a combination that was not seen; in float32, as CatBoost."""
    kind, place = one["ctr_type"], one["target_border_idx"]
    counts = np.vstack([counts, np.zeros((1, counts.shape[1]), dtype=np.float32)])
    if kind in ("Counter", "FeatureFreq"):
        good, total = counts[:, 0], np.full(len(counts), table["counter_denominator"], dtype=np.float32)
    elif kind in ("BinarizedTargetMeanValue", "FloatTargetMeanValue"):
        good, total = counts[:, 0], counts[:, 1]
    elif kind == "Buckets":
        good, total = counts[:, place], counts.sum(1)
    elif kind == "Borders":
        good, total = counts[:, place + 1 :].sum(1), counts.sum(1)
    else:
        raise NotImplementedError(f"a statistic of the kind '{kind}'")
    single = np.float32
    share = (good + single(one["prior_numerator"])) / (total + single(one["prior_denomerator"]))
    return (share + single(one["shift"])) * single(one["scale"])
