"""The streaming twin equals one pass, both ends included, with exactly the declared delay."""

import keras
import numpy as np
import pytest

from tfsepgan.errors import ExportError
from tfsepgan.networks.masking import masker_latency
from tfsepgan.networks.streaming import streaming_twin
from tfsepgan.networks.table import first_sources

KINDS = {
    "filterbank": {},
    "filterbank with frequencies": {"cutoff_hz": 5000.0},
    "learnable": {"learnable": True, "dilations": (1, 3)},
    "dropout": {"dropout": 0.5},
    "resnet": {},
    "tfc_tdf": {"cutoff_hz": 5000.0},
    "tfc_tdf turning": {},
    "band_split": {"cutoff_hz": 5000.0, "dilations": (1, 5)},
    "band_split turning": {"dropout": 0.5},
    "filterbank turning": {},
    "filterbank with low latency": {"frame": 128, "look_ahead_frames": 3, "learnable": True},
}
HOP = 16  # of all small generators
FAMILIES = ("filterbank with frequencies", "resnet", "tfc_tdf turning", "band_split")
# blocks shorter than the delay, and for one of each family of layers longer ones
BLOCKS = [*((kind, 3 * HOP) for kind in sorted(KINDS)), *((kind, 1024) for kind in FAMILIES)]


def generator_of(generators, kind):
    """Return two of the three sources of a generator."""
    name = "filterbank" if kind in ("learnable", "dropout") else kind
    return first_sources(generators(name, sources=3, **KINDS[kind])[0], 2)


class Stream:
    """A twin with its own state, run block by block."""

    def __init__(self, twin):
        import tensorflow as tf

        self.twin = twin
        self.step = tf.function(lambda **inputs: twin.model(inputs, training=False))
        self.fresh = np.zeros((1, twin.state), np.float32)

    def block(self, samples, state):
        """Run one block. It ends where the samples do; what follows must have no effect."""
        import tensorflow as tf

        block = np.full((1, self.twin.block, 1), 7.0, np.float32)
        block[0, : len(samples), 0] = samples
        valid = tf.constant([len(samples)], tf.int32)
        outputs = self.step(block=tf.constant(block), state=tf.constant(state), valid=valid)
        return {name: one.numpy() for name, one in outputs.items()}

    def all_of(self, signal):
        """Return estimates `[sources, time]` and residual `[time]` of a signal.

        The delay at the start and the extra samples at the end are included.
        """
        state, estimates, residual = self.fresh, [], []
        for first in range(0, len(signal) + self.twin.delay, self.twin.block):
            outputs = self.block(signal[first : first + self.twin.block], state)
            state = outputs["state"]
            estimates.append(outputs["estimates"][0, :, :, 0])
            residual.append(outputs["residual"][0, :, 0])
        return np.concatenate(estimates, axis=1), np.concatenate(residual)


def noise(length, seed=0):
    return np.random.default_rng(seed).uniform(-0.5, 0.5, length).astype(np.float32)


def one_pass(generator, signal):
    return np.asarray(generator(signal[None, :, None], training=False))[0, :, :, 0]


@pytest.mark.parametrize(("kind", "block"), BLOCKS)
def test_blocks_equal_one_pass_at_any_length(generators, kind, block):
    generator = generator_of(generators, kind)
    stream = Stream(streaming_twin(generator, block=block))
    delay = stream.twin.delay
    for length in {1, HOP - 1, HOP, HOP + 1, block - 1, block, block + 1, 2500}:
        signal = noise(length, seed=length)
        estimates, residual = stream.all_of(signal)
        expected, kept = one_pass(generator, signal), slice(delay, delay + length)
        np.testing.assert_allclose(estimates[:, kept], expected, rtol=0, atol=1e-5)
        np.testing.assert_allclose(residual[kept], signal - expected.sum(axis=0), rtol=0, atol=1e-5)
    check_that_an_impulse_comes_out_after_the_declared_delay(stream)
    if block < 1024:
        check_that_the_network_needs_the_delay_to_the_hop(generator, delay)


def check_that_an_impulse_comes_out_after_the_declared_delay(stream):
    signal = np.zeros(500, np.float32)
    signal[123] = 1.0
    estimates, residual = stream.all_of(signal)
    stems = estimates.sum(axis=0) + residual
    expected = np.zeros_like(stems)
    expected[123 + stream.twin.delay] = 1.0
    np.testing.assert_allclose(stems, expected, rtol=0, atol=1e-6)


def check_that_the_network_needs_the_delay_to_the_hop(generator, delay):
    place = 100 * HOP
    signal = noise(120 * HOP)
    changed = signal.copy()
    changed[place] += 0.5
    difference = np.abs(one_pass(generator, changed) - one_pass(generator, signal)).max(axis=0)
    first = np.flatnonzero(difference)[0]
    assert place - delay <= first < place - delay + HOP


def test_the_settings_give_the_latency(generators):
    for kind in ("filterbank with low latency", "filterbank at any level", "filterbank turning"):
        generator, config = generators(kind)
        assert streaming_twin(generator, block=HOP).delay + HOP == masker_latency(config)


def test_a_trained_generator_streams_real_music_as_in_one_pass():
    from tfsepgan.audio.decoding import decode
    from tfsepgan.data.recordings.demo import demo_directory
    from tfsepgan.models.bundle import find_bundle, load_bundle

    bundle = load_bundle(find_bundle("piano"))
    recording = sorted((demo_directory() / "test").rglob("*.*"))[0]
    signal = decode(recording, bundle.manifest.sample_rate_hz)[:70_001, 0]
    stream = Stream(streaming_twin(bundle.generator, block=16_384))
    estimates, _ = stream.all_of(signal)
    kept = slice(stream.twin.delay, stream.twin.delay + len(signal))
    np.testing.assert_allclose(
        estimates[:, kept], one_pass(bundle.generator, signal), rtol=0, atol=1e-5
    )


def test_two_streams_of_one_model_are_independent(generators):
    stream = Stream(streaming_twin(generator_of(generators, "filterbank"), block=4 * HOP))
    signals = noise(640, seed=1), noise(640, seed=2)
    alone = [stream.all_of(signal)[0] for signal in signals]
    states, together = [stream.fresh, stream.fresh], ([], [])
    for first in range(0, 640 + stream.twin.delay, stream.twin.block):
        for number, signal in enumerate(signals):
            outputs = stream.block(signal[first : first + stream.twin.block], states[number])
            states[number] = outputs["state"]
            together[number].append(outputs["estimates"][0, :, :, 0])
    for interleaved, separate in zip(together, alone, strict=True):
        np.testing.assert_array_equal(np.concatenate(interleaved, axis=1), separate)


@pytest.mark.parametrize("kind", ["filterbank", "resnet", "tfc_tdf turning"])
def test_two_channels_in_a_call_and_real_numbers_give_the_same(generators, kind):
    generator = generator_of(generators, kind)
    twin = streaming_twin(generator, block=40 * HOP, channels=2, complex_numbers=False)
    signals = np.stack([noise(1500, seed=1), noise(1500, seed=2)])
    padded = np.pad(signals, [[0, 0], [0, twin.delay + twin.block]])
    state, pieces = np.zeros((2, twin.state), np.float32), []
    for first in range(0, 1500 + twin.delay, twin.block):
        block = padded[:, first : first + twin.block, None]
        valid = np.array([np.clip(1500 - first, 0, twin.block)], np.int32)
        outputs = twin.model({"block": block, "state": state, "valid": valid}, training=False)
        state = np.asarray(outputs["state"])
        pieces.append(np.asarray(outputs["estimates"])[..., 0])
    estimates = np.concatenate(pieces, axis=-1)[..., twin.delay : twin.delay + 1500]
    for channel, signal in enumerate(signals):
        expected = one_pass(generator, signal)
        np.testing.assert_allclose(estimates[channel], expected, rtol=0, atol=1e-5)


def test_the_twin_shares_the_weights(generators):
    generator = generator_of(generators, "filterbank")
    twin = streaming_twin(generator, block=HOP)
    shared = {id(weight) for weight in generator.weights}
    assert {id(weight) for weight in twin.model.weights} <= shared


def test_a_generator_that_cannot_stream_is_refused(generators):
    generator = generator_of(generators, "filterbank")
    for block in (0, HOP - 1, HOP + 1):
        with pytest.raises(ExportError, match=f"hop, {HOP}"):
            streaming_twin(generator, block=block)
    signal = keras.Input((None, 1))
    other = keras.Model(signal, keras.ops.expand_dims(signal, 1), name="wave_net")
    with pytest.raises(ExportError, match="'wave_net' has no streaming twin"):
        streaming_twin(other, block=HOP)
