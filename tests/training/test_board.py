"""Pictures of a run have the right size; a history with missing numbers is drawn."""

import numpy as np

from tfsepgan.training.board import plot_curves, spectrograms


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


def test_an_empty_history_draws_nothing(tmp_path):
    plot_curves([], tmp_path / "curves.png")
    assert not (tmp_path / "curves.png").exists()
