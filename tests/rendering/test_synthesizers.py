"""The real synthesizers, if they are installed."""

import shutil
from importlib.util import find_spec

import numpy as np
import pytest
from rendering_for_tests import NOTES, PLAIN, made, render, samples


def real(name, installed):
    return pytest.param(
        name, marks=pytest.mark.skipif(not installed, reason=f"{name} is not installed")
    )


@pytest.mark.parametrize(
    "synthesizer",
    [
        real("fluidsynth", shutil.which("fluidsynth")),
        real("tinysoundfont", find_spec("tinysoundfont")),
    ],
)
def test_a_real_synthesizer_plays_the_right_pitch_at_the_right_time(
    tmp_path, scores, fonts, synthesizer
):
    words = (
        "--soundfont",
        *fonts("sines"),
        *PLAIN[:-2],
        "--synthesizer",
        synthesizer,
        "--workers",
        1,
    )
    folder = scores("a")
    for name in ("x", "y"):
        assert render(folder, *words, "--output", tmp_path / name) == 0
    (one,), (two,) = (
        [tmp_path / name / file for file in made(tmp_path / name)] for name in ("x", "y")
    )
    assert one.read_bytes() == two.read_bytes()
    sound = samples(one).mean(axis=1)
    for start, _, pitch in NOTES:
        around = np.abs(sound[int((start - 0.1) * 44100) : int((start + 0.1) * 44100)])
        late = np.argmax(around > 0.1 * around.max()) / 44100 - 0.1
        # fluidsynth moves in blocks of 64 samples, and is two of them behind
        assert abs(late) < 0.005
        note = sound[int((start + 0.05) * 44100) : int((start + 0.4) * 44100)]
        frequency_hz = (
            np.argmax(np.abs(np.fft.rfft(note * np.hanning(len(note)), 1 << 18)))
            * 44100
            / (1 << 18)
        )
        assert 1200 * np.log2(frequency_hz / (440 * 2 ** ((pitch - 69) / 12))) == pytest.approx(
            0, abs=3
        )
