"""One model on one table, as a process of its own: tables.py calls it, in the environment that the model needs.

    python benchmarks/peers.py NAME TRAIN.parquet TEST.parquet TARGET classification|regression [SECONDS]

Every model gets what its authors recommend and no tuning: categories as categories where it takes them, else one-hot.
Prints one JSON object with the test score (log loss, or the root mean squared error in units of the target's deviation)
and, for classes, the expected calibration error. This file imports nothing of nervura.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import warnings
from typing import Any

import numpy as np
import pandas as pd

SEED = 0


def prepared(train: pd.DataFrame, test: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame, list[str]]:
    """Texts, yes/no and dates as categories, numbers as float64, and the names of the categories."""
    names = [c for c in train.columns if not pd.api.types.is_numeric_dtype(train[c]) or train[c].dtype == bool]
    for part in (train, test):
        for name in train.columns:
            part[name] = (
                part[name].astype("string").fillna("missing") if name in names else part[name].astype("float64")
            )
    return train, test, names


def one_hot(train: pd.DataFrame, test: pd.DataFrame, names: list[str]) -> tuple[np.ndarray, np.ndarray]:
    from sklearn.compose import ColumnTransformer
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    numbers = [c for c in train.columns if c not in names]
    steps = ColumnTransformer(
        [
            ("numbers", make_pipeline(SimpleImputer(add_indicator=True), StandardScaler()), numbers),
            (
                "names",
                OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=2, sparse_output=False),
                names,
            ),
        ]
    )
    return steps.fit_transform(train), steps.transform(test)


def scikit(kind: str, train: Any, y: Any, test: Any, names: list[str], values: bool) -> np.ndarray:
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
    from sklearn.linear_model import LogisticRegression, Ridge
    from sklearn.neural_network import MLPClassifier, MLPRegressor

    if kind == "boosting":
        train, test = (part.astype(dict.fromkeys(names, "category")) for part in (train, test))
        for name in names:
            # Scikit-learn takes at most 255 levels; the rarer ones are taken as missing.
            levels = train[name].value_counts().index[:254]
            train[name], test[name] = (pd.Categorical(part[name].astype(str), levels) for part in (train, test))
        made: Any = (HistGradientBoostingRegressor if values else HistGradientBoostingClassifier)(random_state=SEED)
    else:
        train, test = one_hot(train, test, names)
        linear = Ridge() if values else LogisticRegression(max_iter=1_000)
        made = linear if kind == "linear" else (MLPRegressor if values else MLPClassifier)(random_state=SEED)
    made.fit(train, y)
    return made.predict(test) if values else made.predict_proba(test)


def lightgbm(train: Any, y: Any, test: Any, names: list[str], values: bool) -> np.ndarray:
    from lightgbm import LGBMClassifier, LGBMRegressor

    levels = {name: sorted(set(train[name])) for name in names}
    train, test = (
        part.assign(**{name: pd.Categorical(part[name], levels[name]) for name in names}) for part in (train, test)
    )
    made: Any = (LGBMRegressor if values else LGBMClassifier)(random_state=SEED, verbose=-1)
    made.fit(train, y)
    return made.predict(test) if values else made.predict_proba(test)


def catboost(train: Any, y: Any, test: Any, names: list[str], values: bool) -> np.ndarray:
    from catboost import CatBoostClassifier, CatBoostRegressor

    train, test = (part.astype(dict.fromkeys(names, str)) for part in (train, test))
    kind = CatBoostRegressor if values else CatBoostClassifier
    made = kind(random_seed=SEED, verbose=0, cat_features=names, allow_writing_files=False)
    made.fit(train, y)
    return made.predict(test) if values else made.predict_proba(test)


def pytabkit(kind: str, train: Any, y: Any, test: Any, names: list[str], values: bool) -> np.ndarray:
    import pytabkit

    made = getattr(pytabkit, f"{kind}_{'Regressor' if values else 'Classifier'}")(random_state=SEED, device="cpu")
    made.fit(train, y, cat_col_names=names)
    return made.predict(test) if values else made.predict_proba(test)


def autogluon(train: Any, y: Any, test: Any, names: list[str], values: bool, seconds: float) -> np.ndarray:
    from autogluon.tabular import TabularPredictor

    metric = "root_mean_squared_error" if values else "log_loss"
    with tempfile.TemporaryDirectory() as folder:
        made = TabularPredictor("__y", eval_metric=metric, path=folder, verbosity=0)
        made.fit(train.assign(__y=y), time_limit=seconds, presets="medium_quality")
        return made.predict(test).to_numpy() if values else made.predict_proba(test).to_numpy()


def calibration_error(truth: np.ndarray, shares: np.ndarray, bins: int = 10) -> float:
    """The expected calibration error of the class named, in equally wide bins."""
    top = shares.max(1)
    right = shares.argmax(1) == truth
    place = np.minimum((top * bins).astype(int), bins - 1)
    return float(sum(abs(top[place == b].mean() - right[place == b].mean()) * (place == b).mean() for b in set(place)))


def main() -> None:
    name, train_file, test_file, target, task, *more = sys.argv[1:]
    values = task == "regression"
    train, test = pd.read_parquet(train_file), pd.read_parquet(test_file)
    y, truth = train.pop(target), test.pop(target)
    if values:
        y, truth = y.astype("float64").to_numpy(), truth.astype("float64").to_numpy()
    else:
        classes = np.unique(y.astype(str))
        y, truth = (np.searchsorted(classes, part.astype(str)) for part in (y, truth))
    train, test, names = prepared(train, test)
    warnings.simplefilter("ignore")
    mean, unit = (y.mean(), y.std()) if values else (0.0, 1.0)
    given = (train, (y - mean) / unit if values else y, test, names, values)
    if name in ("linear", "mlp", "boosting"):
        found = scikit(name, *given)
    elif name == "autogluon":
        found = autogluon(*given, seconds=float(more[0]) if more else 60.0)
    elif name in ("RealMLP_TD", "TabM_D", "XGB_D"):
        found = pytabkit(name, *given)
    else:
        found = {"lightgbm": lightgbm, "catboost": catboost}[name](*given)
    told: dict[str, float] = {}
    if values:
        told["score"] = float(
            np.sqrt(np.mean((np.asarray(found).reshape(-1) * unit + mean - truth) ** 2)) / truth.std(ddof=1)
        )
    else:
        shares = np.asarray(found, dtype=np.float64)
        told["score"] = float(-np.log(np.clip(shares[np.arange(len(truth)), truth], 1e-7, 1.0)).mean())
        told["ece"] = calibration_error(truth, shares)
    print(json.dumps(told))


if __name__ == "__main__":
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
    main()
