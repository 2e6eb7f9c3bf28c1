"""The piano recipe: folders of sampled notes become zones, and every piano is asked for as much."""

import json

import numpy as np
import pytest
import soundfile
from rendering_for_tests import from_recipes, note_samples, sfz_piano, sfz_text

piano, calls = from_recipes("piano_soundfonts"), from_recipes("piano_calls")
RATE_HZ = 8000


def write_note(path, level, *, seconds=1.0):
    """A constant, so that its level is its value."""
    path.parent.mkdir(parents=True, exist_ok=True)
    samples = np.full((round(seconds * RATE_HZ), 1), level)
    soundfile.write(path, samples, RATE_HZ, subtype="FLOAT", format="WAV")


def heights(zones):
    return np.array([int(zone.samples[100, 0]) for zone in zones], float)


@pytest.mark.parametrize(
    ("word", "key"),
    [("A#3", 58), ("Bb3", 58), ("As3", 58), ("bb3", 58), ("58", 58), ("C-1", 0), ("B0", 23)],
)
def test_a_note_is_known_by_each_of_its_names(word, key):
    assert sfz_text.pitch(word) == key


def test_every_key_plays_the_nearest_note_of_its_layer(tmp_path):
    for name in ("C3", "E3", "Ab3", "C4"):
        write_note(tmp_path / f"{name}.wav", 0.5)
    write_note(tmp_path / "pedal noise.wav", 0.5)
    zones = list(sfz_piano.note_zones([tmp_path]))
    assert [zone.root for zone in zones] == [48, 52, 56, 60]
    assert [zone.keys for zone in zones] == [(0, 50), (51, 54), (55, 58), (59, 127)]
    assert {zone.velocities for zone in zones} == {(0, 127)}


def test_a_note_louder_than_its_neighbours_is_brought_to_their_curve(tmp_path):
    slope_db = 0.5  # a key
    for key in range(40, 80):
        write_note(
            tmp_path / f"{key}.wav", 10 ** ((-20 - slope_db * (key - 40) + 10 * (key == 60)) / 20)
        )
    level_db = 20 * np.log10(heights(sfz_piano.note_zones([tmp_path])))
    steps = np.diff(level_db)
    assert abs(np.median(steps) + slope_db) < 0.1  # the curve itself stays
    assert np.abs(steps + slope_db).max() < 0.3  # and nothing stands out, though 10 dB did


def test_layers_share_velocities_and_are_a_step_apart(tmp_path):
    for layer, level in (("mf", 0.01), ("ff", 0.8)):
        for key in (40, 50, 60, 70):
            write_note(tmp_path / layer / f"{key}.wav", level)
    layers = [tmp_path / "mf", tmp_path / "ff"]
    zones = list(sfz_piano.note_zones(layers, tops=[54], step_db=6.0206, roots=(50, 70)))
    assert [(zone.root, zone.velocities) for zone in zones] == [
        *((root, (0, 54)) for root in (50, 60, 70)),
        *((root, (55, 127)) for root in (50, 60, 70)),
    ]
    soft, loud = heights(zones)[:3], heights(zones)[3:]
    assert np.allclose(loud / soft, 2, rtol=1e-3)
    assert abs(loud.max() - note_samples.PEAK * 32767) < 2


def test_a_folder_without_notes_is_refused(tmp_path):
    write_note(tmp_path / "kick.wav", 0.5)
    with pytest.raises(SystemExit, match="no samples with names of notes"):
        list(sfz_piano.note_zones([tmp_path]))


def test_a_sprite_is_cut_where_its_index_says(tmp_path):
    lengths, levels = {60: 6000, 62: 8000, 64: 5000}, {60: 0.1, 62: 0.3, 64: 0.5}
    whole = np.concatenate([np.full(length, levels[key]) for key, length in lengths.items()])
    soundfile.write(tmp_path / "a.ogg", whole[:, None], 44100, format="OGG", subtype="VORBIS")
    (tmp_path / "index.json").write_text(
        json.dumps({"a": [[key, length] for key, length in lengths.items()]})
    )
    note_samples.cut_sprites(tmp_path, tmp_path / "notes")
    for key, length in lengths.items():
        samples, _ = soundfile.read(tmp_path / "notes" / f"{key}.wav")
        assert len(samples) == length - note_samples.SPRITE_GAP
        assert abs(np.median(samples) - levels[key]) < 0.02
        assert samples[-1] == 0


@pytest.mark.parametrize("without", [(), ("headroom", "vsco"), tuple(piano.LATER)])
def test_all_pianos_get_equal_minutes(without):
    minutes = {}
    for call in calls.calls(640, 52, 0, without):
        assert call.fonts and not {*call.fonts} & {*without}
        if call.options[:2] == ["--classes", "piano"]:
            for font in call.fonts:
                share = float(call.options[call.options.index("--minutes") + 1]) / len(call.fonts)
                minutes[font] = minutes.get(font, 0) + share
    assert set(minutes) == {*piano.SAMPLED, *piano.GENERAL} - {*without}
    assert np.allclose(list(minutes.values()), 64)


def test_the_later_pianos_leave_the_calls_of_the_first_as_they_were():
    first = [*piano.PIANOS, *piano.GENERAL]
    for call in calls.calls(640, 52, 7):
        later = ([*piano.LATER], 7 + calls.LATER_SEED), ([*piano.MORE], 7 + calls.MORE_SEED)
        assert (call.fonts, call.seed) in ((first, 7), *later)
        assert "--seed" not in call.options


def test_everything_that_is_played_has_a_licence():
    for call in calls.calls(640, 52, 0):
        assert all(piano.LICENCES[font] for font in call.fonts)
        assert call.scores in piano.LICENCES or call.scores in ("drums", "basses")  # composed
