"""Pictures of a run have the right size; a history with missing numbers is drawn."""

import numpy as np
import pytest

from tfsepgan.training.board import plot_curves, spectrograms

pytestmark = pytest.mark.usefixtures("drawn_pictures")


def test_spectrograms_are_an_rgba_picture():
    noise = 0.3 * np.random.default_rng(0).standard_normal((8000, 1)).astype(np.float32)
    picture = spectrograms({"mixture": noise, "silence": np.zeros((8000, 2), np.float32)}, 16000)
    assert picture.dtype == np.uint8
    assert picture.shape == (240, 480, 4)
    assert picture.std() > 0


def test_rows_with_missing_numbers_are_drawn(tmp_path):
    rows = [
        {"step": 1, "minutes": 0.1, "train/a": 1.0},
        {"step": 2, "minutes": 0.2, "train/a": 0.5, "val/b": 3.0},
    ]
    plot_curves(rows, tmp_path / "curves.png")
    assert (tmp_path / "curves.png").stat().st_size > 1000


def test_losses_that_are_off_are_not_drawn_and_numbers_have_units(tmp_path, monkeypatch):
    from matplotlib.figure import Figure

    drawn = []
    monkeypatch.setattr(Figure, "savefig", lambda figure, path, dpi: drawn.extend(figure.axes))
    row = {"step": 1, "minutes": 0.1, "train/off": 0.0, "train/paired": 0.5, "val/gain_db": 0.0}
    plot_curves([row, {**row, "val/gain_db": 3.0}], tmp_path / "curves.png")
    shown = {axes.get_title(): axes.get_ylabel() for axes in drawn if axes.get_visible()}
    assert shown == {"train/paired": "loss, no unit", "val/gain": "dB"}
    assert {axes.get_xlabel() for axes in drawn if axes.get_visible()} == {"training step"}


def test_an_empty_history_draws_nothing(tmp_path):
    plot_curves([], tmp_path / "curves.png")
    assert not (tmp_path / "curves.png").exists()
