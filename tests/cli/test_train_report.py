"""What `tfsepgan-train` prints of a run, without training one."""

from types import SimpleNamespace

import pytest
from rich.console import Console

from tfsepgan import systems
from tfsepgan.cli.train_report import show_kept, show_next, show_settings


@pytest.fixture
def console():
    return Console(width=200, record=True, quiet=False, soft_wrap=True)


def run_of(kind: str, data: str = "my data"):
    return SimpleNamespace(
        system=SimpleNamespace(kind=kind),
        validator=SimpleNamespace(score_name="dB SI-SDR improvement on the valid split"),
        experiment=SimpleNamespace(data=SimpleNamespace(data=data)),
    )


@pytest.mark.parametrize("system", systems.SYSTEMS)
def test_about_ten_settings_are_printed(system, console, tmp_path):
    show_settings(systems.preset(system, "demo"), tmp_path, console)
    lines = console.export_text().splitlines()
    assert 9 <= len(lines) <= 12
    assert lines[-1] == f"All settings: {tmp_path / 'settings.yaml'}"
    assert any(line.startswith("  learning rate") for line in lines)


@pytest.mark.parametrize(
    ("kind", "score", "warned"),
    [
        ("generator", -1.5, True),
        ("search", -0.01, True),
        ("generator", 0.3, False),
        ("generator", None, False),
        ("synthesis", -4.0, False),  # minus a distance
    ],
)
def test_a_model_that_is_worse_than_the_mixture_gets_a_warning(kind, score, warned, console):
    show_kept({"step": 40, "score": score}, run_of(kind), console)
    text = console.export_text()
    assert text.startswith("Model kept: that of step 40")
    assert ("Warning: this model is worse than no separation" in text) == warned
    if score == -1.5:
        assert "1.50 dB below that of the mixture" in text


@pytest.mark.parametrize(
    ("kind", "commands"),
    [
        ("generator", ["separate", "evaluate", "export"]),
        ("search", ["separate", "evaluate"]),
        ("synthesis", ["generate", "export"]),
    ],
)
def test_the_end_names_the_commands_that_take_the_run(kind, commands, console, tmp_path):
    directory = tmp_path / "my run"
    (directory / "separated").mkdir(parents=True)
    show_next(directory, run_of(kind), console)
    lines = console.export_text().splitlines()
    named = [line.split()[0] for line in lines if line.startswith("  tfsepgan")]
    assert named == [f"tfsepgan-{name}" for name in commands]
    assert all(f"'{directory}'" in line for line in lines if line.startswith("  tfsepgan"))
    assert any(line.startswith("Listen: ") for line in lines) == (kind != "synthesis")
    if kind == "generator":
        assert "--data 'my data'" in "".join(lines)
