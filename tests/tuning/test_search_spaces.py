"""Search spaces: those of the systems fit their presets, and files can define others."""

import random
from dataclasses import replace

import pytest
import yaml

from tfsepgan import systems
from tfsepgan.cli.settings import parse
from tfsepgan.cli.tune import TuneOptions
from tfsepgan.config import check, flatten, to_dict
from tfsepgan.errors import ConfigError
from tfsepgan.settings.search import Around, Choice, Multiples, Range
from tfsepgan.tuning.space import resolve
from tfsepgan.tuning.space_file import read_spans
from tfsepgan.tuning.values import with_values

EVERY_PRESET = [(system, name) for system in systems.SYSTEMS for name in systems.presets(system)]
DEMO = systems.preset("ssepgan", "demo")


def ends(item):
    return item.span.values if isinstance(item.span, Choice) else (item.span.low, item.span.high)


@pytest.mark.parametrize(("system", "name"), EVERY_PRESET)
def test_the_space_of_a_system_fits_its_presets(system, name):
    start = systems.preset(system, name)
    space = resolve(systems.search_space(system), start, strict=False)
    flat = flatten(to_dict(start))
    for item in space.settings:
        assert item.name in flat
        if isinstance(item.span, Choice):
            assert flat[item.name] in item.span.values
        else:
            assert item.span.low <= flat[item.name] <= item.span.high
        for value in ends(item):
            changed = with_values(start, {item.name: value})
            check(changed)
            others = {
                key: other for key, other in flatten(to_dict(changed)).items() if other != flat[key]
            }
            assert others == ({} if value == flat[item.name] else {item.name: value})
    for seed in range(20):  # all settings together
        draw = random.Random(seed)
        check(with_values(start, {item.name: draw.choice(ends(item)) for item in space.settings}))
    plain = yaml.safe_load(yaml.safe_dump(space.plain(), sort_keys=False))
    assert resolve(read_spans(plain, {}, "x"), start, strict=True).settings == space.settings


@pytest.mark.parametrize("system", systems.SYSTEMS)
def test_a_preset_read_from_its_file_is_unchanged(system, tmp_path):
    start = systems.preset(system, "paper")
    space = resolve(systems.search_space(system), start, strict=False)
    experiment = with_values(start, {item.name: ends(item)[-1] for item in space.settings})
    (tmp_path / "preset.yaml").write_text(yaml.safe_dump(to_dict(experiment), sort_keys=False))
    parsed, _ = parse(
        ["--config", str(tmp_path / "preset.yaml")], TuneOptions, program="x", about=""
    )
    assert parsed == experiment


def test_ranges_hold_the_value_of_the_preset():
    spans = {
        "learning_rate": Around(factor=4),
        "generator.blocks": Around(factor=2),
        "generator.channels": Multiples(of=(0.5, 0.75)),
        "batch": Range(low=10, high=20),
        "objective": Choice(values=("lsgan", "vanilla")),
        "clip_norm": Choice(values=(None,)),
    }
    found = {item.name: item for item in resolve(spans, DEMO, strict=True).settings}
    assert found["learning_rate"].span == Range(low=2.5e-4, high=4e-3, log=True)
    assert (found["generator.blocks"].span, found["generator.blocks"].whole) == (
        Range(low=4, high=16, log=True),
        True,
    )
    assert found["generator.channels"].span.values == (128, 192, 256)
    assert found["batch"].span == Range(low=8, high=20)  # the preset has 8
    assert found["objective"].span.values == ("hinge", "lsgan", "vanilla")
    assert found["clip_norm"].span.values == (5.0, None)


def test_a_range_that_does_not_fit_is_left_out_or_refused_when_strict():
    off = replace(DEMO, model=replace(DEMO.model, adversarial_weight=0.0))
    spans = {"learning_rate": Around(factor=2), "adversarial_weight": Around(factor=2)}
    space = resolve(spans, off, strict=False)
    assert [item.name for item in space.settings] == ["learning_rate"]
    assert "a logarithmic range around it" in space.left_out["adversarial_weight"]
    with pytest.raises(ConfigError, match="adversarial_weight cannot be searched"):
        resolve(spans, off, strict=True)
    only = {
        "generator.frame": Multiples(of=(1, 2), when=("generator.kind", "filterbank")),
        "batch": Multiples(of=(1, 2)),
    }
    assert len(resolve(only, DEMO, strict=False).settings) == 2
    assert (
        "generator.frame"
        in resolve(only, systems.preset("ssepgan", "paper"), strict=False).left_out
    )


def test_a_file_defines_a_space():
    content = yaml.safe_load(
        "learning_rate: {low: 1e-4, high: 1e-2, log: true}\n"  # YAML reads 1e-4 as text
        "generator.dilations: [[1], [1, 2]]\n"
        "clip_norm: [null, 1e0]\n"
        "ema: default\n"
        "adversarial_weight: {around: 3}\n"
        "batch: {multiples: [0.5, 2]}\n"
    )
    spans = read_spans(content, systems.search_space("ssepgan"), "mine.yaml")
    assert spans == {
        "learning_rate": Range(low=1e-4, high=1e-2, log=True),
        "generator.dilations": Choice(values=((1,), (1, 2))),
        "clip_norm": Choice(values=(None, 1.0)),
        "ema": systems.search_space("ssepgan")["ema"],
        "adversarial_weight": Around(factor=3),
        "batch": Multiples(of=(0.5, 2)),
    }
    resolve(spans, DEMO, strict=True)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (
            "learning_rat: {around: 2}",
            "There is no setting 'learning_rat' to search; did you mean 'learning_rate'?",
        ),
        ("learning_rate: {around: 1}", "mine.yaml: learning_rate is {'around': 1}; wanted"),
        ("learning_rate: {lo: 1, high: 2}", "wanted {low: A, high: B"),
        ("learning_rate: {low: 2, high: 1}", "the lower end must be below the higher one"),
        ("learning_rate: {low: 0, high: 1, log: true}", "a logarithmic scale has no 0"),
        ("learning_rate: fast", "mine.yaml: learning_rate is 'fast'"),
        ("clip_norm: {low: 1, high: two}", "with numbers as ends"),
        ("batch: [4, 8.5]", "batch cannot be 8.5; it takes int"),
        (
            "objective: [hinge, wasserstein]",
            "objective cannot be 'wasserstein'; it takes one of 'vanilla'",
        ),
        ("generator: {channels: [1, 2]}", "wanted"),
        (
            "steps: [100, 200]",
            (
                "steps cannot be searched: it must be the same for all trials, so that they can be"
                " compared. Set it for all: --steps"
            ),
        ),
        ("snr_db: [[0, 0]]", "snr_db cannot be searched"),
        ("data: default", "data has no default range"),
        ("{}", "The search space is empty"),
    ],
)
def test_a_wrong_file_is_an_error_that_says_why(line, words):
    with pytest.raises(ConfigError) as caught:
        resolve(
            read_spans(yaml.safe_load(line), systems.search_space("ssepgan"), "mine.yaml"),
            DEMO,
            strict=True,
        )
    assert words in str(caught.value)
