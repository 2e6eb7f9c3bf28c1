"""The perceptrons of each source equal NumPy's and are independent."""

import numpy as np
import pytest

from tfsepgan.networks import dense
from tfsepgan.networks.dictionary import dictionary


def noise(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def scrambled(network):
    """Set random weights and biases, so that a comparison covers all of them."""
    network.set_weights(
        [noise(*weight.shape, seed=index) for index, weight in enumerate(network.get_weights())]
    )
    return network


def weights_of(network, part, *names):
    """Return kernels and biases of the layers of one source."""
    return [
        weight for name in names for weight in network.get_layer(f"part{part}_{name}").get_weights()
    ]


def softplus(values):
    return np.log1p(np.exp(-np.abs(values))) + np.maximum(values, 0)


def test_a_generator_is_two_layers_with_softplus():
    network, latents = (
        scrambled(dense.generator(parts=2, latent=3, hidden=5, bins=7)),
        noise(4, 2, 3),
    )
    for part in range(2):
        first, first_bias, last, last_bias = weights_of(network, part, "hidden", "magnitudes")
        expected = softplus(softplus(latents[:, part] @ first + first_bias) @ last + last_bias)
        np.testing.assert_allclose(network(latents)[:, part], expected, rtol=1e-4, atol=1e-5)
    assert network.count_params() == 2 * (3 * 5 + 5 + 5 * 7 + 7)


def test_a_critic_is_a_layer_with_tanh_and_a_sum():
    network, magnitudes = scrambled(dense.critic(parts=2, bins=7, hidden=5)), np.abs(noise(4, 2, 7))
    for part in range(2):
        first, bias, last = weights_of(network, part, "hidden", "score")
        expected = np.tanh(magnitudes[:, part] @ first + bias) @ last
        np.testing.assert_allclose(
            network(magnitudes)[:, part], expected[:, 0], rtol=1e-4, atol=1e-5
        )
    assert network.count_params() == 2 * (7 * 5 + 5 + 5)


@pytest.mark.parametrize(
    "network",
    [dense.generator(parts=3, latent=4, hidden=5, bins=4), dense.critic(parts=3, bins=4, hidden=5)],
)
def test_sources_are_independent(network):
    frames = noise(2, 3, 4)
    before = np.asarray(network(frames))
    frames[:, 1] += 1
    changed = np.any(np.reshape(np.asarray(network(frames)) != before, (2, 3, -1)), axis=(0, 2))
    assert changed.tolist() == [False, True, False]


def test_uniform_weights_fill_the_range_given_by_their_inputs():
    sizes = {"parts": 2, "bins": 500, "start": "uniform"}
    networks = dense.generator(latent=400, hidden=300, **sizes), dense.critic(hidden=200, **sizes)
    inputs = {"hidden": (400, 500), "magnitudes": (300, None), "score": (None, 200)}
    for index, network in enumerate(networks):
        for layer in network.layers:
            bound = inputs.get(layer.name[6:], (None, None))[index]
            for weight in layer.get_weights() if bound else ():
                assert np.abs(weight).max() <= bound**-0.5
                # uniform, biases too
                assert np.std(weight) == pytest.approx((3 * bound) ** -0.5, rel=0.15)
    for network in networks:
        first, second = (weights_of(network, part, "hidden")[0] for part in range(2))
        assert not np.array_equal(first, second)


def test_weights_start_as_in_keras_by_default():
    for kernel, bias in (weights_of(dense.critic(parts=1, bins=300, hidden=200), 0, "hidden"),):
        assert np.std(kernel) == pytest.approx((2 / 500) ** 0.5, rel=0.05)
        assert not bias.any()


def test_a_dictionary_adds_its_spectra_up():
    network, activations = dictionary(parts=2, rank=3, bins=5, seed=1), np.abs(noise(4, 2, 3))
    (spectra,) = network.get_weights()
    assert spectra.shape == (2, 3, 5) and spectra.min() >= 0.5 and spectra.max() <= 1.5
    expected = np.stack([activations[:, part] @ spectra[part] for part in range(2)], axis=1)
    np.testing.assert_allclose(network(activations), expected, rtol=1e-5)
    assert not network.trainable_variables
    assert not np.array_equal(spectra, dictionary(parts=2, rank=3, bins=5, seed=2).get_weights()[0])
