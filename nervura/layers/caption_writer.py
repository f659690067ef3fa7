"""A decoder that writes what is in a picture: a long short-term memory, with or without attention to the picture's regions."""

from __future__ import annotations

import math
from typing import Any

import keras
from keras import ops

from nervura.sentences import END, PADDING, START, UNKNOWN

NEVER = -1e9
"""The logarithm of the probability of what must not be."""


@keras.saving.register_keras_serializable(package="nervura")
class CaptionWriter(keras.layers.Layer):
    """Writes the likeliest text about each picture, found by beam search.

    Given texts in training, it gives their loss instead: each word is predicted from the true words before it (teacher
    forcing). Products are in the layer's compute type, sums in float32.

    Shapes: regions (batch, regions, channels) -> (batch, length + 1 + length x regions): the words' codes, the logarithm
    of the text's probability and, with attention, where each word was looked for, zero behind the end of the text.
    With texts (batch, texts, length + 1): -> (batch,), the mean over a row's words of the cross-entropy.

    Args:
        codes: how many codes of words there are.
        length: a text has at most so many words.
        units: of the long short-term memory.
        embedding: how many numbers stand for a word.
        attention: whether the decoder looks at the regions anew for each word; else it sees their mean once, at first.
        dropout: share of the words' numbers and of the last sums set to zero in training.
        word_dropout: share of the words before that are hidden in training.
        label_smoothing: share of certainty moved from the true word to all.
        beam: how many texts are held at each step.
        length_penalty: texts are compared by the logarithm of their probability over their length to this power.
        seed: of the initial weights and of what is dropped.
    """

    def __init__(
        self,
        codes: int,
        length: int,
        units: int = 512,
        embedding: int = 256,
        attention: bool = True,
        dropout: float = 0.0,
        word_dropout: float = 0.0,
        label_smoothing: float = 0.0,
        beam: int = 3,
        length_penalty: float = 0.7,
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.codes, self.length, self.units, self.embedding = codes, length, units, embedding
        self.attention, self.dropout, self.word_dropout = attention, dropout, word_dropout
        self.label_smoothing, self.beam, self.length_penalty, self.seed = label_smoothing, beam, length_penalty, seed
        self.draws = keras.random.SeedGenerator(seed)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        _, regions, channels = input_shape
        assert regions is not None and channels is not None, "regions are laid out on a grid of known size"
        size, units, seed = self.embedding, self.units, self.seed

        def weight(name: str, *shape: int, scale: float | None = None) -> Any:
            nonlocal seed
            seed += 1
            start: Any = keras.initializers.GlorotUniform(seed=seed)
            if scale is not None:
                start = keras.initializers.RandomNormal(0.0, scale, seed=seed) if scale else "zeros"
            return self.add_weight(shape=shape, initializer=start, name=name)

        self.words = weight("words", self.codes, size, scale=1 / math.sqrt(size))
        self.word_bias = weight("word_bias", self.codes, scale=0.0)
        self.from_word = weight("from_word", size, 4 * units)
        self.from_memory = weight("from_memory", units, 4 * units)
        self.gate_bias = weight("gate_bias", 4 * units, scale=0.0)
        self.to_word = weight("to_word", units, size)
        if self.attention:
            self.places = weight("places", regions, channels, scale=0.02)
            self.first_memory = weight("first_memory", channels, 2 * units)
            self.keys = weight("keys", channels, size)
            self.query = weight("query", units, size)
            self.openness = weight("openness", units, 1)
            self.from_seen = weight("from_seen", channels, 4 * units)
            self.seen_to_word = weight("seen_to_word", channels, size)
        else:
            self.picture = weight("picture", channels, size)

    def call(self, regions: Any, texts: Any = None, training: bool = False) -> Any:
        regions = ops.cast(regions, "float32")
        if self.attention:
            regions = regions + ops.cast(self.places, "float32")
        return self.written(regions) if texts is None else self.loss(regions, texts, training)

    def loss(self, regions: Any, texts: Any, training: bool) -> Any:
        """The mean over the words of a row's texts of their cross-entropy, (batch,)."""
        batch, count, steps = ops.shape(texts)[0], texts.shape[1], texts.shape[2]
        before = ops.concatenate([ops.full_like(texts[:, :, :1], START), texts[:, :, :-1]], axis=2)
        if training and self.word_dropout:
            hidden = keras.random.uniform(ops.shape(before), seed=self.draws) < self.word_dropout
            before = ops.where(hidden, UNKNOWN, before)
        words = ops.cast(ops.take(self.words, before, axis=0), "float32")
        if training and self.dropout:
            words = keras.random.dropout(words, self.dropout, seed=self.draws)
        gates = self._product(words, self.from_word)
        picture = self._looked_at(regions)
        state = self._begun(regions, count)
        reached = []
        for step in range(steps):
            summed, state, _ = self._step(gates[:, :, step], words[:, :, step], state, picture)
            reached.append(summed)
        sums = ops.stack(reached, axis=2)
        if training and self.dropout:
            sums = keras.random.dropout(sums, self.dropout, seed=self.draws)
        logits = self._product(sums, ops.transpose(self.words)) + ops.cast(self.word_bias, "float32")
        whole = ops.logsumexp(logits, axis=-1)
        true = ops.squeeze(ops.take_along_axis(logits, texts[..., None], axis=-1), -1)
        surprise = whole - (1 - self.label_smoothing) * true
        if self.label_smoothing:
            surprise = surprise - self.label_smoothing * ops.mean(logits, axis=-1)
        counted = ops.cast(texts != PADDING, "float32")
        total = ops.sum(ops.reshape(surprise * counted, (batch, -1)), axis=1)
        return total / ops.maximum(ops.sum(ops.reshape(counted, (batch, -1)), axis=1), 1.0)

    def written(self, regions: Any) -> Any:
        """The likeliest texts as the layer gives them, (batch, length + 1 + length x regions)."""
        batch, beam, count = ops.shape(regions)[0], self.beam, regions.shape[1]
        picture, state = self._looked_at(regions), self._begun(regions, beam)
        first = ops.concatenate([ops.zeros((1,)), ops.full((beam - 1,), NEVER)]) if beam > 1 else ops.zeros((1,))
        scores = ops.broadcast_to(first[None], (batch, beam))
        last = ops.full((batch, beam), START, dtype="int32")
        ended, sizes = ops.zeros((batch, beam), dtype="bool"), ops.zeros((batch, beam), dtype="float32")
        places = ops.arange(self.codes)
        banned = ops.where((places == PADDING) | (places == START) | (places == UNKNOWN), NEVER, 0.0)
        only_padding = ops.where(places == PADDING, 0.0, NEVER)
        steps: list[tuple[Any, Any, Any]] = []
        for step in range(self.length + 1):
            words = ops.cast(ops.take(self.words, last, axis=0), "float32")
            summed, state, seen = self._step(self._product(words, self.from_word), words, state, picture)
            logits = self._product(summed, ops.transpose(self.words)) + ops.cast(self.word_bias, "float32")
            # The end comes not before the first word, and at the latest after the last.
            barred = banned + ops.where(places == END, NEVER, 0.0) if step == 0 else banned
            if step == self.length:
                barred = ops.where(places == END, 0.0, NEVER)
            likely = ops.log_softmax(logits, axis=-1) + barred
            likely = ops.where(ended[..., None], only_padding, likely)
            scores, chosen = ops.top_k(ops.reshape(scores[..., None] + likely, (batch, beam * self.codes)), beam)
            chosen = ops.cast(chosen, "int32")
            parent, last = chosen // self.codes, chosen % self.codes
            ended = ops.take_along_axis(ended, parent, axis=1)
            sizes = ops.take_along_axis(sizes, parent, axis=1) + ops.cast(ops.logical_not(ended), "float32")
            state = tuple(ops.take_along_axis(array, parent[..., None], axis=1) for array in state)
            ended = ended | (last == END)
            steps.append((parent, last, seen))
        best = ops.argmax(scores / ops.power(ops.maximum(sizes, 1.0), self.length_penalty), axis=1)[:, None]
        at, codes, looked = ops.cast(best, "int32"), [], []
        for parent, last, seen in reversed(steps):  # each text is followed from its end to its beginning
            code = ops.take_along_axis(last, at, axis=1)
            at = ops.take_along_axis(parent, at, axis=1)
            codes.append(ops.where(code == END, PADDING, code))
            if seen is not None:
                shown = ops.take_along_axis(seen, at[..., None], axis=1)[:, 0]
                looked.append(shown * ops.cast(codes[-1] != PADDING, "float32"))
        parts = [ops.cast(ops.concatenate(codes[:0:-1], axis=1), "float32"), ops.take_along_axis(scores, best, axis=1)]
        if looked:
            parts.append(ops.reshape(ops.stack(looked[:0:-1], axis=1), (batch, self.length * count)))
        return ops.concatenate(parts, axis=1)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        looked = self.length * (input_shape[1] or 0) if self.attention else 0
        return (input_shape[0], self.length + 1 + looked)

    def compute_output_spec(self, regions: Any, texts: Any = None, training: bool = False) -> Any:
        shape = self.compute_output_shape(regions.shape)
        return keras.KerasTensor(shape if texts is None else shape[:1], dtype="float32")

    def get_config(self) -> dict[str, Any]:
        names = ["codes", "length", "units", "embedding", "attention", "dropout", "word_dropout", "label_smoothing"]
        names += ["beam", "length_penalty", "seed"]
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}

    def _product(self, x: Any, weights: Any) -> Any:
        made = ops.matmul(ops.cast(x, self.compute_dtype), ops.cast(weights, self.compute_dtype))
        return ops.cast(made, "float32")

    def _looked_at(self, regions: Any) -> Any:
        """What attention needs of the pictures: their regions and the regions' keys (batch, size, regions)."""
        if not self.attention:
            return None
        keys = ops.transpose(self._product(regions, self.keys), (0, 2, 1)) / math.sqrt(self.embedding)
        return regions, keys

    def _begun(self, regions: Any, count: int) -> tuple[Any, Any]:
        """The state before the first word, twice (batch, count, units)."""
        batch, mean = ops.shape(regions)[0], ops.mean(regions, axis=1, keepdims=True)
        if self.attention:
            both = ops.tanh(self._product(mean, self.first_memory))
            memory, cell = both[..., : self.units], both[..., self.units :]
        else:
            shown = self._product(mean, self.picture)
            nothing = ops.zeros((batch, 1, self.units))
            _, (memory, cell), _ = self._step(self._product(shown, self.from_word), shown, (nothing, nothing), None)
        return ops.repeat(memory, count, axis=1), ops.repeat(cell, count, axis=1)

    def _step(self, gates: Any, words: Any, state: Any, picture: Any) -> tuple[Any, Any, Any]:
        """One word further: sums that the next word is told from (batch, count, embedding), the new state, and where was
        looked (batch, count, regions)."""
        memory, cell = state
        gates = gates + self._product(memory, self.from_memory) + ops.cast(self.gate_bias, "float32")
        seen = weights = None
        if picture is not None:
            regions, keys = picture
            weights = ops.softmax(self._product(self._product(memory, self.query), keys), axis=-1)
            seen = self._product(weights, regions) * ops.sigmoid(self._product(memory, self.openness))
            gates = gates + self._product(seen, self.from_seen)
        into, forget, out, new = ops.split(gates, 4, axis=-1)
        # A bias of 1 lets the memory begin by keeping what it has.
        cell = ops.sigmoid(forget + 1.0) * cell + ops.sigmoid(into) * ops.tanh(new)
        memory = ops.sigmoid(out) * ops.tanh(cell)
        sums = words + self._product(memory, self.to_word)
        if seen is not None:
            sums = sums + self._product(seen, self.seen_to_word)
        return sums, (memory, cell), weights
