"""How far what a generator makes is from what was heard of a window: by measurements, by waveform,
by spectrum.

Source: Bora, Jalal, Price & Dimakis 2017, arXiv:1703.03208: the search's objective is |A G(z) -
y|^2 + lambda |z|^2, eq. 3 and the regularised form of its experiments. Its authors' code takes the
mean over measurements; here it is the sum, as in the equation. Of measurements both are the same
number: their matrix has entries of variance 1, ours of 1 / m.
"""

from keras import ops

from tfsepgan.layers.filterbank import cut_frames, root_hann

FLOOR = 2.0**-22  # power of a bin that counts as silence, as in the filterbank masker


def spectral_power(windows, frame: int, hop: int):
    """Power of each bin of each frame, phase forgotten.

    Args:
      windows: `[..., time, 1]`, time a multiple of `hop`.
      frame, hop: samples.
    Returns: `[..., frames, frame / 2 + 1]`.
    """
    around = windows.shape[:-2]
    flat = ops.reshape(windows, (-1, windows.shape[-2]))
    real, imaginary = ops.rfft(cut_frames(flat, frame, hop) * root_hann(frame))
    power = ops.square(real) + ops.square(imaginary)
    return ops.reshape(power, (-1, *around[1:], *power.shape[1:])) if len(around) > 1 else power


def loudness(power):
    """Logarithm of a bin's power, about -1 to 1 for music: 0.1 is 4.3 dB."""
    return 0.1 * ops.log(2 * power + FLOOR) + 0.4


def loudness_distance(heard, made, *, unexplained_weight: float = 1.0):
    """How differently loud the bins are.

    Args:
      heard, made: power, `[batch, ..., frames, bins]`, see `spectral_power`.
      unexplained_weight: weight of bins where `heard` is louder; where `made` is louder it is 1.
        Below 1, made sound that was not heard costs more than heard sound that was not made: right
        for a mixture that holds more than what is made.
    Returns: `[batch]`, the mean over all bins of the weighted absolute difference of their
      loudness.
    """
    excess = loudness(made) - loudness(heard)
    distance = ops.relu(excess) + unexplained_weight * ops.relu(-excess)
    return ops.mean(distance, axis=tuple(range(1, len(distance.shape))))


def squared_error(heard, made):
    """|made - heard|^2 of each example, `[batch, ...]` -> `[batch]`."""
    return ops.sum(ops.square(made - heard), axis=tuple(range(1, len(made.shape))))


def measured_error(measurements, matrix, made):
    """|A x - y|^2 of each example.

    Args:
      measurements: y, `[batch, m]`.
      matrix: A, `[m, time]`.
      made: x, `[batch, time, 1]`.
    Returns: `[batch]`.
    """
    return squared_error(measurements, ops.matmul(made[..., 0], ops.transpose(matrix)))


def latent_energy(latents):
    """|z|^2 of each example, `[batch, ...]` -> `[batch]`."""
    return ops.sum(ops.square(latents), axis=tuple(range(1, len(latents.shape))))


def shares(made_power, mixture_power=None):
    """Each track's share of every bin, as a Wiener filter has it.

    Args:
      made_power: `[batch, tracks, frames, bins]`.
      mixture_power: `[batch, frames, bins]`, where the tracks are not all that the mixture holds;
        what they leave of it is the rest's. None: they are all.
    Returns: `[batch, tracks, frames, bins]` in [0, 1]; over the tracks they sum to 1, or less
      beside a rest.
    """
    made_power = made_power + 1e-9  # equal shares where all is silent
    whole = ops.sum(made_power, axis=1, keepdims=True)
    if mixture_power is not None:
        whole = ops.maximum(whole, mixture_power[:, None])
    return made_power / whole
