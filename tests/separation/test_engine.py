"""Blocks with true context equal one pass, at every length and for pieces of every size."""

import dataclasses

import numpy as np
import pytest

from tfsepgan.errors import CheckpointError, ShapeError
from tfsepgan.models.bundle import network_function
from tfsepgan.separation.engine import BlockSeparator, block_samples


def engine_for(bundle, network, *, channels=1, block=None, context=None):
    manifest = bundle.manifest
    context = manifest.context if context is None else context
    least = block_samples(
        1e-9, sample_rate_hz=manifest.sample_rate_hz, hop=manifest.hop, context=manifest.context
    )
    return BlockSeparator(
        network,
        channels=channels,
        sources=len(manifest.sources),
        hop=manifest.hop,
        context=context,
        block=block or least,
    )


def one_pass(network, mixture):
    return network(mixture.T[..., None].copy())[..., 0].transpose(1, 2, 0)


def in_blocks(engine, mixture, piece):
    blocks = []
    for first in range(0, len(mixture), piece):
        blocks += engine.push(mixture[first : first + piece])
    return np.concatenate(blocks + engine.finish(), axis=1)


def lengths(manifest):
    hop, context = manifest.hop, manifest.context
    block = block_samples(1e-9, sample_rate_hz=manifest.sample_rate_hz, hop=hop, context=context)
    around = [hop, context, 2 * context, block, block + context, 2 * block + context]
    return sorted(
        {1, 2, *(n + d for n in around for d in (-1, 0, 1)), 3 * block + 17, 5 * block + hop // 2}
    )


def test_blocks_equal_one_pass_at_every_length(bundle, noise):
    network = network_function(bundle.generator)
    for frames in lengths(bundle.manifest):
        mixture = noise(frames)
        expected = one_pass(network, mixture)
        joined = in_blocks(engine_for(bundle, network, channels=2), mixture, piece=1000)
        assert joined.shape == expected.shape == (1, frames, 2)
        np.testing.assert_allclose(
            joined, expected, rtol=0, atol=1e-5 * np.abs(mixture).max(), err_msg=f"{frames}"
        )


def test_blocks_with_too_little_context_differ_from_one_pass(bundle, noise):
    network = network_function(bundle.generator)
    mixture = noise(6 * bundle.manifest.context)
    block = 2 * bundle.manifest.hop
    short = in_blocks(
        engine_for(bundle, network, channels=2, block=block, context=0), mixture, piece=1000
    )
    assert np.abs(short - one_pass(network, mixture)).max() > 1e-3


@pytest.mark.parametrize("piece", [1, 63, 777, 10**6])
def test_the_length_of_the_pieces_does_not_matter(two_sources, noise, piece):
    network = network_function(two_sources.generator)
    mixture = noise(7000 if piece == 1 else 20011)
    expected = one_pass(network, mixture)
    joined = in_blocks(engine_for(two_sources, network, channels=2), mixture, piece)
    np.testing.assert_allclose(joined, expected, rtol=0, atol=1e-5)


def test_six_channels_equal_each_channel_alone(two_sources, noise):
    network = network_function(two_sources.generator)
    mixture = noise(9001, channels=6)
    together = in_blocks(engine_for(two_sources, network, channels=6), mixture, 5000)
    for channel in range(6):
        alone = in_blocks(engine_for(two_sources, network), mixture[:, channel : channel + 1], 5000)
        np.testing.assert_allclose(together[:, :, channel], alone[:, :, 0], rtol=0, atol=1e-5)


def test_at_most_a_block_and_three_contexts_are_held(two_sources, noise):
    manifest = two_sources.manifest
    engine = engine_for(
        two_sources, lambda mixture: np.zeros((len(mixture), 2, *mixture.shape[1:]), np.float32)
    )
    block = block_samples(
        1e-9, sample_rate_hz=manifest.sample_rate_hz, hop=manifest.hop, context=manifest.context
    )
    for _ in range(500):
        engine.push(noise(313, channels=1))
        assert engine._held < block + 3 * manifest.context


def test_the_network_is_traced_once(two_sources, noise):
    traced = []

    def generator(mixture, training):
        traced.append(mixture.shape)
        return two_sources.generator(mixture, training=training)

    network = network_function(generator)
    for frames in (100, 1000, 4097):
        one_pass(network, noise(frames, channels=frames % 3 + 1))
    assert len(traced) == 1


def test_an_empty_mixture_gives_no_blocks(two_sources):
    engine = engine_for(two_sources, network_function(two_sources.generator))
    assert engine.push(np.zeros((0, 1), np.float32)) == []
    assert engine.finish() == []


@pytest.mark.parametrize("seconds", [1e-9, 0.1, 25.0])
def test_a_block_is_a_multiple_of_the_hop_and_at_least_four_contexts(seconds):
    block = block_samples(seconds, sample_rate_hz=44100, hop=1024, context=35840)
    assert block % 1024 == 0
    assert block >= max(4 * 35840, seconds * 44100)


def test_estimates_that_are_not_finite_are_refused(two_sources, noise):
    engine = engine_for(
        two_sources,
        lambda mixture: np.full((len(mixture), 2, *mixture.shape[1:]), np.nan, np.float32),
    )
    engine.push(noise(100, channels=1))
    with pytest.raises(CheckpointError, match="not finite"):
        engine.finish()


def test_a_generator_of_another_shape_is_refused(two_sources, noise):
    engine = engine_for(two_sources, lambda mixture: mixture)
    engine.push(noise(100, channels=1))
    with pytest.raises(CheckpointError, match="wanted"):
        engine.finish()


def test_blocks_off_the_hop_are_refused(two_sources):
    with pytest.raises(ShapeError, match="multiple of its hop"):
        engine_for(two_sources, lambda mixture: mixture, block=two_sources.manifest.hop + 1)


def test_a_manifest_context_is_a_multiple_of_the_hop(bundle):
    assert dataclasses.is_dataclass(bundle.manifest)
    assert bundle.manifest.context % bundle.manifest.hop == 0
