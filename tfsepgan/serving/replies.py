"""Checks of a reply: it is complete, of the right shape, finite, and belongs to the mixture.

The stems of a block sum to the block, so the residual shows whether a reply belongs to it. A reply
that was truncated, altered or exchanged fails this check. It is requested again and never reaches a
file.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from tfsepgan.serving.retry import BadReply

RESIDUAL = "residual"
ROUNDING = 1e-5  # of peak: a hundred times the rounding of a sum of a few float32 numbers


def checked_stems(
    mixture: np.ndarray, reply: Mapping[str, np.ndarray], sources: Sequence[str]
) -> np.ndarray:
    """The estimates in a reply, `[batch, sources, time, 1]` float32.

    Args:
      mixture: `[batch, time, 1]` float32, as it was sent.
      reply: the received arrays by name.
      sources: names of the wanted estimates, in order.
    Raises: Refused when the reply does not belong to the mixture, or is incomplete.
    """
    stems = []
    for name in (*sources, RESIDUAL):
        stem = reply.get(name)
        if stem is None:
            raise BadReply(
                f"the reply lacks {name!r}; it has {', '.join(sorted(reply)) or 'nothing'}"
            )
        if stem.shape != mixture.shape or stem.dtype != np.float32:
            raise BadReply(
                f"{name!r} has type and shape {stem.dtype} {stem.shape}; wanted float32"
                f" {mixture.shape}, as in the request"
            )
        if not np.isfinite(stem).all():
            raise BadReply(f"{name!r} holds values that are not finite")
        stems.append(stem)
    peak = max(1e-3, *(float(np.abs(one).max()) for one in (mixture, *stems)))
    difference = float(np.abs(sum(stems[1:], start=stems[0]) - mixture).max())
    if difference > ROUNDING * peak:
        raise BadReply(
            f"the sum of the stems differs from the mixture by {difference:.1e}: they belong to"
            " another mixture"
        )
    return np.stack(stems[:-1], axis=1)
