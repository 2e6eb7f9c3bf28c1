"""Initial weights with which the paper's generator returns its input: the start 'identity'.

The ends of the network (two strided convolutions, two upsampling ones) must learn to pass a
waveform before anything can be removed from it, and gradients need thousands of steps for that.
Here the weights are computed:
- Each sample of a frame of four, then each of the sixteen bands of a cosine transform, passes as a
  pair of channels of opposite sign. The difference of such a pair is linear after a leaky
  activation.
- The kernels of the upsampling convolutions are the least-squares solution for noise whose spectrum
  falls as that of music.

The remaining error is due to the structure: repeated frames have no content at multiples of 1/16 of
the sample rate.

Source of the idea: orthogonal and identity starts (Saxe et al. 2014, arXiv:1312.6120; Xiao et al.
2018, arXiv:1806.05393), here for a network that changes rates and has activations. It is not in the
paper.
"""

import functools

import numpy as np
from scipy.fft import dct

FRAME = 4  # samples: the stride
KERNEL = 25
# the tap at the first sample of a frame: the padding of the strided convolutions
FIRST = 11
BANDS = FRAME * FRAME
SAMPLES = 1 << 15  # length of the noise: enough for 800 numbers
RIDGE = 1e-6  # relative to the mean power, for directions that the noise does not contain


def passing_kernels(narrow: int, wide: int, *, slope: float) -> dict[str, np.ndarray]:
    """Return the kernels of the four layers, `[25, channels in, channels out]`.

    Channels that carry no signal are zero.

    Args:
      narrow, wide: channels after the first and the second strided convolution.
      slope: slope of the leaky activations for negative inputs.
    Returns: by layer name: `down0`, `down1`, `up0` (to `narrow` channels) and `up1` (to one).
    """
    solved = _solved(min(narrow, 2 * FRAME), min(wide, 2 * BANDS), slope)
    shapes = {"down0": (1, narrow), "down1": (narrow, wide)}
    shapes |= {"up0": (wide, narrow), "up1": (narrow, 1)}
    kernels = {name: np.zeros((KERNEL, *shape)) for name, shape in shapes.items()}
    for name, kernel in solved.items():
        kernels[name][:, : kernel.shape[1], : kernel.shape[2]] = kernel
    return kernels


@functools.cache
def _solved(narrow: int, wide: int, slope: float) -> dict[str, np.ndarray]:
    """Return the kernels of the channels that carry the signal; cached by width."""
    down0, down1 = _first(narrow), _second(narrow, wide, slope)
    waveform = falling_noise(SAMPLES)[:, None]
    narrow_frames = _leaky(strided(waveform, down0), slope)
    wide_frames = _leaky(strided(narrow_frames, down1), slope)
    up0 = _least_squares(wide_frames, narrow_frames)
    up1 = _least_squares(upsampled(wide_frames, up0), waveform)
    return {"down0": down0, "down1": down1, "up0": up0, "up1": up1}


def _first(narrow: int) -> np.ndarray:
    """Return the kernel that gives each sample of a frame with both signs."""
    kernel = np.zeros((KERNEL, 1, narrow))
    for phase in range(min(FRAME, narrow // 2)):
        kernel[FIRST + phase, 0, 2 * phase], kernel[FIRST + phase, 0, 2 * phase + 1] = 1, -1
    return kernel


def _second(narrow: int, wide: int, slope: float) -> np.ndarray:
    """Return the kernel that gives each band of sixteen samples, lowest first, with both signs."""
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
    """Return fixed noise of RMS 1, float64 `[samples]`, whose amplitude falls with frequency."""
    spectrum = np.fft.rfft(np.random.default_rng(0).normal(size=samples))
    spectrum /= 1 + np.arange(len(spectrum)) * 40 / len(spectrum)  # flat below 200 Hz at 16 kHz
    noise = np.fft.irfft(spectrum, samples)
    return noise / np.sqrt(np.mean(noise**2))


def strided(signal: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """Apply the network's strided convolution: `[time, channels]` -> `[time / 4, channels]`."""
    return np.tensordot(_windows(signal, FIRST, FRAME), kernel, 2)


def upsampled(frames: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """Apply the network's upsampling convolution: `[n, channels]` -> `[4 * n, channels]`."""
    return np.tensordot(_windows(np.repeat(frames, FRAME, axis=0), KERNEL // 2, 1), kernel, 2)


def _windows(signal: np.ndarray, before: int, stride: int) -> np.ndarray:
    """Return the inputs of each output of a kernel: `[outputs, 25, channels]`, zero-padded."""
    padded = np.pad(signal, ((before, KERNEL), (0, 0)))
    starts = stride * np.arange(len(signal) // stride)
    return padded[starts[:, None] + np.arange(KERNEL)]


def _least_squares(frames: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Return the upsampling kernel that is closest to the target, from the channels with signal."""
    carrying = np.flatnonzero(np.any(frames, axis=0))
    repeated = np.repeat(frames[:, carrying], FRAME, axis=0)
    inputs = _windows(repeated, KERNEL // 2, 1).reshape(len(target), -1)
    square = inputs.T @ inputs
    square += RIDGE * np.trace(square) / len(square) * np.eye(len(square))
    solved = np.linalg.solve(square, inputs.T @ target)
    kernel = np.zeros((KERNEL, frames.shape[1], target.shape[1]))
    kernel[:, carrying] = solved.reshape(KERNEL, len(carrying), -1)
    return kernel


def _leaky(signal: np.ndarray, slope: float) -> np.ndarray:
    return np.where(signal > 0, signal, slope * signal)
