"""A first convolution that is computed, not learnt: small patches of the training pictures, decorrelated."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops


@keras.saving.register_keras_serializable(package="nervura")
class WhitenedPatches(keras.layers.Layer):
    """Each patch in units of the principal axes of the training pictures' patches, and once more with the other sign;
    a bias is learnt.

    Shapes: (batch, height, width, channels) -> (batch, (height - kernel) / stride + 1, ..., 2 x axes), where axes are
    kernel^2 x channels, or ``most`` of them.
    Source: K. Jordan, 94% on CIFAR-10 in 3.29 Seconds on a Single GPU (2024), after tysam-code/hlb-CIFAR10: 2 x 2 patches,
    eigenvectors of their covariance over the root of the eigenvalue + 5e-4.

    Args:
        kernel: side of a patch.
        stride: pixels from one patch to the next.
        most: principal axes that are kept, the widest ones.
    """

    def __init__(self, kernel: int = 2, stride: int = 1, most: int = 32, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.kernel_size, self.stride, self.most = kernel, stride, most

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        channels = int(input_shape[-1] or 0)
        axes = min(self.most, self.kernel_size**2 * channels)
        shape = (self.kernel_size, self.kernel_size, channels, 2 * axes)
        # Until it is adapted it picks pixels, so that a fresh model is a function of its seed.
        self.kernel = self.add_weight(shape=shape, initializer=_pixels, trainable=False, name="kernel")
        self.bias = self.add_weight(shape=(2 * axes,), initializer="zeros", name="bias")

    def adapt(self, pictures: Any) -> None:
        """Takes the principal axes from ``pictures``, the training ones (pictures, height, width, channels)."""
        size = self.kernel_size
        views = np.lib.stride_tricks.sliding_window_view(np.asarray(pictures, "float32"), (size, size), axis=(1, 2))
        patches = views.transpose(0, 1, 2, 4, 5, 3)[:, :: self.stride, :: self.stride].reshape(-1, np.prod(self.shape))
        covariance = patches.T.astype("float64") @ patches / len(patches)
        values, vectors = np.linalg.eigh(covariance)
        kept = np.argsort(-values)[: self.kernel.shape[-1] // 2]
        axes = vectors[:, kept] / np.sqrt(np.maximum(values[kept], 0) + 5e-4)
        self.kernel.assign(np.concatenate([axes, -axes], axis=1).reshape(self.kernel.shape))

    @property
    def shape(self) -> tuple[int, ...]:
        """Of a patch: (kernel, kernel, channels)."""
        return tuple(self.kernel.shape[:3])

    def call(self, x: Any) -> Any:
        return ops.conv(x, self.kernel, self.stride, "valid") + self.bias

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        sides = [side and (side - self.kernel_size) // self.stride + 1 for side in input_shape[1:3]]
        return (input_shape[0], *sides, 2 * min(self.most, self.kernel_size**2 * int(input_shape[-1] or 0)))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "kernel": self.kernel_size, "stride": self.stride, "most": self.most}


def _pixels(shape: Any, dtype: Any = None) -> Any:
    axes = shape[-1] // 2
    one = np.eye(int(np.prod(shape[:3])))[:, :axes]
    return ops.convert_to_tensor(np.concatenate([one, -one], axis=1).reshape(shape), dtype=dtype)
