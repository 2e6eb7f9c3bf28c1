"""The arrangement of a song: players, notes and styles, drawn from a seed."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from tfsepgan.rendering.arranging.accompaniment import bass, chords
from tfsepgan.rendering.arranging.drums import WALTZES, drums
from tfsepgan.rendering.arranging.line_ups import LINE_UPS, Leads, LineUp
from tfsepgan.rendering.arranging.piano import HANDS, PianoRole, Span, play
from tfsepgan.rendering.arranging.song import Song
from tfsepgan.rendering.instruments import CLASSES, InstrumentClass
from tfsepgan.rendering.score import Note, Part, fit, line, one_key_at_a_time, played
from tfsepgan.rendering.soundfonts import SoundFont

PIANO, SINGER = "piano", "singer"
_TIMING_SECONDS = {"drums": 0.005, "bass": 0.008}  # standard deviation of a player's timing
_OTHERS_SECONDS = 0.010
_SHORTEST_SECONDS = 0.03  # of a note after its timing is changed
_UNEVEN = 7.0  # standard deviation of velocities
_CENTRES = {"acoustic_guitar": 55, "electric_guitar": 57, "brass": 62, "harp": 64, "synth_lead": 67}
# how the piano plays over a song's phrases
_ROLES = {"whole": 0.40, "rests": 0.28, "late": 0.17, "early": 0.15}
_ONE_HAND = 0.16
# weight of a soundfont that holds only one class: sampled pianos are better than general soundfonts
_SPECIALISED = 3.0
_PIANOS, _USUAL_PIANO = (0, 1), 0.93  # the honky-tonk piano is rare


class Voice(NamedTuple):
    """One player of a band."""

    class_name: str
    """The instrument class, which names the stem."""
    role: str
    """'piano', 'drums', 'bass', 'chords', 'lead', 'bridge' or 'singer'."""
    style: str
    soundfont: str
    """Name of the soundfont, or of the singer."""
    program: int
    part: Part
    seed: tuple[int, ...]
    """For the random numbers of a singer."""


class Arrangement(NamedTuple):
    """All players of a song."""

    line_up: str
    voices: tuple[Voice, ...]
    piano: PianoRole


def arrange(
    song: Song,
    fonts: Sequence[SoundFont],
    singers: Sequence[str],
    rng: np.random.Generator,
    *,
    line_up: str | None = None,
) -> Arrangement:
    """Arrange a song for a band.

    Args:
      song: what is played.
      fonts: each class is played by a drawn soundfont that has it; soundfonts with only that class
        have three times the weight. Classes in no soundfont are left out.
      singers: names of the available singers.
      rng: draws everything.
      line_up: name of one of `LINE_UPS`; default: drawn.
    Returns: the same for the same arguments; its first voice is the piano.
    """
    band = _Band(song, {font.name: font for font in fonts}, singers, rng)
    weights = np.array([each.weight for each in LINE_UPS])
    drawn = LINE_UPS[int(rng.choice(len(LINE_UPS), p=weights / weights.sum()))]
    chosen = next((each for each in LINE_UPS if each.name == line_up), drawn)
    return band.gather(chosen)


class _Band:
    """Draws the players of a band with one generator."""

    def __init__(
        self,
        song: Song,
        fonts: Mapping[str, SoundFont],
        singers: Sequence[str],
        rng: np.random.Generator,
    ):
        self._song, self._fonts, self._singers, self._rng = song, fonts, singers, rng
        self._phrase_bars = int(rng.choice([4, 4, 8]))
        self._voices: list[Voice] = []

    def gather(self, line_up: LineUp) -> Arrangement:
        rng, song = self._rng, self._song
        role = self._piano_role(line_up)
        performed = play(song.piano, song.melody, role)
        if not performed.notes:  # that hand has no notes, or all of them are in rests
            role, performed = PianoRole(), song.piano
        programs = _PIANOS if rng.random() < _USUAL_PIANO else ()
        piano = {"programs": programs, "performed": performed}
        self._add(PIANO, PIANO, "performed", performed.notes, **piano)
        if line_up.drums.styles and rng.random() < line_up.drums.share:
            styles = list(WALTZES) if song.beats_in_bar == 3 else line_up.drums.styles
            style = str(rng.choice(styles))
            silent = frozenset([0]) if rng.random() < 0.2 else frozenset()
            strokes = drums(song, rng, style=style, phrase_bars=self._phrase_bars, silent=silent)
            self._add("drums", "drums", style, strokes)
        if line_up.bass.styles and rng.random() < line_up.bass.share:
            style = str(rng.choice(line_up.bass.styles))
            notes = bass(song, rng, style=style)
            self._add("bass", "bass", style, notes, programs=line_up.bass.programs)
        self._add_chords(line_up)
        self._add_leads(line_up.leads)
        return Arrangement(line_up.name, tuple(self._voices), role)

    def _add_chords(self, line_up: LineUp) -> None:
        rng = self._rng
        low, high = line_up.chord_players
        count = min(len(line_up.chords), int(rng.integers(low, high + 1)))
        for number in sorted(rng.permutation(len(line_up.chords))[:count]):
            name, styles, programs = line_up.chords[number]
            style = str(rng.choice(styles))
            notes = chords(self._song, rng, style=style, centre=_CENTRES.get(name, 60))
            self._add(name, "chords", style, notes, programs=programs)

    def _add_leads(self, leads: Leads) -> None:
        rng, song = self._rng, self._song
        melody, bridge = (line(part, lowest=False) for part in (song.melody, song.bridge))
        sung = bool(melody.notes) and rng.random() < leads.sung
        if sung and self._singers:
            name = str(rng.choice(sorted(self._singers)))
            self._voices.append(Voice("voice", SINGER, "sung", name, 0, melody, self._seed()))
        elif sung:
            self._add("voice", "lead", "sung", melody.notes)
        if leads.classes and rng.random() < leads.led * (1 / 3 if sung else 1):
            self._add(str(rng.choice(leads.classes)), "lead", "melody", melody.notes)
        if leads.classes and bridge.notes and rng.random() < leads.bridge:
            self._add(str(rng.choice(leads.classes)), "bridge", "bridge", bridge.notes)

    def _piano_role(self, line_up: LineUp) -> PianoRole:
        rng = self._rng
        phrases = self._phrases()
        kind = str(rng.choice(list(_ROLES), p=list(_ROLES.values())))
        rests: list[Span] = []
        if kind == "rests":
            rests = [phrase for phrase in phrases if rng.random() < 0.3][: len(phrases) // 2]
        elif kind == "late" and len(phrases) > 2:
            rests = [Span(0.0, phrases[int(rng.integers(1, 1 + len(phrases) // 2))].start)]
        elif kind == "early" and len(phrases) > 2:
            rests = [phrases[int(rng.integers(len(phrases) // 2, len(phrases)))]]
            rests = [Span(rests[0].start, phrases[-1].end)]
        hand, melody = HANDS[0], "no"
        if rng.random() < _ONE_HAND and line_up.name != "duo":
            hand = HANDS[int(rng.integers(1, 3))]
        if rng.random() < line_up.piano_melody:
            melody = str(rng.choice(["doubled", "octave"]))
        return PianoRole(hand, melody, tuple(rests))

    def _phrases(self) -> list[Span]:
        song = self._song
        bars = [song.time(first) for first, _ in song.bars()]
        # an excerpt has at least four
        starts = bars[:: max(2, min(self._phrase_bars, len(bars) // 4))]
        ends = [*starts[1:], song.seconds + 1]
        return [Span(start, end) for start, end in zip(starts, ends, strict=True)]

    def _add(
        self,
        name: str,
        role_name: str,
        style: str,
        notes: Sequence[Note],
        *,
        programs: Sequence[int] = (),
        performed: Part | None = None,
    ) -> None:
        """Add a player, if a soundfont has the instrument and there are notes.

        `performed` keeps its timing and pedals.
        """
        rng, kind = self._rng, CLASSES[name]
        able = self._able(kind, programs) or self._able(kind, kind.programs)
        if not able or not notes:
            return
        only = [self._fonts[font].plays_only(kind) for font in able]
        weights = np.where(only, _SPECIALISED, 1.0)
        font = str(rng.choice(list(able), p=weights / weights.sum()))
        program = int(rng.choice(able[font]))
        part = performed or self._played(notes, name)
        part = replace(part, program=program, is_drums=name == "drums", name=role_name)
        self._voices.append(Voice(name, role_name, style, font, program, part, self._seed()))

    def _able(self, kind: InstrumentClass, programs: Sequence[int]) -> dict[str, list[int]]:
        """Soundfonts that have some of these programs of a class, ordered by name."""
        found = {}
        for name, font in sorted(self._fonts.items()):
            found[name] = [program for program in font.programs(kind) if program in programs]
        return {name: has for name, has in found.items() if has}

    def _played(self, notes: Sequence[Note], name: str) -> Part:
        """Notes with a player's timing and dynamics, in the instrument's range."""
        rng, kind = self._rng, CLASSES[name]
        ordered = sorted(notes)
        late = _TIMING_SECONDS.get(name, _OTHERS_SECONDS) * rng.standard_normal(len(ordered))
        louder = _UNEVEN * rng.standard_normal(len(ordered)) + rng.uniform(-10, 10)
        found = [
            played(note, later=later, louder=more, shortest_seconds=_SHORTEST_SECONDS)
            for note, later, more in zip(ordered, late, louder, strict=True)
        ]
        if name != "drums":
            found = fit(found, kind.lowest, kind.highest)
        return Part(name=name, program=0, is_drums=name == "drums", notes=one_key_at_a_time(found))

    def _seed(self) -> tuple[int, ...]:
        return tuple(int(word) for word in self._rng.integers(0, 2**31, 2))
