"""Parts and performances: lines, ranges, rests, tempo, loudness, timing."""

from rendering_for_tests import part

from tfsepgan.rendering.performance import Performance, perform
from tfsepgan.rendering.score import (
    Control,
    Note,
    cut,
    fit,
    fold,
    line,
    one_key_at_a_time,
    shorten_rests,
)


def test_the_top_and_the_bottom_line_of_chords():
    chords = part((0.0, 1.0, 48), (0.0, 1.0, 60), (0.0, 1.0, 72), (1.0, 2.0, 50), (1.0, 2.0, 74))
    assert chords.is_chordal
    assert [note.pitch for note in line(chords, lowest=False).notes] == [72, 74]
    assert [note.pitch for note in line(chords, lowest=True).notes] == [48, 50]
    assert not line(chords, lowest=True).is_chordal


def test_a_line_keeps_its_held_note_while_others_move_beside_it():
    held = part((0.0, 2.0, 72), (0.5, 1.0, 60), (1.0, 1.5, 62), (2.0, 3.0, 74))
    assert line(held, lowest=False).notes == (Note(0.0, 2.0, 72, 80), Note(2.0, 3.0, 74, 80))


def test_pitches_are_folded_into_a_range_by_octaves():
    assert [fold(pitch, 55, 96) for pitch in (54, 42, 55, 97, 108)] == [66, 66, 55, 85, 96]
    moved = fit(part((0, 1, 40), (1, 2, 45), (2, 3, 50)).notes, 60, 96)
    assert [note.pitch for note in moved] == [64, 69, 74]  # all by the same two octaves


def test_only_what_is_too_long_of_a_rest_is_taken_out():
    pedal = (Control(6.0, 64, 127), Control(9.5, 64, 0))
    short = shorten_rests(
        part((5.0, 6.0, 60), (7.0, 8.0, 62), (20.0, 21.0, 64), controls=pedal), 1.5
    )
    assert [(note.start, note.end) for note in short.notes] == [(1.5, 2.5), (3.5, 4.5), (6.0, 7.0)]
    assert [control.time for control in short.controls] == [2.5, 6.0]
    assert shorten_rests(short, 1.5) == short


def test_a_cut_part_ends_there():
    assert cut(part((0.0, 3.0, 60), (4.0, 5.0, 62)), 2.0).notes == (Note(0.0, 2.0, 60, 80),)


def test_a_performance_sets_tempo_key_and_loudness():
    played = perform(
        part((1.0, 2.0, 60), (2.0, 3.0, 64)), Performance(1.25, 2, -10.0, 0.0, 0.0, (1,)), "piano"
    )
    assert played.notes == (Note(0.8, 1.6, 62, 70), Note(1.6, 2.4, 66, 70))
    drums = perform(
        part((1.0, 2.0, 38), is_drums=True), Performance(1.0, 2, 0.0, 0.0, 0.0, (1,)), "drums"
    )
    assert drums.notes[0].pitch == 38


def test_timing_cuts_no_repeated_note():
    repeated = part(*((0.5 * n, 0.5 * (n + 1), 60) for n in range(200)))
    played = perform(repeated, Performance(1.0, 0, 0.0, 0.0, 0.012, (1,)), "piano").notes
    assert len(played) == 200
    for one, following in zip(played, played[1:], strict=False):
        assert one.end <= following.start
        assert one.end - one.start > 0.4


def test_of_two_notes_on_one_key_the_first_ends_where_the_second_begins():
    notes = (
        Note(0.0, 4.0, 60, 50),
        Note(1.0, 2.0, 60, 70),
        Note(1.0, 3.0, 60, 40),
        Note(0.5, 3.5, 64, 90),
    )
    expected = (Note(0.0, 1.0, 60, 50), Note(0.5, 3.5, 64, 90), Note(1.0, 3.0, 60, 70))
    assert one_key_at_a_time(notes) == expected


def test_the_same_seed_plays_the_same_and_another_does_not():
    lively = Performance(1.0, 0, 0.0, 5.0, 0.01, (1, 2))
    score = part(*((float(k), k + 0.9, 60) for k in range(20)))
    assert perform(score, lively, "piano") == perform(score, lively, "piano")
    assert perform(score, lively, "piano") != perform(score, lively._replace(seed=(1, 3)), "piano")
