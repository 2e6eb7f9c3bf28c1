"""The contract of every discriminator: scores and features of known shapes, finite gradients."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfsepgan.errors import ConfigError
from tfsepgan.networks.table import build_discriminator
from tfsepgan.settings.networks import DiscriminatorConfig

WINDOW = 2048


def noise(*shape, seed=0):
    return 0.5 * np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def test_scores_and_features_have_one_entry_for_each_window(discriminator_kind, discriminators):
    outputs = discriminators(discriminator_kind, window=WINDOW)(noise(3, WINDOW, 1), training=True)
    assert set(outputs) == {"scores", "features"}
    assert outputs["scores"]
    assert len(outputs["features"]) > len(outputs["scores"])
    for tensor in (*outputs["scores"], *outputs["features"]):
        assert tensor.shape[0] == 3
        assert np.isfinite(tensor).all()


def test_silence_and_noise_of_any_level_have_finite_scores_and_slopes(
    discriminator_kind, discriminators
):
    discriminator = discriminators(discriminator_kind, window=WINDOW)
    for factor in (0.0, 1e-6, 100.0):
        waveform = tf.constant(factor * noise(2, WINDOW, 1))
        with tf.GradientTape() as tape:
            tape.watch(waveform)
            total = sum(
                tf.reduce_sum(scores) for scores in discriminator(waveform, training=True)["scores"]
            )
        slope = tape.gradient(total, waveform)
        assert np.isfinite(total), factor
        assert np.isfinite(slope).all(), factor
        assert factor == 0 or np.abs(slope).max() > 0, factor


@pytest.mark.parametrize("window", [1000, 1500, 2047])
def test_windows_can_have_any_length(discriminator_kind, discriminators, window):
    outputs = discriminators(discriminator_kind, window=window)(noise(2, window, 1), training=True)
    assert all(np.isfinite(scores).all() for scores in outputs["scores"])


def test_windows_are_independent(discriminator_kind, discriminators):
    discriminator = discriminators(discriminator_kind, window=WINDOW)
    waveform = noise(3, WINDOW, 1)
    together = discriminator(waveform, training=False)["scores"]
    for item in range(3):
        alone = discriminator(waveform[item : item + 1], training=False)["scores"]
        for one, all_of_them in zip(alone, together, strict=True):
            np.testing.assert_allclose(one[0], all_of_them[item], atol=1e-5)


def test_the_papers_discriminator_has_the_papers_size():
    discriminator = build_discriminator(DiscriminatorConfig(kind="wavegan"), window=16384, seed=0)
    assert discriminator.count_params() == 17_427_969
    kernels = [
        layer.kernel.shape
        for layer in discriminator.layers
        if isinstance(layer, keras.layers.Conv1D)
    ]
    assert [tuple(shape) for shape in kernels] == [
        (25, 64 * 2**k // 2 if k else 1, 64 * 2**k) for k in range(5)
    ]
    assert discriminator.get_layer("score").kernel.shape == (16384, 1)


def test_every_branch_has_its_own_score(discriminators):
    assert len(discriminators("multiperiod", periods=(2, 3, 5))(noise(1, WINDOW, 1))["scores"]) == 3
    assert (
        len(discriminators("multiresolution", frames=(64, 128, 256))(noise(1, WINDOW, 1))["scores"])
        == 3
    )
    assert (
        len(
            discriminators("instantaneous_frequency", frames=(64, 128))(noise(1, WINDOW, 1))[
                "scores"
            ]
        )
        == 2
    )
    assert len(discriminators("projections", projections=5)(noise(1, WINDOW, 1))["scores"]) == 5
    assert len(discriminators("patch")(noise(1, WINDOW, 1))["scores"]) == 1


def test_patches_are_scored_separately(discriminators):
    discriminator = discriminators("patch")
    waveform = noise(1, WINDOW, 1)
    struck = waveform.copy()
    struck[0, :16] += 1
    before, after = (
        np.asarray(discriminator(x)["scores"][0])[0].ravel() for x in (waveform, struck)
    )
    assert len(before) == WINDOW // 64
    assert before[0] != after[0]
    assert np.array_equal(before[16:], after[16:])


def test_wavegan_shuffles_in_training_only(discriminators):
    discriminator = discriminators("wavegan")
    waveform = noise(2, WINDOW, 1)
    first, second = (
        np.asarray(discriminator(waveform, training=True)["scores"][0]) for _ in range(2)
    )
    assert not np.array_equal(first, second)
    first, second = (
        np.asarray(discriminator(waveform, training=False)["scores"][0]) for _ in range(2)
    )
    assert np.array_equal(first, second)


def test_wavegan_without_phase_shuffle_is_a_plain_function(discriminators):
    discriminator = discriminators("wavegan", phase_shuffle=0)
    waveform = noise(2, WINDOW, 1)
    first, second = (
        np.asarray(discriminator(waveform, training=True)["scores"][0]) for _ in range(2)
    )
    assert np.array_equal(first, second)


def test_wavegan_accepts_its_own_window_only_and_refuses_too_short_ones():
    with pytest.raises(ConfigError, match="phase_shuffle is 2, but it meets a layer of 2 samples"):
        build_discriminator(DiscriminatorConfig(channels=4), window=512, seed=0)


# Random projections.


def scores_of(discriminator, waveform):
    return [
        float(np.asarray(scores).item())
        for scores in discriminator(waveform, training=False)["scores"]
    ]


def test_each_branch_depends_on_its_own_projection_only(discriminators):
    discriminator = discriminators("projections", projections=4)
    waveform = noise(1, WINDOW, 1)
    before = scores_of(discriminator, waveform)
    assert len(set(before)) == 4
    for index in range(4):
        project = discriminator.get_layer("projections")
        (filters,) = project.get_weights()
        other = filters.copy()
        other[:, 0, index] = np.roll(filters[:, 0, index], 5)
        project.set_weights([other])
        changed = [
            old != new for old, new in zip(before, scores_of(discriminator, waveform), strict=True)
        ]
        assert changed == [one == index for one in range(4)]
        project.set_weights([filters])


def test_a_branch_ignores_signals_orthogonal_to_its_filter(discriminators):
    changes = {
        "projections": 3,
        "projection_kernel": 64,
        "projection_stride": 64,
        "phase_shuffle": 0,
    }
    discriminator = discriminators("projections", **changes)
    filters = discriminator.get_layer("projections").get_weights()[0][:, 0, 0]
    hidden = noise(WINDOW // 64, 64, seed=1)
    hidden -= np.outer(hidden @ filters, filters)
    waveform = noise(1, WINDOW, 1)
    before, after = (
        scores_of(discriminator, x) for x in (waveform, waveform + hidden.reshape(1, WINDOW, 1))
    )
    assert after[0] == pytest.approx(before[0], abs=1e-5)
    assert all(abs(new - old) > 1e-3 for new, old in zip(after[1:], before[1:], strict=True))


def test_training_changes_every_branch_and_no_projection(discriminators):
    discriminator = discriminators("projections")
    frozen = discriminator.get_layer("projections").get_weights()[0]
    before = [np.asarray(weight) for weight in discriminator.trainable_variables]
    assert len(before) == 3 * 2 * 4  # branches, kernel and bias, three convolutions and the score
    optimizer = keras.optimizers.Adam(1e-3)
    for seed in range(2):
        with tf.GradientTape() as tape:
            scores = discriminator(noise(2, WINDOW, 1, seed=seed), training=True)["scores"]
            loss = sum(tf.reduce_mean(tf.square(one - 1)) for one in scores)
        variables = discriminator.trainable_variables
        optimizer.apply(tape.gradient(loss, variables), variables)
    for old, new in zip(before, discriminator.trainable_variables, strict=True):
        assert not np.array_equal(old, new)
    assert np.array_equal(discriminator.get_layer("projections").get_weights()[0], frozen)


def test_projections_follow_the_seed():
    def filters(seed):
        config = DiscriminatorConfig(kind="projections", channels=4, projections=2)
        return (
            build_discriminator(config, window=WINDOW, seed=seed)
            .get_layer("projections")
            .get_weights()[0]
        )

    assert np.array_equal(filters(3), filters(3))
    assert not np.array_equal(filters(3), filters(4))


def test_twelve_branches_are_smaller_than_one_at_the_full_rate():
    discriminator = build_discriminator(
        DiscriminatorConfig(kind="projections"), window=16384, seed=0
    )
    convolutions = sum(
        25 * before * after + after for before, after in ((1, 64), (64, 128), (128, 256))
    )
    # 16384 samples / 12 / 64, rounded up at each step, make 22 frames.
    assert discriminator.count_params() == 12 * (192 + convolutions + 22 * 256 + 1) < 17_427_969


# Instantaneous frequency.


def test_the_frequency_discriminator_has_loudness_and_a_point_for_each_bin(discriminators):
    discriminator = discriminators("instantaneous_frequency", frames=(64, 128))
    for frame in (64, 128):
        assert tuple(discriminator.get_layer(f"frame{frame}_conv0").kernel.shape) == (
            3,
            3 * (frame // 2 + 1),
            8,
        )


def test_the_frequency_discriminator_responds_more_to_a_small_detuning(
    discriminators,
):
    time = np.arange(WINDOW)
    low, high = (
        0.1 * np.sin(2 * np.pi * (8 + off) / 64 * time).astype("float32")[None, :, None]
        for off in (-0.1, 0.1)
    )
    differences = {}
    for kind in ("multiresolution", "instantaneous_frequency"):
        first = discriminators(kind, frames=(64,)).layers[2]
        one, two = np.asarray(first(low)), np.asarray(first(high))
        loud = np.arange(one.shape[-1]) % 33 == 8  # the bin of the tone
        differences[kind] = np.abs(one - two)[0, 8:-8, loud].max()
    assert differences["instantaneous_frequency"] > 2 * differences["multiresolution"]


def test_spectral_normalisation_brings_every_gain_to_one(discriminator_kind, discriminators):
    discriminator = discriminators(discriminator_kind, spectral_norm=True)
    for _ in range(15):  # each call in training takes one more power iteration
        discriminator(noise(1, WINDOW, 1), training=True)
    bounded = [
        layer
        for layer in discriminator.layers
        if isinstance(layer, keras.layers.SpectralNormalization)
    ]
    free = [
        layer
        for layer in discriminator.layers
        if isinstance(layer, (keras.layers.Conv1D, keras.layers.Dense))
    ]
    assert bounded
    assert not free
    for layer in bounded:
        kernel = np.asarray(layer.kernel)
        gain = np.linalg.svd(kernel.reshape(-1, kernel.shape[-1]), compute_uv=False)[0]
        assert gain == pytest.approx(1, abs=0.15), layer.name


def test_without_spectral_normalisation_no_layer_is_bounded(discriminator_kind, discriminators):
    layers = discriminators(discriminator_kind).layers
    assert not any(isinstance(layer, keras.layers.SpectralNormalization) for layer in layers)


def test_an_unknown_discriminator_is_named_with_the_nearest():
    with pytest.raises(ConfigError, match="no discriminator 'wavgan'; did you mean 'wavegan'?"):
        build_discriminator(DiscriminatorConfig(kind="wavgan"), window=WINDOW, seed=0)
