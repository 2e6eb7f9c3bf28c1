"""Settings, networks and NumPy arithmetic that the tests of CycleGAN share."""

from dataclasses import replace

import numpy as np

from tfsepgan import systems

WINDOW, BATCH = 1024, 2
PLAYERS = ("generator", "mixer", "source_discriminator", "mixture_discriminator")
TERMS = (
    *("cycle_source", "cycle_mixture", "identity_source", "identity_mixture"),
    *("adversarial_source", "adversarial_mixture"),
)
NOTHING = {f"{term}_weight": 0.0 for term in TERMS}
CARRIED = {"carry_rest": True}
# so that one system gives the losses of several batches
STILL = {"learning_rate": 1e-12, "discriminator_learning_rate": 1e-12}
TWO = {"sources": ("piano", "flute")}
MASKS = {"kind": "filterbank", "channels": 8, "blocks": 1, "frame": 256, "hop": 64}


def experiment(*, mixer=None, discriminator=None, data=None, model=None, **training):
    """The preset `tiny` on short windows, without shuffle, pool or running mean."""
    base = systems.preset("cyclegan", "tiny")
    network = replace(base.model.discriminator, **{"phase_shuffle": 0, **(discriminator or {})})
    networks = {"discriminator": network, "mixer": replace(base.model.mixer, **(mixer or {}))}
    return replace(
        base,
        model=replace(base.model, **networks, **{"pool": 0, **(model or {})}),
        data=replace(base.data, **{"window": WINDOW, "batch": BATCH, **(data or {})}),
        training=replace(base.training, **{"ema": 0.0, **training}),
    )


def at_full_strength(system):
    """Scale the mixer's kernels so that its output is as loud as its input."""
    network = system.mixer
    network.set_weights(
        [
            w / np.sqrt(np.sum(w**2) / w.shape[-1]) if w.ndim > 1 else w
            for w in network.get_weights()
        ]
    )
    return system


def step(system, batch):
    """One step, and its losses alone."""
    for tracker in system.metrics:
        tracker.reset_state()
    return {name: float(value) for name, value in system.train_step(batch).items()}


def generate(system, mixture):
    """G."""
    return np.asarray(system.generator(mixture, training=True))


def mix(system, waveform):
    """F."""
    return np.asarray(system.mixer(waveform, training=True))[:, 0]


def scores(system, end, windows):
    """A discriminator's scores, each source a window of its own."""
    return system.discriminators[end](
        np.reshape(windows, (-1, *windows.shape[-2:])), training=True
    )["scores"]


def l1(one, other):
    """Mean absolute difference."""
    return np.mean(np.abs(np.asarray(one) - np.asarray(other)))


def rms(windows):
    """Root mean square of each window."""
    return np.sqrt(np.mean(np.square(windows), axis=(-2, -1), keepdims=True))


def open_masks(network):
    """Make the output of a filterbank equal its input, for every source."""
    masks = network.get_layer("masks")
    kernel, bias = masks.get_weights()
    masks.set_weights([np.zeros_like(kernel), np.full_like(bias, 60.0)])


def weights_of(system):
    """Every player's weights."""
    return {
        name: [np.asarray(v) for v in network.trainable_variables]
        for name, network in system.players.items()
    }


def moved(before, after):
    """Players with a weight that differs."""
    return {
        name
        for name in before
        if any(not np.array_equal(*pair) for pair in zip(before[name], after[name], strict=True))
    }
