"""Live separation: a block out for a block in, in the right mix, with times that add up."""

from types import SimpleNamespace

import numpy as np
import pytest
from maskers_for_tests import RATE_HZ, random_masker

from tfsepgan.errors import CheckpointError, ConfigError
from tfsepgan.models.folders import find_bundle
from tfsepgan.separation.live import Live, blocks_of, gains_of, open_stream
from tfsepgan.separation.numpy_stream import NumpyStream

LATENCY = {"synthesis_frame": 32, "look_ahead_frames": 1}  # 48 samples


def live_of(gains, *, channels=1, block=32):
    masker, manifest = random_masker(**LATENCY)
    return Live(NumpyStream(masker, manifest, channels=channels), gains, block=block)


def noise(*shape):
    return np.random.default_rng(0).normal(0, 0.1, shape).astype(np.float32)


@pytest.mark.parametrize("channels", [1, 2])
def test_all_stems_at_their_level_are_the_mixture_a_delay_later(channels):
    live, mixture = (
        live_of({"piano": 1.0, "residual": 1.0}, channels=channels),
        noise(640, channels),
    )
    out = np.concatenate([live.exchange(block) for block in blocks_of([mixture], 32)])
    delay = 48 - 16  # the latency without the block itself
    assert not out[:delay].any()
    np.testing.assert_allclose(out[delay:], mixture[:-delay], atol=1e-6)


def test_a_whole_mixture_comes_out_in_blocks_without_the_delay():
    live, mixture = live_of({"piano": 0.5, "residual": 0.5}), noise(333, 1)
    blocks = list(live.through(blocks_of([mixture[:50], mixture[50:]], 32)))
    assert [len(block) for block in blocks] == 10 * [32] + [13]
    np.testing.assert_allclose(np.concatenate(blocks), mixture / 2, atol=1e-6)
    assert live.seconds == 11 * 32 / RATE_HZ
    middle, high, worst = live.times_ms()
    assert 0 < middle <= high <= worst


def test_blocks_that_take_longer_than_they_last_are_late(monkeypatch):
    live, clock = live_of({"piano": 1.0}), iter([0, 0.001, 1, 1.0021, 2, 2.003])
    monkeypatch.setattr(
        "tfsepgan.separation.live.time", SimpleNamespace(perf_counter=clock.__next__)
    )
    for _ in range(3):  # a block lasts 2 ms
        live.add(noise(32, 1))
    assert live.late == 2
    assert live.times_ms() == pytest.approx((2.1, 2.982, 3.0))


def test_the_gains_of_what_is_heard():
    stems = ("piano", "voice", "residual")
    assert gains_of(stems, None, gain_db=0, others_db=None) == {
        "piano": 1.0,
        "voice": 0.0,
        "residual": 0.0,
    }
    heard = gains_of(stems, "residual", gain_db=20, others_db=-20)
    assert heard == pytest.approx({"piano": 0.1, "voice": 0.1, "residual": 10})
    with pytest.raises(ConfigError, match="'organ'; this model has piano, voice, residual"):
        gains_of(stems, "organ", gain_db=0, others_db=None)
    with pytest.raises(ConfigError, match="wanted finite numbers"):
        gains_of(stems, None, gain_db=float("nan"), others_db=None)


def test_a_model_is_opened_in_the_runtime_that_has_it():
    piano = find_bundle("piano")
    file = str(piano / "piano.stream.dynamic.tflite")
    in_numpy, in_litert = open_stream("piano", channels=1), open_stream(file, channels=1)
    assert in_numpy.latency_samples == in_litert.latency_samples
    assert open_stream("piano", channels=1, block=8192).block_samples == 8192
    with pytest.raises(ConfigError, match="block of 3000 samples; wanted a multiple of 2048"):
        open_stream("piano", channels=1, block=3000)
    with pytest.raises(ConfigError, match="block of 1024 samples; wanted a multiple of 2048"):
        open_stream(file, channels=1, block=1024)


def test_a_model_that_cannot_stream_is_refused(tmp_path):
    manifest = (find_bundle("piano") / "manifest.json").read_text()
    (tmp_path / "manifest.json").write_text(manifest)
    with pytest.raises(CheckpointError, match="it has no model.keras.*--variants stream.dynamic"):
        open_stream(str(tmp_path), channels=1)
    searching = manifest.replace('"kind": "generator"', '"kind": "search"')
    assert searching != manifest
    (tmp_path / "manifest.json").write_text(searching)
    with pytest.raises(CheckpointError, match="needs whole recordings"):
        open_stream(str(tmp_path), channels=1)
