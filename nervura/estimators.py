"""The networks as scikit-learn estimators: they fit the network alone, without baselines, judgement and report."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Self

import numpy as np
import polars as pl
from sklearn.base import (
    BaseEstimator,
    ClassifierMixin,
    ClassNamePrefixFeaturesOutMixin,
    ClusterMixin,
    OutlierMixin,
    RegressorMixin,
    TransformerMixin,
)
from sklearn.utils import check_array, check_consistent_length, check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, column_or_1d, validate_data

from nervura import backend

# A pickle imports this module alone, and the backend must be settled before anything imports Keras.
backend.choose()

import keras  # noqa: E402

from nervura import layers, training  # noqa: E402
from nervura.calibration import calibrate  # noqa: E402
from nervura.dataset import Dataset  # noqa: E402
from nervura.designing import chosen_network, default_network, design  # noqa: E402
from nervura.encoding import encode  # noqa: E402
from nervura.predicting import outputs  # noqa: E402
from nervura.problems.anomaly import Anomaly  # noqa: E402
from nervura.problems.base import Answers  # noqa: E402
from nervura.problems.clustering import Clustering  # noqa: E402
from nervura.problems.topics import Topics  # noqa: E402
from nervura.sources import read, sources  # noqa: E402
from nervura.sources.base import DOCUMENT  # noqa: E402

EXPECTED_FAILED_CHECKS: dict[str, str] = {}
"""The checks of ``sklearn.utils.estimator_checks.check_estimator`` that are not met, each with the reason."""


class _Estimator(BaseEstimator):
    """What both estimators share: rows of any form in, a trained network, its outputs."""

    def __init__(
        self,
        network: str | None = None,
        options: Mapping[str, Any] | None = None,
        *,
        metric: str | None = None,
        kinds: Mapping[str, str] | None = None,
        validation_share: float = 0.2,
        minutes: float | None = None,
        random_state: int | np.random.RandomState | None = 0,
    ):
        self.network = network
        self.options = options
        self.metric = metric
        self.kinds = kinds
        self.validation_share = validation_share
        self.minutes = minutes
        self.random_state = random_state

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.string = True
        tags.input_tags.categorical = True
        return tags

    def _train(self, X: Any, frame: pl.DataFrame, y: np.ndarray, problem: str) -> Self:
        """Trains the network on ``frame``, the rows ``X``, and on the coded target, shape (rows,)."""
        deadline = None if self.minutes is None else time.monotonic() + 60 * self.minutes
        check_consistent_length(X, y)
        seed = self._seed()
        target = "target"
        while target in frame.columns:
            target += "_"
        dataset = Dataset.open(
            frame.with_columns(pl.Series(target, y)),
            target,
            problem=problem,
            metric=self.metric,
            kinds={**_declared_kinds(X, frame), **(self.kinds or {})},
            seed=seed,
            test_share=0.0,
            validation_share=self.validation_share,
        )
        options = dict(self.options or {})
        network = self.network or default_network(dataset.schema)
        made = design(dataset.problem, network, dataset.schema, options, seed, dataset.folds)
        rows, judged, folds = dataset.arrays("train"), dataset.arrays("validation"), dataset.fold_of_training
        fit = training.fit(made, rows, judged, folds=folds, deadline=deadline)
        self.model_, self.schema_, self.history_ = made.model, dataset.schema, fit.history
        answered = training.held_out(made, rows, judged, judged, folds)
        self._problem = calibrate(dataset.problem, *answered, groups=made.groups)
        self._network = training.predictor(made.model)
        return self

    def _seed(self) -> int:
        seed = self.random_state
        return int(seed if isinstance(seed, int | np.integer) else check_random_state(seed).randint(2**31 - 1))

    def __getstate__(self) -> dict[str, Any]:
        """The state without what is compiled; the model as the bytes of its .keras file."""
        state = dict(super().__getstate__())
        if state.pop("_network", None) is not None:
            with TemporaryDirectory() as folder:
                self.model_.save(Path(folder) / "model.keras")
                state["model_"] = (Path(folder) / "model.keras").read_bytes()
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        if "model_" in state:
            layers.register()
            with TemporaryDirectory() as folder:
                (Path(folder) / "model.keras").write_bytes(state["model_"])
                model = keras.saving.load_model(Path(folder) / "model.keras", compile=False)
            state = {**state, "model_": model, "_network": training.predictor(model)}
        super().__setstate__(state)

    def _rows(self, X: Any, y: Any = "no_validation", *, reset: bool = False) -> pl.DataFrame:
        """``X`` as a Polars frame: frames keep their types and missing values, anything else becomes an array."""
        asked: dict[str, Any] = {"y": None if y is None else "no_validation", "reset": reset}
        if sources.load("frame").matches(X):
            X = validate_data(self, X, skip_check_array=True, **asked)
        else:
            asked |= {"dtype": None, "ensure_all_finite": "allow-nan", "ensure_min_samples": 2 if reset else 1}
            X = validate_data(self, X, ensure_2d=not _are_pictures(X), allow_nd=True, **asked)
        return read(X).frame.collect()

    def _estimates(self, X: Any) -> np.ndarray:
        check_is_fitted(self)
        return self._problem.estimates(outputs(self._network, self.schema_, self._rows(X)))


class Embedder(ClassNamePrefixFeaturesOutMixin, TransformerMixin, _Estimator):
    """A short code for each row, from which it can be rebuilt, as a scikit-learn transformer; see docs/embedding.md.

    Args:
        network: an autoencoder of the zoo; None: ``autoencoder``.
        options, metric, kinds, validation_share, minutes, random_state: as of ``Classifier``.

    Attributes:
        model_, schema_, history_, n_features_in_, feature_names_in_: as of ``Classifier``; the model's outputs are code,
            rebuilt row and given row (``nervura.rebuilding``).
    """

    def fit(self, X: Any, y: Any = None) -> Self:
        """Fits the network to rows ``X``; ``y`` plays no part."""
        deadline = None if self.minutes is None else time.monotonic() + 60 * self.minutes
        frame, seed = self._rows(X, reset=True), self._seed()
        if frame.width < 2 and not _are_pictures(X):
            raise ValueError("Rows of two or more features have something in common; X has 1 feature(s).")
        dataset = Dataset.open(
            frame,
            problem="embedding",
            metric=self.metric,
            kinds={**_declared_kinds(X, frame), **(self.kinds or {})},
            seed=seed,
            test_share=0.0,
            validation_share=self.validation_share,
        )
        network = self.network or chosen_network(dataset.schema, dataset.problem)[0]
        made = design(dataset.problem, network, dataset.schema, dict(self.options or {}), seed)
        fit = training.fit(made, dataset.arrays("train"), dataset.arrays("validation"), deadline=deadline)
        self.model_, self.schema_, self.history_ = made.model, dataset.schema, fit.history
        self._problem, self._network = made.problem, training.predictor(made.model)
        self._n_features_out = made.model.get_layer("code").output.shape[-1]
        return self

    def transform(self, X: Any) -> np.ndarray:
        """The codes, shape (rows, latent_dim)."""
        return self._problem.decode(self._estimates(X)).to_numpy()


class Classifier(ClassifierMixin, _Estimator):
    """A network that tells classes apart, as a scikit-learn estimator.

    Rows are a pandas or Polars frame, whose columns may hold names, dates and missing values, or an array: (rows,
    columns) or, of pictures, (rows, height, width[, channels]).

    Args:
        network: a member of the zoo; None: the default for tables or for pictures.
        options: the network's options by name.
        metric: what to optimise, one of the metrics of the problem; by default log_loss or rmse.
        kinds: what columns mean, by name, where the inferred kinds are wrong; an array's columns are x0, x1 ...
        validation_share: the share of the rows that decide when training stops.
        minutes: a budget for ``fit``.
        random_state: split, weights and row order depend on it alone.

    Attributes:
        classes_: the classes in sorted order, (classes,).
        model_: the Keras model; its inputs are the tensors of ``nervura.encoding.encode``.
        schema_: the columns as they were understood, with their encoding.
        history_: one value per epoch by name.
        n_features_in_, feature_names_in_: of the rows it was fitted to.
    """

    def fit(self, X: Any, y: Any) -> Self:
        """Fits the network to rows ``X`` and their classes ``y``, shape (rows,)."""
        frame = self._rows(X, y, reset=True)
        y = column_or_1d(y, warn=True)
        check_classification_targets(y)
        self.classes_, codes = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(f"Two or more classes can be told apart; y has one class, {self.classes_[0]!r}.")
        return self._train(X, frame, codes, "binary" if len(self.classes_) == 2 else "multiclass")

    def predict_proba(self, X: Any) -> np.ndarray:
        """The probability of each class, shape (rows, classes), in the order of ``classes_``."""
        return self._estimates(X)

    def predict(self, X: Any) -> np.ndarray:
        """The class of each row, shape (rows,): the most probable one or, where ``metric`` rests on the class named,
        the one that it likes best."""
        estimates = self._estimates(X)
        return self.classes_[self._problem.named(estimates)]


class Regressor(RegressorMixin, _Estimator):
    """A network that estimates a value, as a scikit-learn estimator.

    Parameters, rows and attributes are those of ``Classifier``, except for ``classes_``.
    """

    def fit(self, X: Any, y: Any) -> Self:
        """Fits the network to rows ``X`` and their values ``y``, shape (rows,)."""
        frame = self._rows(X, y, reset=True)
        y = check_array(column_or_1d(y, warn=True), ensure_2d=False, dtype="float64", input_name="y")
        return self._train(X, frame, y, "regression")

    def predict(self, X: Any) -> np.ndarray:
        """The estimated value of each row, shape (rows,)."""
        return self._estimates(X)


class AnomalyDetector(OutlierMixin, _Estimator):
    """Finds rows that are unlike the others, as a scikit-learn outlier detector; see docs/anomaly.md.

    Args:
        network: an autoencoder of the zoo; None: ``autoencoder``.
        options: the network's options by name.
        clean: whether the rows to fit to hold no anomalies.
        level: the share of usual rows that are to raise no alarm.
        kinds, minutes, random_state: as of ``Classifier``.
        validation_share: the share of the rows that decide when training stops and calibrate the alarm.

    Attributes:
        problem_: the problem with its detectors (``nervura.problems.anomaly.Anomaly``).
        offset_: minus the score above which a row raises an alarm.
        model_, schema_, history_, n_features_in_, feature_names_in_: as of ``Classifier``.
    """

    def __init__(
        self,
        network: str | None = None,
        options: Mapping[str, Any] | None = None,
        *,
        clean: bool = False,
        level: float = 0.99,
        kinds: Mapping[str, str] | None = None,
        validation_share: float = 0.2,
        minutes: float | None = None,
        random_state: int | np.random.RandomState | None = 0,
    ):
        super().__init__(
            network,
            options,
            kinds=kinds,
            validation_share=validation_share,
            minutes=minutes,
            random_state=random_state,
        )
        self.clean = clean
        self.level = level

    def fit(self, X: Any, y: Any = None) -> Self:
        """Fits network and detectors to rows ``X``; ``y`` plays no part."""
        deadline = None if self.minutes is None else time.monotonic() + 60 * self.minutes
        frame, seed = self._rows(X, reset=True), self._seed()
        dataset = Dataset.open(
            frame,
            problem="anomaly",
            kinds={**_declared_kinds(X, frame), **(self.kinds or {})},
            seed=seed,
            test_share=0.0,
            validation_share=self.validation_share,
            options={"clean": "yes" if self.clean else "no"},
            level=self.level,
        )
        network = self.network or chosen_network(dataset.schema, dataset.problem)[0]
        made = design(dataset.problem, network, dataset.schema, dict(self.options or {}), seed)
        rows, validation = dataset.arrays("train"), dataset.arrays("validation")
        fit = training.fit(made, rows, training.halves(validation)[0], deadline=deadline)
        self.model_, self.schema_, self.history_ = made.model, dataset.schema, fit.history
        self._network = training.predictor(made.model)
        parts = {"train": rows[0], "validation": validation[0]}
        problem = made.problem
        assert isinstance(problem, Anomaly)
        self.problem_ = problem.settle({part: Answers(x, self._network(x)) for part, x in parts.items()})
        self.offset_ = -self.problem_.threshold
        return self

    def score_samples(self, X: Any) -> np.ndarray:
        """How usual each row is, (rows,): minus the score of an anomaly."""
        check_is_fitted(self)
        return -self.problem_.surprises(outputs(self._network, self.schema_, self._rows(X)))

    def decision_function(self, X: Any) -> np.ndarray:
        """How far each row is from an alarm, (rows,): below zero it raises one."""
        return self.score_samples(X) - self.offset_

    def predict(self, X: Any) -> np.ndarray:
        """-1 for rows that raise an alarm, 1 for others, (rows,)."""
        return np.where(self.decision_function(X) < 0, -1, 1)


class Clusterer(ClusterMixin, _Estimator):
    """Groups rows that are alike, as a scikit-learn clusterer; see docs/clustering.md.

    Args:
        clusters: how many, or ``auto``: as many as the rows tell.
        network: an autoencoder of the zoo; None: the default of the problem.
        options: options by name, of the network and of the problem (``method``, ``view``).
        kinds, validation_share, minutes, random_state: as of ``Classifier``.

    Attributes:
        labels_: the cluster of each row, from 0, the largest first (rows,).
        n_clusters_: how many clusters there are.
        problem_: the problem with its clusters (``nervura.problems.clustering.Clustering``).
        model_, schema_, history_, n_features_in_, feature_names_in_: as of ``Classifier``.
    """

    def __init__(
        self,
        clusters: int | str = "auto",
        network: str | None = None,
        options: Mapping[str, Any] | None = None,
        *,
        kinds: Mapping[str, str] | None = None,
        validation_share: float = 0.2,
        minutes: float | None = None,
        random_state: int | np.random.RandomState | None = 0,
    ):
        super().__init__(
            network,
            options,
            kinds=kinds,
            validation_share=validation_share,
            minutes=minutes,
            random_state=random_state,
        )
        self.clusters = clusters

    def fit(self, X: Any, y: Any = None) -> Self:
        """Fits the network to rows ``X`` and groups them; ``y`` plays no part."""
        deadline = None if self.minutes is None else time.monotonic() + 60 * self.minutes
        frame, seed = self._rows(X, reset=True), self._seed()
        given = {**(self.options or {}), "clusters": str(self.clusters)}
        dataset = Dataset.open(
            frame,
            problem="clustering",
            kinds={**_declared_kinds(X, frame), **(self.kinds or {})},
            seed=seed,
            test_share=0.0,
            validation_share=self.validation_share,
            options=given,
        )
        network = self.network or chosen_network(dataset.schema, dataset.problem)[0]
        made = design(dataset.problem, network, dataset.schema, dataset.problem.divided(given)[1], seed)
        rows, validation = dataset.arrays("train"), dataset.arrays("validation")
        fit = training.fit(made, rows, validation, deadline=deadline)
        self.model_, self.schema_, self.history_ = made.model, dataset.schema, fit.history
        self._network = training.predictor(made.model)
        problem = made.problem
        assert isinstance(problem, Clustering)
        both = {name: np.concatenate([array, validation[0][name]]) for name, array in rows[0].items()}
        self.problem_ = problem.settle({"train": Answers(both, self._network(both))})
        self.n_clusters_ = len(self.problem_.clusters)
        self.labels_ = self._shares(frame).argmax(1)
        return self

    def predict_proba(self, X: Any) -> np.ndarray:
        """How probably each row belongs to each cluster, (rows, clusters)."""
        check_is_fitted(self)
        return self._shares(self._rows(X))

    def predict(self, X: Any) -> np.ndarray:
        """The cluster of each row, (rows,)."""
        return self.predict_proba(X).argmax(1)

    def _shares(self, frame: pl.DataFrame) -> np.ndarray:
        return self.problem_.probabilities(outputs(self._network, self.schema_, frame))


class TopicModel(ClassNamePrefixFeaturesOutMixin, TransformerMixin, _Estimator):
    """Topics and codes of documents, as a scikit-learn transformer; see docs/topics.md.

    Documents are a list, an array (rows,) or a Series of texts.

    Args:
        network: an autoencoder of the zoo; None: ``contrastive_autoencoder``.
        options: the network's options by name.
        topics: how many topics; 0: 50, fewer for few documents.
        stems: how many of the commonest stems are counted.
        validation_share, minutes, random_state: as of ``Classifier``.

    Attributes:
        topics_: the leading words of each topic, a list of lists.
        problem_: the problem with topics, codes and words (``nervura.problems.topics.Topics``).
        model_, schema_, history_: as of ``Classifier``.
    """

    def __init__(
        self,
        network: str | None = None,
        options: Mapping[str, Any] | None = None,
        *,
        topics: int = 0,
        stems: int = 2_000,
        validation_share: float = 0.2,
        minutes: float | None = None,
        random_state: int | np.random.RandomState | None = 0,
    ):
        super().__init__(
            network, options, validation_share=validation_share, minutes=minutes, random_state=random_state
        )
        self.topics = topics
        self.stems = stems

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.one_d_array, tags.input_tags.two_d_array = True, False
        tags.input_tags.allow_nan = tags.input_tags.categorical = False
        return tags

    def fit(self, X: Any, y: Any = None) -> Self:
        """Fits network and topics to documents ``X``; ``y`` plays no part."""
        deadline = None if self.minutes is None else time.monotonic() + 60 * self.minutes
        seed = self._seed()
        dataset = Dataset.open(
            _documents(X),
            problem="topics",
            kinds={DOCUMENT: "document"},
            seed=seed,
            test_share=0.0,
            validation_share=self.validation_share,
            options={"topics": self.topics, "stems": self.stems},
        )
        network = self.network or chosen_network(dataset.schema, dataset.problem)[0]
        made = design(dataset.problem, network, dataset.schema, dict(self.options or {}), seed)
        rows, problem = dataset.arrays("train"), made.problem
        fit = training.fit(made, rows, dataset.arrays("validation"), deadline=deadline)
        assert isinstance(problem, Topics)
        self.model_, self.schema_, self.history_ = made.model, dataset.schema, fit.history
        self._network = training.predictor(made.model)
        answers = Answers(rows[0], self._codes(rows[0]), places=dataset.places("train"))
        self.problem_ = problem.settle({"train": answers})
        self.topics_ = self.problem_.coding["leading"]
        self._n_features_out = len(self.topics_)
        return self

    def transform(self, X: Any) -> np.ndarray:
        """The probability of each topic, shape (rows, topics)."""
        return self.problem_.mixture(self.encode(X)).astype(np.float64)

    def predict(self, X: Any) -> np.ndarray:
        """The likeliest topic of each document, shape (rows,): its place in ``topics_``."""
        return self.transform(X).argmax(1)

    def encode(self, X: Any) -> np.ndarray:
        """The codes, shape (rows, latent_dim); documents that are alike have codes with a cosine near 1."""
        check_is_fitted(self)
        return self._codes(encode(self.schema_, _documents(X)))

    def _codes(self, x: dict[str, np.ndarray]) -> np.ndarray:
        return self._network(x)[:, : self.model_.get_layer("code").output.shape[-1]]


def _documents(X: Any) -> pl.DataFrame:
    """Texts as a frame of one column.

    Raises:
        ValueError: they are none.
    """
    if isinstance(X, str) or not hasattr(X, "__len__"):
        raise ValueError(
            f"Documents are a list or an array of texts; given was an object of the type {type(X).__name__}."
        )
    texts = X.tolist() if hasattr(X, "tolist") else list(X)
    wrong = next((one for one in texts if not (one is None or isinstance(one, str))), None)
    if wrong is not None:
        raise ValueError(f"Documents are texts; one of them is of the type {type(wrong).__name__}.")
    return pl.DataFrame({DOCUMENT: pl.Series(texts, dtype=pl.String)})


def _are_pictures(X: Any) -> bool:
    return isinstance(X, np.ndarray) and X.ndim in (3, 4)


def _declared_kinds(X: Any, frame: pl.DataFrame) -> dict[str, str]:
    """What the form of ``X`` says of its columns beyond their values."""
    if not isinstance(X, pl.DataFrame) and hasattr(X, "dtypes"):
        # Categories of whole numbers look like quantities once they are in Polars.
        dtypes = zip(frame.columns, X.dtypes, strict=True)
        return {name: "category" for name, dtype in dtypes if str(dtype) == "category"}
    if sources.load("frame").matches(X):
        return {}
    # A matrix holds features alone: none is set aside for looking like row numbers or like the target.
    numeric = frame.select(pl.selectors.numeric())
    return {column.name: "boolean" if _is_zero_one(column) else "number" for column in numeric}


def _is_zero_one(column: pl.Series) -> bool:
    return set(column.drop_nulls().unique().head(3)) == {0, 1}
