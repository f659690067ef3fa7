"""The zoo: the networks. One file is one architecture."""

from nervura.shelf import Shelf
from nervura.zoo.base import Network

zoo: Shelf[Network] = Shelf("nervura.zoo", "nervura.zoo.base.Network", "network")
