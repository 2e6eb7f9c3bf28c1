"""Checks refuse settings that no run can use, and name them."""

from dataclasses import replace

import pytest

from tfsepgan.config import check
from tfsepgan.errors import ConfigError
from tfsepgan.settings.ssepgan import PRESETS


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"window": 0}, "window is 0; it must be above zero"),
        ({"batch": -1}, "batch is -1; it must be above zero"),
        ({"sample_rate_hz": 0}, "sample_rate_hz is 0; it must be above zero"),
        (
            {"snr_db": (3.0, -3.0)},
            "snr_db is 3.0 to -3.0; two numbers are wanted, the lower one first",
        ),
        ({"snr_db": (float("nan"), 3.0)}, "snr_db is nan to 3.0"),
        ({"gain_db": (0.0, -1.0)}, "gain_db is 0.0 to -1.0"),
        ({"others": (0, 2)}, "at least one other recording"),
        ({"others": (3, 2)}, "others is 3 to 2"),
        ({"remix": 1.5}, "remix is 1.5; it must be in [0, 1]"),
        ({"songs": -0.1}, "songs is -0.1; it must be in [0, 1]"),
        ({"rests": 1.0}, "rests is 1.0; it must be at least 0 and below 1"),
        ({"variants": -1}, "variants is -1; it must be zero or more"),
        ({"seed": 2**32}, "seed is 4294967296; it must be below 4294967296"),
        ({"seed": -1}, "seed is -1; it must be zero or more"),
        ({"sources": ()}, "name each source"),
        ({"sources": ("piano", "piano")}, "name each source"),
        ({"steps": 0}, "steps is 0; it must be above zero"),
        ({"steps_per_epoch": 0}, "steps_per_epoch is 0"),
        ({"learning_rate": 0.0}, "learning_rate is 0.0"),
        ({"learning_rate": float("nan")}, "learning_rate is nan"),
        ({"discriminator_learning_rate": float("inf")}, "discriminator_learning_rate is inf"),
        ({"minutes": 0.0}, "minutes is 0.0; it must be above zero"),
        ({"clip_norm": -1.0}, "clip_norm is -1.0; it must be above zero"),
        ({"ema": 1.0}, "ema is 1.0; it must be in [0, 1)"),
        ({"betas": (0.5, 1.0)}, "betas is (0.5, 1.0); both must be in [0, 1)"),
        ({"warmup_steps": -1}, "warmup_steps is -1"),
        ({"validation_mixtures": -1}, "validation_mixtures is -1"),
        ({"validation_seconds": 0.0}, "validation_seconds is 0.0"),
        ({"sources": ("piano", "residual")}, "sources has 'residual'"),
    ],
)
def test_unusable_data_and_training_settings_are_refused(changes, words):
    base = PRESETS["tiny"]
    in_data = vars(base.data).keys() & changes.keys()
    section = "data" if in_data else "training"
    with pytest.raises(ConfigError) as caught:
        check(replace(base, **{section: replace(getattr(base, section), **changes)}))
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("part", "changes", "words"),
    [
        ("generator", {"frame": 100, "hop": 30}, "generator.frame is 100 and generator.hop 30"),
        ("generator", {"hop": 0}, "generator.hop is 0; it must be at least 1"),
        ("generator", {"channels": 0}, "generator.channels is 0"),
        ("generator", {"dilations": ()}, "generator.dilations is ()"),
        ("generator", {"synthesis_frame": 400}, "generator.synthesis_frame is 400"),
        ("generator", {"look_ahead_frames": -1}, "generator.look_ahead_frames is -1"),
        ("generator", {"look_ahead_frames": 0, "kind": "tfc_tdf"}, "only 'filterbank' has it"),
        ("generator", {"cutoff_hz": -1.0}, "generator.cutoff_hz is -1.0"),
        ("generator", {"dropout": 1.0}, "generator.dropout is 1.0; it must be in [0, 1)"),
        ("discriminator", {"window": 100}, "discriminator.window is 100"),
        ("discriminator", {"frames": (510,)}, "discriminator.frames is (510,)"),
        ("discriminator", {"periods": ()}, "discriminator.periods is ()"),
        ("discriminator", {"phase_shuffle": -1}, "discriminator.phase_shuffle is -1"),
        ("discriminator", {"projections": 0}, "discriminator.projections is 0"),
        ("discriminator", {"projection_stride": 0}, "discriminator.projection_stride is 0"),
        ("discriminator", {"projection_kernel": 8}, "discriminator.projection_kernel is 8 and"),
        (None, {"paired_weight": -1.0}, "paired_weight is -1.0"),
        (None, {"identity_share": 2.0}, "identity_share is 2.0"),
        (None, {"discriminator_steps": 0}, "discriminator_steps is 0"),
        (
            None,
            {"paired_weight": 0.0, "identity_weight": 0.0, "adversarial_weight": 0.0},
            "nothing to learn from",
        ),
    ],
)
def test_unusable_networks_and_weights_are_refused(part, changes, words):
    model = PRESETS["tiny"].model
    model = replace(
        model, **({part: replace(getattr(model, part), **changes)} if part else changes)
    )
    with pytest.raises(ConfigError) as caught:
        check(replace(PRESETS["tiny"], model=model))
    assert words in str(caught.value)


@pytest.mark.parametrize("name", ["residual", "mixture"])
def test_reserved_names_are_refused_as_sources(name):
    tiny = PRESETS["tiny"]
    with pytest.raises(ConfigError, match=name):
        check(replace(tiny, data=replace(tiny.data, sources=(name,))))
