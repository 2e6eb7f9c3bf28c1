"""The signature `stream`: blocks of a recording through a served model, which remembers nothing
between them.

What must be remembered goes back to the caller as `context` and comes again with the next block, so
any replica of a server can answer any block. The twin of `separation.engine.BlockSeparator`: true
neighbourhood, then discard, on multiples of the generator's hop; the stems put together equal one
pass over the whole recording.

With C for the generator's context rounded up to its hop: a sample is given back once C samples
after it are known, and C samples before the next one are kept. As all that is ready is always given
back, the length of `context` alone says how many of its samples have been given back already:
clip(floor(length / hop) * hop - C, 0, C). No other state is needed.
"""

from collections.abc import Callable

from tfsepgan.export.savedmodel.checks import finite, not_too_long, require, with_rank
from tfsepgan.models.folders import Manifest


def stream_function(separate: Callable, manifest: Manifest, *, most: int) -> Callable:
    """Wrap a separation of whole signals for signals that come in blocks.

    Args:
      separate: `[batch, time, channels]` to a dictionary of stems.
      manifest: of the model; its hop and context are used.
      most: samples taken in a request, context included.
    Returns: function of `block [batch, time, channels]`, `context` (what the last answer gave,
      empty at the start) and `final` (no block follows) to stems `[batch, ready, channels]`, often
      of no sample, and the next `context`.
    """
    import tensorflow as tf

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
        heard = tf.where(final, time, tf.minimum(end + reach, time))

        def separated():
            return {name: stem[:, lead:end] for name, stem in separate(held[:, :heard]).items()}

        def nothing():
            return dict.fromkeys((*manifest.sources, "residual"), held[:, :0])

        stems = tf.cond(ready > 0, separated, nothing)
        kept = tf.where(final, time, tf.maximum(end - reach, 0))
        return {**stems, "context": held[:, kept:]}

    return stream


def _joined(block, context, *, longest: int):
    """Context and block as one signal `[batch, time, channels]`, and how long the context was."""
    import tensorflow as tf

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
            "; send what the last answer gave as `context`, and an empty one with the first block",
        ),
    ]
    with tf.control_dependencies(checks):
        axes = tf.where(none_now, first, then)
        earlier = tf.reshape(context, [axes[0], tf.where(none_before, 0, first[1]), axes[2]])
        later = tf.reshape(block, [axes[0], tf.where(none_now, 0, then[1]), axes[2]])
        return tf.concat([earlier, later], axis=1), tf.shape(earlier)[1]
