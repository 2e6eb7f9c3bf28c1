"""Parts of a score, and a soundfont of sines, for the tests of rendering."""

import numpy as np
import soundfile
from tools_for_tests import TOOLS, from_tools

from tfsepgan.cli.data import main
from tfsepgan.rendering.score import Note, Part

RECIPES = TOOLS / "recipes"
PLAIN = (
    "--tempo",
    "0",
    "--semitones",
    "0",
    "--velocity",
    "0",
    "--valid-share",
    "0",
    "--sample-rate-hz",
    "8000",
)
NOTES = ((0.5, 1.0, 69), (1.5, 2.0, 76))


def from_recipes(name):
    """The module of a recipe."""
    return from_tools(name, RECIPES)


writer = from_recipes("soundfont_writer")
sfz_piano = from_recipes("sfz_piano")
sfz_text, note_samples = from_recipes("sfz_text"), from_recipes("note_samples")


def part(*notes, name="", program=0, is_drums=False, controls=()):
    """A part of notes (start, end, pitch), all at velocity 80."""
    played = tuple(Note(*note, 80) for note in notes)
    return Part(name=name, program=program, is_drums=is_drums, notes=played, controls=controls)


def sine_zone():
    """Half a second of 440 Hz for every key."""
    samples = writer.to_pcm16(0.5 * np.sin(2 * np.pi * 440 * np.arange(22050) / 44100))[:, None]
    return writer.Zone(samples=samples, rate_hz=44100, root=69, keys=(0, 127))


def render(*words):
    """Run `tfsepgan-data render`; returns its exit code."""
    return main(["render", *map(str, words)])


def made(folder):
    """Names of the FLAC files in a folder."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.flac"))


def samples(path):
    """All samples of a file, float32 `[time, channels]`."""
    return soundfile.read(path, dtype="float32", always_2d=True)[0]
