"""The two halves of an autoencoder of pictures: convolutions that halve the sides, and the same backwards."""

from __future__ import annotations

from collections.abc import Iterator

import keras

from nervura.layers.straight import dense

SMALL_ENOUGH, FIRST_FILTERS, MOST_FILTERS, KERNEL = 4, 32, 128, 3


def filters_by_rule(height: int, width: int) -> list[int]:
    """The filters of each block: as many blocks as bring the longer side down to 4 places, each with twice the filters."""
    side, found = max(height, width), [FIRST_FILTERS]
    while (side := -(-side // 2)) > SMALL_ENOUGH:
        found.append(min(MOST_FILTERS, 2 * found[-1]))
    return found


def convolved(
    given: keras.KerasTensor, shape: tuple[int, ...], filters: list[int], activation: str, seeds: Iterator[int]
) -> keras.KerasTensor:
    """Pictures as rows (batch, height x width x channels) through blocks of convolutions, and as rows again."""
    x = keras.layers.Reshape(shape, name="picture")(given)
    for number, size in enumerate(filters, 1):
        start = keras.initializers.HeNormal(seed=next(seeds))
        x = keras.layers.Conv2D(
            size,
            KERNEL,
            2,
            padding="same",
            activation=activation,
            kernel_initializer=start,
            name=f"convolution_{number}",
        )(x)
    return keras.layers.Flatten(name="maps")(x)


def deconvolved(
    hidden: keras.KerasTensor, shape: tuple[int, ...], filters: list[int], activation: str, seeds: Iterator[int]
) -> keras.KerasTensor:
    """The mirror of ``convolved``: the sums (batch, height x width x channels) of pictures, by a layer ``decoded``."""
    sides = [shape[:2]]
    for _ in filters:
        sides.append((-(-sides[-1][0] // 2), -(-sides[-1][1] // 2)))
    places = (*sides[-1], filters[-1])
    x = dense(places[0] * places[1] * places[2], activation, seeds, "maps_rebuilt")(hidden)
    x = keras.layers.Reshape(places, name="maps_of_code")(x)
    for number in range(len(filters), 0, -1):
        last = number == 1
        start = keras.initializers.GlorotUniform if last else keras.initializers.HeNormal
        x = keras.layers.Conv2DTranspose(
            shape[2] if last else filters[number - 2],
            KERNEL,
            2,
            padding="same",
            activation="linear" if last else activation,
            kernel_initializer=start(seed=next(seeds)),
            name=f"deconvolution_{number}",
        )(x)
        # Of odd sides half, rounded up, is doubled again.
        extra = [made - wanted for made, wanted in zip(x.shape[1:3], sides[number - 1], strict=True)]
        if any(extra):
            x = keras.layers.Cropping2D([(0, extra[0]), (0, extra[1])], name=f"cropped_{number}")(x)
    return keras.layers.Flatten(name="decoded")(x)
