"""Transforms by products of real matrices equal those of the filterbank."""

import numpy as np
import pytest

from tfsepgan.layers.filterbank import Analysis, Synthesis
from tfsepgan.layers.matrix_fourier import MatrixBins, MatrixFrames

# frame, hop, bins: the shipped piano's, all bins, two factors of different size, a prime factor
SHAPES = [(4096, 2048, 1487), (256, 64, 129), (24, 12, 13), (22, 11, 5)]
SHAPES = [(*shape, {}) for shape in SHAPES] + [(256, 32, 129, {"synthesis_frame": 96})]


@pytest.mark.parametrize(("frame", "hop", "bins", "short"), SHAPES)
def test_products_give_the_bins_and_frames_of_the_filterbank(frame, hop, bins, short):
    analysis, synthesis = Analysis(frame, hop, bins, **short), Synthesis(frame, hop, **short)
    spectrum = analysis(np.zeros((1, frame, 1), np.float32))
    synthesis(spectrum)  # builds the layers
    time = frame - hop + 5 * hop
    signal = np.random.default_rng(frame).standard_normal((2, time, 1)).astype(np.float32)
    expected = np.asarray(analysis.inside(signal))
    bins_of, frames_of = MatrixBins(analysis), MatrixFrames(synthesis, bins=bins)
    close = {"rtol": 0, "atol": 2e-6 * np.abs(expected).max()}
    np.testing.assert_allclose(bins_of(signal), expected, **close)
    turned = expected[..., ::-1]  # as by a mask that changes phases, those of real bins too
    frames = np.asarray(synthesis.frames_of(turned))
    close["atol"] = 2e-6 * np.abs(frames).max()
    np.testing.assert_allclose(frames_of(turned), frames, **close)
