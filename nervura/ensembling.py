"""Several trained networks as one: which of them, and their weighted mean as a flat Keras model."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from nervura.designing import Design, layer_table
from nervura.layers.weighted_mean import WeightedMean
from nervura.zoo.base import Network

MOST_MEMBERS = 6
ROUNDS = 20
"""Members are added to an ensemble so often; one that is added twice weighs twice."""


class Ensemble(Network):
    """A weighted mean of networks that a search has trained, as one model."""

    name = "ensemble"
    summary = "a weighted mean of networks that were trained for themselves"


@dataclass
class EnsembleDesign(Design):
    """An ensemble as a design: a model that answers, and a learner that answers group by group."""

    members_told: Sequence[dict[str, Any]] = ()

    def to_json(self) -> dict[str, Any]:
        return {**super().to_json(), "options": {}, "ensemble": list(self.members_told)}


def select(
    answers: Sequence[np.ndarray], score_of: Callable[[np.ndarray], float], most: int = MOST_MEMBERS
) -> tuple[dict[int, int], float]:
    """The members of an ensemble by their places, how often each was chosen, and the score of their mean.

    Greedy forward selection with replacement: whichever makes the mean best is added, and the best mean on the way is
    kept. Source: Caruana et al., Ensemble Selection from Libraries of Models, ICML 2004; here of few members.

    Args:
        answers: of each candidate for the same rows.
        score_of: of a mean answer; less is better.
        most: different members.
    """
    chosen: list[int] = []
    best: tuple[float, int] = (math.inf, 0)
    total = np.zeros_like(answers[0], dtype="float64")
    for _ in range(ROUNDS):
        able = range(len(answers)) if len(set(chosen)) < most else sorted(set(chosen))
        reached, place = min((score_of((total + answers[i]) / (len(chosen) + 1)), i) for i in able)
        chosen.append(place)
        total += answers[place]
        if reached < best[0] or not best[1]:
            best = (reached, len(chosen))
    kept = chosen[: best[1]]
    return {place: kept.count(place) for place in dict.fromkeys(kept)}, best[0]


def ensemble(designs: Sequence[Design], weights: Sequence[float]) -> EnsembleDesign:
    """The weighted mean of trained designs as one design, whose model is flat: no model stands inside it.

    Args:
        designs: all of the same number of groups.
    """
    first, groups = designs[0], designs[0].groups
    inputs = {
        tensor.name: keras.Input(tensor.shape[1:], dtype=tensor.dtype, name=tensor.name)
        for made in designs
        for tensor in made.model.inputs
    }
    outputs, of_groups = [], []
    for place, made in enumerate(designs, 1):
        copy = flat_copy(made.model, inputs, f"model_{place}")
        outputs.append(copy.outputs[0])
        if groups > 1:
            members = copy.get_layer(f"model_{place}_members").output
            each = (-1, groups, members.shape[1] // groups, members.shape[2])
            of_groups.append(keras.ops.mean(keras.ops.reshape(members, each), axis=2))
    model = keras.Model(inputs, WeightedMean(weights, name="output")(outputs), name="ensemble")
    learner = keras.Model(inputs, WeightedMean(weights)(of_groups)) if groups > 1 else model
    known = {tensor.name: tensor for made in designs for tensor in made.tensors}
    return EnsembleDesign(
        Ensemble(),
        first.problem,
        list(known.values()),
        first.options,
        first.seed,
        model,
        layer_table(model),
        None,
        learner,
        groups,
    )


def flat_copy(model: keras.Model, inputs: dict[str, keras.KerasTensor], prefix: str) -> keras.Model:
    """The same model with the same weights on other inputs, the names of its layers behind a prefix."""
    copies: dict[str, keras.layers.Layer] = {}

    def copy(layer: keras.layers.Layer) -> keras.layers.Layer:
        copies[layer.name] = type(layer).from_config({**layer.get_config(), "name": f"{prefix}_{layer.name}"})
        return copies[layer.name]

    made = keras.models.clone_model(
        model, input_tensors={tensor.name: inputs[tensor.name] for tensor in model.inputs}, clone_function=copy
    )
    for name, layer in copies.items():
        for variable, value in zip(layer.variables, model.get_layer(name).variables, strict=True):
            variable.assign(value)
    return made
