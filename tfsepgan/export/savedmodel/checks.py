"""Checks of requests to a served model, as operators of its graph; bad ones get INVALID_ARGUMENT.

A server checks the names and types of inputs, not their shapes and values. Every check here runs
before the work that would fail without it.
"""

MOST_CHANNELS = 256  # of a request, over all recordings: each costs a pass of the network


def require(condition, *sentence):
    """Stop with INVALID_ARGUMENT unless a condition holds.

    Args:
      condition: boolean scalar.
      sentence: strings and small tensors, printed in this order.
    Returns: the operator, for `tf.control_dependencies`.
    """
    import tensorflow as tf

    return tf.debugging.Assert(condition, list(sentence), summarize=8)


def any_rank(tensor):
    """The same tensor without its declared shape.

    Graph optimisation relies on the declared rank and would remove a check of it, but a server
    passes on tensors of any rank.
    """
    import tensorflow as tf

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
    import tensorflow as tf

    samples = with_rank(samples, name)
    shape = tf.shape(samples, out_type=tf.int64)
    with tf.control_dependencies(
        [
            require(
                tf.reduce_all(shape > 0),
                f"`{name}` is empty, its shape is",
                shape,
                "; send at least one sample",
            )
        ]
    ):
        samples = tf.identity(samples)
    return finite(not_too_long(samples, name, most=most, sample_rate_hz=sample_rate_hz), name)


def with_rank(samples, name: str):
    """The same samples if they have three axes, `[0, 0, 0]` if they are empty with other axes.

    INVALID_ARGUMENT for anything else.
    """
    import tensorflow as tf

    samples = any_rank(samples)
    rank, size = tf.rank(samples), tf.size(samples)
    wanted = (
        f"; send `{name}` as float32 [batch, time, channels], [1, 44100, 2] for 44100 samples of"
        " one stereo recording"
    )
    with tf.control_dependencies(
        [require((rank == 3) | (size == 0), f"`{name}` has this many dimensions:", rank, wanted)]
    ):
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
    import tensorflow as tf

    shape = tf.shape(samples)
    count = tf.size(samples, out_type=tf.int64)
    sentence = (
        f"`{name}` holds this many samples (batch x time x channels):",
        count,
        (
            f"; send at most {most}, {most / sample_rate_hz:g} s of one channel, in a request:"
            " longer audio goes in blocks by the signature `stream` or by tfsepgan-separate"
            " --server"
        ),
    )
    with tf.control_dependencies(
        [require(count <= most, *sentence), not_too_many(shape[0] * shape[2], name)]
    ):
        return tf.identity(samples)


def finite(samples, name: str):
    """The same samples, or INVALID_ARGUMENT where one is not finite."""
    import tensorflow as tf

    all_finite = tf.reduce_all(tf.math.is_finite(samples))
    with tf.control_dependencies(
        [
            require(
                all_finite,
                f"`{name}` holds NaN or infinite values; send finite samples, full scale is"
                " [-1, 1]",
            )
        ]
    ):
        return tf.identity(samples)
