"""Maskers that share weights across frequency, and masks that turn the phase."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfsepgan import systems
from tfsepgan.networks.masking import Compressed, MaskSource
from tfsepgan.networks.table import build_generator, generator_entry
from tfsepgan.networks.time_frequency import width_at
from tfsepgan.settings.networks import GeneratorConfig

SHARING = ["tfc_tdf", "band_split"]
MASKERS = [*SHARING, "filterbank"]


def noise(*shape, seed=0):
    return 0.5 * np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def separate(generator, mixture):
    return np.asarray(generator(mixture, training=False))


def fixed(generator, name, values):
    """Set a head to one number for each source, before the activation, for any input."""
    layer = generator.get_layer(name)
    kernel, bias = layer.get_weights()
    layer.set_weights(
        [np.zeros_like(kernel), np.repeat(np.array(values, "float32"), len(bias) // len(values))]
    )


@pytest.mark.parametrize("kind", SHARING)
def test_open_masks_give_the_mixture_back_and_closed_ones_silence(generators, kind):
    generator, _ = generators(kind, sources=3)
    mixture = noise(2, 333, 1)
    fixed(generator, "masks", [60.0, -60.0, 0.0])
    estimates = separate(generator, mixture)
    np.testing.assert_allclose(estimates[:, 0], mixture, atol=2e-5)
    np.testing.assert_allclose(estimates[:, 1], 0, atol=1e-6)
    np.testing.assert_allclose(estimates[:, 2], mixture / 2, atol=1e-5)


@pytest.mark.parametrize("kind", MASKERS)
def test_a_mask_that_turns_by_half_a_circle_flips_the_sign(generators, kind):
    generator, _ = generators(f"{kind} turning", sources=2)
    mixture = noise(2, 333, 1)
    fixed(generator, "masks", [60.0, 60.0])
    fixed(generator, "turns", [60.0, 0.0])
    estimates = separate(generator, mixture)
    np.testing.assert_allclose(estimates[:, 0], -mixture, atol=2e-5)
    np.testing.assert_allclose(estimates[:, 1], mixture, atol=2e-5)


@pytest.mark.parametrize("kind", MASKERS)
def test_a_quarter_of_a_circle_makes_a_sine_of_a_cosine(generators, kind):
    generator, _ = generators(f"{kind} turning")
    fixed(generator, "masks", [60.0])
    fixed(generator, "turns", [-np.arctanh(0.5)])
    angle = 2 * np.pi * 8.3 / 64 * np.arange(1600)
    inner = slice(400, -400)
    cosine, sine = (
        wave.astype("float32")[None, :, None] for wave in (np.cos(angle), np.sin(angle))
    )
    np.testing.assert_allclose(separate(generator, cosine)[0, 0, inner], sine[0, inner], atol=1e-2)


def test_masks_multiply_every_bin_as_complex_numbers():
    random = np.random.default_rng(0)
    spectrum = random.standard_normal((2, 3, 5)) + 1j * random.standard_normal((2, 3, 5))
    pair = np.concatenate(
        [spectrum.real - spectrum.imag, spectrum.real + spectrum.imag], axis=-1
    ).astype("float32")
    masks, turns = (random.uniform(low, 1, (2, 3, 10)).astype("float32") for low in (0, -1))
    for source in (0, 1):
        own = slice(5 * source, 5 * source + 5)
        expected = spectrum * masks[..., own] * np.exp(1j * np.pi * turns[..., own])
        lower, upper = np.split(np.asarray(MaskSource(source, 5)(masks, pair, turns)), 2, axis=-1)
        np.testing.assert_allclose(
            (upper + lower) / 2 + 1j * (upper - lower) / 2, expected, atol=1e-5
        )


@pytest.mark.parametrize("kind", [*SHARING, *(f"{kind} turning" for kind in MASKERS)])
def test_masks_are_bounded(generators, kind):
    generator, config = generators(kind, sources=2)
    mixture = 5 * noise(1, 40 * config.hop, 1)
    heads = [
        name for name in ("masks", "turns") if any(layer.name == name for layer in generator.layers)
    ]
    assert len(heads) == 1 + (config.mask == "complex")
    for name, least in zip(heads, (0, -1), strict=False):
        values = np.asarray(keras.Model(generator.input, generator.get_layer(name).output)(mixture))
        assert least <= values.min() < values.max() <= 1
    energy = np.sum(np.square(separate(generator, mixture)), axis=(2, 3))
    assert (energy <= np.sum(np.square(mixture)) * (1 + 1e-5)).all()


def test_compressed_spectra_keep_their_phase():
    random = np.random.default_rng(0)
    spectrum = np.exp(random.uniform(-2, 6, (2, 3, 5))) * np.exp(
        1j * random.uniform(-3, 3, (2, 3, 5))
    )
    pair = np.concatenate(
        [spectrum.real - spectrum.imag, spectrum.real + spectrum.imag], axis=-1
    ).astype("float32")
    lower, upper = np.split(np.asarray(Compressed()(pair)), 2, axis=-1)
    given = (upper + lower) / 2 + 1j * (upper - lower) / 2
    np.testing.assert_allclose(np.angle(given / spectrum), 0, atol=1e-4)
    power = np.polyfit(np.log(np.abs(spectrum)).ravel(), np.log(np.abs(given)).ravel(), 1)[0]
    assert power == pytest.approx(0.3, abs=1e-3)
    assert not np.any(Compressed()(np.zeros((1, 2, 6), "float32")))


@pytest.mark.parametrize("kind", [*SHARING, *(f"{kind} turning" for kind in MASKERS)])
def test_a_gradient_reaches_every_weight(generators, kind):
    generator, _ = generators(kind, sources=2)
    mixture = tf.constant(noise(2, 600, 1))
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(
            tf.square(generator(mixture, training=True) - noise(2, 2, 600, 1, seed=1))
        )
    for weight, slope in zip(
        generator.trainable_weights, tape.gradient(loss, generator.trainable_weights), strict=True
    ):
        assert slope is not None and np.isfinite(slope).all() and np.any(slope), weight.path


def test_without_layers_across_positions_every_pitch_is_treated_alike(generators):
    """Features one deepest position higher give masks one deepest position higher."""
    generator, config = generators("tfc_tdf", frame=512, hop=128)
    for layer in generator.layers:
        if layer.name.endswith("_across") or layer.name == "places":
            layer.set_weights([np.zeros_like(weight) for weight in layer.get_weights()])
    body = keras.Model(generator.get_layer("fold").output, generator.get_layer("masks").output)
    step = 2**config.levels
    positions = body.input.shape[2]
    features = np.zeros((1, 9, positions, body.input.shape[3]), "float32")
    middle = slice(positions // 2 - 2 * step, positions // 2)
    features[:, :, middle] = noise(1, 9, 2 * step, features.shape[3])
    low, high = (
        np.asarray(body(np.roll(features, by, axis=2), training=False)) for by in (0, step)
    )
    near = slice(middle.start - step, middle.stop + step)
    np.testing.assert_allclose(np.roll(high, -step, axis=2)[:, :, near], low[:, :, near], atol=1e-5)
    assert np.ptp(low[:, :, near]) > 0.01


@pytest.mark.parametrize("kind", MASKERS)
def test_dropout_is_active_in_training_only(generators, kind):
    plain, _ = generators(kind)
    dropping, _ = generators(kind, dropout=0.5)
    dropping.set_weights(plain.get_weights())
    mixture = noise(2, 300, 1)
    np.testing.assert_array_equal(separate(dropping, mixture), separate(plain, mixture))
    first, second = (np.asarray(dropping(mixture, training=True)) for _ in range(2))
    assert np.abs(first - second).max() > 1e-3


@pytest.mark.parametrize(
    ("channels", "levels", "widths"),
    [
        (64, 3, [16, 16, 32, 64]),
        (48, 3, [16, 16, 32, 48]),
        (128, 2, [32, 64, 128]),
        (8, 2, [8, 8, 8]),
        (20, 1, [16, 32]),
    ],
)
def test_levels_halve_the_width_in_steps_of_sixteen(channels, levels, widths):
    config = GeneratorConfig(kind="tfc_tdf", channels=channels, levels=levels)
    assert [width_at(config, level) for level in range(levels + 1)] == widths


@pytest.mark.parametrize("kind", SHARING)
def test_the_context_is_the_reach_of_the_convolutions(kind):
    config = GeneratorConfig(kind=kind, blocks=3, dilations=(1, 4), levels=2, frame=256, hop=64)
    frames = 1 + 4 + 1 + (2 * 2 if kind == "tfc_tdf" else 0)
    assert generator_entry(kind).context(config) == 64 * (frames + 1) + 256


def piano_with(**changes):
    settings = {
        "frame": 4096,
        "hop": 1024,
        "cutoff_hz": 16000.0,
        "blocks": 5,
        "dilations": (1, 3, 9, 27, 9),
    }
    return GeneratorConfig(**{**settings, **changes})


def test_the_preset_matches_the_docs_page():
    piano, shared = systems.preset("ssepgan", "piano"), systems.preset("ssepgan", "piano2d")
    assert shared.model.generator == piano_with(kind="tfc_tdf", channels=48)
    assert (shared.data, shared.training) == (piano.data, piano.training)


@pytest.mark.parametrize(
    ("kind", "channels", "weights"), [("tfc_tdf", 48, 156_547), ("band_split", 80, 1_253_137)]
)
def test_sizes_match_the_docs_page(kind, channels, weights):
    generator = build_generator(
        piano_with(kind=kind, channels=channels), sources=1, sample_rate_hz=44100
    )
    assert sum(int(np.prod(weight.shape)) for weight in generator.trainable_weights) == weights


@pytest.mark.parametrize("name", ["patch", "bottleneck", "narrowest", "bands"])
def test_settings_that_no_network_can_have_are_named(name):
    assert list(GeneratorConfig(**{name: 0}).problems()) == [
        f"generator.{name} is 0; it must be at least 1."
    ]
    assert list(GeneratorConfig(levels=-1).problems()) == [
        "generator.levels is -1; it must be at least 0."
    ]
