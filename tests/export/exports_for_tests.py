"""Small models with random weights, one for each kind of generator; all kinds of features."""

from bundles_for_tests import random_bundle

RATE = 8000
FILTERBANK = {"channels": 32, "blocks": 2, "frame": 256, "hop": 64}
SETTINGS = {
    "resnet": {"channels": 16, "blocks": 1},
    "filterbank": FILTERBANK,
    "tfc_tdf": {
        **FILTERBANK,
        "features": "instantaneous_frequency",
        "channels": 16,
        "blocks": 1,
        "levels": 1,
        "dilations": (3,),
    },
    "band_split turning": {
        **FILTERBANK,
        "kind": "band_split",
        "features": "complex",
        "mask": "complex",
        "channels": 16,
        "blocks": 1,
        "bands": 5,
    },
}


def small_bundle_of(kind, sources=("piano", "voice"), **changes):
    trained = {
        "steps": 7,
        "data": "the demo set, CC0 | rendered",
        "scores": {"demo test": {"si_sdr_db": 4.25}},
    }
    # in half precision, as in an export, so that it can be compared with one
    facts = {"rate_hz": RATE, "sources": sources, "name": "run", "trained": trained}
    return random_bundle(
        half_precision=True, **facts, **{"kind": kind, **SETTINGS[kind], **changes}
    )
