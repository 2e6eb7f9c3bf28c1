"""The demo set: a few minutes of music in the package, so that training needs no data."""

from pathlib import Path

from tfsepgan.data.layouts.source_file import SPLITS
from tfsepgan.errors import DataError

DIRECTORY = Path(__file__).parents[1] / "demo"  # made by tools/recipes/make_demo_set.py


def demo_directory() -> Path:
    """The folder of the demo set: `<split>/piano/*.ogg` and `<split>/rest/<instrument>/*.ogg`.

    Returns: the folder, in the plain unpaired layout; 16 kHz mono Ogg Vorbis.
    Raises: DataError when a split has no audio, for example in a package built without its data
      files.
    """
    missing = [split for split in SPLITS if not any((DIRECTORY / split).rglob("*.ogg"))]
    if missing:
        raise DataError(
            f"The demo set at {DIRECTORY} has no .ogg files for {', '.join(missing)}; it should"
            f" hold {', '.join(SPLITS)}. Install tfsepgan again, or run `python"
            " tools/recipes/make_demo_set.py --output tfsepgan/data/demo` in a checkout."
        )
    return DIRECTORY
