"""The arranger: reads songs, turns chords into basses and chords, and draws from a seed."""

from dataclasses import replace

import numpy as np
import pytest
from songs_for_tests import BEAT, write_song

from tfsepgan.errors import DataError
from tfsepgan.rendering.arranging import accompaniment
from tfsepgan.rendering.arranging.arrangement import arrange
from tfsepgan.rendering.arranging.drums import CRASH, STYLES, WALTZES, drums
from tfsepgan.rendering.arranging.line_ups import LINE_UPS
from tfsepgan.rendering.arranging.piano import PianoRole, Span, play
from tfsepgan.rendering.arranging.song import excerpt, in_other_key, read_chord, read_song
from tfsepgan.rendering.instruments import CLASSES
from tfsepgan.rendering.score import Control
from tfsepgan.rendering.soundfonts import SoundFont


@pytest.fixture
def song(tmp_path):
    return read_song(write_song(tmp_path))


def font(name, kinds=tuple(CLASSES.values()), path="nowhere.sf2"):
    presets = frozenset((kind.bank, program) for kind in kinds for program in kind.programs)
    return SoundFont(name=name, path=path, presets=presets, title=name, copyright="")


@pytest.mark.parametrize(
    ("label", "meant"),
    [
        ("C:maj", (0, (0, 4, 7), 0)),
        ("F#:min7", (6, (0, 3, 7, 10), 6)),
        ("Bb:maj/3", (10, (0, 4, 7), 2)),
        ("Eb:min/b3", (3, (0, 3, 7), 6)),
        ("G:sus4(b7)", (7, (0, 5, 7, 10), 7)),
        ("A:7/b7", (9, (0, 4, 7, 10), 7)),
        ("D:maj(9)", (2, (0, 4, 7), 2)),
        ("N", None),
    ],
)
def test_a_chord_label_is_root_tones_and_bass(label, meant):
    assert read_chord(label) == meant


def test_a_song_has_its_beats_bars_and_chords(song):
    assert song.beats_in_bar == 4
    assert song.bars()[:3] == [(0, 4), (4, 4), (8, 4)]
    assert song.chord_at(2.1).root == 9
    assert song.chord_at(4.1).bass == 9  # F with its third below
    assert song.time(1.5) == pytest.approx(1.5 * BEAT)
    assert song.time(66) == pytest.approx(66 * BEAT)  # past the last beat
    assert len(song.piano.notes) == 32 * 4


def test_tempo_and_key_change_everything_alike(song):
    moved = in_other_key(song, tempo=2.0, semitones=-3)
    assert moved.beats[8] == pytest.approx(song.beats[8] / 2)
    assert (moved.chords[0].root, moved.chords[2].bass) == (9, 6)
    for name in ("piano", "melody", "bridge"):
        before, after = getattr(song, name).notes, getattr(moved, name).notes
        assert [note.pitch - 3 for note in before] == [note.pitch for note in after]
        np.testing.assert_allclose(
            [note.start / 2 for note in before], [note.start for note in after]
        )
    with pytest.raises(DataError, match="leaves the range of MIDI"):
        in_other_key(song, tempo=1.0, semitones=70)


def test_an_excerpt_begins_with_its_bar_and_keeps_the_pedal(song):
    piano = replace(song.piano, controls=(Control(1.0, 64, 127), Control(9.0, 64, 0)))
    part_of = excerpt(replace(song, piano=piano), first_bar=2, seconds=8.0)
    assert part_of.beats[0] == 0
    assert part_of.seconds <= 8.0
    assert part_of.chord_at(0.1).root == 5
    assert min(note.start for note in part_of.piano.notes) == 0
    assert max(note.end for note in part_of.piano.notes) <= 8.0
    assert part_of.piano.controls == (Control(0.0, 64, 127), Control(5.0, 64, 0))


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        ("beat_midi.txt", "0 1 1\n0.5 x 0", "a line cannot be read"),
        ("beat_midi.txt", "0 1 1\n0 0 0", "times do not rise"),
        ("beat_midi.txt", "0 1 1\n1 0 0\n2 0 0", "marks no bars"),
        ("chord_midi.txt", "0 2 H:maj\n2 4 C:maj", "a line cannot be read"),
        ("chord_midi.txt", None, "cannot be read"),
    ],
)
def test_a_damaged_song_is_named(tmp_path, file, text, message):
    path = write_song(tmp_path)
    beside = path.with_name(file)
    beside.write_text(text) if text else beside.unlink()
    with pytest.raises(DataError, match=f"{file}.*{message}"):
        read_song(path)


def test_a_song_without_melody_is_refused(tmp_path):
    with pytest.raises(DataError, match="no part named MELODY"):
        read_song(write_song(tmp_path, names=("PIANO",)))


@pytest.mark.parametrize("style", accompaniment.BASSES)
def test_every_bass_begins_each_chord_with_its_bass(song, style):
    notes = accompaniment.bass(song, np.random.default_rng(0), style=style)
    first = {round(note.start, 6): note.pitch % 12 for note in notes}
    assert [first[2.0 * bar] for bar in range(4)] == [0, 9, 9, 7]
    assert all(28 <= note.pitch <= 52 for note in notes)
    assert all(later.start >= note.start for note, later in zip(notes, notes[1:], strict=False))


@pytest.mark.parametrize("style", accompaniment.CHORD_STYLES)
def test_chords_hold_nothing_but_chord_tones_in_time(song, style):
    notes = accompaniment.chords(song, np.random.default_rng(1), style=style, centre=57)
    assert notes
    for note in notes:
        chord = song.chord_at(note.start)
        assert (note.pitch - chord.root) % 12 in (*chord.tones, chord.fifth)


def test_a_voicing_is_the_nearest_inversion(song):
    c_major, f_major = song.chords[0], song.chords[2]
    before = accompaniment.voicing(c_major, 3, 60)
    assert len(set(before)) == 3
    after = accompaniment.voicing(f_major, 3, 60, before)
    assert np.abs(np.subtract(after, before)).max() <= 5


@pytest.mark.parametrize("style", STYLES)
def test_drums_are_on_the_grid_with_crashes_where_phrases_begin(song, style):
    notes = drums(song, np.random.default_rng(2), style=style, phrase_bars=4)
    in_beats = np.array([note.start for note in notes]) / BEAT
    off = np.abs(in_beats * 12 - np.round(in_beats * 12))
    assert off.max() < 1e-6
    assert {note.start % (16 * BEAT) for note in notes if note.pitch == CRASH} <= {0.0}
    silent = drums(
        song, np.random.default_rng(2), style=style, phrase_bars=4, silent=frozenset([1])
    )
    assert not [note for note in silent if 8.0 <= note.start < 16.0]


def test_fills_end_phrases(song):
    bars = []
    for seed in range(8):
        notes = drums(song, np.random.default_rng(seed), style="rock", phrase_bars=4)
        count = np.histogram(
            [n.start for n in notes if n.pitch in (38, 50, 48, 45, 43, 41)], np.arange(17) * 2.0
        )[0]
        bars.append(count)
    mean = np.mean(bars, axis=0)
    assert mean[3::4].min() > mean[0] + 1  # more snare and toms at the ends


def test_bars_of_three_beats_get_waltzes(tmp_path):
    song = read_song(write_song(tmp_path, metre=3))
    assert song.beats_in_bar == 3
    for style in WALTZES:
        kicks = [
            n.start / BEAT
            for n in drums(song, np.random.default_rng(0), style=style, phrase_bars=8)
            if n.pitch == 36
        ]
        assert {round(kick) % 3 for kick in kicks[:6]} == {0}


def test_no_note_or_pedal_of_the_piano_is_in_a_rest(song):
    piano = replace(song.piano, controls=(Control(0.5, 64, 127), Control(5.0, 64, 90)))
    part_of = play(piano, song.melody, PianoRole(rests=(Span(4.0, 8.0),), melody="doubled"))
    assert not [note for note in part_of.notes if note.start < 8.0 and note.end > 4.0]
    assert part_of.controls == (Control(0.5, 64, 127), Control(4.0, 64, 0), Control(8.0, 64, 90))


def test_hands_share_the_notes_and_the_melody_is_doubled(song):
    left, right = (
        play(song.piano, song.melody, PianoRole(hand=hand)) for hand in ("left", "right")
    )
    assert {note.pitch for note in left.notes} == {48, 52}
    assert {note.pitch for note in right.notes} == {64, 67}
    octave = play(song.piano, song.melody, PianoRole(melody="octave"))
    assert {67, 79, 71, 83} <= {note.pitch for note in octave.notes}


@pytest.mark.parametrize("line_up", [each.name for each in LINE_UPS])
def test_a_band_is_the_same_for_the_same_seed_and_within_its_instruments(song, line_up):
    def gather(seed):
        return arrange(
            song, [font("a"), font("b")], ["anna"], np.random.default_rng(seed), line_up=line_up
        )

    assert gather(3) == gather(3)
    drawn = [gather(seed) for seed in range(6)]
    assert len({repr(each) for each in drawn}) == 6
    for band in drawn:
        assert band.line_up == line_up
        assert band.voices[0].role == "piano"
        for voice in band.voices[1:]:
            kind = CLASSES[voice.class_name]
            if voice.role not in ("singer", "drums"):
                assert all(kind.lowest <= note.pitch <= kind.highest for note in voice.part.notes)
                assert voice.program in kind.programs


def test_all_of_the_roles_and_the_bands_are_drawn(song):
    fonts = [font("a")]
    bands = [arrange(song, fonts, ["anna"], np.random.default_rng(seed)) for seed in range(150)]
    assert {band.line_up for band in bands} == {each.name for each in LINE_UPS}
    with_drums = np.mean([any(v.role == "drums" for v in band.voices) for band in bands])
    assert 0.4 < with_drums < 0.9
    assert {band.piano.hand for band in bands} == {"both", "left", "right"}
    assert {band.piano.melody for band in bands} == {"no", "doubled", "octave"}
    assert 0.3 < np.mean([bool(band.piano.rests) for band in bands]) < 0.8
    assert {"singer", "lead", "bridge", "chords", "bass"} <= {
        v.role for band in bands for v in band.voices
    }


def test_classes_that_no_soundfont_has_stay_out(song):
    only = [font("grand", (CLASSES["piano"],))]
    band = arrange(song, only, [], np.random.default_rng(0), line_up="pop band")
    assert [voice.class_name for voice in band.voices] == ["piano"]


def test_a_soundfont_of_pianos_alone_plays_the_piano_more_often(song):
    fonts = [font("general"), font("grand", (CLASSES["piano"],))]
    bands = [
        arrange(song, fonts, [], np.random.default_rng(seed), line_up="duo") for seed in range(200)
    ]
    assert np.mean([band.voices[0].soundfont == "grand" for band in bands]) == pytest.approx(
        0.75, abs=0.09
    )
    assert {voice.soundfont for band in bands for voice in band.voices[1:]} == {"general"}
