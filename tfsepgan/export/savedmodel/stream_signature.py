"""The signature `stream`: a recording block by block through a served model that keeps no state.

The state goes back to the caller as `context`, which is sent again with the next block; so any
replica of a server can answer any block. As in `separation.engine.BlockSeparator`, each block is
separated with its true context on multiples of the generator's hop, and the stems joined together
equal one pass over the whole recording.

Let C be the generator's context rounded up to its hop. The stems of a sample are returned once C
samples after it are known, and C samples before the next one are kept. All stems that are ready are
always returned, so the length of `context` determines how many of its samples were returned before:
clip(floor(length / hop) * hop - C, 0, C). No other state is needed.
"""

from collections.abc import Callable

import tensorflow as tf

from tfsepgan.export.savedmodel.checks import finite, not_too_long, require, with_rank
from tfsepgan.models.folders import Manifest


def stream_function(separate: Callable, manifest: Manifest, *, most: int) -> Callable:
    """Wrap a separation of whole signals for signals in blocks.

    Args:
      separate: `[batch, time, channels]` to a dictionary of stems.
      manifest: of the model; its hop and context are used.
      most: samples that a request may hold, context included.
    Returns: function of `block [batch, time, channels]`, `context` (from the last reply; empty at
      the start) and `final` (True for the last block) to stems `[batch, ready, channels]`, often
      without samples, and the next `context`.
    """
    hop = manifest.hop
    reach = -(-manifest.context // hop) * hop

    def stream(block, context, final):
        held, before = _joined(block, context, longest=2 * reach + hop - 1)
        held = not_too_long(
            held, "context and block", most=most, sample_rate_hz=manifest.sample_rate_hz
        )
        held = finite(held, "block")
        time = tf.shape(held)[1]
        lead = tf.clip_by_value(before // hop * hop - reach, 0, reach)
        ready = tf.where(final, time - lead, tf.maximum((time - reach - lead) // hop * hop, 0))
        end = lead + ready
        used = tf.where(final, time, tf.minimum(end + reach, time))

        def separated():
            return {name: stem[:, lead:end] for name, stem in separate(held[:, :used]).items()}

        def nothing():
            return dict.fromkeys((*manifest.sources, "residual"), held[:, :0])

        stems = tf.cond(ready > 0, separated, nothing)
        kept = tf.where(final, time, tf.maximum(end - reach, 0))
        return {**stems, "context": held[:, kept:]}

    return stream


def _joined(block, context, *, longest: int):
    """Context and block as one signal `[batch, time, channels]`, and the length of the context."""
    block, context = with_rank(block, "block"), with_rank(context, "context")
    first, then = tf.shape(context), tf.shape(block)
    none_before, none_now = tf.size(context) == 0, tf.size(block) == 0
    alike = none_before | none_now | (tf.gather(first, [0, 2]) == tf.gather(then, [0, 2]))
    checks = [
        require(
            ~(none_before & none_now),
            "`block` and `context` are empty; send at least one sample of the recording",
        ),
        require(
            tf.reduce_all(alike), "`context` and `block` differ in batch or channels:", first, then
        ),
        require(
            first[1] <= longest,
            f"`context` has more than {longest} samples:",
            first[1],
            "; send the `context` of the last reply, and an empty one with the first block",
        ),
    ]
    with tf.control_dependencies(checks):
        axes = tf.where(none_now, first, then)
        earlier = tf.reshape(context, [axes[0], tf.where(none_before, 0, first[1]), axes[2]])
        later = tf.reshape(block, [axes[0], tf.where(none_now, 0, then[1]), axes[2]])
        return tf.concat([earlier, later], axis=1), tf.shape(earlier)[1]
