"""The signature `separate_wav`: WAV files in and out, read and written by TensorFlow's operators.

Source: the RIFF WAVE format; PCM of 16, 24 and 32 bits and 32-bit float, WAVE_FORMAT_EXTENSIBLE
included, with any chunks before the samples.
Departs from `tf.audio`, which reads and writes 16-bit PCM only, so that samples beyond full scale
clip: the stems here are 32-bit float, do not clip, and sum to the mixture.
"""

from collections.abc import Callable

import tensorflow as tf

from tfsepgan.export.savedmodel.checks import any_rank, checked, finite, not_too_many, require
from tfsepgan.models.folders import Manifest

_PCM, _FLOAT, _EXTENSIBLE = 1, 3, 0xFFFE
_KINDS = ((_PCM, 16), (_PCM, 24), (_PCM, 32), (_FLOAT, 32))  # encoding and bits, for `_samples`
_MOST_CHUNKS = 64  # before the samples; a file of empty chunks must not keep a server busy
_STREAMED = 0xFFFFFFFF  # the length that programs write into a stream
_HEAD_BYTES = 58


def wav_function(separate: Callable, manifest: Manifest, *, most: int) -> Callable:
    """Wrap a separation of arrays for WAV files.

    Args:
      separate: `[batch, time, channels]` to a dictionary of stems.
      manifest: of the model; the files must have its rate.
      most: samples that a file may hold.
    Returns: function of `wav`, a string or `[batch]` of strings, to `NAME_bytes` of the same shape
      for each source and "residual".
    """
    names = (*manifest.sources, "residual")

    def one(file):
        samples = read_wav(file, sample_rate_hz=manifest.sample_rate_hz, most=most)
        stems = separate(samples[None])
        return tuple(write_wav(stems[name][0], manifest.sample_rate_hz) for name in names)

    def separate_wav(wav):
        files = _checked_files(wav, most_bytes=4 * most + 2**20)
        stems = tf.map_fn(
            one,
            tf.reshape(files, [-1]),
            fn_output_signature=(tf.string,) * len(names),
            parallel_iterations=1,
        )
        return {
            f"{name}_bytes": tf.reshape(stem, tf.shape(files))
            for name, stem in zip(names, stems, strict=True)
        }

    return separate_wav


def read_wav(file, *, sample_rate_hz: int, most: int):
    """Samples of a WAV file, or INVALID_ARGUMENT.

    Args:
      file: string scalar, its bytes.
      sample_rate_hz: the rate that it must have.
      most: samples that it may hold, summed over channels.
    Returns: `[time, channels]` float32.
    """
    form, data, stated = _chunks(file)
    encoding, channels, rate, bits = _format(file, form)
    kinds = tf.stack([(encoding == code) & (bits == width) for code, width in _KINDS])
    present = tf.cast(tf.strings.length(file), tf.int64) - data
    count = tf.where(stated == _STREAMED, present, stated)  # in bytes
    frame, samples = tf.maximum(channels * bits // 8, 1), count * 8 // tf.maximum(bits, 1)
    unknown = "; send PCM of 16, 24 or 32 bits or 32-bit float"
    too_many = "the WAV holds this many samples, of all channels together:"
    advice = f"; send at most {most}, {most / sample_rate_hz:g} s of one channel"
    cut_short = "the WAV is cut short, bytes promised and present:"
    other_rate = "the WAV has a sample rate of", rate, f"Hz; send {sample_rate_hz} Hz"
    file = checked(
        file,
        require(
            tf.reduce_any(kinds), "the WAV has an encoding and bits of", encoding, bits, unknown
        ),
        require(rate == sample_rate_hz, *other_rate),
        require(count <= present, cut_short, count, present, "; send it again"),
        require((channels > 0) & (count > 0), "the WAV holds no samples; send at least one"),
        not_too_many(channels, "wav"),
        require(count % frame == 0, "the WAV ends within a sample; send it again"),
        require(samples <= most, too_many, samples, advice),
    )
    raw, kind = tf.strings.substr(file, data, count), tf.argmax(kinds, output_type=tf.int32)
    return finite(tf.reshape(_samples(raw, kind), tf.stack([-1, channels])), "wav")


def write_wav(samples, sample_rate_hz: int):
    """A WAV file of 32-bit float samples.

    Args:
      samples: `[time, channels]` float32, at least one.
      sample_rate_hz: of the samples.
    Returns: string scalar, its bytes.
    """
    frames, channels = tf.shape(samples)[0], tf.shape(samples)[1]
    count = 4 * frames * channels
    words = [
        *(b"RIFF", (count + _HEAD_BYTES - 8, 4), b"WAVE"),
        *(b"fmt ", (18, 4), (_FLOAT, 2), (channels, 2), (sample_rate_hz, 4)),
        *((4 * sample_rate_hz * channels, 4), (4 * channels, 2), (32, 2), (0, 2)),
        *(b"fact", (4, 4), (frames, 4)),
        *(b"data", (count, 4)),
    ]
    pieces = [
        (
            tf.constant(list(word), tf.uint8)
            if isinstance(word, bytes)
            else tf.bitcast(tf.cast(word[0], tf.int32), tf.uint8)[: word[1]]
        )
        for word in words
    ]
    everything = tf.concat([*pieces, tf.reshape(tf.bitcast(samples, tf.uint8), [-1])], axis=0)
    # TensorFlow cannot convert an array to a string, but a serialised array ends with its bytes.
    return tf.strings.substr(
        tf.io.serialize_tensor(everything), -tf.size(everything), tf.size(everything)
    )


def _checked_files(wav, *, most_bytes: int):
    wav = any_rank(wav)
    rank, size = tf.rank(wav), tf.reduce_sum(tf.cast(tf.strings.length(wav), tf.int64))
    other_rank = "`wav` has this many dimensions:", rank, "; send one string, or a list of them"
    too_long = "`wav` holds this many bytes:", size, f"; send at most {most_bytes} in a request"
    return checked(
        wav,
        require(rank <= 1, *other_rank),
        require(tf.size(wav) > 0, "`wav` is empty; send the bytes of at least one WAV file"),
        not_too_many(tf.size(wav), "wav"),
        require(size <= most_bytes, *too_long),
    )


def _chunks(file):
    """The positions of a file's format and samples, and the stated length of the samples, bytes."""
    length = tf.cast(tf.strings.length(file), tf.int64)
    head = tf.strings.join([tf.strings.substr(file, 0, 12), " " * 12])
    is_wav = (tf.strings.substr(head, 0, 4) == "RIFF") & (tf.strings.substr(head, 8, 4) == "WAVE")
    sentence = (
        "`wav` is not a WAV file; send the bytes of one that begins with RIFF....WAVE (in JSON: as"
        " base64, under the key b64)"
    )
    start = checked(tf.constant(12, tf.int64), require(is_wav, sentence))

    def unfinished(position, form, data, count):
        return (data < 0) & (position + 8 <= length)

    def step(position, form, data, count):
        name, size = tf.strings.substr(file, position, 4), _number(file, position + 4, 4)
        return (
            position + 8 + size + size % 2,
            tf.where((name == "fmt ") & (size >= 16) & (form < 0), position + 8, form),
            tf.where(name == "data", position + 8, data),
            tf.where(name == "data", size, count),
        )

    none = tf.constant(-1, tf.int64)
    _, form, data, count = tf.while_loop(
        unfinished,
        step,
        (start, none, none, none),
        maximum_iterations=_MOST_CHUNKS,
        parallel_iterations=1,
    )
    sentence = "the WAV has no format or no samples; write it again, or send 16-bit PCM"
    has_both = require((form >= 0) & (data > form), sentence)
    return tuple(checked(one, has_both) for one in (form, data, count))


def _format(file, form):
    """Encoding, channels, rate in Hz and bits of a format chunk of at least 16 bytes."""
    plain = _number(file, form, 2)
    # An extensible format holds its true encoding at byte 24, which is in the file, as the samples
    # follow the format.
    encoding = _number(file, tf.where(plain == _EXTENSIBLE, form + 24, form), 2)
    return (
        encoding,
        _number(file, form + 2, 2),
        _number(file, form + 4, 4),
        _number(file, form + 14, 2),
    )


def _number(file, position, count: int):
    """The unsigned little-endian int64 of `count` bytes at a position; zeros beyond the end."""
    found = tf.strings.join([tf.strings.substr(file, position, count), "\0" * count])
    each = tf.cast(tf.io.decode_raw(tf.strings.substr(found, 0, count), tf.uint8), tf.int64)
    return tf.reduce_sum(each * [256**place for place in range(count)])


def _samples(raw, kind):
    """Bytes of samples to float32; full scale is 1."""

    def packed():
        each = tf.reshape(tf.cast(tf.io.decode_raw(raw, tf.uint8), tf.int32), [-1, 3])
        return (
            tf.cast(tf.reduce_sum(tf.bitwise.left_shift(each, [8, 16, 24]), axis=1), tf.float32)
            / 2.0**31
        )

    return tf.switch_case(
        kind,
        [
            lambda: tf.cast(tf.io.decode_raw(raw, tf.int16), tf.float32) / 2.0**15,
            packed,
            lambda: tf.cast(tf.io.decode_raw(raw, tf.int32), tf.float32) / 2.0**31,
            lambda: tf.io.decode_raw(raw, tf.float32),
        ],
    )
