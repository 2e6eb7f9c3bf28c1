"""Stems before the clip policy are the same in memory and in files."""

from functools import partial

import numpy as np
import pytest
import soundfile

from tfsepgan.audio import first_stems
from tfsepgan.audio.first_stems import FirstStems


@pytest.mark.parametrize("in_files", [True, False])
@pytest.mark.parametrize("held_bytes", [1 << 20, 6000])  # 6000: too many bytes after two pieces
def test_what_was_added_comes_back(in_files, held_bytes, tmp_path, monkeypatch):
    monkeypatch.setattr(first_stems, "HELD_BYTES", held_bytes)
    monkeypatch.setattr(first_stems, "BLOCK", 256)
    create = partial(
        soundfile.SoundFile, mode="w", samplerate=8000, channels=2, subtype="FLOAT", format="WAV"
    )
    paths = {name: tmp_path / f".{name}.part" for name in ("piano", "residual")}
    stems = FirstStems(paths, create, in_files=in_files)
    stems.open()
    assert all(path.exists() for path in paths.values())
    added = np.random.default_rng(0).normal(size=(2, 900, 2)).astype(np.float32)
    for start in range(0, 900, 300):
        for name, samples in zip(paths, added, strict=True):
            stems.add(name, samples[start : start + 300])
    stems.close()
    assert stems.in_files == (in_files or held_bytes == 6000)
    for name, samples in zip(paths, added, strict=True):
        blocks = list(stems.blocks(name))
        assert [len(block) for block in blocks] == [256, 256, 256, 132]
        np.testing.assert_array_equal(np.concatenate(blocks), samples)
