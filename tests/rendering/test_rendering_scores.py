"""Scores as MIDI and MusicXML: what is read, and which files are refused."""

import sys

import mido
import numpy as np
import pytest
from rendering_for_tests import part

from tfsepgan.errors import DataError
from tfsepgan.rendering.instruments import class_of
from tfsepgan.rendering.midi import read_midi, write_midi
from tfsepgan.rendering.musicxml import read_musicxml
from tfsepgan.rendering.reading import find_scores
from tfsepgan.rendering.score import (
    PITCH_WHEEL,
    Control,
    Note,
)


def save_midi(path, *tracks, **kinds):
    mido.MidiFile(
        ticks_per_beat=480, tracks=[mido.MidiTrack(track) for track in tracks], **kinds
    ).save(path)
    return path


def message(kind, time, **words):
    return mido.Message(kind, time=time, **words)


def test_midi_times_follow_every_change_of_tempo_in_any_track(tmp_path):
    # 480 ticks are half a second at first, a whole one from tick 960 on: the tempo stands in
    # another track.
    tempo = [mido.MetaMessage("set_tempo", tempo=1_000_000, time=960)]
    notes = [
        message("note_on", 480, note=60, velocity=90),
        message("note_on", 960, note=60, velocity=0),
    ]
    score = read_midi(save_midi(tmp_path / "a.mid", tempo, notes))
    assert score.parts[0].notes == (Note(0.5, 2.0, 60, 90),)
    assert score.seconds == 2.0


def test_a_note_that_is_never_ended_ends_with_its_track(tmp_path):
    notes = [
        message("note_on", 0, note=60, velocity=90),
        message("note_on", 480, note=64, velocity=90),
    ]
    notes.append(message("note_off", 480, note=64, velocity=0))
    score = read_midi(save_midi(tmp_path / "a.mid", notes))
    assert score.parts[0].notes == (Note(0.0, 1.0, 60, 90), Note(0.5, 1.0, 64, 90))


def test_a_program_in_another_track_is_the_channels(tmp_path):
    ahead = [
        message("program_change", 0, channel=0, program=40),
        message("control_change", 10, channel=0, control=7, value=99),
    ]
    notes = [
        message("note_on", 0, channel=0, note=60, velocity=80),
        message("note_off", 480, channel=0, note=60),
    ]
    (violin,) = read_midi(save_midi(tmp_path / "a.mid", ahead, notes)).parts
    assert violin.program == 40
    assert [(control.number, control.value) for control in violin.controls] == [(7, 99)]


def test_a_written_score_reads_as_it_was(tmp_path):
    controls = (Control(0.25, 64, 127), Control(0.5, PITCH_WHEEL, -512))
    parts = (
        part((0.0, 1.0, 60), (0.5, 2.0, 64), name="Left hand", program=3, controls=controls),
        part((0.25, 0.5, 38), name="kit", program=8, is_drums=True),
    )
    write_midi(tmp_path / "a.mid", parts, seconds=4)
    assert read_midi(tmp_path / "a.mid").parts == parts


@pytest.mark.parametrize("damage", ["text", "empty", "cut", "no notes", "frames", "type 2"])
def test_a_bad_midi_file_is_named(tmp_path, damage):
    path = tmp_path / "song.mid"
    write_midi(path, [part((0.0, 1.0, 60))], seconds=2)
    whole = path.read_bytes()
    if damage == "frames":
        whole = whole[:12] + b"\xe7\x28" + whole[14:]
    elif damage == "type 2":
        whole = whole[:9] + b"\x02" + whole[10:]
    path.write_bytes(
        {"text": b"not midi", "empty": b"", "cut": whole[: len(whole) - 9]}.get(damage, whole)
    )
    if damage == "no notes":
        save_midi(path, [mido.MetaMessage("set_tempo", tempo=400_000)])
    with pytest.raises(DataError, match=r"song\.mid"):
        read_midi(path)


def test_damaged_midi_is_read_or_named_but_never_crashes(tmp_path):
    path = tmp_path / "song.mid"
    write_midi(path, [part(*((k / 4, k / 4 + 0.2, 60 + k % 12) for k in range(40)))], seconds=12)
    whole, rng, named = np.frombuffer(path.read_bytes(), np.uint8), np.random.default_rng(0), 0
    for _ in range(150):
        spoiled = whole.copy()
        spoiled[rng.integers(0, len(whole), 6)] ^= rng.integers(1, 256, 6, dtype=np.uint8)
        path.write_bytes(spoiled.tobytes()[: rng.integers(1, len(whole) + 1)])
        try:
            score = read_midi(path)
            assert all(
                0 <= n.pitch <= 127 and 1 <= n.velocity <= 127 and n.end > n.start
                for n in score.parts[0].notes
            )
        except DataError as error:
            named += "song.mid" in str(error)
    assert named > 50


MUSICXML = """<?xml version="1.0" encoding="UTF-8"?>
<score-partwise version="4.0"><part-list>
<score-part id="P1"><part-name>Voice</part-name></score-part>
<score-part id="P2"><part-name>Piano</part-name></score-part></part-list>
<part id="P1"><measure number="1"><attributes><divisions>1</divisions><time><beats>4</beats>
<beat-type>4</beat-type>
</time></attributes><direction><direction-type><metronome><beat-unit>quarter</beat-unit>
<per-minute>120</per-minute>
</metronome></direction-type><sound tempo="120"/></direction>
<note><pitch><step>A</step><octave>4</octave></pitch><duration>2</duration></note>
<note><pitch><step>B</step><octave>4</octave></pitch><duration>2</duration><tie type="start"/>
</note></measure>
<measure number="2"><note><pitch><step>B</step><octave>4</octave></pitch><duration>4</duration>
<tie type="stop"/></note>
</measure></part>
<part id="P2"><measure number="1"><attributes><divisions>1</divisions><time><beats>4</beats>
<beat-type>4</beat-type>
</time><staves>2</staves></attributes>
<note><pitch><step>C</step><octave>5</octave></pitch><duration>4</duration><staff>1</staff></note>
<backup><duration>4</duration></backup>
<note><pitch><step>C</step><octave>3</octave></pitch><duration>4</duration><staff>2</staff>
</note></measure>
<measure number="2"><note><rest/><duration>4</duration><staff>1</staff></note><backup>
<duration>4</duration></backup>
<note><pitch><step>G</step><octave>2</octave></pitch><duration>4</duration><staff>2</staff>
</note></measure></part>
</score-partwise>"""


def test_musicxml_gives_players_with_their_staves_and_ties_joined(tmp_path):
    (tmp_path / "song.musicxml").write_text(MUSICXML)
    voice, piano = read_musicxml(tmp_path / "song.musicxml").parts
    assert (voice.name, class_of(voice.program, is_drums=False)) == ("Voice", "voice")
    assert [note[:3] for note in voice.notes] == [(0.0, 1.0, 69), (1.0, 4.0, 71)]
    assert (piano.name, class_of(piano.program, is_drums=False)) == ("Piano", "piano")
    assert [note[:3] for note in piano.notes] == [(0.0, 2.0, 48), (0.0, 2.0, 72), (2.0, 4.0, 43)]


def test_a_bad_musicxml_file_is_named(tmp_path):
    (tmp_path / "song.musicxml").write_text(MUSICXML[:900])
    with pytest.raises(DataError, match=r"song\.musicxml cannot be read as MusicXML"):
        read_musicxml(tmp_path / "song.musicxml")


@pytest.mark.parametrize(("module", "name"), [("mido", "a.mid"), ("music21", "a.xml")])
def test_a_missing_library_is_named_with_its_installation(tmp_path, monkeypatch, module, name):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(
        DataError, match=rf"{module}, which is not installed: pip install 'tfsepgan\[render\]'"
    ):
        (read_midi if module == "mido" else read_musicxml)(tmp_path / name)


def test_scores_are_found_by_name_with_labels_of_their_own(tmp_path):
    for name in ("one/a.mid", "two/a.MID", "two/.hidden.mid", "note.txt", "b.mxl"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    found = find_scores({"set": tmp_path})
    assert [file.path.relative_to(tmp_path).as_posix() for file in found] == [
        "b.mxl",
        "one/a.mid",
        "two/a.MID",
    ]
    assert len({file.label for file in found}) == 3
    assert [file.piece for file in found] == ["set/b", "set/one", "set/two"]
    with pytest.raises(DataError, match="holds no scores"):
        find_scores({"none": tmp_path / "note.txt"})
    with pytest.raises(DataError, match="does not exist"):
        find_scores({"none": tmp_path / "nowhere"})
