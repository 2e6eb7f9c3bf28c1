"""A bank of sines, one at the middle of each bin of a frame, as loud as it is told frame by frame."""

import keras
import numpy as np
from keras import ops

from tfsepgan.layers.filterbank import check_hop, hartley, overlap_add, root_hann


@keras.saving.register_keras_serializable("tfsepgan")
class OscillatorBank(keras.layers.Layer):
    """Plays all sines together, each at its own loudness in every frame, frames fading into each
    other.

    A sine runs on through all frames from a phase of its own, so an amplitude that stays the same
    gives a steady tone.

    Call: amplitudes `[batch, count, frame / 2 + 1]` -> `[batch, time, 1]`, `time = (count - frame /
    hop + 1) * hop`. An amplitude is the magnitude that `Analysis` has of a steady tone; the tone's
    own is pi / frame times that.

    Args:
      frame, hop, count: samples of a frame, samples between two, frames in a window.
      seed: of the starting phases.

    Source: additive synthesis, as the harmonic part of DDSP (Engel et al. 2020, arXiv:2001.04643),
      with its Hann envelopes.
    Departs from it: sines stand on a fixed grid rather than on the harmonics of one pitch, so that
      chords can be played.
    """

    def __init__(self, frame: int, hop: int, count: int, seed: int = 0, **kwargs):
        super().__init__(**{"dtype": "float32", **kwargs})
        check_hop(frame, hop)
        self.frame, self.hop, self.count, self.seed = frame, hop, count, seed
        bins = np.arange(frame // 2 + 1)
        start = np.random.default_rng(seed).uniform(0, 2 * np.pi, len(bins))
        start[[0, -1]] = 0.0  # these two bins have no phase
        phase = start + 2 * np.pi * np.outer(np.arange(count) * hop, bins) / frame
        self.lower = (np.cos(phase) - np.sin(phase)).astype("float32")
        self.upper = (np.cos(phase) + np.sin(phase)).astype("float32")
        # A Hartley transform gives each sine twice; Hann windows sum to frame / hop / 2.
        self.envelope = root_hann(frame) ** 2 * np.float32(np.pi / frame * hop / frame)

    def call(self, amplitudes):
        upwards = amplitudes * self.lower
        downwards = ops.flip((amplitudes * self.upper)[..., 1:-1], axis=-1)
        frames = hartley(ops.concatenate([upwards, downwards], axis=-1)) * self.envelope
        return ops.expand_dims(overlap_add(frames, self.hop), -1)

    def compute_output_shape(self, shape):
        return (shape[0], (self.count - self.frame // self.hop + 1) * self.hop, 1)

    def get_config(self):
        settings = {name: getattr(self, name) for name in ("frame", "hop", "count", "seed")}
        return {**super().get_config(), **settings}


@keras.saving.register_keras_serializable("tfsepgan")
class AmplitudeOfLoudness(keras.layers.Layer):
    """Undoes the logarithm that loudness is: amplitudes whose power has that
    `losses.recovery.loudness`, up to its floor."""

    def call(self, loudness):
        return ops.exp(5.0 * (ops.cast(loudness, "float32") - 0.4)) * np.float32(np.sqrt(0.5))

    def compute_output_shape(self, shape):
        return shape
