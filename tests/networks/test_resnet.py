"""The paper's generator equals the authors' network layer by layer; its starts."""

import keras
import numpy as np
import pytest

from tfsepgan.networks.table import build_generator
from tfsepgan.settings.networks import GeneratorConfig


def noise(*shape, seed=0):
    return 0.5 * np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def separate(generator, mixture):
    return np.asarray(generator(mixture, training=False))


def test_the_papers_generator_has_the_authors_size():
    generator = build_generator(GeneratorConfig(kind="resnet"), sources=1, sample_rate_hz=16000)
    weights = [weight for weight in generator.weights if not weight.name.startswith("moving_")]
    assert sum(int(np.prod(weight.shape)) for weight in weights) == 5_924_225
    kernels = [tuple(layer.kernel.shape) for layer in generator.layers if hasattr(layer, "kernel")]
    assert kernels == [
        (25, 1, 64),
        (25, 64, 128),
        *[(21, 128, 128)] * 16,
        (25, 128, 64),
        (25, 64, 1),
    ]


def correlate(signal, kernel, bias, *, stride, pad):
    """Apply a convolution layer in NumPy: `[time, in]` -> `[frames, out]`."""
    padded = np.pad(signal, [pad, (0, 0)])
    places = range(0, len(padded) - len(kernel) + 1, stride)
    return (
        np.stack([np.einsum("kc,kcf->f", padded[at : at + len(kernel)], kernel) for at in places])
        + bias
    )


def leaky(signal):
    return np.where(signal > 0, signal, 0.2 * signal)


def authors_generator(weights_of, signal, *, blocks):
    """Apply the authors' network in NumPy: `[time, 1]` -> `[time, sources]`.

    Batch norm uses its moving statistics.
    """
    for name in ("down0", "down1"):
        signal = leaky(correlate(signal, *weights_of(name), stride=4, pad=(11, 10)))
    for block in range(blocks):
        branch = signal
        for part in ("first", "second"):
            branch = correlate(branch, *weights_of(f"block{block}_{part}"), stride=1, pad=(10, 10))
            scale, shift, mean, variance = weights_of(f"block{block}_{part}_norm")
            branch = leaky(scale * (branch - mean) / np.sqrt(variance + 1e-5) + shift)
        signal = signal + branch
    for name in ("up0", "up1"):
        signal = correlate(np.repeat(signal, 4, axis=0), *weights_of(name), stride=1, pad=(12, 12))
    return signal


@pytest.mark.parametrize("sources", [1, 2])
def test_the_papers_generator_is_the_authors_layer_by_layer(generators, sources):
    generator, config = generators("resnet", sources=sources)
    mixture = noise(1, 96, 1)
    expected = authors_generator(
        lambda name: generator.get_layer(name).get_weights(),
        mixture[0].astype(float),
        blocks=config.blocks,
    )
    np.testing.assert_allclose(
        separate(generator, mixture)[0, :, :, 0].T, expected, atol=1e-4, rtol=1e-4
    )


def test_the_papers_generator_starts_as_the_authors_does():
    generator = build_generator(GeneratorConfig(kind="resnet"), sources=1, sample_rate_hz=16000)
    for layer in generator.layers:
        if hasattr(layer, "kernel"):
            assert np.std(layer.kernel) == pytest.approx(0.02, rel=0.05)
            assert not np.any(layer.bias)
        if isinstance(layer, keras.layers.BatchNormalization):
            # PyTorch's, whose momentum is one less this
            assert (layer.momentum, layer.epsilon) == (0.9, 1e-5)
            assert np.all(layer.gamma == 1) and not np.any(layer.beta)


def test_biases_before_batch_norm_do_not_learn():
    config = GeneratorConfig(kind="resnet", channels=8, blocks=1)
    generator = build_generator(config, sources=1, sample_rate_hz=16000)
    fixed = {one.path for one in generator.weights if one.name == "bias" and not one.trainable}
    assert fixed == {"block0_first/bias", "block0_second/bias"}


def test_blocks_that_start_as_their_skips_pass_the_signal_unchanged():
    generator = build_generator(
        GeneratorConfig(kind="resnet", channels=8, blocks=3, start="skip"),
        sources=1,
        sample_rate_hz=16000,
    )
    ends = keras.Model(
        generator.input,
        [generator.get_layer("block0_add").input[0], generator.get_layer("block2_add").output],
    )
    before, after = ends(noise(2, 160, 1), training=True)
    np.testing.assert_array_equal(before, after)


def test_the_residual_network_does_not_use_the_batchs_statistics_at_inference(generators):
    generator, _ = generators("resnet")
    quiet, loud = noise(1, 320, 1), 50 * noise(1, 320, 1, seed=2)
    together = separate(generator, np.concatenate([quiet, loud]))
    np.testing.assert_allclose(together[:1], separate(generator, quiet), atol=1e-6)
    assert not np.allclose(
        generator(np.concatenate([quiet, loud]), training=True)[:1], together[:1], atol=1e-3
    )


@pytest.mark.parametrize(("channels", "sources"), [(16, 1), (32, 1), (40, 2)])
def test_an_identity_start_returns_the_mixture(channels, sources):
    config = GeneratorConfig(kind="resnet", channels=channels, blocks=2, start="identity")
    generator = build_generator(config, sources=sources, sample_rate_hz=16000)
    rng = np.random.default_rng(7)
    time = np.arange(16000)[:, None] / 16000
    mixture = (
        np.sin(2 * np.pi * rng.uniform(80, 1800, (1, 9)) * time) @ rng.uniform(0.02, 0.1, 9)
    ).astype(np.float32)
    estimates = np.asarray(generator(mixture[None, :, None]))[0, :, :, 0]
    assert estimates.shape == (sources, 16000)
    inside = slice(400, -400)
    for estimate in estimates:
        error = sources * estimate[inside] - mixture[inside]
        assert 10 * np.log10(np.mean(mixture[inside] ** 2) / np.mean(error**2)) > 12
    np.testing.assert_array_equal(estimates[0], estimates[-1])


def test_an_identity_start_leaves_no_channel_without_a_gradient():
    config = GeneratorConfig(kind="resnet", channels=64, blocks=1, start="identity")
    generator = build_generator(config, sources=1, sample_rate_hz=16000)
    for name in ("down0", "down1"):
        kernel = np.asarray(generator.get_layer(name).kernel)
        assert np.all(np.any(kernel, axis=(0, 1)))
    again = build_generator(config, sources=1, sample_rate_hz=16000)
    for name in ("up0", "up1"):
        np.testing.assert_array_equal(
            generator.get_layer(name).kernel, again.get_layer(name).kernel
        )


def test_the_numpy_twins_of_the_identity_start_equal_the_layers():
    """So the weights that are solved with NumPy fit the layers."""
    from tfsepgan.networks.passing import strided, upsampled

    config = GeneratorConfig(kind="resnet", channels=8, blocks=1)
    generator = build_generator(config, sources=1, sample_rate_hz=16000)
    signal = np.random.default_rng(1).normal(size=(256, 1)).astype(np.float32)
    down = generator.get_layer("down0")
    inner = keras.Model(generator.input, down.output)
    np.testing.assert_allclose(
        inner(signal[None])[0], strided(signal, np.asarray(down.kernel)), atol=1e-6
    )
    up = generator.get_layer("up1")
    frames = np.random.default_rng(2).normal(size=(64, 4)).astype(np.float32)
    np.testing.assert_allclose(
        up(frames[None])[0], upsampled(frames, np.asarray(up.kernel)), atol=1e-6
    )
