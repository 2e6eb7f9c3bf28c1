"""The scores of the demo set: which piece each file holds, and its notes as MIDI."""

from dataclasses import dataclass
from pathlib import Path

import demo_band
import demo_music as music
import demo_piano
import mido
import numpy as np

TICKS_PER_BEAT = 480
SECONDS = {
    ("train", "piano"): 26,
    ("train", "rest"): 21.5,
    ("valid", "piano"): 21.5,
    ("valid", "rest"): 21.5,
}
SECONDS |= {("test", "piano"): 23, ("test", "rest"): 21.5}
# (style, General MIDI program); 0 and 1 are two sampled grands, 3 an old upright
PIANO = {
    "train": (
        ("alberti", 0),
        ("blocks", 1),
        ("waltz", 0),
        ("nocturne", 0),
        ("rag", 1),
        ("ballad", 1),
        ("boogie", 0),
        ("chorale", 0),
        ("invention", 1),
        ("toccata", 0),
        ("bach", 1),
        ("alberti", 1),
        ("nocturne", 1),
        ("rag", 3),
    ),
    "valid": (("alberti", 0), ("ballad", 1), ("invention", 0)),
    "test": (("nocturne", 0), ("waltz", 1), ("rag", 0), ("blocks", 1)),
}
# instrument: (style, program, low, high)
REST = {
    "train": {
        "violin": (("slow", 40, 57, 88), ("lively", 40, 57, 90), ("short", 40, 60, 92)),
        "cello": (("slow", 42, 38, 67), ("lively", 42, 38, 69)),
        "strings": (("pad", 48, 43, 81), ("pad", 49, 48, 84)),
        "flute": (("slow", 73, 62, 91), ("lively", 73, 62, 93)),
        "clarinet": (("slow", 71, 52, 82), ("lively", 71, 55, 84)),
        "trumpet": (("slow", 56, 57, 80), ("short", 56, 57, 82)),
        "saxophone": (("lively", 65, 52, 78), ("slow", 66, 46, 72)),
        "guitar": (("pick", 24, 0, 0), ("strum", 25, 0, 0), ("pick", 27, 0, 0)),
        "bass": (("walk", 32, 0, 0), ("rock", 33, 0, 0)),
        "drums": (("rock", 0, 0, 0), ("funk", 0, 0, 0), ("march", 25, 0, 0)),
        "choir": (("pad", 52, 48, 79),),
        "organ": (("pad", 19, 43, 84),),
    },
    "valid": {
        "cello": (("slow", 42, 40, 69),),
        "clarinet": (("lively", 71, 52, 82),),
        "saxophone": (("slow", 65, 52, 78),),
        "drums": (("disco", 0, 0, 0),),
    },
    "test": {
        "violin": (("lively", 40, 57, 90),),
        "flute": (("slow", 73, 62, 91),),
        "trumpet": (("lively", 56, 57, 81),),
        "guitar": (("pick", 25, 0, 0),),
        "bass": (("walk", 33, 0, 0),),
        "drums": (("bossa", 0, 0, 0),),
        "choir": (("pad", 52, 50, 81),),
    },
}
TEMPOS_BPM = {
    "slow": (60, 84),
    "lively": (96, 138),
    "short": (96, 132),
    "pad": (60, 92),
    "nocturne": (60, 84),
}
TEMPOS_BPM |= {"chorale": (66, 88), "bach": (66, 76), "toccata": (80, 112), "waltz": (108, 160)}
TRIPLE = ("waltz",)  # always three beats; other styles draw from METRES
METRES = {
    "slow": (3, 4),
    "lively": (3, 4),
    "nocturne": (3, 4),
    "alberti": (3, 4),
    "pad": (3, 4),
    "pick": (3, 4),
}
PLAYERS = {
    "piano": demo_piano.piano,
    "guitar": demo_band.guitar,
    "bass": demo_band.bass,
    "drums": demo_band.drums,
}
PEDALLED = ("nocturne", "ballad", "bach", "waltz")


@dataclass(frozen=True, kw_only=True)
class Score:
    """One file: its path, and everything that determines its sound."""

    path: Path  # below the output folder
    split: str
    instrument: str
    style: str
    program: int
    low: int
    high: int
    seconds: float


def scores() -> list[Score]:
    """Every file of the demo set, in order."""
    plan = []
    for split, pieces in PIANO.items():
        for number, (style, program) in enumerate(pieces, 1):
            path = Path(split, "piano", f"{number:02d}-{style}.ogg")
            fields = {
                "path": path,
                "split": split,
                "instrument": "piano",
                "style": style,
                "program": program,
            }
            plan.append(Score(**fields, low=0, high=0, seconds=SECONDS[split, "piano"]))
    for split, instruments in REST.items():
        for instrument, pieces in instruments.items():
            for number, (style, program, low, high) in enumerate(pieces, 1):
                path = Path(split, "rest", instrument, f"{number:02d}-{style}.ogg")
                fields = {"path": path, "split": split, "instrument": instrument, "style": style}
                plan.append(
                    Score(
                        **fields,
                        program=program,
                        low=low,
                        high=high,
                        seconds=SECONDS[split, "rest"],
                    )
                )
    return plan


def compose(score: Score, rng: np.random.Generator) -> tuple[music.Song, list[music.Note]]:
    """Draw a song for the score and write its notes."""
    low_bpm, high_bpm = TEMPOS_BPM.get(score.style, (84, 132))
    beats = 3 if score.style in TRIPLE else int(rng.choice(METRES.get(score.style, (4,))))
    tempo_bpm = float(rng.uniform(low_bpm, high_bpm))
    song = music.make_song(
        score.split, rng, seconds=score.seconds, beats=beats, tempo_bpm=tempo_bpm
    )
    if score.instrument in PLAYERS:
        return song, PLAYERS[score.instrument](song, rng, style=score.style)
    velocity = int(rng.integers(70, 105))
    span = {"low": score.low, "high": score.high, "velocity": velocity}
    if score.style == "pad":
        return song, music.chords_held(song, rng, **span)
    legato = 0.45 if score.style == "short" else float(rng.uniform(0.85, 1.0))
    return song, music.melody(song, rng, legato=legato, **span)


def to_midi(
    score: Score, song: music.Song, notes: list[music.Note], rng: np.random.Generator
) -> mido.MidiFile:
    """Play the notes like a person: slightly off the beat, with swell, vibrato and pedal."""
    channel = 9 if score.instrument == "drums" else 0
    events = [(0, mido.Message("program_change", program=score.program, channel=channel))]
    for note in notes:
        start = max(0.0, note.start + rng.normal(0, 0.008) * song.tempo_bpm / 60)
        velocity = int(np.clip(note.velocity + rng.normal(0, 4), 25, 122))
        on = {"note": note.pitch, "channel": channel}
        events.append((start, mido.Message("note_on", velocity=velocity, **on)))
        events.append((start + note.length, mido.Message("note_off", **on)))
    end = song.beats * len(song.chords)
    if score.style in PEDALLED and score.instrument == "piano":
        for bar in range(len(song.chords)):
            events.append(
                (bar * song.beats + 0.06, mido.Message("control_change", control=64, value=127))
            )
            events.append(
                ((bar + 1) * song.beats - 0.04, mido.Message("control_change", control=64, value=0))
            )
    if score.high:
        events.append(
            (0, mido.Message("control_change", control=1, value=int(rng.integers(0, 50))))
        )
        phrase = 4 * song.beats
        for beat in np.arange(0, end, 0.5):
            value = int(92 + 34 * np.sin(np.pi * (beat % phrase) / phrase))
            events.append((beat, mido.Message("control_change", control=11, value=value)))
    track = mido.MidiTrack([mido.MetaMessage("set_tempo", tempo=mido.bpm2tempo(song.tempo_bpm))])
    now = 0
    for beat, message in sorted(events, key=lambda event: (event[0], event[1].type == "note_on")):
        tick = round(beat * TICKS_PER_BEAT)
        track.append(message.copy(time=tick - now))
        now = tick
    return mido.MidiFile(ticks_per_beat=TICKS_PER_BEAT, tracks=[track])
