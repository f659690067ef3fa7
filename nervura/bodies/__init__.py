"""Bodies: the forms in which rows come to a server. One file is one form."""

from nervura.bodies.base import Body
from nervura.shelf import Shelf

bodies: Shelf[Body] = Shelf("nervura.bodies", "nervura.bodies.base.Body", "form of rows")
