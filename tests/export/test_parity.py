"""Exported files are compared completely: every file and signature, each within its limit."""

import numpy as np
import pytest

from tfsepgan.errors import ExportError
from tfsepgan.export import parity
from tfsepgan.export.parity import check_limits, largest_difference, measure_parity

# The limits of docs/export.md in decibels relative to peak, by kind of file.
PROMISED_DB = {"saved_model": -80.0, "tflite": -80.0, "tflite_fp16": -40.0}


@pytest.mark.parametrize("kind", sorted(PROMISED_DB))
def test_a_file_that_differs_by_more_than_was_promised_is_refused(kind):
    promised = 10 ** (PROMISED_DB[kind] / 20)
    check_limits({kind: 0.99 * promised})
    for figure in (1.01 * promised, float("inf"), float("nan")):
        with pytest.raises(ExportError, match=f"the {kind} differs"):
            check_limits({kind: figure})


def test_the_worst_sample_of_the_worst_stem_counts_over_the_peak_of_all():
    reference = {"piano": np.array([[0.5], [-4.0]]), "residual": np.array([[0.1], [0.2]])}
    other = {
        "piano": reference["piano"] + 0.01,
        "residual": reference["residual"] + [[0.0], [-0.2]],
    }
    assert largest_difference(reference, other) == pytest.approx(0.2 / 4.0)


@pytest.mark.parametrize(
    "wrong", ["serving_default", "separate_wav", "stream", "separate", "tflite", "tflite_fp16"]
)
def test_every_signature_and_every_file_is_compared(wrong, monkeypatch):
    """Whichever is half as loud is refused."""
    right = {"piano": np.array([[0.5], [-1.0]])}

    def stems(name):
        return {"piano": 0.5 * right["piano"]} if name == wrong else right

    signatures = ("serving_default", "separate_wav", "stream", "separate")
    monkeypatch.setattr(parity, "keras_stems", lambda bundle, audio: right)
    monkeypatch.setattr(
        parity, "served_stems", lambda *args: {name: stems(name) for name in signatures}
    )
    monkeypatch.setattr(parity, "run_tflite", lambda path, audio: stems(path))

    class Described:
        class manifest:
            sample_rate_hz = 16000

    with pytest.raises(ExportError, match="differs from the Keras model by 5.0e-01 of peak"):
        measure_parity(
            Described, None, saved_model="separate", tflite="tflite", tflite_fp16="tflite_fp16"
        )
