"""Baselines: the models that a network is judged beside and Keras is not needed for. One file is one of them."""

from nervura.baselines.base import Baseline
from nervura.shelf import Shelf

baselines: Shelf[Baseline] = Shelf("nervura.baselines", "nervura.baselines.base.Baseline", "baseline")
