"""Instantaneous frequency as input of networks: a point in the unit circle for each frame and bin.

The numbers are those of `tfsepgan.dsp.instantaneous_frequency.phase_advance`, computed from real
and imaginary parts without an arc tangent. So they are smooth everywhere, silence included, and run
on TFLite's built-in operators.

Source: Engel et al., "GANSynth: Adversarial neural audio synthesis", arXiv:1902.08710.
Departs from it:
- The angle is given as cosine and sine: an angle jumps by a whole turn where nothing changes, and
  its slope has no bound where a bin is silent.
- It is relative to the middle of the bin, so that neighbouring bins of one tone agree.
- The first frame is zero, where the authors keep its phase, because nothing is resynthesised here.
- The logarithm is of a bin's power, twice that of its magnitude, over a floor of 2^-14 (in their
  code 1e-6 of magnitude), which bounds its slope.
- All bins are kept, on a linear scale, and not scaled to [-1, 1].
"""

import keras
from keras import ops

from tfsepgan.dsp.filterbank import root_hann
from tfsepgan.dsp.instantaneous_frequency import POWER_FLOOR, turn_of_bin_centres
from tfsepgan.layers.configured import ConfiguredLayer, SameShapeLayer
from tfsepgan.layers.filterbank import cut_frames


def phase_advance(real, imaginary, *, frame: int, hop: int):
    """Return how far each bin turned since the frame before, relative to a tone in its middle.

    Args:
      real, imaginary: `[batch, frames, bins]`, bins from 0 Hz up.
      frame, hop: samples.
    Returns: cosine and sine, `[batch, frames, 2 * bins]`, cosines in the first half. Silence is (0,
      0), and so is the first frame.
    """
    loudness = ops.rsqrt(ops.square(real) + ops.square(imaginary) + POWER_FLOOR)
    real, imaginary = real * loudness, imaginary * loudness
    real_before, imaginary_before = _frame_before(real), _frame_before(imaginary)
    cosine = real * real_before + imaginary * imaginary_before
    sine = imaginary * real_before - real * imaginary_before
    centre = turn_of_bin_centres(real.shape[-1], frame=frame, hop=hop)
    centre_cosine, centre_sine = (ops.convert_to_tensor(part.astype("float32")) for part in centre)
    relative_cosine = cosine * centre_cosine + sine * centre_sine
    relative_sine = sine * centre_cosine - cosine * centre_sine
    return ops.concatenate([relative_cosine, relative_sine], axis=-1)


def _frame_before(frames):
    """Shift `[batch, frames, bins]` by one frame; the first frame is silent."""
    return ops.slice(ops.pad(frames, [[0, 0], [1, 0], [0, 0]]), (0, 0, 0), ops.shape(frames))


@keras.saving.register_keras_serializable("tfsepgan")
class PhaseAdvance(SameShapeLayer):
    """Instantaneous frequency of a spectrum; its context is one frame back.

    Call: `[batch, frames, 2 * bins]` of `Analysis` (A - B, then A + B) -> `[batch, frames, 2 *
    bins]`, cosines, then sines, in [-1, 1].

    Args:
      frame, hop: samples, those of the analysis.
    """

    def __init__(self, frame: int, hop: int, **kwargs):
        super().__init__(**{"dtype": "float32", **kwargs})
        self.frame, self.hop = frame, hop

    def call(self, spectrum):
        lower, upper = ops.split(spectrum, 2, axis=-1)
        real, imaginary = 0.5 * (lower + upper), 0.5 * (upper - lower)
        return phase_advance(real, imaginary, frame=self.frame, hop=self.hop)


@keras.saving.register_keras_serializable("tfsepgan")
class FrequencySpectrogram(ConfiguredLayer):
    """Log power and phase advance of each bin: the input of GANSynth's discriminator.

    Call: `[batch, time, 1]`, time a multiple of frame / 4 -> `[batch, frames, 3 * (frame / 2 +
    1)]`: log power, then cosines and sines of the phase advance.

    Args:
      frame: samples; frames overlap by three quarters, as in the paper.
    """

    def __init__(self, frame: int, **kwargs):
        super().__init__(**{"dtype": "float32", **kwargs})
        self.frame = frame
        self.window = root_hann(frame) ** 2

    def call(self, signal):
        hop = self.frame // 4
        frames = cut_frames(ops.cast(signal[..., 0], "float32"), self.frame, hop)
        real, imaginary = ops.rfft(frames * self.window)
        log_power = ops.log(ops.square(real) + ops.square(imaginary) + POWER_FLOOR)
        turning = phase_advance(real, imaginary, frame=self.frame, hop=hop)
        return ops.concatenate([log_power, turning], axis=-1)

    def compute_output_shape(self, shape):
        frames = None if shape[1] is None else shape[1] // (self.frame // 4) + 3
        return (shape[0], frames, 3 * (self.frame // 2 + 1))
