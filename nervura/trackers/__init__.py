"""Trackers: places outside a run where its training is told too. One file is one of them."""

from nervura.shelf import Shelf
from nervura.trackers.base import Tracker

trackers: Shelf[Tracker] = Shelf("nervura.trackers", "nervura.trackers.base.Tracker", "tracker")
