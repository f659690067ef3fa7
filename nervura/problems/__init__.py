"""Problems: what can be asked of data. One file is one kind of question."""

from nervura.problems.base import Problem
from nervura.shelf import Shelf

problems: Shelf[Problem] = Shelf("nervura.problems", "nervura.problems.base.Problem", "problem")
