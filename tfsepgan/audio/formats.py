"""Which sound files are read, by which library, and the limits that hold for all of them.

libsndfile reads what people work with. What phones, shops and cameras write (MP3, AAC, ALAC, WMA,
video) is read by PyAV, whose wheels carry FFmpeg's libraries; MP3 too, as libsndfile believes in
tags that many files do not have.
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

# What FFmpeg calls them. Containers tell what they are; the raw kinds are guessed from few bytes,
# so they need the right name too.
CONTAINERS = frozenset(
    (
        *("mov", "mp4", "m4a", "3gp", "3g2", "mj2", "matroska", "webm", "asf", "avi", "flv"),
        *("ogg", "caf", "aiff", "ape", "wv", "tta", "mpeg", "mpegts", "wav", "w64", "flac", "au"),
    )
)
RAW_KINDS = frozenset({"aac", "ac3", "eac3", "mp3"})  # mp3 stands for MPEG audio of any layer
# Kinds whose length is counted packet by packet: raw ones, and those that come here because their
# head does not tell it.
COUNTED_KINDS = RAW_KINDS | {"wav", "w64", "flac", "au"}

RATES_HZ = (1000, 768_000)  # no music is below; no converter is above
MOST_CHANNELS = 64  # seventh-order ambisonics; a head that says more is damaged
LOUDEST = 2.0**31  # of full scale: 32-bit integers written as floating point; louder is damage
FEWEST_SAMPLES = 64  # fewer are no recording, and resampling may leave none of them
