"""Performances: tempo, transposition, loudness and timing of a part, drawn from a seed."""

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from tfsepgan.rendering.instruments import CLASSES
from tfsepgan.rendering.score import Part, fit, fold, in_time, one_key_at_a_time, played

_SHORTEST_SECONDS = 0.02  # of a note after its timing is changed


class Performance(NamedTuple):
    """One way of playing; the parts of a song share tempo and transposition."""

    tempo: float
    """Relative to the score."""
    semitones: int
    velocity: float
    """Added to every note's."""
    velocity_spread: float
    """Standard deviation over notes."""
    timing_seconds: float
    """Standard deviation over notes."""
    seed: tuple[int, ...]


def perform(part: Part, performance: Performance, class_name: str) -> Part:
    """Play a part on an instrument of a class.

    Args:
      part: with times in the score's seconds.
      performance: equal performances give equal notes.
      class_name: notes outside its range are shifted by octaves.
    Returns: the part with its new times, pitches and velocities. Its notes are ordered by start,
      and notes of one pitch do not overlap.
    """
    kind = CLASSES[class_name]
    rng = np.random.default_rng(performance.seed)
    count = len(part.notes)
    loudness = performance.velocity + performance.velocity_spread * rng.standard_normal(count)
    lateness = performance.timing_seconds * rng.standard_normal(count)
    part = in_time(part, lambda time: time / performance.tempo)
    notes = part.notes if part.is_drums else fit(part.notes, kind.lowest, kind.highest)
    found = []
    for note, louder, later in zip(notes, loudness, lateness, strict=True):
        note = played(note, later=later, louder=louder, shortest_seconds=_SHORTEST_SECONDS)
        if not part.is_drums:
            pitch = fold(note.pitch + performance.semitones, kind.lowest, kind.highest)
            note = note._replace(pitch=pitch)
        found.append(note)
    return replace(part, notes=one_key_at_a_time(found))
