"""Exporters: the forms in which a run leaves the house. One file is one form."""

from nervura.exporters.base import Exporter
from nervura.shelf import Shelf

exporters: Shelf[Exporter] = Shelf("nervura.exporters", "nervura.exporters.base.Exporter", "export format")
