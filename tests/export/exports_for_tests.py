"""Small models with random weights, one for each kind of generator."""

from bundles_for_tests import random_bundle

RATE = 8000
FILTERBANK = {"channels": 32, "blocks": 2, "frame": 256, "hop": 64}
SETTINGS = {
    "resnet": {"channels": 16, "blocks": 1},
    "filterbank": FILTERBANK,
    "filterbank with frequencies": {
        **FILTERBANK,
        "kind": "filterbank",
        "features": "instantaneous_frequency",
    },
    "tfc_tdf": {**FILTERBANK, "channels": 16, "blocks": 2, "levels": 2, "dilations": (1, 3)},
    "band_split turning": {
        **FILTERBANK,
        "kind": "band_split",
        "features": "complex",
        "mask": "complex",
        "channels": 16,
        "bands": 5,
    },
}


def small_bundle_of(kind, sources=("piano", "voice")):
    trained = {
        "steps": 7,
        "data": "the demo set, CC0 | rendered",
        "scores": {"demo test": {"si_sdr_db": 4.25}},
    }
    # in half precision, as in an export, so that it can be compared with one
    facts = {"rate_hz": RATE, "sources": sources, "name": "run", "trained": trained}
    return random_bundle(half_precision=True, **facts, **{"kind": kind, **SETTINGS[kind]})
