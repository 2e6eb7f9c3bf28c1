"""Every TFLite variant keeps the limit of its kind, or nothing is written."""

import json
import os
import typing

import numpy as np
import pytest

from tfsepgan.data.references.fixed_mixtures import Mixture
from tfsepgan.errors import ConfigError, ExportError
from tfsepgan.export.exporter import export_bundle
from tfsepgan.export.savedmodel.writer import write_mono_saved_model
from tfsepgan.export.tflite import conversion as tflite
from tfsepgan.export.tflite import files as ondevice_files
from tfsepgan.export.tflite.files import OnDevice
from tfsepgan.export.tflite.metadata import keep_weights
from tfsepgan.export.tflite.variants import (
    BASE,
    MAX_SDR_LOSS_DB,
    OF_PEAK,
    VARIANTS,
    Rehearsal,
    check_variant,
)
from tfsepgan.layers.matrix_fourier import NAME
from tfsepgan.ondevice import describe


@pytest.fixture(scope="module")
def rehearsal(music):
    """A mixture with the left channel as the piano and the right one as the residual."""
    piano, residual = music[:, :1], music[:, 1:]
    known = Mixture(
        name="both",
        mixture=piano + residual,
        sources={"piano": piano, "residual": residual},
        sample_rate_hz=8000,
    )
    return Rehearsal(calibration=(music[:8000],), mixtures=(known,))


@pytest.fixture(scope="module")
def exported_all(one_bundle, music, rehearsal, tmp_path_factory):
    output = tmp_path_factory.mktemp("variants") / "model"
    wanted = OnDevice(variants=tuple(VARIANTS), block=512, rehearsal=rehearsal)
    return output, export_bundle(one_bundle, output, music, on_device=wanted)


def test_every_variant_runs_on_built_in_operators_within_its_limit(exported_all):
    output, figures = exported_all
    facts = json.loads((output / "manifest.json").read_text())["export"]["variants"]
    assert set(facts) == set(VARIANTS)
    for name, variant in VARIANTS.items():
        path = output / f"model{variant.end}"
        assert tflite.foreign_operators(path) == []
        assert figures[f"tflite_{name}"] == facts[name]["of_peak"]
        if variant.precision in OF_PEAK:
            assert facts[name]["of_peak"] <= OF_PEAK[variant.precision]
        else:
            assert facts[name]["sdr_loss_db"] <= MAX_SDR_LOSS_DB
        assert ("streaming" in facts[name]) == variant.streaming
    assert facts["stream"]["of_peak"] < 1e-5
    card = (output / "card.md").read_text()
    assert all(f"`{name}`" in card for name in VARIANTS) and "| 0.5 dB" not in card


@pytest.mark.parametrize("kind", ["tfc_tdf", "band_split turning"])
def test_networks_that_share_weights_stream_and_are_quantised(
    kind, small_bundle, music, rehearsal, tmp_path
):
    names = ("stream", "int8")
    wanted = OnDevice(variants=names, block=512, rehearsal=rehearsal)
    bundle = small_bundle(kind, features="complex" if kind.endswith("turning") else "power")
    write_mono_saved_model(bundle, tmp_path / "mono")
    figures = ondevice_files.make_variants(
        bundle, tmp_path, tmp_path, wanted, music, lambda step: None
    )
    assert set(figures) == set(names)
    for name, variant in ((name, VARIANTS[name]) for name in names):
        path = tmp_path / f"{bundle.manifest.name}{variant.end}"
        assert tflite.foreign_operators(path) == []
        if variant.precision in OF_PEAK:
            assert figures[name]["of_peak"] <= OF_PEAK[variant.precision]
        else:
            assert figures[name]["sdr_loss_db"] <= MAX_SDR_LOSS_DB


def test_quantised_files_are_quantised_and_smaller(exported_all):
    output, _ = exported_all
    sizes = {
        name: (output / f"model{one.end}").stat().st_size
        for name, one in {**BASE, **VARIANTS}.items()
    }
    assert sizes["int8"] < sizes["float32"] and sizes["dynamic"] < sizes["float32"]
    kinds = {}
    for name in ("dynamic", "int8"):
        interpreter = tflite.open_interpreter(output / f"model{VARIANTS[name].end}")
        details = interpreter.get_tensor_details()
        kinds[name] = sum(one["dtype"] == np.int8 for one in details)
        assert any(one["dtype"] == np.complex64 for one in details)  # the spectrum stays in float
    # int8 quantises inputs and outputs of the products too
    assert kinds["int8"] > kinds["dynamic"] > 0


def test_the_file_for_graphics_processors_has_no_complex_numbers(exported_all):
    """Its weights are of 8 bits, but not those of the transforms."""
    output, _ = exported_all
    interpreter = tflite.open_interpreter(output / "model.web.gpu.tflite")
    details = interpreter.get_tensor_details()
    assert not any(one["dtype"] == np.complex64 for one in details)
    assert any(one["dtype"] == np.int8 for one in details)
    kept, quantised = (output / f"model.{name}.tflite" for name in ("web.gpu", "web"))
    with pytest.raises(ExportError, match="lacks the matrices"):
        keep_weights(quantised, kept, NAME)


def test_every_file_holds_its_description(exported_all):
    output, _ = exported_all
    for name, variant in {**BASE, **VARIANTS}.items():
        facts = describe(output / f"model{variant.end}")
        assert (facts["variant"], facts["name"], facts["sources"]) == (
            name,
            "model",
            ["piano", "voice"],
        )
        assert list(facts["signatures"]) == ["stream" if variant.streaming else "separate"]


def test_an_export_with_variants_can_be_replaced(exported_all, one_bundle, music, tmp_path):
    from tfsepgan.export.folder import _check_output

    output, _ = exported_all
    _check_output(output)  # raises for a folder with further files


@pytest.mark.parametrize(
    ("name", "figures", "message"),
    [
        (
            "stream",
            {"of_peak": 2e-4, "closeness_db": 90.0},
            "differs from the Keras model by 2.0e-04",
        ),
        ("stream.fp16", {"of_peak": 2e-2, "closeness_db": 50.0}, "differs"),
        ("int8", {"of_peak": 1e-3, "closeness_db": 50.0, "sdr_loss_db": 0.6}, "0.60 dB less SDR"),
        ("dynamic", {"of_peak": 1e-3, "closeness_db": 19.0}, "by only 19.0 dB"),
        (
            "int8",
            {"of_peak": 1e-3, "sdr_loss_db": 0.1, "unheard_closeness_db": 12.0},
            "by only 12.0 dB below the estimate of a source that no",
        ),
        ("dynamic", {"of_peak": np.inf, "closeness_db": -np.inf}, "by only -inf dB"),
        ("int8", {"of_peak": 1e-3, "closeness_db": 50.0, "sdr_loss_db": np.nan}, "nan dB less SDR"),
    ],
)
def test_a_variant_beyond_its_limit_is_refused(name, figures, message):
    with pytest.raises(ExportError, match=message):
        check_variant(name, figures)


def test_nothing_is_written_when_a_variant_separates_worse(
    one_bundle, music, rehearsal, tmp_path, monkeypatch
):
    """The file subtracts the mixture from the estimate, which costs SDR."""
    from tfsepgan.export import exporter
    from tfsepgan.export.parity import keras_stems

    def worse(path, mixture):
        stems = keras_stems(one_bundle, mixture)
        return {**stems, "piano": stems["piano"] - mixture}

    monkeypatch.setattr(
        exporter, "write_saved_model", lambda bundle, directory, limits: directory.mkdir()
    )
    monkeypatch.setattr(
        exporter, "write_mono_saved_model", lambda bundle, directory: directory.mkdir()
    )
    monkeypatch.setattr(
        exporter, "write_tflite", lambda mono, files: [one.touch() for one in files.values()]
    )
    monkeypatch.setattr(exporter, "describe_base", lambda made, manifest: None)
    monkeypatch.setattr(exporter, "measure_parity", lambda *args, **files: {})
    monkeypatch.setattr(
        ondevice_files,
        "write_tflite",
        lambda mono, files, calibration: [one.touch() for one in files.values()],
    )
    monkeypatch.setattr(ondevice_files, "write_metadata", lambda path, facts, sentence: None)
    monkeypatch.setattr(ondevice_files, "run_tflite", worse)
    wanted = OnDevice(variants=("int8",), rehearsal=rehearsal)
    with pytest.raises(ExportError, match="dB less SDR than the Keras model"):
        export_bundle(one_bundle, tmp_path / "model", music, on_device=wanted)
    assert os.listdir(tmp_path) == []


def test_an_export_of_only_variants_has_no_other_files(one_bundle, music, rehearsal, tmp_path):
    output, wanted = tmp_path / "model", OnDevice(variants=("stream.dynamic",), rehearsal=rehearsal)
    figures = export_bundle(one_bundle, output, music, on_device=wanted, only_variants=True)
    assert figures.keys() == {"tflite_stream.dynamic"}
    made = {"card.md", "manifest.json", "model.keras", "model.stream.dynamic.tflite"}
    assert set(os.listdir(output)) == made
    card = (output / "card.md").read_text()
    assert "StreamingSeparator" in card and "| `model.keras` |" in card
    assert "saved_model" not in card and "fp16" not in card
    facts = json.loads((output / "manifest.json").read_text())["export"]
    assert facts["files"].keys() == made - {"manifest.json"} and "limits" not in facts
    with pytest.raises(ConfigError, match="Name at least one"):
        export_bundle(one_bundle, tmp_path / "none", music, only_variants=True)
    assert os.listdir(tmp_path) == ["model"]


def test_an_unknown_variant_is_refused_before_any_work(one_bundle, music, tmp_path):
    with pytest.raises(ConfigError, match="no TFLite variant 'strem'.*stream"):
        export_bundle(
            one_bundle, tmp_path / "model", music, on_device=OnDevice(variants=("strem",))
        )


def test_the_command_offers_all_variants():
    from tfsepgan.cli.export import ExportOptions

    offered = typing.get_args(typing.get_type_hints(ExportOptions)["variants"])[0]
    assert set(typing.get_args(offered)) == set(VARIANTS)
