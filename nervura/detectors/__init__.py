"""Detectors: what tells odd rows from usual ones without labels, on rows as a matrix. One file is one of them."""

from nervura.detectors.base import Detector
from nervura.shelf import Shelf

detectors: Shelf[Detector] = Shelf("nervura.detectors", "nervura.detectors.base.Detector", "detector")
