"""Scores, soundfonts and a stand-in for the synthesizer, for the tests of rendering."""

import os
import stat
import sys

import pytest
from rendering_for_tests import NOTES, part, sine_zone, writer

from tfsepgan.rendering.midi import write_midi

STAND_IN = """#!{python}
import os, sys, time
if "--version" in sys.argv:
    sys.exit(print("FluidSynth runtime version 0.0.0"))
import mido, numpy as np, soundfile
behaviour = os.environ.get("STAND_IN", "")
rate = int(sys.argv[sys.argv.index("-r") + 1])
sound, font, score = sys.argv[sys.argv.index("-F") + 1], sys.argv[-2], sys.argv[-1]
if behaviour == "slow":
    time.sleep(0.7)
if "hang" in font:
    time.sleep(600)
if "fail" in font:
    sys.exit("fluidsynth: error: no memory for voices")
if "endless" in font:
    with open(sound, "wb") as file:
        while True:
            file.write(bytes(1 << 22))
file = mido.MidiFile(score)
out, now, begun = np.zeros((round(file.length * rate), 2), "float32"), 0.0, {{}}
for message in file:
    now += message.time
    if message.type == "note_on":
        begun[message.channel, message.note] = now, message.velocity
    elif message.type == "note_off":
        start, velocity = begun.pop((message.channel, message.note))
        a, b = round(start * rate), round(now * rate)
        pitch_hz = 440 * 2 ** ((message.note - 69) / 12)
        wave = np.sin(2 * np.pi * pitch_hz * np.arange(b - a) / rate + 0.5)
        out[a:b] += velocity / 500 * wave[:, None]
if "silent" in font:
    out *= 0
soundfile.write(sound, out, rate, subtype="FLOAT")
"""


@pytest.fixture
def stand_in(tmp_path, monkeypatch):
    """The stand-in for fluidsynth, first on the path."""
    program = tmp_path / "bin" / "fluidsynth"
    program.parent.mkdir()
    program.write_text(STAND_IN.format(python=sys.executable))
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(program.parent), prepend=os.pathsep)


@pytest.fixture
def fonts(tmp_path):
    """Makes soundfonts of sines: fonts('good', 'hang') returns their arguments.

    Each has a piano, or the given preset.
    """

    def make(*names, preset=(0, 0)):
        for name in names:
            writer.write_soundfont(
                tmp_path / f"{name}.sf2", [sine_zone()], title=name, copyright="CC0", preset=preset
            )
        return [f"{name}={tmp_path / name}.sf2" for name in names]

    return make


@pytest.fixture
def scores(tmp_path):
    """Writes scores of a piano part: scores('a', 'b') returns their folder."""

    def write(*names, parts=None):
        for name in names:
            path = tmp_path / "scores" / f"{name}.mid"
            path.parent.mkdir(parents=True, exist_ok=True)
            write_midi(path, parts or [part(*NOTES, name="Piano")], seconds=3)
        return tmp_path / "scores"

    return write
