"""The bank of sines has the given amplitudes, as the analysis measures them."""

import keras
import numpy as np
import pytest

from tfsepgan.errors import ConfigError
from tfsepgan.layers.filterbank import Analysis
from tfsepgan.layers.oscillators import AmplitudeOfLoudness, OscillatorBank
from tfsepgan.losses.recovery import loudness

FRAME, COUNT = 64, 12


@pytest.mark.parametrize("hop", [32, 16])
def test_a_constant_amplitude_is_a_steady_sine_of_its_bin(hop):
    amplitudes = np.zeros((1, COUNT, FRAME // 2 + 1), np.float32)
    amplitudes[..., 5] = 3.0
    wave = np.asarray(OscillatorBank(FRAME, hop, COUNT)(amplitudes))[0, :, 0]
    assert len(wave) == (COUNT - FRAME // hop + 1) * hop
    angle = 2 * np.pi * 5 * np.arange(len(wave)) / FRAME
    basis = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    fitted, *_ = np.linalg.lstsq(basis, wave, rcond=None)
    np.testing.assert_allclose(basis @ fitted, wave, atol=1e-6)
    assert np.hypot(*fitted) == pytest.approx(3.0 * np.pi / FRAME, rel=1e-5)


@pytest.mark.parametrize(("hop", "bin_"), [(32, 5), (32, 20), (16, 9)])
def test_the_analysis_measures_the_amplitude(hop, bin_):
    amplitudes = np.zeros((1, COUNT, FRAME // 2 + 1), np.float32)
    amplitudes[..., bin_] = 3.0
    wave = OscillatorBank(FRAME, hop, COUNT)(amplitudes)
    lower, upper = np.split(np.asarray(Analysis(FRAME, hop, FRAME // 2 + 1)(wave))[0], 2, axis=-1)
    inner = slice(FRAME // hop, -FRAME // hop)
    measured = np.sqrt((lower**2 + upper**2) / 2)[inner, bin_]
    # the mirror of the sine at minus its frequency adds a little
    np.testing.assert_allclose(measured, 3.0, rtol=0.02)


def test_a_frame_is_silent_outside_its_duration():
    amplitudes = np.zeros((1, COUNT, FRAME // 2 + 1), np.float32)
    amplitudes[0, 4] = 1.0
    wave = np.asarray(OscillatorBank(FRAME, 32, COUNT)(amplitudes))[0, :, 0]
    last_hop = 4 * 32  # frame 4 ends with the fifth hop, as cut_frames has it
    assert np.abs(wave[last_hop - 32 : last_hop + 32]).max() > 0.01
    np.testing.assert_allclose(wave[: last_hop - 32], 0, atol=1e-7)
    np.testing.assert_allclose(wave[last_hop + 32 :], 0, atol=1e-7)


def test_the_phases_follow_the_seed():
    amplitudes = np.ones((1, COUNT, FRAME // 2 + 1), np.float32)
    one, same, other = (
        np.asarray(OscillatorBank(FRAME, 32, COUNT, seed=seed)(amplitudes)) for seed in (1, 1, 2)
    )
    assert np.array_equal(one, same)
    assert np.abs(one - other).max() > 0.01
    again = OscillatorBank.from_config(OscillatorBank(FRAME, 32, COUNT, seed=1).get_config())
    assert np.array_equal(one, np.asarray(again(amplitudes)))


def test_it_is_linear_and_its_gradient_is_its_transpose():
    """The gradient passes through a Hartley transform with its own gradient."""
    import tensorflow as tf

    random = np.random.default_rng(0)
    bank = OscillatorBank(16, 8, 5)
    amplitudes = tf.constant(random.standard_normal((1, 5, 9)), tf.float32)
    weight = random.standard_normal((1, 32, 1)).astype(np.float32)
    with tf.GradientTape() as tape:
        tape.watch(amplitudes)
        total = tf.reduce_sum(weight * bank(amplitudes))
    slope = tape.gradient(total, amplitudes).numpy().ravel()
    units = np.eye(45, dtype=np.float32).reshape(45, 5, 9)
    rows = np.asarray(bank(units))[..., 0]
    np.testing.assert_allclose(slope, rows @ weight[0, :, 0], atol=1e-6)


def test_a_loudness_maps_to_the_amplitude_that_has_it():
    expected = np.linspace(-0.5, 1.0, 16, dtype=np.float32)
    power = np.square(np.asarray(AmplitudeOfLoudness()(expected)))
    np.testing.assert_allclose(loudness(power), expected, atol=1e-3)
    assert keras.saving.get_registered_object("tfsepgan>AmplitudeOfLoudness") is AmplitudeOfLoudness


def test_a_hop_that_does_not_fit_is_refused():
    with pytest.raises(ConfigError, match="multiple of hop"):
        OscillatorBank(64, 48, 4)
