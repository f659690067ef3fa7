"""The deep autoencoder: a code so short that only what rows have in common gets through."""

from __future__ import annotations

from typing import ClassVar

from nervura.zoo.base import LearningOptions, Rebuilding, StraightOptions


class Autoencoder(Rebuilding):
    """Two networks that mirror each other: one squeezes a row into a short code, the other rebuilds the row from it.

    What is made small is the error of each column by its kind, summed over the row: squared error for numbers in units
    of their deviation, binary cross-entropy for yes and no, cross-entropy for categories, and for pixels from 0 to 1
    squared error or cross-entropy. With ``activation=linear`` the code spans the same space as principal components.

    Of tables, a straight path lies beside the hidden layers: it begins as principal components, to which they add what
    they learn, so that few rows are rebuilt no worse than by those.

    Shapes: (batch, width) -> hidden layers -> (batch, latent_dim) -> the same layers backwards -> (batch, width).
    Cost: twice the weights of the hidden layers and the code, width x hidden + hidden x hidden + hidden x latent_dim.
    Choose it for a short description of rows: to compare, group or draw them, or to see which of them are odd.
    Paper: Hinton and Salakhutdinov, Reducing the Dimensionality of Data with Neural Networks (Science, 2006). Here all
    layers are trained at once from initial weights that fit their activation, which made the layer-wise pretraining of
    2006 unnecessary; ``deep_belief`` has it. The code is linear, as in the paper.
    """

    name = "autoencoder"
    summary = "a deep autoencoder: rows through a short code and back"
    Options: ClassVar[type[LearningOptions]] = StraightOptions
