"""Padding and trimming are exact; small layers equal Keras' or NumPy's."""

import keras
import numpy as np
import pytest

from tfsepgan.layers.dilated import DilatedConv1D
from tfsepgan.layers.framing import PadToMultiple, SplitSources, TrimLike
from tfsepgan.layers.spectrogram import LogSpectrogram


def noise(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


@pytest.mark.parametrize("time", [1, 15, 16, 17, 31, 32])
def test_padding_adds_zeros_up_to_the_multiple_and_no_more(time):
    signal = noise(2, time, 3)
    padded = np.asarray(PadToMultiple(16)(signal))
    assert padded.shape == (2, -(-time // 16) * 16, 3)
    assert np.array_equal(padded[:, :time], signal)
    assert not padded[:, time:].any()


def test_padding_knows_its_shape():
    assert PadToMultiple(16)(keras.Input((None, 1))).shape == (None, None, 1)
    assert PadToMultiple(16)(keras.Input((17, 1))).shape == (None, 32, 1)


@pytest.mark.parametrize("time", [1, 17, 32])
def test_trimming_removes_the_padding(time):
    estimates, signal = noise(2, 4, 32, 1), noise(2, time, 1)
    assert np.array_equal(TrimLike()(estimates, signal), estimates[:, :, :time])
    assert TrimLike()(keras.Input((4, None, 1)), keras.Input((None, 1))).shape == (None, 4, None, 1)


def test_channels_become_sources():
    signal = noise(2, 7, 3)
    got = np.asarray(SplitSources()(signal))
    assert got.shape == (2, 3, 7, 1)
    for source in range(3):
        assert np.array_equal(got[:, source, :, 0], signal[:, :, source])


@pytest.mark.parametrize("dilation", [1, 2, 8])
def test_the_dilated_convolution_is_keras_own(dilation):
    signal = noise(2, 13, 5)
    layer = DilatedConv1D(6, 3, dilation, activation="relu")
    reference = keras.layers.Conv1D(6, 3, padding="same", dilation_rate=dilation, activation="relu")
    layer.build(signal.shape)
    reference.build(signal.shape)
    weights = [noise(*weight.shape, seed=3) for weight in reference.get_weights()]
    layer.set_weights(weights)
    reference.set_weights(weights)
    np.testing.assert_allclose(layer(signal), reference(signal), atol=1e-5)


@pytest.mark.parametrize(("frame", "floor"), [(16, 1e-4), (64, 1e-4), (64, 1.0)])
def test_the_log_spectrogram_is_numpys(frame, floor):
    hop = frame // 4
    signal = noise(2, 6 * hop, 1)
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(frame) / frame)
    expected = []
    for one in signal[..., 0]:
        padded = np.pad(one, frame - hop)
        frames = [
            padded[start : start + frame] * hann for start in range(0, len(padded) - frame + 1, hop)
        ]
        expected.append(np.log(np.abs(np.fft.rfft(frames)) ** 2 + floor))
    got = LogSpectrogram(frame, floor)(signal)
    assert tuple(got.shape) == LogSpectrogram(frame).compute_output_shape(signal.shape)
    np.testing.assert_allclose(got, np.array(expected), atol=2e-3)


@pytest.mark.parametrize("floor", [1e-4, 1.0])
def test_the_slope_of_the_log_spectrogram_is_bounded_by_its_floor(floor):
    """d log(a^2 + floor) / da is at most 1 / sqrt(floor), where a^2 is the floor.

    So a gradient penalty can bound it.
    """
    constant = np.linspace(0, 0.5 if floor == 1.0 else 0.005, 101, dtype=np.float32)
    levels = np.asarray(LogSpectrogram(16, floor)(np.tile(constant[:, None, None], (1, 16, 1))))[
        :, 3, 0
    ]
    # a constant of one is 8 in the lowest bin: the window's sum
    slope = np.diff(levels) / np.diff(8 * constant)
    assert np.max(slope) == pytest.approx(1 / np.sqrt(floor), rel=0.01)


@pytest.mark.parametrize(
    "layer",
    [
        PadToMultiple(16),
        TrimLike(),
        SplitSources(),
        DilatedConv1D(6, 3, 2, activation="relu"),
        LogSpectrogram(64),
    ],
    ids=lambda layer: type(layer).__name__,
)
def test_a_layer_is_restored_from_its_config(layer):
    assert type(layer).from_config(layer.get_config()).get_config() == layer.get_config()
