"""Small generators of every kind with no weight at zero, and noise to separate."""

import numpy as np
import pytest

RATE = 8000
SETTINGS = {
    "resnet": {"channels": 16, "blocks": 2},
    "filterbank": {"channels": 32, "blocks": 4, "frame": 256, "hop": 64},
    "tfc_tdf": {"channels": 16, "blocks": 2, "frame": 256, "hop": 64, "dilations": (1, 5)},
    "band_split": {"channels": 16, "blocks": 3, "frame": 256, "hop": 64, "dilations": (1, 3, 5)},
}


def small_bundle(kind, sources=("piano",)):
    import keras

    from tfsepgan.models.bundle import Bundle, describe
    from tfsepgan.networks.table import build_generator
    from tfsepgan.settings.networks import GeneratorConfig

    keras.utils.set_random_seed(0)
    config = GeneratorConfig(kind=kind, **SETTINGS[kind])
    generator = build_generator(config, sources=len(sources), sample_rate_hz=RATE)
    random = np.random.default_rng(0)
    # Biases other than zero, as after training: zero ones could hide an error at the edges.
    generator.set_weights(
        [w + 0.05 * random.random(w.shape) if w.ndim == 1 else w for w in generator.get_weights()]
    )
    manifest = describe(
        generator,
        config,
        name="small",
        system="ssepgan",
        sample_rate_hz=RATE,
        sources=sources,
        trained={},
    )
    return Bundle(generator, manifest)


@pytest.fixture(scope="session", params=sorted(SETTINGS))
def bundle(request):
    return small_bundle(request.param)


@pytest.fixture(scope="session")
def two_sources():
    return small_bundle("filterbank", sources=("piano", "voice"))


@pytest.fixture(scope="session")
def separator(two_sources):
    from tfsepgan.separation.separator import Separator

    return Separator(two_sources, block_seconds=0.7)


@pytest.fixture
def noise():
    def make(frames, channels=2, peak=0.5):
        samples = (
            np.random.default_rng(frames).uniform(-1, 1, (frames, channels)).astype(np.float32)
        )
        return peak * samples

    return make
