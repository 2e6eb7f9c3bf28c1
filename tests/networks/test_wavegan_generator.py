"""WaveGAN's generator and discriminator equal the paper's tables, for every size."""

import keras
import numpy as np
import pytest

from tfsepgan.errors import ConfigError
from tfsepgan.networks.table import build_discriminator
from tfsepgan.networks.wavegan import levels_of, post_filter, wavegan_generator
from tfsepgan.settings.networks import DiscriminatorConfig, SynthesizerConfig


def latents(count, latent, seed=0):
    return np.random.default_rng(seed).uniform(-1, 1, (count, latent)).astype(np.float32)


@pytest.mark.parametrize("upsample", ["transposed", "nearest"])
@pytest.mark.parametrize(
    ("window", "first", "levels"),
    [(1024, 16, 3), (16384, 16, 5), (32768, 32, 5), (65536, 16, 6), (20480, 20, 5)],
)
def test_every_size_is_made_by_either_kind_of_upsampling(window, first, levels, upsample):
    assert levels_of(window) == (first, levels)
    generator = wavegan_generator(
        SynthesizerConfig(latent=7, channels=1, upsample=upsample), window=window
    )
    sounds = np.asarray(generator(latents(2, 7)))
    assert sounds.shape == (2, window, 1)
    assert 0 < np.abs(sounds).max() < 1


@pytest.mark.parametrize(
    ("window", "near"),
    [(16000, "15872, 16128"), (1000, "992, 1008"), (63, "64"), (16, "64"), (0, "64")],
)
def test_a_size_that_no_level_makes_is_refused_with_the_nearest(window, near):
    with pytest.raises(ConfigError, match=f"window is {window};.*: {near}"):
        levels_of(window)


def test_the_layers_are_those_of_the_papers_table():
    d, latent, kernel = 64, 100, 25
    generator = wavegan_generator(SynthesizerConfig(), window=16384)
    shapes = [
        generator.get_layer("frames").output.shape[1:],
        *(generator.get_layer(f"up{k}").output.shape[1:] for k in range(5)),
    ]
    assert shapes == [(16, 16 * d), (64, 8 * d), (256, 4 * d), (1024, 2 * d), (4096, d), (16384, 1)]
    kernels = [generator.get_layer(f"up{k}").kernel.shape for k in range(5)]
    channels = [16 * d, 8 * d, 4 * d, 2 * d, d, 1]
    assert kernels == [
        (kernel, out, into) for into, out in zip(channels, channels[1:], strict=False)
    ]
    convolutions = sum(
        kernel * into * out + out for into, out in zip(channels, channels[1:], strict=False)
    )
    assert generator.count_params() == (latent + 1) * 256 * d + convolutions


@pytest.mark.parametrize(("window", "levels", "last"), [(16384, 5, (16, 16)), (65536, 6, (16, 32))])
def test_the_critics_layers_are_those_of_the_papers_table(window, levels, last):
    d = 2
    critic = build_discriminator(
        DiscriminatorConfig(kind="wavegan", channels=d, levels=levels), window=window, seed=0
    )
    shapes = [tuple(feature.shape[1:]) for feature in critic.output["features"]]
    assert shapes == [(window // 4 ** (k + 1), d * 2**k) for k in range(levels)]
    assert shapes[-1] == (last[0], last[1] * d)
    assert critic.get_layer("score").kernel.shape == (last[0] * last[1] * d, 1)
    shuffles = [layer.name for layer in critic.layers if layer.name.startswith("shuffle")]
    assert len(shuffles) == levels - 1  # between layers, not after the last


def test_nearest_upsampling_repeats_samples_then_convolves():
    generator = wavegan_generator(
        SynthesizerConfig(latent=3, channels=1, upsample="nearest"), window=1024
    )
    for level in range(3):
        layer = generator.get_layer(f"up{level}")
        kernel = np.zeros(layer.kernel.shape, np.float32)
        kernel[12, 0, 0] = 1.0  # passes the first channel
        layer.set_weights([kernel, np.zeros(layer.bias.shape, np.float32)])
    sound = np.asarray(generator(latents(1, 3)))[0, :, 0]
    assert len(np.unique(sound)) > 4
    np.testing.assert_array_equal(sound, np.repeat(sound[::64], 64))


def test_the_post_filter_starts_as_an_identity():
    sound = np.random.default_rng(0).standard_normal((2, 1000, 1)).astype(np.float32)
    np.testing.assert_array_equal(post_filter(512)(sound), sound)
    np.testing.assert_array_equal(post_filter(7)(sound), sound)


def test_the_post_filter_convolves_with_its_weights():
    sound = np.random.default_rng(1).standard_normal((1, 100, 1)).astype(np.float32)
    layer = post_filter(5)
    layer.build(sound.shape)
    taps = np.array([0.5, -1.0, 2.0, 0.0, 0.25], np.float32)
    layer.kernel.assign(taps[:, None, None])
    expected = np.correlate(np.pad(sound[0, :, 0], 2), taps, mode="valid")
    np.testing.assert_allclose(np.asarray(layer(sound))[0, :, 0], expected, rtol=1e-4, atol=1e-5)


def test_a_generator_with_a_post_filter_starts_like_one_without():
    settings = {"latent": 5, "channels": 2, "start": "he"}
    with_filter = wavegan_generator(SynthesizerConfig(**settings, post_filter=512), window=1024)
    without = wavegan_generator(SynthesizerConfig(**settings), window=1024)
    assert with_filter.count_params() == without.count_params() + 512
    for weight, other in zip(without.variables, with_filter.variables, strict=False):
        weight.assign(other)
    np.testing.assert_array_equal(with_filter(latents(2, 5)), without(latents(2, 5)))


@pytest.mark.parametrize("upsample", ["transposed", "nearest"])
def test_a_he_start_has_the_level_of_music(upsample):
    def level(start):
        keras.utils.set_random_seed(0)
        config = SynthesizerConfig(channels=16, upsample=upsample, start=start)
        return float(np.std(wavegan_generator(config, window=16384)(latents(8, 100))))

    assert 0.02 < level("he") < 0.3
    if upsample == "transposed":
        assert level("glorot") < 0.005


def test_a_window_of_wrong_size_is_refused_by_the_generator():
    with pytest.raises(ConfigError, match="window is 16000"):
        wavegan_generator(SynthesizerConfig(channels=1), window=16000)


@pytest.mark.parametrize("name", ["latent", "channels", "kernel"])
def test_invalid_settings_of_a_synthesizer_are_named(name):
    assert [name in problem for problem in SynthesizerConfig(**{name: 0}).problems()] == [True]
