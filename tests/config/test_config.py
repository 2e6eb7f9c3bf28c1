"""Settings: flags win over the file and the file over the preset; wrong ones are refused."""

from dataclasses import FrozenInstanceError, dataclass, replace

import pytest
import yaml

from tfsepgan import systems
from tfsepgan.cli.settings import parse
from tfsepgan.cli.train import TrainOptions
from tfsepgan.config import (
    DataConfig,
    TrainingConfig,
    check,
    differences,
    flatten,
    from_dict,
    nearest,
    to_dict,
)
from tfsepgan.errors import ConfigError
from tfsepgan.models.saved import experiment_from
from tfsepgan.settings.networks import GeneratorConfig
from tfsepgan.settings.ssepgan import PRESETS, SSepGANConfig

ALL_PRESETS = [(system, name) for system in systems.SYSTEMS for name in systems.presets(system)]
# presets of a system have the same settings; parsing takes longer than the rest
PARSED = [one for one in ALL_PRESETS if one[0] == "ssepgan" or one[1] == "paper"]


def parsed(*arguments):
    return parse(list(arguments), TrainOptions, program="tfsepgan-train", about="About.")


def experiment(*arguments):
    return parsed(*arguments)[0]


@pytest.fixture
def file(tmp_path):
    def write(text) -> str:
        path = tmp_path / "settings.yaml"
        path.write_text(text if isinstance(text, str) else yaml.safe_dump(text))
        return str(path)

    return write


# Preset, file, flag.


def test_a_flag_wins_over_the_file_and_the_file_over_the_preset(file):
    path = file({"preset": "tiny", "batch": 3, "window": 2048, "learning_rate": 0.5})
    got = experiment("--config", path, "--window", "1024")
    assert (got.preset, got.data.window, got.data.batch, got.training.learning_rate) == (
        "tiny",
        1024,
        3,
        0.5,
    )
    assert got.data.sample_rate_hz == PRESETS["tiny"].data.sample_rate_hz


def test_the_flags_preset_wins_over_the_files(file):
    got = experiment("--config", file({"preset": "tiny", "batch": 3}), "--preset", "demo")
    assert got == replace(PRESETS["demo"], data=replace(PRESETS["demo"].data, batch=3))


def test_without_a_preset_a_run_ends_in_minutes():
    assert experiment() == PRESETS["piano"]
    for system in systems.SYSTEMS:
        assert experiment("--system", system).training.minutes <= 30


def test_options_of_the_command_are_parsed_beside_the_settings():
    got, options = parsed("--preset", "tiny", "--run", "here", "--no-finish")
    assert got == PRESETS["tiny"]
    assert options == TrainOptions(run="here", finish=False)


def test_values_of_every_kind_come_from_a_file(file):
    text = """
    preset: tiny
    data: null
    minutes: 2.5
    clip_norm: null
    tensorboard: false
    sources: [piano, bass]
    snr_db: [-1.0e-05, 3]
    learning_rate: 1e-3
    generator: {learnable: true, cutoff_hz: 4000, dilations: [1, 3]}
    discriminator.periods: [2, 3]
    """
    got = experiment("--config", file(text))
    assert (got.data.data, got.training.clip_norm, got.training.minutes) == (None, None, 2.5)
    assert (got.data.sources, got.data.snr_db) == (("piano", "bass"), (-1e-5, 3.0))
    assert (got.training.tensorboard, got.training.learning_rate) == (False, 1e-3)
    generator = got.model.generator
    assert (generator.learnable, generator.cutoff_hz, generator.dilations) == (True, 4000.0, (1, 3))
    assert got.model.discriminator.periods == (2, 3)


def test_a_file_can_reset_a_value_of_the_preset(file):
    got = experiment(
        "--preset", "piano", "--config", file("generator: {cutoff_hz: null}\nclip_norm: null\n")
    )
    assert got.model.generator.cutoff_hz is None
    assert got.training.clip_norm is None


@pytest.mark.parametrize(("system", "name"), PARSED)
def test_a_preset_survives_a_settings_file(system, name, file):
    preset = systems.preset(system, name)
    path = file(yaml.safe_dump(to_dict(preset), sort_keys=False))
    assert experiment("--config", path) == preset


@pytest.mark.parametrize(("system", "name"), ALL_PRESETS)
def test_every_preset_passes_the_check(system, name):
    check(systems.preset(system, name))


# Errors name the wrong setting.


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("windw: 3", "unknown setting 'windw'; did you mean 'window'?"),
        ("generator: {hopp: 3}", "unknown setting 'generator.hopp'; did you mean 'generator.hop'?"),
        ("generator: 5", "unknown setting 'generator'"),
        ("steps: {a: 1}", "unknown setting 'steps.a'; did you mean 'steps'?"),
        ("1: 2", "unknown setting '1'"),
        ("run: here", "unknown setting 'run'"),
        ("system: ssepgam", "no system 'ssepgam'; did you mean 'ssepgan'?"),
        ("system: 5", "has system: 5; wanted one name"),
        ("preset: tinny", "no preset 'tinny'; did you mean 'tiny'?"),
        ("- 1", "must hold `key: value` lines, not a list"),
        ("a: [", "is not YAML"),
    ],
)
def test_a_wrong_file_is_refused_with_the_nearest_name(text, words, file):
    with pytest.raises(ConfigError) as caught:
        experiment("--config", file(text))
    assert words in str(caught.value)


def test_an_empty_file_changes_nothing(file):
    assert experiment("--config", file("# nothing\n")) == PRESETS["piano"]  # the default


def test_a_missing_file_and_a_folder_are_refused(tmp_path):
    with pytest.raises(ConfigError, match=r"missing.yaml cannot be read: No such file"):
        experiment("--config", str(tmp_path / "missing.yaml"))
    with pytest.raises(ConfigError, match="cannot be read: Is a directory"):
        experiment("--config", str(tmp_path))


def test_a_binary_file_is_refused(tmp_path):
    (tmp_path / "settings.yaml").write_bytes(b"\xff\xfe\x00window: 3")
    with pytest.raises(ConfigError, match="is not YAML"):
        experiment("--config", str(tmp_path / "settings.yaml"))


def test_a_yaml_tag_creates_no_object(file):
    with pytest.raises(ConfigError, match="is not YAML"):
        experiment("--config", file("window: !!python/object/apply:os.getcwd []"))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--windw", "3"], "--window"),
        (["--law", "papper"], "'paper', 'snr'"),
        (["--steps", "1.5"], "--steps"),
        (["--snr-db", "3"], "--snr-db"),
        (["--preset"], "--preset"),
    ],
)
def test_a_wrong_flag_exits_with_code_2_and_names_the_right_one(arguments, words, capsys):
    with pytest.raises(SystemExit) as end:
        experiment(*arguments)
    assert end.value.code == 2
    assert words in capsys.readouterr().err


def test_a_wrong_value_in_a_file_is_refused_like_a_wrong_flag(file, capsys):
    with pytest.raises(SystemExit) as end:
        experiment("--config", file("steps: many"))
    assert end.value.code == 2
    assert "--steps" in capsys.readouterr().err


def test_settings_cannot_be_changed_or_given_by_position():
    with pytest.raises(FrozenInstanceError):
        DataConfig().window = 3
    for settings in (DataConfig, TrainingConfig, GeneratorConfig, SSepGANConfig):
        with pytest.raises(TypeError):
            settings("x")


# Names, dictionaries and differences.


def test_nearest_lists_few_names_and_not_many():
    assert (
        nearest("windw", ["window", "batch"]) == "did you mean 'window'? There is: batch, window."
    )
    assert nearest("zzz", ["window", "batch"]) == "there is: batch, window."
    assert nearest("name7", [f"name{n}" for n in range(40)]) == "did you mean 'name7'?"


def test_flatten_joins_names_with_dots():
    assert flatten({"a": {"b": {"c": 1}}, "d": [2]}) == {"a.b.c": 1, "d": [2]}


def test_from_dict_is_the_inverse_of_asdict_and_names_unknown_keys():
    config = SSepGANConfig(generator=GeneratorConfig(kind="filterbank", dilations=(1, 3)))
    values = to_dict(replace(PRESETS["tiny"], model=config))
    own = {key: values[key] for key in vars(config)}
    assert from_dict(SSepGANConfig, own) == config
    with pytest.raises(
        ConfigError, match="GeneratorConfig has no setting 'hopp'; did you mean 'hop'?"
    ):
        from_dict(SSepGANConfig, {"generator": {"hopp": 3}})


def test_differences_leave_out_settings_that_are_free_on_resume():
    tiny = PRESETS["tiny"]
    saved = to_dict(tiny)
    assert differences(tiny, saved) == []
    free = {
        "data": "elsewhere",
        "cache": "x",
        "reader": "memmap",
        "minutes": 3.0,
        "tensorboard": False,
    }
    assert differences(tiny, {**saved, **free}) == []
    other = {**saved, "window": 1, "generator": {**saved["generator"], "hop": 7}}
    assert differences(tiny, other) == [
        "window: the run has 1, you asked for 4096",
        "generator.hop: the run has 7, you asked for 64",
    ]


def test_a_setting_missing_in_an_older_run_has_its_default_there():
    saved = to_dict(PRESETS["tiny"])
    del saved["law"], saved["labelled"]
    assert differences(PRESETS["tiny"], {**saved, "gone": 1}) == [
        "law: the run has 'paper', you asked for 'snr'",
        "gone: the run has 1, you asked for None",
    ]


def test_an_earlier_name_of_a_setting_still_works_everywhere(file):
    flags = ["--system", "wavegan", "--preset", "tiny"]
    now = experiment(*flags, "--diversity-weight", "2")
    assert now.model.diversity_weight == 2.0
    assert experiment(*flags, "--likeness-weight", "2") == now
    assert experiment(*flags, "--config", file("likeness_weight: 2.0\n")) == now
    saved = to_dict(now)
    saved["likeness_weight"] = saved.pop("diversity_weight")
    assert experiment_from(saved) == now
    assert differences(now, saved) == []


def test_options_of_a_command_keep_their_names():
    @dataclass(frozen=True, kw_only=True)
    class Options:
        loud: bool = False

    _, options = parse(["--preset", "tiny", "--loud"], Options, program="x", about="About.")
    assert options.loud is True
