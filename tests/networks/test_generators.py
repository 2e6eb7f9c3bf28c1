"""The contract of every generator: any length, a finite context, shifts by the hop."""

import keras
import numpy as np
import pytest
from networks_for_tests import new_generator

from tfsepgan.errors import ConfigError
from tfsepgan.models.keras_state import built_in
from tfsepgan.networks.table import build_generator, generator_entry
from tfsepgan.settings.networks import GeneratorConfig


def noise(*shape, seed=0):
    return 0.5 * np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def separate(generator, mixture):
    return np.asarray(generator(mixture, training=False))


def test_every_length_is_kept(generator_kind, generators):
    generator, _ = generators(generator_kind, sources=3)
    for time in (1, 2, 15, 16, 17, 63, 400):
        estimates = separate(generator, noise(2, time, 1))
        assert estimates.shape == (2, 3, time, 1)
        assert estimates.dtype == np.float32
        assert np.isfinite(estimates).all()


def test_the_declared_shape_is_open_in_time(generator_kind, generators):
    generator, _ = generators(generator_kind, sources=3)
    assert tuple(generator.input_shape) == (None, None, 1)
    assert tuple(generator.output_shape) == (None, 3, None, 1)


def test_examples_of_a_batch_are_independent(generator_kind, generators):
    generator, _ = generators(generator_kind)
    mixture = noise(3, 300, 1)
    alone = np.concatenate([separate(generator, mixture[item : item + 1]) for item in range(3)])
    np.testing.assert_allclose(separate(generator, mixture), alone, atol=1e-6)


@pytest.mark.parametrize("changes", [{}, {"blocks": 1}])
def test_the_declared_context_is_sufficient_and_close(generator_kind, generators, changes):
    generator, config = generators(generator_kind, **changes)
    context = generator_entry(config.kind).context(config)
    time = 4 * context + 3
    where = time // 2
    mixture = noise(1, time, 1)
    struck = mixture.copy()
    struck[0, where] += 1.0
    moved = np.flatnonzero(
        np.abs(separate(generator, struck) - separate(generator, mixture))[0, 0, :, 0] > 1e-7
    )
    reach = max(where - moved.min(), moved.max() - where)
    assert context >= reach >= context / 3


def test_a_shift_by_the_hop_shifts_the_output(generator_kind, generators):
    generator, config = generators(generator_kind)
    entry = generator_entry(config.kind)
    hop, context = entry.hop(config), entry.context(config)
    mixture = noise(1, 3 * context, 1)
    moved = np.pad(mixture, [[0, 0], [hop, 0], [0, 0]])
    # Only the beginning and the end depend on the position of the edges.
    inner = slice(context, 2 * context)
    moved_inner = slice(context + hop, 2 * context + hop)
    expected = separate(generator, mixture)[:, :, inner]
    np.testing.assert_allclose(separate(generator, moved)[:, :, moved_inner], expected, atol=1e-5)


def test_context_is_a_multiple_of_the_hop(generator_kind, generators):
    _, config = generators(generator_kind)
    entry = generator_entry(config.kind)
    assert entry.context(config) % entry.hop(config) == 0


def test_the_same_seed_gives_the_same_weights(generator_kind, generators):
    one, two = generators(generator_kind)[0], new_generator(generator_kind)[0]
    assert one is not two
    for mine, yours in zip(one.get_weights(), two.get_weights(), strict=True):
        assert np.array_equal(mine, yours)


# The filterbank masker.


def open_masks(generator, *, to=60.0):
    """Set every mask to one (or zero): no weights, a large bias."""
    layer = generator.get_layer("masks")
    kernel, bias = layer.get_weights()
    layer.set_weights([np.zeros_like(kernel), np.full_like(bias, to)])


@pytest.mark.parametrize("learnable", [False, True])
def test_open_masks_give_the_mixture_back_and_closed_ones_silence(generators, learnable):
    generator, _ = generators("filterbank", sources=2, learnable=learnable)
    mixture = noise(2, 333, 1)
    open_masks(generator)
    np.testing.assert_allclose(
        separate(generator, mixture), np.stack([mixture, mixture], axis=1), atol=2e-5
    )
    open_masks(generator, to=-60.0)
    np.testing.assert_allclose(separate(generator, mixture), 0, atol=1e-6)


def test_frequencies_above_the_cutoff_go_to_the_residual(generators):
    generator, _ = generators("filterbank", frame=512, hop=128, cutoff_hz=4000.0)
    open_masks(generator)
    seconds = np.arange(8000) / 16000
    low, high = (
        0.3 * np.sin(2 * np.pi * hz * seconds).astype(np.float32)[None, :, None]
        for hz in (1000, 6000)
    )
    inner = slice(600, -600)
    estimate = separate(generator, low + high)[0, 0, inner]
    np.testing.assert_allclose(estimate, low[0, inner], atol=1e-3)


def test_each_source_has_its_own_masks(generators):
    generator, _ = generators("filterbank", sources=2)
    layer, mixture = generator.get_layer("masks"), noise(1, 320, 1)
    kernel, bias = layer.get_weights()
    layer.set_weights([np.zeros_like(kernel), np.repeat([60.0, -60.0], len(bias) // 2)])
    np.testing.assert_allclose(separate(generator, mixture)[:, 0], mixture, atol=2e-5)
    np.testing.assert_allclose(separate(generator, mixture)[:, 1], 0, atol=1e-6)


def test_masks_never_amplify_a_bin(generators):
    generator, config = generators("filterbank", sources=2)
    mixture = noise(1, 40 * config.hop, 1)
    masks = generator.get_layer("masks").output
    values = np.asarray(keras.Model(generator.input, masks)(mixture))
    assert values.min() >= 0
    assert values.max() <= 1
    energy = np.sum(np.square(separate(generator, mixture)), axis=(2, 3))
    assert (energy <= np.sum(np.square(mixture)) * (1 + 1e-5)).all()


FEATURES = ["power", "instantaneous_frequency"]


@pytest.mark.parametrize("features", FEATURES)
def test_a_flipped_sign_of_the_mixture_flips_the_estimates_only(generators, features):
    # Neither the power of a bin nor how far its phase turns changes with the sign.
    generator, _ = generators("filterbank", features=features)
    mixture = noise(1, 400, 1)
    np.testing.assert_allclose(
        separate(generator, -mixture), -separate(generator, mixture), atol=1e-6
    )


def test_frequency_features_extend_the_context_by_one_hop_back(generators):
    reaches = []
    for features in FEATURES:
        generator, config = generators("filterbank", features=features, blocks=1)
        mixture = noise(1, 40 * config.hop, 1)
        struck = mixture.copy()
        struck[0, 20 * config.hop] += 1.0
        moved = np.flatnonzero(
            np.abs(separate(generator, struck) - separate(generator, mixture))[0, 0, :, 0] > 1e-7
        )
        reaches.append((moved.min(), moved.max()))
    (power_first, power_last), (first, last) = reaches
    assert (first, last) == (power_first, power_last + config.hop)
    contexts = [
        generator_entry("filterbank").context(GeneratorConfig(features=features))
        for features in FEATURES
    ]
    assert contexts[1] == contexts[0] + GeneratorConfig().hop


def test_masks_depend_on_frequency_features_only_when_they_are_on(generators):
    # Two tones of one loudness in one bin, close to each other: their phases advance differently,
    # their powers are nearly the same.
    time = np.arange(4000)
    low, high = (
        0.1 * np.sin(2 * np.pi * (8 + off) / 64 * time).astype("float32")[None, :, None]
        for off in (-0.2, 0.2)
    )
    changes = []
    for features in FEATURES:
        generator, _ = generators("filterbank", features=features)
        masks = keras.Model(generator.input, generator.get_layer("enter").output)
        changes.append(float(np.abs(masks(low) - masks(high))[0, 100:150].mean()))
    assert changes[1] > 1.5 * changes[0]


@pytest.mark.parametrize(("frame", "hop"), [(100, 30), (64, 64), (64, 0)])
def test_a_hop_that_does_not_fit_its_frame_is_a_config_error(frame, hop):
    config = GeneratorConfig(kind="filterbank", channels=4, blocks=1, frame=frame, hop=hop)
    with pytest.raises(ConfigError, match=f"frame is {frame} and hop {hop}"):
        build_generator(config, sources=1, sample_rate_hz=16000)


def test_an_unknown_generator_is_named_with_the_nearest():
    with pytest.raises(ConfigError, match="no generator 'resnt'; did you mean 'resnet'?"):
        build_generator(GeneratorConfig(kind="resnt"), sources=1, sample_rate_hz=16000)


def test_dropout_is_active_in_training_only(generators):
    plain, _ = generators("filterbank")
    dropping, _ = generators("filterbank", dropout=0.5)
    dropping.set_weights(plain.get_weights())
    mixture = noise(2, 300, 1)
    np.testing.assert_array_equal(separate(dropping, mixture), separate(plain, mixture))
    first, second = (np.asarray(dropping(mixture, training=True)) for _ in range(2))
    assert np.abs(first - second).max() > 1e-3


@pytest.mark.parametrize("kind", ["filterbank", "tfc_tdf", "band_split"])
def test_half_precision_does_not_round_what_a_masker_transforms(kind):
    """A rounded waveform has noise in its quiet bins, and the features are logarithmic."""
    mixture, spectra = noise(1, 300, 1), []
    for policy in ("float32", "mixed_bfloat16"):
        with built_in(policy):
            generator, _ = new_generator(kind)
        spectrum = keras.Model(generator.input, generator.get_layer("analysis").output)
        spectra.append(np.asarray(spectrum(mixture)))
    np.testing.assert_array_equal(*spectra)
