"""Settings, recordings and networks that the tests of NMF share."""

from dataclasses import replace

import numpy as np
import tensorflow as tf

from tfsepgan import systems

FRAME, HOP, RANK, BINS = 256, 64, 3, 129


def experiment(*, data=None, **model):
    """The preset `tiny` on short windows, with settings changed by name."""
    base = systems.preset("nmf", "tiny")
    model = {"frame": FRAME, "hop": HOP, "rank": RANK, **model}
    return replace(
        base,
        model=replace(base.model, **model),
        data=replace(base.data, **{"window": 1024, "batch": 2, **(data or {})}),
    )


def solos(seed=0, parts=2):
    return {
        "solo": tf.constant(
            0.1 * np.random.default_rng(seed).standard_normal((2, parts, 1024, 1)).astype("f")
        )
    }


def spectra_of(system):
    return system.dictionary.get_layer("dictionary").spectra


def trained(system, steps=3):
    for seed in range(steps):
        system.train_step(solos(seed, len(system.sources) + 1))
    system.finish_epoch()
    return system


def sines(pitches, time=4096, seed=0):
    """Steady tones at random times, `[1, time, 1]`, one at a time."""
    random, t = np.random.default_rng(seed), np.arange(time)
    wave = np.zeros(time)
    for start in range(0, time, 512):
        pitch = random.choice(pitches)
        wave[start : start + 512] += np.sin(2 * np.pi * pitch * t[start : start + 512] / FRAME)
    return 0.2 * wave[None, :, None].astype(np.float32)
