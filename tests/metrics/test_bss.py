"""BSS Eval: the scores equal museval's, and inputs that museval fails on are handled."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tfsepgan.errors import ConfigError, ShapeError
from tfsepgan.metrics.bss import _museval, bss_eval

RATE = 8000


def noise(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape)


@pytest.fixture
def references() -> np.ndarray:
    return noise(2, 4 * RATE, 1)


def plain_museval():
    """museval's original metrics module, loaded by its path."""
    path = Path(importlib.util.find_spec("museval").origin).with_name("metrics.py")
    specification = importlib.util.spec_from_file_location("plain_museval", path)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


@pytest.mark.parametrize("channels", [1, 2])
def test_scores_equal_those_of_museval(channels):
    references = noise(2, 3 * RATE + 77, channels)
    estimates = references + 0.3 * references[::-1] + 0.1 * noise(*references.shape, seed=1)
    scores = bss_eval(references, estimates, RATE, window_seconds=1.0, hop_seconds=0.5)
    sdr, isr, sir, sar, _ = plain_museval().bss_eval(
        references, estimates, window=RATE, hop=RATE // 2
    )
    for score, expected in zip(scores, (sdr, isr, sir, sar), strict=True):
        assert score.shape == (2, 5)
        np.testing.assert_array_equal(score, expected)
    np.testing.assert_array_equal(scores.medians().sdr, np.median(sdr, axis=1))


def test_interference_lowers_sir_and_noise_lowers_sar(references):
    estimates = references.copy()
    estimates[0] += 0.5 * references[1]  # another source: 6 dB, no artifacts
    estimates[1] += 0.1 * noise(*references[1].shape, seed=2)  # no source: 20 dB of artifacts
    medians = bss_eval(references, estimates, RATE).medians()
    assert medians.sir[0] == pytest.approx(6.0, abs=0.5)
    assert medians.sar[0] > 100
    assert medians.sar[1] == pytest.approx(20.0, abs=0.5)
    assert medians.sir[1] > 25
    assert np.all(np.abs(medians.sar - medians.sir) > 4)


def test_a_filtered_source_loses_isr_only(references):
    estimates = references.copy()
    estimates[0, 3:] += 0.3 * references[0, :-3]  # an echo within the 512 taps
    medians = bss_eval(references, estimates, RATE).medians()
    assert medians.isr[0] == pytest.approx(-20 * np.log10(0.3), abs=0.5)
    assert medians.sir[0] > 40 and medians.sar[0] > 40  # the echo crosses the edges of windows


def test_the_order_of_sources_is_the_order_of_scores(references):
    estimates = references + np.array([0.1, 0.4])[:, None, None] * noise(*references.shape, seed=3)
    there = bss_eval(references, estimates, RATE)
    back = bss_eval(references[::-1], estimates[::-1], RATE)
    for forwards, backwards in zip(there, back, strict=True):
        np.testing.assert_allclose(forwards, backwards[::-1], atol=1e-6)
    assert np.all(there.sdr[0] > there.sdr[1] + 6)


def test_estimates_are_not_matched_to_sources(references):
    assert np.all(bss_eval(references, references[::-1], RATE).medians().sir < -10)


def test_a_window_with_a_silent_source_is_left_out_for_all(references):
    references[1, RATE : 2 * RATE] = 0.0
    estimates = references + 0.1 * noise(*references.shape, seed=4)
    scores = bss_eval(references, estimates, RATE)
    for metric in scores:
        np.testing.assert_array_equal(np.isnan(metric), [[False, True, False, False]] * 2)
    assert np.all(np.isfinite(scores.medians().sdr))


def test_a_silent_estimate_makes_every_score_undefined(references):
    estimates = references.copy()
    estimates[0] = 0.0
    scores = bss_eval(references, estimates, RATE)
    assert scores.sar.shape == (2, 4)
    assert np.all(np.isnan(scores.sdr)) and np.all(np.isnan(scores.medians().sdr))


@pytest.mark.parametrize("seconds", [0.25, 1.0])
def test_a_signal_shorter_than_a_window_is_one_window(seconds):
    references = noise(2, int(seconds * RATE), 1)
    assert bss_eval(references, references[::-1] + references, RATE).sdr.shape == (2, 1)
    assert bss_eval(references, np.zeros_like(references), RATE).sdr.shape == (2, 1)


def test_a_single_source_has_no_interference():
    references = noise(1, 2 * RATE, 2)
    scores = bss_eval(references, references + 0.1 * noise(1, 2 * RATE, 2, seed=5), RATE)
    assert np.all(scores.sir > 100)
    assert scores.medians().sdr[0] == pytest.approx(20.0, abs=0.5)


def test_equal_sources_are_scored():
    """Their matrix is singular; museval then uses a name that numpy 2 removed."""
    references = np.zeros((2, RATE, 1))
    references[:, 0] = 4.0  # an exact spectrum; 16 + epsilon is 16, so a pivot is exactly zero
    estimates = references + 0.01 * noise(2, RATE, 1, seed=6)
    scores = bss_eval(references, estimates, RATE)
    assert np.all(np.isfinite(scores.sdr))


def test_channels_of_opposite_sign_are_not_silence():
    mono = noise(2, 2 * RATE, 1)
    references = np.concatenate([mono, -mono], axis=2)
    estimates = references + 0.1 * noise(2, 2 * RATE, 2, seed=7)
    assert np.all(np.isfinite(bss_eval(references, estimates, RATE).sdr))


def test_the_installed_museval_is_not_changed():
    assert _museval()._any_source_silent is not plain_museval()._any_source_silent
    assert plain_museval().np is np


@pytest.mark.parametrize(
    ("references", "estimates", "message"),
    [
        (np.ones((2, 10, 1)), np.ones((2, 11, 1)), r"\[2, 10, 1\].*\[2, 11, 1\]"),
        (np.ones((2, 10)), np.ones((2, 10)), r"\[2, 10\], wanted \[sources, time, channels\]"),
        (np.ones((2, 10, 1)), np.full((2, 10, 1), np.nan), "estimates .* 20 values"),
        (
            np.stack([np.ones((10, 1)), np.zeros((10, 1))]),
            np.ones((2, 10, 1)),
            "reference 1 of 2 is silent",
        ),
        (np.ones((0, 10, 1)), np.ones((0, 10, 1)), "no samples"),
    ],
)
def test_invalid_signals_are_named(references, estimates, message):
    with pytest.raises(ShapeError, match=message):
        bss_eval(references, estimates, RATE)


@pytest.mark.parametrize("window_seconds, hop_seconds", [(0.0, 1.0), (1.0, -1.0), (1e-9, 1.0)])
def test_windows_of_zero_length_are_refused(references, window_seconds, hop_seconds):
    with pytest.raises(ConfigError, match="_seconds of"):
        bss_eval(
            references, references, RATE, window_seconds=window_seconds, hop_seconds=hop_seconds
        )


def test_neither_ffmpeg_nor_musdb_is_needed():
    """`import museval` fails without them; this module does not."""
    program = (
        "import sys, numpy as np\n"
        "from tfsepgan.metrics.bss import bss_eval\n"
        "a = np.random.default_rng(0).standard_normal((2, 4000, 1))\n"
        "bss_eval(a, a + a[::-1], 4000)\n"
        "print(sorted({'museval', 'musdb', 'stempeg', 'tensorflow', 'keras'} & set(sys.modules)))\n"
    )
    environment = {**os.environ, "PATH": "", "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env=environment, timeout=60
    )
    assert done.stdout.strip() == "[]", done.stderr
