"""Settings and windows that the tests of compressed sensing share."""

import numpy as np

WINDOW = 1024
PAPERS = {  # everything as the paper has it
    "models_rest": False,
    "level_dbfs": None,
    "teach_generator": False,
    "distance": "waveform",
    "paired_weight": 0.0,
    "estimate": "waveform",
}


def made_by(system, count, seed=0):
    """Windows in the range of the generator of the first source."""
    drawn = (
        np.random.default_rng(seed)
        .uniform(-1, 1, (count, system.config.generator.latent))
        .astype(np.float32)
    )
    maker = system.shipped["generator"].get_layer("maker0")
    return drawn, np.asarray(maker(drawn))[..., 0]


def weights_of(network):
    return [np.asarray(variable) for variable in network.variables]
