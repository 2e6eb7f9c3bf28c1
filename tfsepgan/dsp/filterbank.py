"""Numbers of the filterbank masker that its Keras layers and its NumPy twin share."""

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
