"""Weights with which the paper's generator gives back what it gets: the start 'identity'.

The ends of the network (two strided convolutions, two upsampling ones) have to learn to carry a
waveform before anything can be taken out of it, and gradients take thousands of steps for that.
Here it is worked out: each sample of a frame of four, then each of the sixteen bands of a cosine
transform, goes through as a pair of channels of opposite sign, whose difference the leaky
activations leave linear; the kernels of the upsampling convolutions are the least-squares ones for
noise that falls as music does.

What is left of the error is the structure's: repeated frames hold nothing at multiples of 1/16 of
the rate.
Source of the idea: orthogonal and identity starts (Saxe et al. 2014, arXiv:1312.6120; Xiao et al.
2018, arXiv:1806.05393), here for a network that changes rates and has activations. It is not the
paper's.
"""

import functools

import numpy as np
from scipy.fft import dct

FRAME = 4  # samples: the stride
KERNEL = 25
# the tap that meets the first sample of a frame: what the strided convolutions are padded with
FIRST = 11
BANDS = FRAME * FRAME
SAMPLES = 1 << 15  # of noise: enough for 800 numbers
RIDGE = 1e-6  # of the mean power, against what the noise does not tell


def passing_kernels(narrow: int, wide: int, *, slope: float) -> dict[str, np.ndarray]:
    """Kernels of the four layers, `[25, channels in, channels out]`, for the channels that carry
    the signal; zero elsewhere.

    Args:
      narrow, wide: channels after the first and the second strided convolution.
      slope: of the leaky activations.
    Returns: by layer: `down0`, `down1`, `up0` (to `narrow` channels) and `up1` (to one).
    """
    solved = _solved(min(narrow, 2 * FRAME), min(wide, 2 * BANDS), slope)
    shapes = {
        "down0": (1, narrow),
        "down1": (narrow, wide),
        "up0": (wide, narrow),
        "up1": (narrow, 1),
    }
    kernels = {name: np.zeros((KERNEL, *shape)) for name, shape in shapes.items()}
    for name, kernel in solved.items():
        kernels[name][:, : kernel.shape[1], : kernel.shape[2]] = kernel
    return kernels


@functools.cache
def _solved(narrow: int, wide: int, slope: float) -> dict[str, np.ndarray]:
    """The kernels of the channels that carry the signal; the same for each network of a width, so
    worked out once."""
    down0, down1 = _first(narrow), _second(narrow, wide, slope)
    waveform = falling_noise(SAMPLES)[:, None]
    narrow_frames = _leaky(strided(waveform, down0), slope)
    wide_frames = _leaky(strided(narrow_frames, down1), slope)
    up0 = _least_squares(wide_frames, narrow_frames)
    up1 = _least_squares(upsampled(wide_frames, up0), waveform)
    return {"down0": down0, "down1": down1, "up0": up0, "up1": up1}


def _first(narrow: int) -> np.ndarray:
    """Each sample of a frame, as it is and with the other sign."""
    kernel = np.zeros((KERNEL, 1, narrow))
    for phase in range(min(FRAME, narrow // 2)):
        kernel[FIRST + phase, 0, 2 * phase], kernel[FIRST + phase, 0, 2 * phase + 1] = 1, -1
    return kernel


def _second(narrow: int, wide: int, slope: float) -> np.ndarray:
    """Each band of sixteen samples, the lowest first, as it is and with the other sign."""
    kernel = np.zeros((KERNEL, narrow, wide))
    # a pair differs by 1 + slope times the signal
    bands = dct(np.eye(BANDS), axis=0, norm="ortho") / (1 + slope)
    for band in range(min(BANDS, wide // 2)):
        for frame in range(FRAME):
            for phase in range(min(FRAME, narrow // 2)):
                weight = bands[band, FRAME * frame + phase]
                pair = np.array([[weight, -weight], [-weight, weight]])
                kernel[FIRST + frame, 2 * phase : 2 * phase + 2, 2 * band : 2 * band + 2] = pair
    return kernel


def falling_noise(samples: int) -> np.ndarray:
    """Noise of RMS 1 whose amplitude falls with the frequency, always the same: float64
    `[samples]`."""
    spectrum = np.fft.rfft(np.random.default_rng(0).normal(size=samples))
    spectrum /= 1 + np.arange(len(spectrum)) * 40 / len(spectrum)  # flat below 200 Hz at 16 kHz
    noise = np.fft.irfft(spectrum, samples)
    return noise / np.sqrt(np.mean(noise**2))


def strided(signal: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """The strided convolution of the network: `[time, channels]` -> `[time / 4, channels]`."""
    return np.tensordot(_windows(signal, FIRST, FRAME), kernel, 2)


def upsampled(frames: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """The upsampling convolution of the network: `[frames, channels]` -> `[4 * frames, channels]`."""
    return np.tensordot(_windows(np.repeat(frames, FRAME, axis=0), KERNEL // 2, 1), kernel, 2)


def _windows(signal: np.ndarray, before: int, stride: int) -> np.ndarray:
    """What each output of a kernel sees: `[outputs, 25, channels]`, zeros around the signal."""
    padded = np.pad(signal, ((before, KERNEL), (0, 0)))
    starts = stride * np.arange(len(signal) // stride)
    return padded[starts[:, None] + np.arange(KERNEL)]


def _least_squares(frames: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """The kernel with which upsampling comes nearest to what is wanted, from the channels that
    carry something."""
    carrying = np.flatnonzero(np.any(frames, axis=0))
    seen = _windows(np.repeat(frames[:, carrying], FRAME, axis=0), KERNEL // 2, 1).reshape(
        len(wanted), -1
    )
    square = seen.T @ seen
    square += RIDGE * np.trace(square) / len(square) * np.eye(len(square))
    solved = np.linalg.solve(square, seen.T @ wanted)
    kernel = np.zeros((KERNEL, frames.shape[1], wanted.shape[1]))
    kernel[:, carrying] = solved.reshape(KERNEL, len(carrying), -1)
    return kernel


def _leaky(signal: np.ndarray, slope: float) -> np.ndarray:
    return np.where(signal > 0, signal, slope * signal)
