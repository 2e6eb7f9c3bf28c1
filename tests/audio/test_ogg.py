"""The stream number of an Ogg file: set everywhere, with checksums that decoders accept."""

import shutil

import numpy as np
import pytest
import soundfile

from tfsepgan.audio.encodings import StemFormat, open_encoder
from tfsepgan.audio.ogg import fix_serial, ogg_checksum

RATE_HZ = 22050


def bitwise_checksum(page: bytes) -> int:
    """The definition, a bit at a time."""
    remainder = 0
    for byte in page:
        remainder ^= byte << 24
        for _ in range(8):
            carry = remainder & 0x80000000
            remainder = (remainder << 1 ^ (0x04C11DB7 if carry else 0)) & 0xFFFFFFFF
    return remainder


def written(path, seconds=2.0, seed=0):
    samples = np.random.default_rng(seed).uniform(-0.3, 0.3, (round(seconds * RATE_HZ), 2))
    encoder = open_encoder(
        path, StemFormat(name="ogg"), rate_hz=RATE_HZ, channels=2, tags={"title": "Étude"}
    )
    encoder.write(samples.astype(np.float32))
    encoder.close()
    return path.read_bytes()


def pages(content: bytes) -> list[bytes]:
    found = []
    while content:
        lengths = content[27 : 27 + content[26]]
        size = 27 + len(lengths) + sum(lengths)
        found.append(content[:size])
        content = content[size:]
    return found


@pytest.mark.parametrize("size", [0, 1, 27, 255, 4000])
def test_the_checksum_is_that_of_the_definition(size):
    page = np.random.default_rng(size).integers(0, 256, size, np.uint8).tobytes()
    assert ogg_checksum(page) == bitwise_checksum(page)


def test_the_checksum_is_that_of_libsndfile(tmp_path):
    path = tmp_path / "a.ogg"
    soundfile.write(path, np.zeros((999, 1)), RATE_HZ, format="OGG", subtype="VORBIS")
    for page in pages(path.read_bytes()):
        empty = page[:22] + bytes(4) + page[26:]
        assert ogg_checksum(empty) == int.from_bytes(page[22:26], "little")


@pytest.mark.parametrize("seconds", [0.01, 2.0, 20.0])
def test_the_same_samples_give_the_same_bytes(seconds, tmp_path):
    first = written(tmp_path / "a.ogg", seconds)
    assert written(tmp_path / "b.ogg", seconds) == first
    numbers = {page[14:18] for page in pages(first)}
    assert len(numbers) == 1 and len(pages(first)) >= 3
    assert written(tmp_path / "c.ogg", seconds, seed=1)[14:18] not in numbers


def test_only_the_number_changes(tmp_path):
    path, before = tmp_path / "a.ogg", tmp_path / "before.ogg"
    samples = np.random.default_rng(0).uniform(-0.3, 0.3, 2 * RATE_HZ)
    soundfile.write(before, samples, RATE_HZ, format="OGG", subtype="VORBIS")
    shutil.copy(before, path)
    fix_serial(path, 0xFFFFFFFF)
    np.testing.assert_array_equal(soundfile.read(path)[0], soundfile.read(before)[0])
    for page, old in zip(pages(path.read_bytes()), pages(before.read_bytes()), strict=True):
        assert page[14:18] == b"\xff" * 4
        assert (page[:14], page[18:22], page[26:]) == (old[:14], old[18:22], old[26:])
        assert ogg_checksum(page[:22] + bytes(4) + page[26:]) == int.from_bytes(
            page[22:26], "little"
        )
