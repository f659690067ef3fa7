"""nervura: from your data to a Keras network that you can read, trust and ship.

import nervura
run = nervura.train("table.csv", target="y")
print(run.verdict)
run.predict("new.csv")
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nervura.estimators import AnomalyDetector as AnomalyDetector
    from nervura.estimators import Classifier as Classifier
    from nervura.estimators import Clusterer as Clusterer
    from nervura.estimators import Embedder as Embedder
    from nervura.estimators import Regressor as Regressor
    from nervura.estimators import TopicModel as TopicModel
    from nervura.sources import read as read
    from nervura.workflow import check as check
    from nervura.workflow import load as load
    from nervura.workflow import resume as resume
    from nervura.workflow import train as train

__version__ = "0.1.0"

_PLACES = {
    "train": "nervura.workflow",
    "resume": "nervura.workflow",
    "load": "nervura.workflow",
    "read": "nervura.sources",
    "check": "nervura.workflow",
    "AnomalyDetector": "nervura.estimators",
    "Classifier": "nervura.estimators",
    "Clusterer": "nervura.estimators",
    "Embedder": "nervura.estimators",
    "Regressor": "nervura.estimators",
    "TopicModel": "nervura.estimators",
}
__all__ = [
    *("AnomalyDetector", "Classifier", "Clusterer", "Embedder", "Regressor", "TopicModel"),
    *("check", "load", "read", "resume", "train"),
]


def __getattr__(name: str) -> Any:
    # Public names are found when they are used, so that importing the package imports no Keras.
    if name not in _PLACES:
        raise AttributeError(f"module 'nervura' has no attribute '{name}'")
    if _PLACES[name] != "nervura.sources":
        from nervura import backend

        backend.choose()
    return getattr(import_module(_PLACES[name]), name)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
