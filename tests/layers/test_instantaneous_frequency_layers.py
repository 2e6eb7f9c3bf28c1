"""The layers equal NumPy's phase advance and are smooth everywhere, silence included."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfsepgan.dsp import instantaneous_frequency as twin
from tfsepgan.layers.filterbank import Analysis
from tfsepgan.layers.instantaneous_frequency import FrequencySpectrogram, PhaseAdvance
from tfsepgan.layers.spectrogram import LogSpectrogram


def noise(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def as_points(features):
    cosine, sine = np.split(np.asarray(features), 2, axis=-1)
    return cosine + 1j * sine


@pytest.mark.parametrize(("frame", "hop"), [(16, 8), (64, 16), (256, 32), (96, 32)])
@pytest.mark.parametrize("share", [1.0, 0.6])
@pytest.mark.parametrize("level", [1.0, 1e-3])
def test_the_phase_advance_is_numpys(frame, hop, share, level):
    signal = level * noise(2, 12 * hop, 1)
    bins = round(share * (frame // 2 + 1))
    got = PhaseAdvance(frame, hop)(Analysis(frame, hop, bins)(signal))
    assert got.shape[-1] == 2 * bins
    spectrum = twin.short_time_spectrum(signal[..., 0], frame=frame, hop=hop)[..., :bins]
    np.testing.assert_allclose(
        as_points(got), twin.phase_advance(spectrum, frame=frame, hop=hop), atol=1e-4
    )


@pytest.mark.parametrize("frame", [16, 64])
def test_the_frequency_spectrogram_is_the_log_spectrogram_and_numpys_advance(frame):
    hop = frame // 4
    signal = noise(2, 9 * hop, 1)
    layer = FrequencySpectrogram(frame)
    got = np.asarray(layer(signal))
    bins = frame // 2 + 1
    assert got.shape == layer.compute_output_shape(signal.shape) == (2, 12, 3 * bins)
    np.testing.assert_allclose(
        np.exp(got[..., :bins]), np.exp(LogSpectrogram(frame)(signal)), rtol=1e-3, atol=1e-4
    )
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(frame) / frame)
    padded = np.pad(signal[..., 0], [[0, 0], [frame - hop, frame - hop]])
    frames = np.stack([padded[:, i * hop : i * hop + frame] for i in range(12)], axis=1)
    expected = twin.phase_advance(np.fft.rfft(frames * hann), frame=frame, hop=hop)
    np.testing.assert_allclose(as_points(got[..., bins:]), expected, atol=1e-4)


def test_a_frame_depends_on_itself_and_the_one_before():
    signal = noise(1, 20, 66)
    struck = signal.copy()
    struck[0, 7] += 1
    layer = PhaseAdvance(64, 16)
    moved = np.abs(np.asarray(layer(struck)) - np.asarray(layer(signal)))[0].max(axis=-1)
    assert np.flatnonzero(moved).tolist() == [7, 8]


def test_loudness_does_not_change_the_point_of_what_is_loud():
    signal = noise(1, 640, 1)
    quiet, loud = (
        as_points(PhaseAdvance(64, 16)(Analysis(64, 16, 33)(gain * signal))) for gain in (1.0, 10.0)
    )
    inner = slice(4, -4)
    np.testing.assert_allclose(np.median(np.abs(quiet - loud)[:, inner]), 0, atol=1e-3)


def test_a_phase_that_completes_a_turn_does_not_jump():
    # A tone that glides past a bin: its angle wraps, the point continues along the circle.
    frame, hop = 256, 128
    time = np.arange(80 * frame)
    glide = np.cos(2 * np.pi / frame * (40 * time + 2.5 * time**2 / len(time) / 2))
    points = as_points(
        PhaseAdvance(frame, hop)(Analysis(frame, hop, 129)(glide[None, :, None].astype("float32")))
    )
    middle = points[0, 8:-8, 41]
    assert np.abs(np.diff(np.angle(middle))).max() > 6
    assert np.abs(np.diff(middle)).max() < 0.1


@pytest.mark.parametrize("level", [0.0, 1e-6, 1e-3, 1.0, 100.0])
@pytest.mark.parametrize(
    "layer", [FrequencySpectrogram(64), PhaseAdvance(64, 16)], ids=lambda one: type(one).__name__
)
def test_slopes_are_finite_and_bounded_at_every_level(layer, level):
    shape = (2, 320, 1) if isinstance(layer, FrequencySpectrogram) else (2, 20, 66)
    signal = tf.constant(level * noise(*shape))
    with tf.GradientTape() as tape:
        tape.watch(signal)
        outputs = layer(signal)
    slope = tape.gradient(
        outputs, signal, output_gradients=tf.constant(noise(*outputs.shape, seed=1))
    )
    assert np.isfinite(outputs).all()
    assert np.isfinite(slope).all()
    assert np.abs(slope).max() < 2e4


def test_it_stays_in_float32_under_mixed_precision():
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        outputs = FrequencySpectrogram(64)(noise(1, 320, 1))
        advance = PhaseAdvance(64, 16)(Analysis(64, 16, 33)(noise(1, 320, 1)))
    finally:
        keras.config.set_dtype_policy(policy)
    assert {keras.backend.standardize_dtype(one.dtype) for one in (outputs, advance)} == {"float32"}


def test_the_shapes_are_known_without_a_signal():
    mixture = keras.Input((None, 1))
    assert FrequencySpectrogram(64)(mixture).shape == (None, None, 99)
    assert PhaseAdvance(64, 16)(Analysis(64, 16, 25)(mixture)).shape == (None, None, 50)


@pytest.mark.parametrize(
    "layer", [FrequencySpectrogram(64), PhaseAdvance(64, 16)], ids=lambda one: type(one).__name__
)
def test_a_layer_is_restored_from_its_config_and_has_no_weights(layer):
    assert type(layer).from_config(layer.get_config()).get_config() == layer.get_config()
    assert not layer.weights
