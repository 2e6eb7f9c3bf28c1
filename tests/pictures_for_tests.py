"""Pictures as files of one pixel: to draw those of an evaluation takes longer than to train here.

The figures are made as ever, but not drawn. Tests of pictures ask for `drawn_pictures`, and
`trained_run` has drawn ones too.
"""

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from matplotlib.backend_bases import FigureCanvasBase

DRAW = FigureCanvasBase.print_figure
PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg=="
)


def write_pixel(canvas, file, *, format=None, **options):
    if format == "rgba":  # TensorBoard reads it back
        return DRAW(canvas, file, format=format, **options)
    return file.write(PIXEL) if hasattr(file, "write") else Path(file).write_bytes(PIXEL)


@contextmanager
def _print_figure(function) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(FigureCanvasBase, "print_figure", function)
        yield


def undrawn():
    """Write a pixel in place of each picture."""
    return _print_figure(write_pixel)


def drawn():
    """Draw pictures, as the package does."""
    return _print_figure(DRAW)
