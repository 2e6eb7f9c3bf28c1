"""The demo set: a few minutes of music inside the package, so that training needs no data of one's
own."""

from pathlib import Path

from tfsepgan.errors import DataError

SPLITS = ("train", "valid", "test")
DIRECTORY = Path(__file__).parents[1] / "demo"  # made by tools/recipes/make_demo_set.py


def demo_directory() -> Path:
    """Where the demo set lies on disk: `<split>/piano/*.ogg` and `<split>/rest/<instrument>/*.ogg`.

    Returns: the folder, in the native unpaired layout; 16 kHz mono Ogg Vorbis.
    Raises: DataError when a split has no audio, as in a package built without its data files.
    """
    missing = [split for split in SPLITS if not any((DIRECTORY / split).rglob("*.ogg"))]
    if missing:
        raise DataError(
            f"the demo set at {DIRECTORY} has no .ogg files for {', '.join(missing)}; it should"
            f" hold {', '.join(SPLITS)}. Install tfsepgan again, or run `python"
            " tools/recipes/make_demo_set.py --output tfsepgan/data/demo` in a checkout."
        )
    return DIRECTORY
