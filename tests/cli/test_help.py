"""`--help` fits two screens and describes what it shows; `--help-all` shows every setting."""

import pytest

from tfsepgan import systems
from tfsepgan.cli import data, evaluate, export, generate, live, refine, separate, train, tune, web
from tfsepgan.cli.flags import descriptions
from tfsepgan.config import flatten, to_dict

LINES, COLUMNS = 100, 100
DATA = ("demo", "check", "render", "songs", "preview", "pack", "serve")
HELPS = [
    *((name,) for name in ("separate", "evaluate", "export", "generate", "refine", "data")),
    *(("web",), ("live",)),
    *(("data", name) for name in DATA),
    *(("refine", name) for name in ("average", "soften", "narrow", "compare")),
    *(("train", "--system", name) for name in systems.SYSTEMS),
    ("tune",),
    ("tune", "--system", "cyclegan"),
]
OPTIONS = [
    *(separate.SeparateOptions, evaluate.EvaluateOptions, export.ExportOptions),
    *(generate.GenerateOptions, train.TrainOptions, tune.TuneOptions),
    *(
        refine.Average,
        refine.Soften,
        refine.Narrow,
        refine.Compare,
        web.WebOptions,
        live.LiveOptions,
    ),
    *(data.Demo, data.Check, data.Render, data.Songs, data.Pack, data.Serve),
]


@pytest.fixture(autouse=True)
def terminal(monkeypatch):
    monkeypatch.setenv("COLUMNS", str(COLUMNS))


@pytest.mark.parametrize("arguments", HELPS, ids=" ".join)
def test_the_help_fits_two_screens(arguments, run):
    result = run(*arguments, "--help")
    assert result.code == 0
    lines = result.out.splitlines()
    assert len(lines) <= LINES
    assert max(map(len, lines)) <= COLUMNS


@pytest.mark.parametrize("system", systems.SYSTEMS)
def test_the_help_of_all_settings_has_every_setting_of_the_preset(system, run):
    result = run("train", "--system", system, "--help-all")
    assert result.code == 0
    for name in flatten(to_dict(systems.preset(system, "paper"))):
        if name not in ("system", "preset"):
            head, dot, tail = name.replace("_", "-").rpartition(".")
            assert f"--{head}{dot}{tail} " in result.out or f"--{head}{dot}no-{tail}" in result.out
    assert len(result.out.splitlines()) > LINES


@pytest.mark.parametrize("system", systems.SYSTEMS)
def test_every_setting_of_a_run_is_described(system):
    preset = systems.preset(system, "paper")
    sections = [preset.data, preset.training, preset.model]
    for section in sections:
        texts = descriptions(type(section))
        for name, value in vars(section).items():
            if hasattr(value, "__dataclass_fields__"):
                sections.append(value)
            else:
                assert texts.get(name), f"{type(section).__name__}.{name} has no docstring"


@pytest.mark.parametrize("options", OPTIONS, ids=lambda kind: kind.__name__)
def test_every_option_is_described_on_one_line(options):
    texts = descriptions(options)
    assert set(texts) >= set(options.__dataclass_fields__) - {"TOPICS"}
    assert not any("\n" in text for text in texts.values())


@pytest.mark.parametrize("options", OPTIONS, ids=lambda kind: kind.__name__)
def test_topics_name_settings_that_exist(options):
    for names in getattr(options, "TOPICS", {}).values():
        assert set(names) <= set(options.__dataclass_fields__)


def test_a_sentence_of_several_lines_is_wrapped_at_the_width_of_the_terminal(run):
    words = " ".join(run("train", "--help").out.replace("│", " ").split())
    assert "or a public dataset as it is distributed. Or a folder of shards" in words
    assert "a public dataset as it is distributed." in run("train", "--help").out


def test_settings_that_the_help_hides_are_read(run):
    hidden = ("--parallel", "2", "--no-skip-existing", "--no-json")
    result = run("separate", "missing.wav", *hidden)
    assert result.code == 1
    assert "missing.wav does not exist" in result.error
