"""One peer on one set of pictures, as a process of its own; images.py calls it, in the environment that the peer needs.

    python benchmarks/picture_peers.py keras|autokeras FILE SECONDS

``keras`` is the small Xception that Keras's own example for a folder of images trains (Chollet, "Image classification
from scratch"), with its augmentation, optimiser and size of batch, for as many epochs as there is time. ``autokeras`` is
``ImageClassifier`` with so many trials as there is time. Prints one JSON object. This file imports nothing of nervura.
"""

from __future__ import annotations

import io
import json
import os
import sys
import tempfile
import time
from typing import Any

import numpy as np

SIDE = 112


def load(file: str) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Pictures (rows, height, width, channels) uint8 and class codes, of training and test."""
    if file.endswith(".npz"):
        with np.load(file) as archive:
            x_train, y_train, x_test, y_test = (archive[n] for n in ("x_train", "y_train", "x_test", "y_test"))
        return x_train[..., None], y_train.astype(int), x_test[..., None], y_test.astype(int)
    import pandas as pd
    from PIL import Image

    table = pd.read_parquet(file)
    codes = table["label"].astype("category").cat.codes.to_numpy().astype(int)
    opened = [Image.open(io.BytesIO(one)).convert("RGB") for one in table["image"]]
    if len({one.size for one in opened}) > 1:
        opened = [one.resize((SIDE, SIDE)) for one in opened]
    x = np.stack([np.asarray(one) for one in opened])
    train = (table["split"] == "train").to_numpy()
    return x[train], codes[train], x[~train], codes[~train]


def small_xception(shape: tuple[int, ...], classes: int) -> Any:
    import keras
    from keras import layers

    inputs = keras.Input(shape)
    x = layers.Rescaling(1 / 255)(inputs)
    x = layers.Activation("relu")(layers.BatchNormalization()(layers.Conv2D(128, 3, strides=2, padding="same")(x)))
    before = x
    for size in (256, 512, 728):
        for _ in range(2):
            x = layers.Activation("relu")(x)
            x = layers.BatchNormalization()(layers.SeparableConv2D(size, 3, padding="same")(x))
        x = layers.MaxPooling2D(3, strides=2, padding="same")(x)
        before = layers.Conv2D(size, 1, strides=2, padding="same")(before)
        x = before = layers.add([x, before])
    x = layers.Activation("relu")(layers.BatchNormalization()(layers.SeparableConv2D(1024, 3, padding="same")(x)))
    x = layers.Dropout(0.25)(layers.GlobalAveragePooling2D()(x))
    return keras.Model(inputs, layers.Dense(classes, activation="softmax")(x))


def keras_example(data: tuple[np.ndarray, ...], seconds: float) -> float:
    import keras
    import tensorflow as tf
    from keras import layers

    x, y, x_test, y_test = data
    began = time.monotonic()
    held = len(x) // 5
    order = np.random.default_rng(0).permutation(len(x))
    held_out, kept = order[:held], order[held:]
    flip, turn = layers.RandomFlip("horizontal"), layers.RandomRotation(0.1)
    batches = tf.data.Dataset.from_tensor_slices((x[kept], y[kept])).shuffle(len(kept), seed=0).batch(128)
    batches = batches.map(lambda a, b: (turn(flip(tf.cast(a, "float32"), training=True), training=True), b))
    model = small_xception(x.shape[1:], int(y.max()) + 1)
    model.compile(keras.optimizers.Adam(3e-4), "sparse_categorical_crossentropy", metrics=["accuracy"])

    class Clock(keras.callbacks.Callback):
        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            if time.monotonic() - began > seconds:
                self.model.stop_training = True

    best = keras.callbacks.ModelCheckpoint(
        f"{tempfile.mkdtemp()}/best.weights.h5", "val_accuracy", save_best_only=True, save_weights_only=True
    )
    model.fit(
        batches.prefetch(2),
        validation_data=(x[held_out], y[held_out]),
        epochs=1000,
        verbose=0,
        callbacks=[best, Clock()],
    )
    if os.path.exists(best.filepath):
        model.load_weights(best.filepath)
    return float(np.mean(model.predict(x_test, batch_size=256, verbose=0).argmax(1) == y_test))


def autokeras(data: tuple[np.ndarray, ...], seconds: float) -> float:
    import autokeras as ak
    import keras

    x, y, x_test, y_test = data
    began = time.monotonic()

    class Clock(keras.callbacks.Callback):
        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            if time.monotonic() - began > seconds:
                self.model.stop_training = True

    # Trials that the clock stops at once cost little; the best one is kept, without a second training.
    search = ak.ImageClassifier(overwrite=True, max_trials=100, directory=tempfile.mkdtemp(), seed=0)
    tuner = search.tuner
    stopping = tuner.on_trial_end

    def on_trial_end(trial: Any) -> None:
        stopping(trial)
        if time.monotonic() - began > seconds:
            tuner.oracle.max_trials = 0

    tuner.on_trial_end = on_trial_end
    search.fit(x, y, validation_split=0.2, verbose=0, callbacks=[Clock()])
    return float(np.mean(search.predict(x_test, verbose=0).ravel().astype(int) == y_test))


PEERS = {"keras": keras_example, "autokeras": autokeras}

if __name__ == "__main__":
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    name, path, limit = sys.argv[1:]
    print(json.dumps({"accuracy": PEERS[name](load(path), float(limit))}))
