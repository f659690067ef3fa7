"""What a network is trained by that is to write about pictures: first naming words, then writing texts."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from nervura.layers.naming import Naming
from nervura.layers.one_view import OneView
from nervura.layers.row_loss import TARGET
from nervura.sentences import FIRST_WORD

MOST_NAMED = 1_000
"""So many of the commonest words are named."""

NAMING, WRITING = "naming", "writing"


class CaptionObjective:
    """In the phase ``naming`` how far the layers up to ``features`` are from telling which words occur in a picture's
    texts, (batch,), and after that the cross-entropy of these words, each predicted from those before it.

    Inputs are the pictures or what ``features`` gave of them, in one view or several, and the texts (``TARGET``) as codes.

    Args:
        seed: of naming and of the choice of views.

    Attributes:
        encoder: the part of the model that sees.
        others: layers with variables that the objective uses and the model does not have.
    """

    def __init__(self, model: keras.Model, seed: int = 0) -> None:
        self.encoder, self.writer = encoder_of(model), model.get_layer("writer")
        # The vocabulary is in the order of how common words are.
        self.naming = Naming(min(MOST_NAMED, self.writer.codes - FIRST_WORD), seed=seed, name="naming")
        self.naming.build(self.encoder.output_shape)
        self.one_view = OneView(seed, name="one_view")
        self.others = [self.naming, self.one_view]

    def __call__(self, inputs: Any, training: bool, phase: str) -> Any:
        texts = ops.cast(inputs[TARGET], "int32")
        if "features" in inputs:
            regions = self.one_view(inputs["features"], training=training)
        else:
            regions = self.encoder({"pictures": inputs["pictures"]}, training=training and phase != WRITING)
        learnt = self.naming if phase == NAMING else self.writer
        return learnt(regions, texts, training=training)

    def enter(self, learner: keras.Model, phase: str) -> None:
        """Sets what learns in a phase: what sees and names, what writes, or both."""
        inner = [layer.layers for layer in self.encoder.layers if isinstance(layer, keras.Model)]
        own = [layer for layer in self.encoder.layers if not isinstance(layer, keras.Model)]
        for layer in [*own, *(layer for layers in inner for layer in layers)]:
            # A backbone normalises by the statistics that it came with.
            kept = inner and isinstance(layer, keras.layers.BatchNormalization)
            layer.trainable = phase != WRITING and not kept
        self.naming.trainable, self.writer.trainable = phase == NAMING, phase != NAMING


def encoder_of(model: keras.Model) -> keras.Model:
    """The part of a model that sees."""
    return keras.Model({"pictures": model.inputs[0]}, model.get_layer("features").output, name="encoder")
