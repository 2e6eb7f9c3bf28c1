"""The filterbank equals NumPy's short-time Fourier transform and is invertible."""

import keras
import numpy as np
import pytest
from keras import ops

from tfsepgan.dsp.filterbank import root_hann, window_pair
from tfsepgan.errors import TfsepganError
from tfsepgan.layers.filterbank import Analysis, Synthesis, cut_frames, hartley, overlap_add

SHAPES = [(16, 8), (64, 16), (256, 64), (96, 32), (32, 4)]  # frame, hop


def noise(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def numpy_frames(signal, frame, hop):
    """Cut frames of `[time]` with zeros around it, one by one."""
    padded = np.pad(signal, frame - hop)
    return np.stack(
        [padded[start : start + frame] for start in range(0, len(padded) - frame + 1, hop)]
    )


def numpy_cas(frame):
    """Return the Hartley matrix, cos + sin, `[frame, frame]`."""
    angles = 2 * np.pi * np.outer(np.arange(frame), np.arange(frame)) / frame
    return np.cos(angles) + np.sin(angles)


@pytest.mark.parametrize(("frame", "hop"), SHAPES)
def test_frames_are_those_of_numpy(frame, hop):
    signal = noise(2, 5 * hop)
    got = np.asarray(cut_frames(signal, frame, hop))
    assert np.array_equal(got, np.stack([numpy_frames(one, frame, hop) for one in signal]))
    assert got.shape == (2, 5 + frame // hop - 1, frame)


@pytest.mark.parametrize(("frame", "hop"), SHAPES)
def test_overlapping_frames_add_up_to_the_signal_times_their_number(frame, hop):
    signal = noise(3, 7 * hop)
    added = np.asarray(overlap_add(cut_frames(signal, frame, hop), hop))
    np.testing.assert_allclose(added, signal * (frame // hop), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(("frame", "hop"), SHAPES)
def test_overlap_add_is_the_transpose_of_cutting(frame, hop):
    signal, frames = noise(1, 4 * hop, seed=1), noise(1, 4 + frame // hop - 1, frame, seed=2)
    onto_frames = float(ops.sum(cut_frames(signal, frame, hop) * frames))
    onto_signal = float(ops.sum(signal * overlap_add(frames, hop)))
    assert onto_frames == pytest.approx(onto_signal, rel=1e-4, abs=1e-4)


def test_the_window_is_the_root_of_a_periodic_hann():
    window = root_hann(64)
    assert window[0] == 0
    assert window[32] == pytest.approx(1)
    np.testing.assert_allclose(window**2 + np.roll(window, 32) ** 2, 1, atol=1e-6)


@pytest.mark.parametrize("size", [2, 8, 64, 250])
def test_hartley_is_its_definition_and_its_own_inverse(size):
    signal = noise(3, size)
    once = np.asarray(hartley(ops.convert_to_tensor(signal)))
    np.testing.assert_allclose(once, signal @ numpy_cas(size), atol=1e-4 * np.sqrt(size))
    np.testing.assert_allclose(
        np.asarray(hartley(ops.convert_to_tensor(once))), size * signal, atol=1e-4 * size
    )


def test_the_gradient_of_hartley_is_the_transform_of_the_upstream_gradient():
    import tensorflow as tf

    signal, weights = tf.constant(noise(2, 32)), noise(2, 32, seed=5)
    with tf.GradientTape() as tape:
        tape.watch(signal)
        value = tf.reduce_sum(hartley(signal) * weights)
    np.testing.assert_allclose(tape.gradient(value, signal), weights @ numpy_cas(32).T, atol=1e-4)


@pytest.mark.parametrize("learnable", [False, True])
@pytest.mark.parametrize(("frame", "hop"), SHAPES)
def test_synthesis_gives_the_analysed_signal_back(frame, hop, learnable):
    signal = noise(2, 9 * hop, 1)
    spectrum = Analysis(frame, hop, frame // 2 + 1, learnable)(signal)
    back = Synthesis(frame, hop, learnable)(spectrum)
    assert tuple(back.shape) == signal.shape
    np.testing.assert_allclose(back, signal, atol=2e-5)


@pytest.mark.parametrize("learnable", [False, True])
@pytest.mark.parametrize(("frame", "hop", "short"), [(64, 16, 32), (256, 32, 96), (96, 8, 80)])
def test_a_short_synthesis_window_gives_the_signal_back_too(frame, hop, short, learnable):
    signal = noise(2, 9 * hop, 1)
    spectrum = Analysis(frame, hop, frame // 2 + 1, learnable, short)(signal)
    synthesis = Synthesis(frame, hop, learnable, short)
    assert spectrum.shape[1] == 9 + short // hop - 1
    np.testing.assert_allclose(synthesis(spectrum), signal, atol=2e-5)
    # The last frame alone reaches back as far as its synthesis window.
    alone = np.array(spectrum)
    alone[:, :-1] = 0
    assert not np.asarray(synthesis(alone))[:, :-hop].any()


def test_the_windows_of_a_pair_multiply_to_a_hann_window():
    analysis, synthesis = window_pair(128, 32)
    np.testing.assert_allclose(analysis[-32:] * synthesis, root_hann(32) ** 2, atol=1e-6)
    assert (np.diff(analysis[:112]) > 0).all()
    assert (np.diff(analysis[112:]) < 0).all()


@pytest.mark.parametrize("learnable", [False, True])
def test_analysis_is_numpys_windowed_fourier_transform(learnable):
    frame, hop, bins = 64, 16, 20
    signal = noise(1, 10 * hop, 1)
    spectrum = np.asarray(Analysis(frame, hop, bins, learnable)(signal))[0]
    twin = np.fft.rfft(numpy_frames(signal[0, :, 0], frame, hop) * root_hann(frame))[:, :bins]
    expected = np.concatenate([twin.real - twin.imag, twin.real + twin.imag], axis=-1)
    np.testing.assert_allclose(spectrum, expected, atol=1e-4)


@pytest.mark.parametrize("learnable", [False, True])
@pytest.mark.parametrize("bins", [1, 2, 20, 32, 33])
def test_bins_that_are_not_given_are_silent(bins, learnable):
    frame, hop = 64, 16
    signal = noise(1, 10 * hop, 1)
    back = Synthesis(frame, hop, learnable)(Analysis(frame, hop, bins, learnable)(signal))
    spectrum = np.fft.rfft(numpy_frames(signal[0, :, 0], frame, hop) * root_hann(frame))
    spectrum[:, bins:] = 0
    frames = np.fft.irfft(spectrum, frame) * root_hann(frame) * 2 * hop / frame
    expected = np.zeros(10 * hop + 2 * (frame - hop))
    for index, one in enumerate(frames):
        expected[index * hop : index * hop + frame] += one
    np.testing.assert_allclose(
        np.asarray(back)[0, :, 0], expected[frame - hop : hop - frame], atol=2e-5
    )


def test_fixed_and_learnable_filters_start_as_the_same_filterbank():
    signal = noise(2, 160, 1)
    fixed, learnable = Analysis(64, 16, 25), Analysis(64, 16, 25, learnable=True)
    np.testing.assert_allclose(fixed(signal), learnable(signal), atol=1e-4)
    spectrum = noise(2, 13, 50)
    spectrum[..., 25] = spectrum[..., 0]  # the bin at 0 Hz is real: A - B = A + B
    np.testing.assert_allclose(
        Synthesis(64, 16)(spectrum), Synthesis(64, 16, learnable=True)(spectrum), atol=1e-5
    )


def test_only_learnable_filters_have_weights():
    analysis, synthesis = Analysis(64, 16, 25), Synthesis(64, 16)
    synthesis(analysis(noise(1, 32, 1)))
    assert not analysis.weights
    assert not synthesis.weights
    analysis, synthesis = Analysis(64, 16, 25, learnable=True), Synthesis(64, 16, learnable=True)
    synthesis(analysis(noise(1, 32, 1)))
    assert [tuple(weight.shape) for weight in analysis.trainable_weights] == [(64, 50)]
    assert [tuple(weight.shape) for weight in synthesis.trainable_weights] == [(50, 64)]


def test_the_shapes_are_known_without_a_signal():
    mixture = keras.Input((None, 1))
    spectrum = Analysis(64, 16, 25)(mixture)
    assert spectrum.shape == (None, None, 50)
    assert Synthesis(64, 16)(spectrum).shape == (None, None, 1)
    assert Analysis(64, 16, 25).compute_output_shape((2, 160, 1)) == (2, 13, 50)
    assert Synthesis(64, 16).compute_output_shape((2, 13, 50)) == (2, 160, 1)


def test_a_transform_stays_in_float32_under_mixed_precision():
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        signal = noise(1, 160, 1)
        back = Synthesis(64, 16)(Analysis(64, 16, 33)(signal))
    finally:
        keras.config.set_dtype_policy(policy)
    assert keras.backend.standardize_dtype(back.dtype) == "float32"
    np.testing.assert_allclose(back, signal, atol=2e-5)


@pytest.mark.parametrize(("frame", "hop"), [(100, 30), (64, 64), (64, 0), (63, 21)])
def test_frames_that_cannot_be_inverted_are_refused(frame, hop):
    with pytest.raises(TfsepganError, match=f"frame is {frame} and hop {hop}"):
        Analysis(frame, hop, 5)


@pytest.mark.parametrize("short", [16, 40, 72, 128])
def test_synthesis_windows_that_do_not_fit_are_refused(short):
    with pytest.raises(TfsepganError, match=f"synthesis_frame is {short}, frame 64 and hop 16"):
        Synthesis(64, 16, synthesis_frame=short)
