"""Rows without a target teach a network first: its layers up to the output rebuild rows of which a part is wrong."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from nervura.encoding import PICTURES
from nervura.errors import OptionError
from nervura.zoo import zoo
from nervura.zoo.base import Network, Phase, seeds_from

if TYPE_CHECKING:
    import keras

    from nervura.encoding import Tensor
    from nervura.layers.row_loss import OwnObjective

PHASES = PRETRAINING, TRAINING = "pretraining", "training"

SWAPPED_SHARE = 0.3
"""Of the values of a row, so many are those of another row while the layers learn to rebuild it."""

SQUARES = 7
"""A side of a picture has about so many of the squares that are swapped."""

SHARE_OF_TIME = 0.4
"""Of the time left of a budget, the most that pretraining takes."""


def check(network: Network, options: Any, predicts: bool) -> None:
    """Whether a network can learn from rows without a target first.

    Raises:
        OptionError: it cannot.
    """
    if not predicts:
        raise OptionError(
            "Pretraining is for problems with a target, whose rows without one it learns from; this problem predicts none "
            "and learns from all rows. Leave --pretrain out."
        )
    if not network.pretrains:
        able = ", ".join(one.name for one in zoo if one.pretrains and one.takes & network.takes)
        raise OptionError(
            f"Pretraining teaches the layers of a network up to its output; that of '{network.name}' cannot be. Write "
            f"--network with one of {able}, or leave --pretrain out."
        )
    if getattr(options, "pretraining", True) is False:
        raise OptionError("With --pretrain the layers are pretrained; pretraining=no was set. Leave one of them out.")


def phases(training: Phase) -> list[Phase]:
    """The one phase of a network, and the same before it without the target: as many epochs, rate and patience."""
    before = replace(training, name=PRETRAINING, share=SHARE_OF_TIME)
    return [before, replace(training, name=TRAINING, afresh=True)]


def enter(learner: OwnObjective, phase: Phase) -> None:
    """Sets what learns: the decoder rests once the target is learnt from, and the output until then."""
    learner.predicting.get_layer("output").trainable = phase.name == TRAINING
    for layer in learner.others:
        layer.trainable = phase.name == PRETRAINING


def learner(model: keras.Model, tensors: list[Tensor], options: Any, seed: int) -> OwnObjective:
    """What trains ``model`` in two phases: to rebuild rows from its last hidden representation, then by the target.

    A decoder of one hidden layer, which the predicting model does not have, rebuilds each row from the layer before
    ``output``; what is made small is that of an autoencoder (``rebuilding_loss``).
    """
    import keras

    from nervura.layers.given import blocks_of, given_rows
    from nervura.layers.row_loss import OwnObjective, rebuilding_loss
    from nervura.layers.straight import dense
    from nervura.layers.swapped import Swapped

    seeds, blocks = seeds_from([seed, 2]), blocks_of(tensors)
    inputs = {t.name: keras.Input(t.shape, dtype=t.dtype, name=t.name) for t in tensors}
    if not blocks:
        raise OptionError(
            "Pretraining rebuilds numbers, categories or pictures; these rows hold words alone. Leave --pretrain out."
        )
    given = given_rows(inputs, tensors)
    giver = keras.Model(inputs, given, name="given_rows")
    features = model.get_layer("output").input
    trunk = keras.Model(model.inputs, features)
    side = max((-(-min(t.shape[:2]) // SQUARES) for t in tensors if t.name == PICTURES), default=1)
    swaps = {t.name: Swapped(SWAPPED_SHARE, side, next(seeds), name=f"swapped_{t.name}") for t in tensors}
    hidden = keras.Input(features.shape[1:])
    x = dense(features.shape[-1], "relu", seeds, "decoder_1")(hidden)
    decoder = keras.Model(hidden, dense(given.shape[-1], "linear", seeds, "decoded")(x), name="decoder")

    def objective(inputs: Any, training: bool, phase: str) -> Any:
        rows = giver(inputs)
        seen = {name: swap(inputs[name], training=training) for name, swap in swaps.items()}
        reached = trunk([seen[tensor.name] for tensor in model.inputs], training=training)
        return rebuilding_loss(rows, decoder(reached), blocks)

    return OwnObjective(model, objective, [giver, decoder, *swaps.values()], (TRAINING,))
