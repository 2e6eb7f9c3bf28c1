"""Draws the picture of the README: spectrograms of a mixture, its piano and its residual.

    python tools/docs/readme_picture.py [--model piano] [--output docs/separation.png]
        [--clips docs/audio]

The mixture is a packaged piano and a packaged violin of the `test` split, at equal loudness. With
`--clips` the mixture, the stems and the true piano are also saved as MP3 files, to listen to.
"""

import argparse
import io
from pathlib import Path

import numpy as np
import soundfile
from PIL import Image

import tfsepgan
from tfsepgan.audio.decoding import decode
from tfsepgan.data.recordings.demo import demo_directory
from tfsepgan.evaluation.plots import draw_signals
from tfsepgan.files import write_whole

SOLOS = ("piano/02-waltz.ogg", "rest/violin/01-lively.ogg")
SECONDS = 10.0
WIDTH, COLOURS = 800, 32  # of the picture: as wide as GitHub shows it, and small


def demo_solos(sample_rate_hz: int) -> list[np.ndarray]:
    """The solos, each with an RMS of 0.1; `[time]`."""
    count = round(SECONDS * sample_rate_hz)
    solos = [decode(demo_directory() / "test" / name, sample_rate_hz)[:count, 0] for name in SOLOS]
    return [(0.1 * solo / np.sqrt(np.mean(solo**2))).astype(np.float32) for solo in solos]


def save_clips(signals: dict[str, np.ndarray], sample_rate_hz: int, folder: Path) -> None:
    """Save each signal as NAME.mp3."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, samples in signals.items():
        soundfile.write(folder / f"{name}.mp3", samples, sample_rate_hz)


def main() -> None:
    """Separate the mixture and draw it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", default="piano", help="name or path of a model")
    parser.add_argument("--output", type=Path, default=Path("docs/separation.png"))
    parser.add_argument("--clips", type=Path, help="folder for MP3 files of the same signals")
    options = parser.parse_args()
    separator = tfsepgan.load(options.model)
    rate = 16000  # of the packaged recordings
    piano, violin = demo_solos(rate)
    mixture = piano + violin
    stems = separator.separate(mixture, rate)
    title = f"{', '.join(separator.sources)} of a mixture with a violin"
    draw_signals({"mixture": mixture, **stems}, rate, options.output, title=title)
    if options.clips:
        save_clips({"mixture": mixture, **stems, "true_piano": piano}, rate, options.clips)
    with Image.open(options.output) as drawn:
        small = drawn.convert("RGB").resize((WIDTH, round(WIDTH * drawn.height / drawn.width)))
    png = io.BytesIO()
    small.quantize(COLOURS, dither=Image.Dither.NONE).save(png, "PNG", optimize=True)
    write_whole(options.output, lambda file: file.write(png.getvalue()))
    print(f"{options.output}: {len(png.getvalue()) / 1000:.0f} kB")


if __name__ == "__main__":
    main()
