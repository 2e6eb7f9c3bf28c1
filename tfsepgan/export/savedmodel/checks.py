"""Checks of requests to a served model, as operators of its graph; bad ones get INVALID_ARGUMENT.

A server checks the names and types of inputs, not their shapes and values. Every check here runs
before the work that would fail without it.
"""

import tensorflow as tf

MOST_CHANNELS = 256  # of a request, over all recordings: each costs a pass of the network


def require(condition, *sentence):
    """The operator that stops with INVALID_ARGUMENT unless a condition holds.

    Args:
      condition: boolean scalar.
      sentence: strings and small tensors, printed in this order.
    """
    return tf.debugging.Assert(condition, list(sentence), summarize=8)


def checked(tensor, *requirements):
    """The same tensor, once all these operators of `require` have run."""
    with tf.control_dependencies(requirements):
        return tf.identity(tensor)


def any_rank(tensor):
    """The same tensor without its declared shape.

    Graph optimisation relies on the declared rank and would remove a check of it, but a server
    passes on tensors of any rank.
    """
    return tf.raw_ops.PlaceholderWithDefault(input=tensor, shape=tf.TensorShape(None))


def checked_audio(samples, name: str, *, most: int, sample_rate_hz: int):
    """Audio that can be separated, or INVALID_ARGUMENT.

    Args:
      samples: float32 of any shape.
      name: of the input, for the message.
      most: samples that a request may hold in all.
      sample_rate_hz: of the model, for the message.
    Returns: `[batch, time, channels]`, not empty, finite.
    """
    samples = with_rank(samples, name)
    shape = tf.shape(samples, out_type=tf.int64)
    empty = f"`{name}` is empty, its shape is", shape, "; send at least one sample"
    samples = checked(samples, require(tf.reduce_all(shape > 0), *empty))
    return finite(not_too_long(samples, name, most=most, sample_rate_hz=sample_rate_hz), name)


def with_rank(samples, name: str):
    """The same samples if they have three axes, `[0, 0, 0]` if they are empty with other axes.

    INVALID_ARGUMENT for anything else.
    """
    samples = any_rank(samples)
    rank, size = tf.rank(samples), tf.size(samples)
    wanted = (
        f"; send `{name}` as float32 [batch, time, channels], [1, 44100, 2] for 44100 samples of"
        " one stereo recording"
    )
    samples = checked(
        samples,
        require((rank == 3) | (size == 0), f"`{name}` has this many dimensions:", rank, wanted),
    )
    shape = tf.cond(rank == 3, lambda: tf.shape(samples), lambda: tf.zeros([3], tf.int32))
    return tf.ensure_shape(tf.reshape(samples, tf.reshape(shape, [3])), [None, None, None])


def not_too_many(count, name: str):
    """The operator that stops a request of more than MOST_CHANNELS channels."""
    advice = (
        f"; send at most {MOST_CHANNELS}, all channels of all recordings together, in a request"
    )
    return require(count <= MOST_CHANNELS, f"`{name}` holds this many channels:", count, advice)


def not_too_long(samples, name: str, *, most: int, sample_rate_hz: int):
    """The same samples, or INVALID_ARGUMENT where they or their channels are too many."""
    shape, count = tf.shape(samples), tf.size(samples, out_type=tf.int64)
    advice = (
        f"; send at most {most}, {most / sample_rate_hz:g} s of one channel, in a request: longer"
        " audio goes in blocks by the signature `stream` or by tfsepgan-separate --server"
    )
    return checked(
        samples,
        require(
            count <= most,
            f"`{name}` holds this many samples (batch x time x channels):",
            count,
            advice,
        ),
        not_too_many(shape[0] * shape[2], name),
    )


def finite(samples, name: str):
    """The same samples, or INVALID_ARGUMENT where one is not finite."""
    sentence = f"`{name}` holds NaN or infinite values; send finite samples, full scale is [-1, 1]"
    return checked(samples, require(tf.reduce_all(tf.math.is_finite(samples)), sentence))
