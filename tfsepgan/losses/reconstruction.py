"""Distances between a target and its estimate."""

from keras import ops

from tfsepgan.dsp.filterbank import root_hann
from tfsepgan.layers.filterbank import cut_frames

# Frame lengths in samples; Yamamoto et al. 2020, table 1, rounded to powers of two.
RESOLUTIONS = (512, 1024, 2048)


def l1(target, estimate):
    """Return the mean absolute difference of two waveforms; scalar, in units of full scale.

    Source: the paired ("cyclic") and identity terms of S-SepGAN, section 3.3.
    """
    return ops.mean(ops.abs(ops.cast(target, "float32") - ops.cast(estimate, "float32")))


def mean_square(target, estimate):
    """Return the mean squared difference of two waveforms; scalar, in units of full scale squared.

    Where the target is uncertain, the best estimate is the mean of the possible targets. By `l1` it
    is their median, so an uncertain passage is either kept or removed completely.
    """
    return ops.mean(ops.square(ops.cast(target, "float32") - ops.cast(estimate, "float32")))


PAIRED_LOSSES = {"l1": l1, "mse": mean_square}  # by name in settings


def _magnitude(signal, frame: int):
    hop = frame // 4
    missing = -ops.shape(signal)[1] % hop
    frames = cut_frames(ops.pad(signal[..., 0], [[0, 0], [0, missing]]), frame, hop)
    real, imaginary = ops.rfft(frames * root_hann(frame) ** 2)
    return ops.sqrt(ops.square(real) + ops.square(imaginary) + 1e-7)


def multi_resolution_spectral(target, estimate, frames=RESOLUTIONS):
    """Return the distance between two spectrograms, averaged over several frame lengths.

    Args:
      target, estimate: `[batch, time, 1]`.
      frames: frame lengths, samples; the hop is a quarter.
    Returns: scalar: spectral convergence plus mean log-magnitude distance, averaged over frame
    lengths. Source: Yamamoto, Song & Kim 2020, "Parallel WaveGAN" (arXiv:1910.11480), eqs. 3 to 6.
    """
    total = 0.0
    for frame in frames:
        real, fake = _magnitude(target, frame), _magnitude(estimate, frame)
        convergence = ops.sqrt(
            ops.sum(ops.square(real - fake)) / (ops.sum(ops.square(real)) + 1e-7) + 1e-12
        )
        total = total + convergence + ops.mean(ops.abs(ops.log(real) - ops.log(fake)))
    return total / len(frames)
