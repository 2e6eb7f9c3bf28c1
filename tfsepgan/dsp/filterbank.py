"""Numbers of the filterbank masker that its Keras layers and its NumPy twin share.

A frame's synthesis window can be shorter than its analysis window: long frames tell pitches apart,
and the latency is that of the short window.

Source: Mauler & Martin 2007, "A low delay, variable resolution, perfect reconstruction spectral
analysis-synthesis system for speech enhancement", EUSIPCO, section 4. For masks of networks: S.
Wang et al. 2021, arXiv:2106.11794; Z.-Q. Wang et al. 2022, arXiv:2204.09911.
Departs from it: the analysis window has no zeros at its start, and the hop can be shorter than half
of the synthesis window.
"""

from collections.abc import Sequence

import numpy as np

# Power of a bin that counts as silence. Half precision represents it exactly; 2e-7 would be off by
# a tenth.
FLOOR = 2.0**-22
# Factor of amplitudes before their level is measured: FLOOR is then 190 dB below a sine at full
# scale. Half precision represents both numbers.
AMPLIFIED = 2.0**12
LOG_SCALE, LOG_OFFSET = 0.1, 0.4  # log power of music to about [-1, 1]
KERNEL = 3  # frames of a mask network's convolutions
EPSILON = 1e-3  # of every normalisation of the mask network


def root_hann(frame: int) -> np.ndarray:
    """Return the square root of the periodic Hann window, `[frame]`."""
    return np.sqrt(0.5 - 0.5 * np.cos(2 * np.pi * np.arange(frame) / frame)).astype("float32")


def window_pair(frame: int, synthesis_frame: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the windows of analysis and synthesis.

    Where both are not zero, their product is the periodic Hann window of `synthesis_frame` samples.

    Args:
      frame: samples of the analysis window.
      synthesis_frame: samples of the synthesis window, even, at most `frame`; it is at the end of a
        frame.
    Returns: `[frame]` and `[synthesis_frame]`; two roots of Hann windows where the lengths are
      equal.
    """
    short = root_hann(synthesis_frame)
    if synthesis_frame == frame:
        return short, short
    half = synthesis_frame // 2
    rise = np.sin(0.5 * np.pi * np.arange(frame - half) / (frame - half)).astype("float32")
    analysis = np.concatenate([rise, short[half:]])
    return analysis, short**2 / analysis[-synthesis_frame:]


def frames_ahead(dilations: Sequence[int], blocks: int, most: int | None) -> list[int]:
    """Return for each block how many future frames its convolution uses.

    Args:
      dilations: frames between taps, repeated in turn.
      blocks: number of blocks.
      most: future frames that all blocks together use, assigned to the first blocks. None: every
        convolution is centred.
    """
    ahead: list[int] = []
    for block in range(blocks):
        centred = dilations[block % len(dilations)] * (KERNEL // 2)
        ahead.append(centred if most is None else min(centred, most - sum(ahead)))
    return ahead
