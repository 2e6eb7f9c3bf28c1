"""A bank of sines, one in the middle of each bin of a frame, with amplitudes for every frame."""

import keras
import numpy as np
from keras import ops

from tfsepgan.dsp.filterbank import root_hann
from tfsepgan.layers.configured import ConfiguredLayer, SameShapeLayer
from tfsepgan.layers.filterbank import check_hop, hartley, overlap_add


@keras.saving.register_keras_serializable("tfsepgan")
class OscillatorBank(ConfiguredLayer):
    """Sums sines with amplitudes that change from frame to frame; frames fade into each other.

    A sine keeps its phase through all frames, so a constant amplitude gives a steady tone.

    Call: amplitudes `[batch, count, frame / 2 + 1]` -> `[batch, time, 1]`, `time = (count - frame /
    hop + 1) * hop`. An amplitude is the magnitude that `Analysis` gives for a steady tone; the
    amplitude of the tone itself is pi / frame times that.

    Args:
      frame: length of a frame, in samples.
      hop: step between frames, in samples.
      count: frames in a window.
      seed: seed of the initial phases.

    Source: additive synthesis, as the harmonic part of DDSP (Engel et al. 2020, arXiv:2001.04643),
      with its Hann envelopes.
    Departs from it: sines are on a fixed grid instead of the harmonics of one pitch, so that chords
      can be played.
    """

    def __init__(self, frame: int, hop: int, count: int, seed: int = 0, **kwargs):
        super().__init__(**{"dtype": "float32", **kwargs})
        check_hop(frame, hop, synthesis_frame=frame)
        self.frame, self.hop, self.count, self.seed = frame, hop, count, seed
        bins = np.arange(frame // 2 + 1)
        start = np.random.default_rng(seed).uniform(0, 2 * np.pi, len(bins))
        start[[0, -1]] = 0.0  # these two bins have no phase
        phase = start + 2 * np.pi * np.outer(np.arange(count) * hop, bins) / frame
        self.lower = (np.cos(phase) - np.sin(phase)).astype("float32")
        self.upper = (np.cos(phase) + np.sin(phase)).astype("float32")
        # A Hartley transform has each sine twice; Hann windows sum to frame / hop / 2.
        self.envelope = root_hann(frame) ** 2 * np.float32(np.pi / frame * hop / frame)

    def call(self, amplitudes):
        upwards = amplitudes * self.lower
        downwards = ops.flip((amplitudes * self.upper)[..., 1:-1], axis=-1)
        frames = hartley(ops.concatenate([upwards, downwards], axis=-1)) * self.envelope
        return ops.expand_dims(overlap_add(frames, self.hop), -1)

    def compute_output_shape(self, shape):
        return (shape[0], (self.count - self.frame // self.hop + 1) * self.hop, 1)


@keras.saving.register_keras_serializable("tfsepgan")
class AmplitudeOfLoudness(SameShapeLayer):
    """Maps `losses.recovery.loudness` to the amplitudes that have it, down to its floor."""

    def call(self, loudness):
        return ops.exp(5.0 * (ops.cast(loudness, "float32") - 0.4)) * np.float32(np.sqrt(0.5))
