"""The stream number of an Ogg file: fixed, because libsndfile takes it from the clock."""

from pathlib import Path


def ogg_checksum(page: bytes) -> int:
    """The CRC of an Ogg page: polynomial 0x04c11db7, not reflected, from zero."""
    remainder = 0
    for byte in page:
        remainder = (remainder << 8 & 0xFFFFFFFF) ^ OGG_TABLE[remainder >> 24 ^ byte]
    return remainder


def _ogg_table_entry(value: int) -> int:
    value <<= 24
    for _ in range(8):
        value = value << 1 ^ 0x04C11DB7 if value & 0x80000000 else value << 1
    return value & 0xFFFFFFFF


OGG_TABLE = tuple(_ogg_table_entry(value) for value in range(256))


def fix_serial(path: Path, serial: int) -> None:
    """Set the stream number of an Ogg file, which libsndfile takes from the clock."""
    data = bytearray(path.read_bytes())
    at = 0
    while at < len(data):
        segments = data[at + 26]
        size = 27 + segments + sum(data[at + 27 : at + 27 + segments])
        data[at + 14 : at + 18] = serial.to_bytes(4, "little")
        data[at + 22 : at + 26] = bytes(4)
        data[at + 22 : at + 26] = ogg_checksum(bytes(data[at : at + size])).to_bytes(4, "little")
        at += size
    path.write_bytes(data)
