"""Instruments without sample files: synthesizers, and pianos from models of struck strings."""

from instrument_kinds import Instrument
from struck_strings import Struck
from synthesised import Synth

OWN = "Apache-2.0 (made by synthesised.py)"


def _synth(name: str, program: int, made: Synth) -> Instrument:
    return Instrument(
        name=f"synth_{name}",
        title=f"Synth {name}",
        folder="",
        program=program,
        licence=OWN,
        made=made,
    )


SYNTHS = (
    _synth("bass", 38, Synth(corner=5.0, sweep=4.0, octave_below=0.5)),
    _synth("square_bass", 39, Synth(odd_only=True, corner=7.0, sweep=3.0)),
    _synth("wide_bass", 38, Synth(oscillators=3, spread_cents=9.0, corner=9.0, sweep=2.0)),
    _synth("square_lead", 80, Synth(odd_only=True, corner=20.0, attack_seconds=0.01)),
    _synth("saw_lead", 81, Synth(oscillators=2, spread_cents=8.0, corner=15.0, sweep=2.0)),
    _synth("super_lead", 81, Synth(oscillators=7, spread_cents=18.0, corner=25.0)),
    _synth(
        "warm_pad",
        89,
        Synth(
            oscillators=5, spread_cents=12.0, corner=4.0, attack_seconds=0.4, release_seconds=0.9
        ),
    ),
    _synth(
        "poly_pad",
        90,
        Synth(
            oscillators=5,
            spread_cents=15.0,
            corner=10.0,
            sweep=2.0,
            attack_seconds=0.08,
            release_seconds=0.6,
        ),
    ),
    _synth(
        "hollow_pad",
        91,
        Synth(
            oscillators=3,
            spread_cents=10.0,
            odd_only=True,
            corner=5.0,
            attack_seconds=0.3,
            release_seconds=0.8,
        ),
    ),
    _synth(
        "halo_pad",
        94,
        Synth(
            oscillators=7,
            spread_cents=20.0,
            corner=8.0,
            slope=1.0,
            attack_seconds=0.6,
            release_seconds=1.2,
        ),
    ),
    _synth(
        "strings",
        50,
        Synth(
            oscillators=7,
            spread_cents=14.0,
            corner=9.0,
            slope=1.0,
            attack_seconds=0.15,
            release_seconds=0.5,
        ),
    ),
    _synth(
        "strings_dark",
        51,
        Synth(
            oscillators=5,
            spread_cents=10.0,
            corner=5.0,
            slope=1.0,
            attack_seconds=0.25,
            release_seconds=0.6,
        ),
    ),
    _synth(
        "brass",
        62,
        Synth(oscillators=3, spread_cents=7.0, corner=7.0, sweep=2.5, attack_seconds=0.03),
    ),
    _synth(
        "brass_bright",
        62,
        Synth(oscillators=5, spread_cents=12.0, corner=14.0, sweep=1.5, attack_seconds=0.04),
    ),
)
# As many as sampled pianos for training, so that both kinds are equally likely.
STRUCK = tuple(
    Instrument(
        name=f"struck_{number:02d}",
        title=f"synthetic piano {number}",
        folder="",
        program=0,
        licence="Apache-2.0 (made by struck_strings.py)",
        made=Struck(number=number),
    )
    for number in range(20)
)
