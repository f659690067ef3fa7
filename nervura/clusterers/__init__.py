"""Clusterers: what sorts rows into groups without labels, on rows as a matrix. One file is one of them."""

from nervura.clusterers.base import Clusterer
from nervura.shelf import Shelf

clusterers: Shelf[Clusterer] = Shelf("nervura.clusterers", "nervura.clusterers.base.Clusterer", "clusterer")
