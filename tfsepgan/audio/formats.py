"""Which sound files are read, by which library, and the limits that hold for all of them.

libsndfile reads uncompressed formats, FLAC, Ogg and Opus. PyAV, whose wheels contain FFmpeg's
libraries, reads what phones, shops and cameras write: MP3, AAC, ALAC, WMA, video. MP3 is among
these because libsndfile relies on tags that many MP3 files lack.
"""

LIBSNDFILE_SUFFIXES = (
    *(".wav", ".flac", ".ogg", ".opus", ".oga"),
    *(".aif", ".aiff", ".aifc", ".au", ".caf", ".rf64", ".w64", ".bwf", ".snd"),
)
FFMPEG_SUFFIXES = (
    # AAC and ALAC, with or without a picture
    *(".m4a", ".m4b", ".aac", ".mp4", ".m4v", ".mov", ".3gp"),
    *(".mka", ".mkv", ".webm", ".wma", ".wmv", ".asf", ".avi", ".flv"),
    *(".mp3", ".mp2", ".ac3", ".eac3", ".ape", ".wv", ".tta", ".mpg", ".mpeg", ".ts"),
)
SUFFIXES = (*LIBSNDFILE_SUFFIXES, *FFMPEG_SUFFIXES)

# FFmpeg's names. A container is identified by its content; FFmpeg guesses raw kinds from few bytes,
# so their suffix must agree.
CONTAINERS = frozenset(
    (
        *("mov", "mp4", "m4a", "3gp", "3g2", "mj2", "matroska", "webm", "asf", "avi", "flv"),
        *("ogg", "caf", "aiff", "ape", "wv", "tta", "mpeg", "mpegts", "wav", "w64", "flac", "au"),
    )
)
RAW_KINDS = frozenset({"aac", "ac3", "eac3", "mp3"})  # mp3 means MPEG audio of any layer
# Kinds whose length is counted packet by packet: raw ones, and those whose head states no length.
COUNTED_KINDS = RAW_KINDS | {"wav", "w64", "flac", "au"}

RATES_HZ = (1000, 768_000)  # no music is recorded below; no converter works above
MOST_CHANNELS = 64  # seventh-order ambisonics; a head that states more is damaged
LOUDEST = 2.0**31  # times full scale: 32-bit integers written as floating point; more is damage
FEWEST_SAMPLES = 64  # fewer are no recording, and resampling may leave none of them
