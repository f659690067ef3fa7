"""Looks inside a network of pictures: what each layer is made of, what excites it, where an answer comes from.

Every function takes a functional Keras model whose input is ``pictures``, and gives arrays or plain JSON; drawing is done
elsewhere. A network may show several views of a picture to itself (``Views``); here it sees the picture alone. Of
several networks that answer together (``WeightedMean``) the first is looked into.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import ops

from nervura import backend
from nervura.layers.picture_scale import PictureScale
from nervura.layers.views import MeanOfViews, Views
from nervura.layers.weighted_mean import WeightedMean
from nervura.layers.whitened_patches import WhitenedPatches

SHOWN_LAYERS, SHOWN_CHANNELS = 6, 6
"""Of a network's maps so many layers are shown, spread over its depth, and so many channels of each."""

SEARCHED, SHIFTED, MAPPED = 512, 128, 128
"""So many training pictures are searched for exciting patches, so many test pictures are shifted, and mapped."""

DREAMING_LAYERS = 3
PLACES = 4
"""Maps with fewer places a side do not tell where an answer comes from."""

BATCH = 64
BYTES = 4
"""Of a number in float32."""


@dataclass(frozen=True)
class Field:
    """What one place of a layer's map sees of the picture, per axis (height, width), in pixels.

    Attributes:
        size: side of what it sees.
        step: pixels from one place to the next.
        first: the middle of what the first place sees.
    """

    size: tuple[int, int]
    step: tuple[float, float]
    first: tuple[float, float]


def look(
    model: keras.Model,
    learnt: np.ndarray,
    tested: np.ndarray,
    score: Callable[[np.ndarray, np.ndarray], float],
    shown: np.ndarray,
    outputs: np.ndarray,
    *,
    seed: int = 0,
    deadline: float | None = None,
) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """All that this module sees in a network: plain JSON, and the arrays that belong to it.

    Args:
        learnt, tested: training and test pictures, of which some are looked at, spread evenly.
        score: of outputs (rows, units) and the places of their pictures among ``tested``.
        shown: places among ``tested`` of the pictures whose answers are explained; maps are shown of the first.
        outputs: for each of these, the number of the output that was answered.
        deadline: the moment (``time.monotonic``) from which on nothing is begun; parts left out are named, others may
            show less.

    Returns:
        ``layers``, ``saved_by_pooling``, ``excited`` (layer, field, channels), ``shifts``, ``mapped`` (places among
        ``tested``), ``left_out``; and ``filters``, ``maps/<layer>``, ``patches/<layer>``, ``dreams/<layer>``,
        ``grad_cam``, ``occlusion``, ``map``.
    """
    model = unfolded(model)
    told: dict[str, Any] = {"layers": stack(model), "saved_by_pooling": saved_by_pooling(model), "left_out": []}
    arrays: dict[str, np.ndarray] = {}

    def late() -> bool:
        return deadline is not None and time.monotonic() > deadline

    def search() -> None:
        found = exciting_patches(model, _spread(learnt, SEARCHED), late=late)
        fields = {row["name"]: row["field"] for row in told["layers"]}
        told["excited"] = [
            {"layer": name, "field": fields[name], "channels": one.channels.tolist()} for name, one in found.items()
        ]
        arrays.update({f"patches/{name}": one.patches for name, one in found.items()})

    def dream() -> None:
        names = [one["layer"] for one in told["excited"]]
        chosen = np.unique(np.linspace(0, len(names) - 1, min(DREAMING_LAYERS, len(names))).round().astype(int))
        wanted = {names[i]: np.array(told["excited"][i]["channels"]) for i in chosen}
        arrays.update({f"dreams/{name}": made for name, made in dreams(model, wanted, seed, late=late).items()})

    def answers() -> None:
        hidden: list[np.ndarray] = []
        for picture, output in zip(tested[shown], outputs, strict=True):
            if hidden and late():
                break
            hidden.append(occlusion(model, picture, int(output)))
        arrays["occlusion"] = np.array(hidden)
        arrays["grad_cam"] = grad_cam(model, tested[shown[: len(hidden)]], outputs[: len(hidden)])

    def shift() -> None:
        places = _spread(np.arange(len(tested)), SHIFTED)
        told["shifts"] = under_shifts(model, tested[places], lambda found: score(found, places), late=late)

    def maps() -> None:
        for name, found in feature_maps(model, tested[shown[:1]]).items():
            if max(found.shape[1:3]) > 1:
                arrays[f"maps/{name}"] = as_grey(found[0])[..., : 2 * SHOWN_CHANNELS]
        filters = first_filters(model)
        if filters is not None:
            arrays["filters"] = filters

    def mapped() -> None:
        places = _spread(np.arange(len(tested)), MAPPED)
        told["mapped"] = places.tolist()
        arrays["map"] = hidden_map(model, tested[places])

    if map_layers(model):
        parts = {"maps": maps, "answers": answers, "excited": search, "shifts": shift, "map": mapped, "dream": dream}
        for name, part in parts.items():
            if late() or (name == "dream" and "excited" not in told):
                told["left_out"].append(name)
            else:
                part()
    return told, arrays


def unfolded(model: keras.Model) -> keras.Model:
    """The same model with the layers of the models inside it as its own; without any it is the model itself."""
    if not any(isinstance(layer, keras.Model) for layer in model.layers):
        return model
    pairs: list[tuple[Any, Any]] = []

    def copied(layer: Any) -> Any:
        if isinstance(layer, keras.Model):
            return lambda tensor, **how: layer._run_through_graph(tensor, operation_fn=copied)
        if not isinstance(layer, keras.layers.Layer):
            return layer
        copy = type(layer).from_config(layer.get_config())
        pairs.append((layer, copy))
        return copy

    made = keras.models.clone_model(model, clone_function=copied)
    for layer, copy in pairs:
        for variable, value in zip(copy.variables, layer.variables, strict=True):
            variable.assign(value)
    return made


def stack(model: keras.Model) -> list[dict[str, Any]]:
    """The layers in the order of computation: name, type, shape, parameters, bytes, field.

    ``bytes`` are those of one picture's activations, ``field`` the (height, width) of the picture that one value
    depends on, never more than the picture. Layers that do nothing in prediction are left out.
    """
    fields, (height, width) = _fields(model), model.inputs[0].shape[1:3]
    rows = []
    for layer in _layers(model):
        if isinstance(layer, keras.layers.Dropout | Views | MeanOfViews) or isinstance(layer.output, list | dict):
            continue
        shape = [int(side) for side in layer.output.shape[1:]]
        field = fields.get(id(layer.output))
        seen = [height, width] if field is None else [min(field.size[0], height), min(field.size[1], width)]
        width_of = 1 if keras.backend.standardize_dtype(layer.output.dtype) == "uint8" else BYTES
        rows.append(
            {
                "name": layer.name,
                "type": type(layer).__name__,
                "shape": shape,
                "parameters": layer.count_params(),
                "bytes": width_of * math.prod(shape),
                "field": seen,
            }
        )
    return rows


def saved_by_pooling(model: keras.Model) -> float | None:
    """How many times the bytes of activations would be, had no pooling made the maps smaller; None without pooling.

    Counted for the maps alone, each as large as before the pooling layers that stand before it.
    """
    fields = _fields(model)
    with_pooling = without = 0.0
    reduced: dict[int, int] = {}
    for layer in _layers(model):
        if isinstance(layer.output, list | dict) or len(layer.output.shape) != 4:
            continue
        before = max((reduced.get(id(tensor), 1) for tensor in _inputs(layer)), default=1)
        if _pools(layer):
            before *= math.prod(_window(layer)[1])  # type: ignore[index]
        reduced[id(layer.output)] = before
        if id(layer.output) in fields:
            size = math.prod(layer.output.shape[1:])
            with_pooling += size
            without += size * before
    return without / with_pooling if without > with_pooling else None


def first_filters(model: keras.Model) -> np.ndarray | None:
    """The filters of the first convolution, uint8 (filters, height, width, channels), around the grey of zero.

    Each is scaled by its own largest weight. None where the first weights belong to no convolution of pictures.
    """
    for layer in _layers(model):
        kernel = getattr(layer, "kernel", None)
        if kernel is None:
            continue
        if len(kernel.shape) != 4 or kernel.shape[2] not in (1, 3):
            return None
        weights = np.asarray(ops.convert_to_numpy(kernel), "float32").transpose(3, 0, 1, 2)
        most = np.abs(weights).max(axis=(1, 2, 3), keepdims=True)
        return np.clip(128 + 127 * weights / np.maximum(most, 1e-12), 0, 255).astype("uint8")
    return None


def map_layers(model: keras.Model, most: int = SHOWN_LAYERS) -> list[keras.layers.Layer]:
    """Layers whose maps are worth a look: activations after convolutions, spread over the depth."""
    maps = [layer for layer in _layers(model) if not isinstance(layer.output, list | dict)]
    maps = [layer for layer in maps if len(layer.output.shape) == 4 and id(layer.output) in _fields(model)]
    activated = [layer for layer in maps if isinstance(layer, keras.layers.Activation | keras.layers.ReLU)]
    activated += [
        layer for layer in maps if isinstance(layer, keras.layers.Conv2D) and layer.activation.__name__ != "linear"
    ]
    found = [layer for layer in maps if layer in activated] or [m for m in maps if isinstance(m, keras.layers.Conv2D)]
    if len(found) <= most:
        return found
    return [found[i] for i in np.unique(np.linspace(0, len(found) - 1, most).round().astype(int))]


def feature_maps(model: keras.Model, pictures: np.ndarray) -> dict[str, np.ndarray]:
    """What each of ``map_layers`` answers to pictures: float32 (pictures, height, width, channels) by layer."""
    layers = map_layers(model)
    maps = _batches(_part(model, [layer.output for layer in layers]), pictures)
    return {layer.name: answers for layer, answers in zip(layers, maps, strict=True)}


def as_grey(maps: np.ndarray) -> np.ndarray:
    """Maps (..., height, width, channels) as uint8: 0 for the least, 255 for the greatest of each channel's map."""
    low, high = maps.min(axis=(-3, -2), keepdims=True), maps.max(axis=(-3, -2), keepdims=True)
    return (255 * (maps - low) / np.maximum(high - low, 1e-12)).astype("uint8")


@dataclass(frozen=True)
class Excited:
    """What excites some channels of a layer most.

    Attributes:
        channels: their numbers, (channels,).
        pictures: rows of the pictures, (channels, patches), the most exciting first.
        values: what the channel answered, (channels, patches).
        patches: what it saw, uint8 (channels, patches, height, width, picture's channels); the field of the layer, moved
            to lie within the picture.
    """

    channels: np.ndarray
    pictures: np.ndarray
    values: np.ndarray
    patches: np.ndarray


def exciting_patches(
    model: keras.Model,
    pictures: np.ndarray,
    channels: int = SHOWN_CHANNELS,
    patches: int = 6,
    *,
    late: Callable[[], bool] = lambda: False,
) -> dict[str, Excited]:
    """For each of ``map_layers``, the patches of pictures that excite its most varied channels most.

    A picture gives one patch at most to a channel.

    Args:
        late: asked between batches; ends the search among further pictures.
    """
    layers, fields = map_layers(model), _fields(model)
    part, found = _part(model, [layer.output for layer in layers]), {}
    best: list[list[np.ndarray]] = [[] for _ in layers]
    place: list[list[np.ndarray]] = [[] for _ in layers]
    for start in range(0, len(pictures), BATCH):
        if start and late():
            break
        for i, maps in enumerate(_batches(part, pictures[start : start + BATCH])):
            flat = maps.reshape(len(maps), -1, maps.shape[-1])
            best[i].append(flat.max(1))
            place[i].append(flat.argmax(1))
    for i, layer in enumerate(layers):
        highest, where = np.concatenate(best[i]), np.concatenate(place[i])
        # A channel that answers all pictures alike tells nothing of what it looks for.
        chosen = np.sort(np.argsort(-highest.std(0), kind="stable")[:channels])
        rows = np.argsort(-highest[:, chosen], axis=0, kind="stable")[:patches].T
        values = np.take_along_axis(highest[:, chosen].T, rows, axis=1)
        places = np.take_along_axis(where[:, chosen].T, rows, axis=1)
        field, wide = fields[id(layer.output)], int(layer.output.shape[2])
        cut = [
            [_cut(pictures[row], field, divmod(int(at), wide)) for row, at in zip(*pair, strict=True)]
            for pair in zip(rows, places, strict=True)
        ]
        found[layer.name] = Excited(chosen, rows, values, np.array(cut))
    return found


def dreams(
    model: keras.Model,
    channels: dict[str, np.ndarray],
    seed: int = 0,
    steps: int = 48,
    *,
    late: Callable[[], bool] = lambda: False,
) -> dict[str, np.ndarray]:
    """Pictures made to excite channels: gradient ascent from grey noise, uint8 (channels, height, width, colours) by layer.

    In each step the picture is moved by a pixel or two, so that no pattern depends on single pixels, and walks uphill on the
    mean over the places of its channel's map, where excited places weigh more, along a gradient of unit length that is
    smoothed at first. Source: Erhan, Bengio,
    Courville and Vincent, Visualizing Higher-Layer Features of a Deep Network (2009); Mordvintsev et al. (2015).

    Args:
        channels: numbers of channels by name of layer.
        late: asked before each step; a layer that is begun then is not finished, and further ones are left out.
    """
    entry, back = _entry(model)
    made: dict[str, np.ndarray] = {}
    for name, chosen in channels.items():
        layer = model.get_layer(name)
        # Before the activation, since a relu that is silent everywhere shows no way uphill.
        maps = layer.input if isinstance(layer, keras.layers.Activation | keras.layers.ReLU) else layer.output
        gradient = backend.input_gradient_function(keras.Model(entry, maps), _excitement)
        draw = np.random.default_rng([seed, len(made)])
        shape = (len(chosen), *(int(side) for side in entry.shape[1:]))
        x = draw.normal(0, 0.1, shape).astype("float32")
        wanted = np.eye(int(maps.shape[-1]), dtype="float32")[chosen]
        for step in range(steps):
            if late():
                break
            shift = tuple(draw.integers(-2, 3, 2))
            moved = np.roll(x, shift, axis=(1, 2))
            uphill = np.roll(gradient(moved, wanted), (-shift[0], -shift[1]), axis=(1, 2))
            uphill = _smooth(uphill, 1.0 - step / steps)
            length = np.sqrt(np.mean(np.square(uphill), axis=(1, 2, 3), keepdims=True))
            x = np.clip(0.99 * x + 0.2 * uphill / np.maximum(length, 1e-12), -2.5, 2.5).astype("float32")
        if late():
            break
        made[name] = back(x)
    return made


def grad_cam(model: keras.Model, pictures: np.ndarray, outputs: np.ndarray) -> np.ndarray:
    """Where each picture speaks for one output: float32 (pictures, height, width) from 0 to 1, of the picture's size.

    The last maps of at least 4 x 4 places, each channel weighed by the mean gradient of the output's sum. Source:
    Selvaraju et al., Grad-CAM (ICCV 2017).

    Args:
        outputs: for each picture the number of the output; of a single one, 0 speaks for the first class and 1 for the
            second.
    """
    layer = _last_maps(model)
    sums = _plain_output(model)[0]
    maps = _batches(_part(model, [layer.output]), pictures)[0]
    single = int(sums.shape[-1]) == 1
    wanted = (
        np.where(outputs > 0, 1.0, -1.0)[:, None].astype("float32")
        if single
        else np.eye(int(sums.shape[-1]), dtype="float32")[outputs]
    )
    gradient = backend.input_gradient_function(
        keras.Model(layer.output, sums), lambda answers, wanted: ops.sum(answers * wanted)
    )
    weights = gradient(maps, wanted).mean(axis=(1, 2), keepdims=True)
    heat = np.maximum((maps * weights).sum(-1), 0)
    heat /= np.maximum(heat.max(axis=(1, 2), keepdims=True), 1e-12)
    return _enlarged(heat, *pictures.shape[1:3])


def occlusion(model: keras.Model, picture: np.ndarray, output: int) -> np.ndarray:
    """How much less one output answers with a grey square before each place: float32 (height, width), of one picture.

    The square is a quarter of the shorter side wide and moves by a third of that. Source: Zeiler and Fergus, Visualizing
    and Understanding Convolutional Networks (ECCV 2014).

    Args:
        output: its number; of a single one, 0 is the first class and 1 the second.
    """
    height, width, _ = picture.shape
    side = max(1, min(height, width) // 4)
    step = max(1, side // 3)
    tops, lefts = (_places(length, side, step) for length in (height, width))
    hidden = np.repeat(picture[None], 1 + len(tops) * len(lefts), axis=0)
    grey = picture.mean((0, 1)).astype("uint8")
    corners = [(top, left) for top in tops for left in lefts]
    for row, (top, left) in zip(hidden[1:], corners, strict=True):
        row[top : top + side, left : left + side] = grey
    answers = plain_outputs(model)(hidden)
    chosen = (answers[:, 0] if output else 1 - answers[:, 0]) if answers.shape[1] == 1 else answers[:, output]
    total, seen = np.zeros((height, width)), np.zeros((height, width))
    for loss, (top, left) in zip(chosen[0] - chosen[1:], corners, strict=True):
        total[top : top + side, left : left + side] += loss
        seen[top : top + side, left : left + side] += 1
    return (total / seen).astype("float32")


def under_shifts(
    model: keras.Model,
    pictures: np.ndarray,
    score: Callable[[np.ndarray], float],
    most: int | None = None,
    *,
    late: Callable[[], bool] = lambda: False,
) -> list[dict[str, Any]]:
    """A score of the outputs by how far the pictures are shifted: ``pixels`` and ``value``, the mean of four directions.

    Pixels at the edge are repeated where a shift leaves places open.

    Args:
        score: of outputs (pictures, units).
        most: the longest shift, by default a quarter of the shorter side.
        late: asked before each distance; farther ones are left out.
    """
    outputs_of = plain_outputs(model)
    side = min(pictures.shape[1:3])
    most = max(1, side // 4) if most is None else most
    told = [{"pixels": 0, "value": float(score(outputs_of(pictures)))}]
    for pixels in sorted({1, 2, *(round(most * share) for share in (0.25, 0.5, 0.75, 1.0))} - {0}):
        if pixels > most or late():
            break
        values = [
            score(outputs_of(shifted(pictures, pixels * down, pixels * right)))
            for down, right in ((0, 1), (0, -1), (1, 0), (-1, 0))
        ]
        told.append({"pixels": pixels, "value": float(np.mean(values))})
    return told


def shifted(pictures: np.ndarray, down: int, right: int) -> np.ndarray:
    """Pictures (rows, height, width, channels) moved by whole pixels, their edges repeated."""
    rows, columns = (
        np.clip(np.arange(size) - by, 0, size - 1) for size, by in zip(pictures.shape[1:3], (down, right), strict=True)
    )
    return pictures[:, rows][:, :, columns]


def plain_outputs(model: keras.Model) -> Callable[[np.ndarray], np.ndarray]:
    """A function of pictures that gives the model's outputs (rows, units) for the pictures as they are."""
    tensor, activation = _plain_output(model)
    part = _part(model, [tensor])
    finish = (lambda x: x) if activation is None else (lambda x: ops.convert_to_numpy(activation(x)))
    return lambda pictures: np.asarray(finish(_batches(part, pictures)[0]))


def hidden_map(model: keras.Model, pictures: np.ndarray) -> np.ndarray:
    """The last hidden representation of pictures in two dimensions, float32 (pictures, 2), by principal axes."""
    tensor = _plain_output(model)[0]
    [features] = _inputs(tensor._keras_history.operation)
    rows = _batches(_part(model, [features]), pictures)[0].reshape(len(pictures), -1)
    rows = rows - rows.mean(0)
    _, _, axes = np.linalg.svd(rows, full_matrices=False)
    # The sign of an axis is free; it is held, so that two looks are alike.
    axes = axes[:2] * np.sign(axes[:2][np.arange(len(axes[:2])), np.abs(axes[:2]).argmax(1)])[:, None]
    return (rows @ axes.T).astype("float32")


def _fields(model: keras.Model) -> dict[int, Field]:
    """The field of every tensor that is a map of the picture, by id; what is no map any more has none."""
    fields = {id(tensor): Field((1, 1), (1, 1), (0.0, 0.0)) for tensor in model.inputs}
    for layer in _layers(model):
        if isinstance(layer, keras.layers.InputLayer) or isinstance(layer.output, list | dict):
            continue
        inputs = _inputs(layer)
        # What channels are multiplied by may be no map, as where they are weighed by their means.
        known = [tensor for tensor in inputs if id(tensor) in fields]
        if len(layer.output.shape) != 4 or not known or (len(known) < len(inputs) and not _weighs(layer)):
            continue
        before = max((fields[id(tensor)] for tensor in known), key=lambda field: field.size)
        window = _window(layer)
        if isinstance(layer, keras.layers.Resizing):
            fields[id(layer.output)] = _resized(before, inputs[0].shape[1:3], layer.output.shape[1:3])
            continue
        if window is None:
            fields[id(layer.output)] = before
            continue
        kernel, stride = window
        size, step, first = [], [], []
        for axis in (0, 1):
            reach, by = kernel[axis], stride[axis]
            length = int(inputs[0].shape[1 + axis])
            padding = 0
            if getattr(layer, "padding", "valid") == "same":
                padding = max((math.ceil(length / by) - 1) * by + reach - length, 0) // 2
            size.append(math.ceil(before.size[axis] + (reach - 1) * before.step[axis]))
            first.append(before.first[axis] + ((reach - 1) / 2 - padding) * before.step[axis])
            step.append(before.step[axis] * by)
        fields[id(layer.output)] = Field((size[0], size[1]), (step[0], step[1]), (first[0], first[1]))
    return fields


def _weighs(layer: Any) -> bool:
    return isinstance(layer, keras.layers.Multiply)


def _resized(before: Field, given: Any, made: Any) -> Field:
    """The field after a resizing from sides ``given`` to sides ``made``."""
    scale = [int(given[axis]) / int(made[axis]) for axis in (0, 1)]
    step = (before.step[0] * scale[0], before.step[1] * scale[1])
    first = [before.first[axis] + (scale[axis] - 1) / 2 * before.step[axis] for axis in (0, 1)]
    return Field(before.size, step, (first[0], first[1]))


def _window(layer: Any) -> tuple[tuple[int, int], tuple[int, int]] | None:
    """The sides of a layer's window, holes included, and its steps; None where it takes each place by itself."""
    if isinstance(layer, WhitenedPatches):
        return (layer.kernel_size,) * 2, (layer.stride,) * 2
    sides = getattr(layer, "pool_size", None) or getattr(layer, "kernel_size", None)
    if sides is None or len(sides) != 2:
        return None
    holes = getattr(layer, "dilation_rate", (1, 1))
    reach = tuple((side - 1) * hole + 1 for side, hole in zip(sides, holes, strict=True))
    return (reach[0], reach[1]), (layer.strides[0], layer.strides[1])


def _pools(layer: Any) -> bool:
    return isinstance(layer, keras.layers.MaxPooling2D | keras.layers.AveragePooling2D)


def _inputs(layer: Any) -> list[Any]:
    given = layer.input
    if isinstance(given, dict):
        return list(given.values())
    return list(given) if isinstance(given, list | tuple) else [given]


def _cut(picture: np.ndarray, field: Field, place: tuple[int, int]) -> np.ndarray:
    """The part of a picture that one place of a map sees, moved to lie within the picture."""
    cuts = []
    for axis in (0, 1):
        side, length = min(field.size[axis], picture.shape[axis]), picture.shape[axis]
        start = round(field.first[axis] + place[axis] * field.step[axis] - (side - 1) / 2)
        start = max(0, min(start, length - side))
        cuts.append(slice(start, start + side))
    return picture[cuts[0], cuts[1]]


def _start(model: keras.Model) -> Any:
    """The tensor where a picture enters alone: the model's input, or what comes after its views."""
    return next((layer.output for layer in _layers(model) if isinstance(layer, Views)), model.inputs[0])


def _part(model: keras.Model, outputs: list[Any]) -> Callable[[np.ndarray], list[np.ndarray]]:
    part = keras.Model(_start(model), outputs)

    def answers(pictures: np.ndarray) -> list[np.ndarray]:
        found = part(ops.convert_to_tensor(pictures), training=False)
        found = found if isinstance(found, list | tuple) else [found]
        return [np.asarray(ops.convert_to_numpy(ops.cast(one, "float32"))) for one in found]

    return answers


def _batches(part: Callable[[np.ndarray], list[np.ndarray]], pictures: np.ndarray) -> list[np.ndarray]:
    made = [part(pictures[start : start + BATCH]) for start in range(0, len(pictures), BATCH)]
    return [np.concatenate(parts) for parts in zip(*made, strict=True)]


def _plain_output(model: keras.Model) -> tuple[Any, Any]:
    """The output for a picture alone, before its activation where that is a layer of its own, and that activation."""
    tensor, activation = model.outputs[0], None
    while True:
        layer = tensor._keras_history.operation
        if isinstance(layer, keras.layers.Activation):
            activation = layer.activation
        elif not isinstance(layer, MeanOfViews | WeightedMean):
            return tensor, activation
        tensor = _inputs(layer)[0]


def _layers(model: keras.Model) -> list[keras.layers.Layer]:
    """The layers that lead to the output, in the order of computation; of several networks those of the first."""
    leading: set[int] = set()
    waiting = [model.outputs[0]._keras_history.operation]
    while waiting:
        layer = waiting.pop()
        if id(layer) in leading:
            continue
        leading.add(id(layer))
        inputs = [] if isinstance(layer, keras.layers.InputLayer) else _inputs(layer)
        inputs = inputs[:1] if isinstance(layer, WeightedMean) else inputs
        waiting += [tensor._keras_history.operation for tensor in inputs]
    return [layer for layer in model.layers if id(layer) in leading]


def _last_maps(model: keras.Model) -> keras.layers.Layer:
    """The last maps that still tell places apart."""
    layers = map_layers(model, most=len(model.layers))
    sides = [min(layer.output.shape[1:3]) for layer in layers]
    return next((layer for layer, side in zip(layers[::-1], sides[::-1], strict=True) if side >= PLACES), layers[0])


def _entry(model: keras.Model) -> tuple[Any, Callable[[np.ndarray], np.ndarray]]:
    """The first tensor of floats, and how its values become pictures again."""
    scales = [layer for layer in _layers(model) if isinstance(layer, PictureScale)]
    if scales:
        mean, factor = (np.asarray(ops.convert_to_numpy(v)) for v in (scales[0].mean, scales[0].factor))
        spread = np.divide(1.0, factor, out=np.zeros_like(factor), where=factor > 0)
        return scales[0].output, lambda x: np.clip(x * spread + mean, 0, 255).astype("uint8")
    first = next(layer.output for layer in _layers(model) if "float" in str(layer.output.dtype))
    return first, lambda x: as_grey(x)


def _excitement(maps: Any, wanted: Any) -> Any:
    """Of the wanted channel of each picture. Squares, so that a pattern in places is worth more than a little everywhere."""
    return ops.sum(ops.mean(ops.square(ops.softplus(maps)), axis=(1, 2)) * wanted)


def _smooth(x: np.ndarray, share: float) -> np.ndarray:
    """A mean of each pixel with its neighbours, mixed in by ``share``."""
    wide = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)), "edge")
    mean = sum(wide[:, i : i + x.shape[1], j : j + x.shape[2]] for i in range(3) for j in range(3)) / 9
    return (1 - share) * x + share * mean


def _enlarged(maps: np.ndarray, height: int, width: int) -> np.ndarray:
    """Maps (rows, h, w) brought to a picture's size by straight lines between places."""
    for axis, size in ((1, height), (2, width)):
        places = np.clip((np.arange(size) + 0.5) * maps.shape[axis] / size - 0.5, 0, maps.shape[axis] - 1)
        low = np.floor(places).astype(int)
        high = np.minimum(low + 1, maps.shape[axis] - 1)
        share = (places - low).reshape([-1 if i == axis else 1 for i in range(3)])
        maps = np.take(maps, low, axis) * (1 - share) + np.take(maps, high, axis) * share
    return maps.astype("float32")


def _spread(rows: np.ndarray, most: int) -> np.ndarray:
    return rows[:: max(1, -(-len(rows) // most))]


def _places(length: int, side: int, step: int) -> list[int]:
    """Starts of a window that covers a length, the last one at its end."""
    return sorted({*range(0, length - side + 1, step), length - side})
