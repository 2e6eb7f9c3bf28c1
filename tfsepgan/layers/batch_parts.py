"""A batch that is computed in parts: which rows a part holds, and their random numbers.

Part `index` of `count` holds the rows `index`, `index + count`, `index + 2 count` and so on. So the
first rows of a batch are spread over all parts, and a share of the batch is the same share of each
part. Random numbers for rows are drawn for the whole batch, and each part takes its own: the
result does not depend on the number of parts.
"""

import contextlib
import contextvars
from collections.abc import Callable, Iterator
from typing import Any

from keras import ops

_here = contextvars.ContextVar("part_of_batch", default=(0, 1))


@contextlib.contextmanager
def part_of_batch(index: Any, count: int) -> Iterator[None]:
    """Within this context, networks and losses get one part of a batch.

    Contexts can be nested: a part of a part.

    Args:
      index: of the part, an integer or an integer tensor.
      count: number of parts.
    """
    outer_index, outer_count = _here.get()
    token = _here.set((outer_index + outer_count * index, outer_count * count))
    try:
        yield
    finally:
        _here.reset(token)


def part_of(rows, index: int, count: int):
    """Part `index` of `count` of a tensor `[batch, ...]`."""
    return rows[index::count]


def joined(parts):
    """The tensor `[batch, ...]` whose parts these are, in order."""
    if len(parts) == 1:
        return parts[0]
    stacked = ops.stack(parts, axis=1)
    return ops.reshape(stacked, (-1, *parts[0].shape[1:]))


def drawn_by_row(draw: Callable[[Any], Any], rows):
    """Random numbers for the rows of the part that is computed here.

    Args:
      draw: gives random numbers for a number of rows, `[rows, ...]`.
      rows: of this part.
    """
    index, count = _here.get()
    if count == 1:
        return draw(rows)
    drawn = draw(rows * count)
    by_part = ops.reshape(drawn, (rows, count, *drawn.shape[1:]))
    return ops.take(by_part, index, axis=1)
