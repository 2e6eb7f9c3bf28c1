"""Draws the picture of the README: spectrograms of a mixture, its piano and its residual.

    python tools/docs/readme_picture.py [--model piano] [--output docs/separation.png]

The mixture is a packaged piano and a packaged violin of the `test` split, at equal loudness.
"""

import argparse
import io
from pathlib import Path

import numpy as np
from PIL import Image

import tfsepgan
from tfsepgan.audio.decoding import decode
from tfsepgan.data.recordings.demo import demo_directory
from tfsepgan.evaluation.plots import draw_signals
from tfsepgan.files import write_whole

SOLOS = ("piano/02-waltz.ogg", "rest/violin/01-lively.ogg")
SECONDS = 10.0
WIDTH, COLOURS = 800, 32  # of the picture: as wide as GitHub shows it, and small


def demo_mixture(sample_rate_hz: int) -> np.ndarray:
    """The sum of the solos, each with an RMS of 0.1; `[time]`."""
    count = round(SECONDS * sample_rate_hz)
    solos = [decode(demo_directory() / "test" / name, sample_rate_hz)[:count, 0] for name in SOLOS]
    return sum(0.1 * solo / np.sqrt(np.mean(solo**2)) for solo in solos).astype(np.float32)


def main() -> None:
    """Separate the mixture and draw it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", default="piano", help="name or path of a model")
    parser.add_argument("--output", type=Path, default=Path("docs/separation.png"))
    options = parser.parse_args()
    separator = tfsepgan.load(options.model)
    rate = 16000  # of the packaged recordings
    mixture = demo_mixture(rate)
    stems = separator.separate(mixture, rate)
    title = f"{', '.join(separator.sources)} of a mixture with a violin"
    draw_signals({"mixture": mixture, **stems}, rate, options.output, title=title)
    with Image.open(options.output) as drawn:
        small = drawn.convert("RGB").resize((WIDTH, round(WIDTH * drawn.height / drawn.width)))
    png = io.BytesIO()
    small.quantize(COLOURS, dither=Image.Dither.NONE).save(png, "PNG", optimize=True)
    write_whole(options.output, lambda file: file.write(png.getvalue()))
    print(f"{options.output}: {len(png.getvalue()) / 1000:.0f} kB")


if __name__ == "__main__":
    main()
