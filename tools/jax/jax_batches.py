"""Batches made on the accelerator: the package draws the windows, JAX cuts, changes and mixes them.

`plan_of` gives the arrays of one step, drawn with the package's own `draw_plan`: windows and levels
of a step are those of `data.batches`. `batch_of` is `pipeline.mix_batch` in JAX, for all mixtures
at once. Changes of windows are drawn from tables, which `tables_of` fills with the package's own
filters and rooms. Departs from the pipeline:
- The random numbers of the changes are others.
- Speed is changed by cubic interpolation. Pitch shift, codec and recorded rooms are left out.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import scipy.fft
from jax_pack import Packed

from tfsepgan.config import AugmentConfig, DataConfig
from tfsepgan.data.augment.effects import band_edge, equaliser, room_response
from tfsepgan.data.batches.draws import draw_plan, reading_on
from tfsepgan.data.batches.pool import OTHER

FILTERS, EDGES, ROOMS = 4096, 512, 256  # of each kind in the tables
EQUALISER_SECTIONS, LOW_SECTIONS, HIGH_SECTIONS = 3, 2, 1  # second-order sections of each
RINGING_SECONDS = 0.1  # how long filters may ring after a window and a room
# bits of a speed's fraction; with these, positions are exact up to the end of a window
SPEED_BITS = 20
JUST_BELOW_ONE = 1 - 2.0**-20
NOT_MADE = ("pitch", "codec", "rooms")  # augmentations that are left out here


class Tables(NamedTuple):
    """Filters and rooms to draw from; arrays."""

    equalisers: Any  # [filters, sections, 6]
    low_passes: Any  # [edges, sections, 6]
    high_passes: Any  # [edges, sections, 6]
    rooms: Any  # [rooms, time]


@dataclass(frozen=True)
class Shape:
    """What is the same for all batches of a run; hashable, so that JAX compiles once for it."""

    data: DataConfig
    sources: int
    read: int  # samples read for a window; more than its length where it may play faster


def tables_of(data: DataConfig, *, seed: int = 0) -> Tables:
    """Draw the tables, float32, with the package's functions."""
    rng, augment, rate = np.random.default_rng([seed, 51]), data.augment, data.sample_rate_hz

    def edges(kind: str, range_hz: tuple[float, float]) -> list[list[np.ndarray]]:
        low, high = range_hz
        return [band_edge(kind, low * (high / low) ** rng.random(), rate) for _ in range(EDGES)]

    def stacked(made: list[list[np.ndarray]], sections: int) -> np.ndarray:
        table = np.tile(np.float32([1, 0, 0, 1, 0, 0]), (len(made), sections, 1))
        for row, filters in zip(table, made, strict=True):
            for number, section in enumerate(filters):
                row[number] = section[0]
        return table

    low, high = augment.room_seconds
    rooms = np.zeros(
        (ROOMS if augment.room else 1, round(high * rate) if augment.room else 1), np.float32
    )
    rooms[:, 0] = 1
    for row in rooms if augment.room else ():
        level_db = rng.uniform(*augment.room_db)
        response = room_response(low * (high / low) ** rng.random(), level_db, rate, rng)
        row[: len(response)] = response
    filters = [equaliser(rng, augment.equaliser_db, rate) for _ in range(FILTERS)]
    return Tables(
        stacked(filters, EQUALISER_SECTIONS),
        stacked(edges("lowpass", augment.low_pass_hz), LOW_SECTIONS),
        stacked(edges("highpass", augment.high_pass_hz), HIGH_SECTIONS),
        rooms,
    )


def plan_of(packed: Packed, shape: Shape, step: int, rows: int) -> dict[str, np.ndarray]:
    """The draws of a step as arrays, padded with empty windows to a multiple of `rows`."""
    data = shape.data
    plan = draw_plan(packed.pool, data, step)
    if shape.read != data.window:
        plan = reading_on(packed.pool, plan, data.window, shape.read)
    draws, scales = (
        plan.draws,
        np.array([recording.scale for recording in packed.pool.recordings], np.float32),
    )
    made = {
        "base": (packed.first[draws.recording] + draws.start).astype(np.int32),
        "scale": scales[draws.recording],
        "spread_db": plan.spread_db.astype(np.float32),
        **{
            name: getattr(draws, name).astype(np.int32)
            for name in ("item", "part", "count", "offset")
        },
        **{name: getattr(plan, name).astype(np.int32) for name in ("ahead", "room")},
    }
    missing = -len(draws.item) % rows
    made = {name: np.pad(values, (0, missing)) for name, values in made.items()}
    made["part"][len(draws.item) :] = OTHER
    levels = {
        name: getattr(plan, name).astype(np.float32) for name in ("snr_db", "gain_db", "weights")
    }
    return {**made, **levels, "together": plan.together}


def batch_of(audio, plan: dict, tables: Tables, key, shape: Shape):
    """A batch.

    Args:
      audio: int16 `[time]`, all recordings.
      plan: of `plan_of`.
      key: of `jax.random`; None: windows are not changed, whatever the settings say.
    Returns: mixtures `[batch, time, 1]` and their sources `[batch, sources, time, 1]`, float32.
    """
    data = shape.data
    if key is None:
        windows = _cut(audio, plan, jnp.ones(plan["item"].shape), data.window)
        return _mixed(windows, plan, shape, None)
    keys = jax.random.split(key, 4)
    windows = _cut(audio, plan, _speeds(plan, data, keys[0]), data.window)
    windows = _changed(windows, plan, tables, data.augment, data.sample_rate_hz, keys[1])
    return _mixed(windows, plan, shape, keys[2] if data.augment.noise else None)


def _changeable(plan: dict, augment: AugmentConfig):
    """Which rows may be changed by the settings, `[rows]`."""
    is_other = plan["part"] == OTHER
    return {"all": jnp.ones_like(is_other), "others": is_other, "sources": ~is_other}[augment.only]


def _speeds(plan: dict, data: DataConfig, key):
    """The speed of each row; rows of one song have the same."""
    low, high = data.augment.speed_semitones

    def drawn(key, count):
        chance, place = jax.random.uniform(key, (2, count))
        return jnp.where(
            chance < data.augment.speed, 2.0 ** ((low + (high - low) * place) / 12), 1.0
        )

    one, other = jax.random.split(key)
    apart = jnp.where(_changeable(plan, data.augment), drawn(one, len(plan["item"])), 1.0)
    return jnp.where(plan["together"][plan["item"]], drawn(other, data.batch)[plan["item"]], apart)


def _cut(audio, plan: dict, speed, window: int):
    """Windows `[rows, window]` at their speed, by cubic interpolation (Catmull and Rom)."""
    needed = jnp.ceil(window * speed).astype(jnp.int32)
    begin = jnp.minimum(plan["ahead"], jnp.maximum(0, plan["room"] - needed))
    counted = jnp.rint(speed * 2**SPEED_BITS).astype(jnp.int32)[:, None]
    time = jnp.arange(window, dtype=jnp.int32)[None]
    # Position = time * speed, in integers: in steps of 1024 samples, then the remainder.
    coarse = (time >> 10) * counted
    fine = ((coarse & 1023) << (SPEED_BITS - 10)) + (time & 1023) * counted
    whole = (
        (coarse >> (SPEED_BITS - 10))
        + (fine >> SPEED_BITS)
        + begin[:, None]
        - plan["offset"][:, None]
    )
    part = (fine & (2**SPEED_BITS - 1)).astype(jnp.float32) / 2**SPEED_BITS
    base, count = plan["base"][:, None], plan["count"][:, None]

    def sample(place):
        there = (place >= 0) & (place < count)
        return jnp.where(there, jnp.take(audio, base + place, mode="clip").astype(jnp.float32), 0.0)

    before, now, after, later = (sample(whole + distance) for distance in (-1, 0, 1, 2))
    slope, next_slope = (after - before) / 2, (later - now) / 2
    bend = 3 * (after - now) - 2 * slope - next_slope
    twist = 2 * (now - after) + slope + next_slope
    return (now + part * (slope + part * (bend + part * twist))) * plan["scale"][:, None]


def _changed(windows, plan: dict, tables: Tables, augment: AugmentConfig, rate: int, key):
    """Windows after an equaliser, a room, band limits and a change of polarity, each at random."""
    rows, time = windows.shape
    keys = iter(jax.random.split(key, 10))
    changeable = _changeable(plan, augment)

    def chosen(table, probability):
        index = jax.random.randint(next(keys), (rows,), 0, len(table))
        return jnp.asarray(table)[index], changeable & (
            jax.random.uniform(next(keys), (rows,)) < probability
        )

    length = scipy.fft.next_fast_len(
        time + tables.rooms.shape[1] + round(RINGING_SECONDS * rate), real=True
    )
    filters = []
    for table, probability in (
        (tables.equalisers, augment.equaliser),
        (tables.low_passes, augment.band_limit),
        (tables.high_passes, augment.band_limit),
    ):
        sections, on = chosen(table, probability)
        filters.append(jnp.where(on[:, None, None], sections, jnp.float32([1, 0, 0, 1, 0, 0])))
    response = response_of(jnp.concatenate(filters, axis=1), length)
    room, on = chosen(tables.rooms, augment.room)
    through = jnp.where(on[:, None], jnp.fft.rfft(room, length, axis=1), 1.0)
    made = jnp.fft.irfft(
        jnp.fft.rfft(windows, length, axis=1) * response * through, length, axis=1
    )[:, :time]
    turned = changeable & (jax.random.uniform(next(keys), (rows,)) < augment.polarity)
    return made * jnp.where(turned, -1.0, 1.0)[:, None]


def response_of(sections, length: int):
    """The frequency response of second-order sections at the bins of a transform.

    Args:
      sections: `[rows, sections, 6]`, as for scipy.signal.sosfilt.
    Returns: complex64 `[rows, length // 2 + 1]`.
    """
    delay = jnp.exp(-2j * jnp.pi * jnp.arange(length // 2 + 1) / length).astype(jnp.complex64)
    total = 1.0
    for number in range(sections.shape[1]):
        b0, b1, b2, a0, a1, a2 = (sections[:, number, place, None] for place in range(6))
        total = total * (b0 + delay * (b1 + delay * b2)) / (a0 + delay * (a1 + delay * a2))
    return total


def _mixed(windows, plan: dict, shape: Shape, noise_key):
    """Mix the rows by the law in the settings: `data.batches.mixing_laws` for a whole batch."""
    data, batch = shape.data, shape.data.batch
    item, part, is_other = plan["item"], plan["part"], plan["part"] == OTHER
    place = jnp.where(is_other, batch * shape.sources, item * shape.sources + part)
    targets = jax.ops.segment_sum(windows, place, batch * shape.sources + 1)[:-1]
    targets = targets.reshape(batch, shape.sources, -1)

    def summed(rows):
        return jax.ops.segment_sum(jnp.where(is_other[:, None], rows, 0.0), item, batch)

    if data.law == "paper":
        sources = targets * plan["weights"][:, :-1, None]
        others = summed(windows) * plan["weights"][:, -1:]
    else:
        sources, others = _by_levels(windows, targets, summed, plan, data)
    if noise_key is not None:
        others = others + _noise(sources.sum(axis=1) + others, data.augment, noise_key)
    mixture = sources.sum(axis=1) + others
    peak = jnp.max(jnp.abs(mixture), axis=1, keepdims=True)
    scale = jnp.where(peak > 1, JUST_BELOW_ONE / peak, 1.0)
    return (mixture * scale)[..., None], (sources * scale[:, None])[..., None]


def _by_levels(windows, targets, summed, plan: dict, data: DataConfig):
    """The law 'snr': sources `[batch, sources, time]` and others `[batch, time]`, as mixed."""
    raw = summed(windows)
    own = _gain(1.0, _level_at(windows, data.silence_db), plan["spread_db"])
    # The stems of a song keep their mutual levels.
    song = jnp.where(_level_at(raw, data.silence_db) > 0, 1.0, 0.0)[plan["item"]]
    others = summed(windows * jnp.where(plan["together"][plan["item"]], song, own)[:, None])
    recorded = _level_at(targets, data.silence_db)  # [batch, sources]
    present = recorded > 0
    first, some = jnp.argmax(present, axis=1)[:, None], jnp.any(present, axis=1)
    level = jnp.where(some, jnp.take_along_axis(recorded, first, 1)[:, 0], _rms(raw))
    reference_db = jnp.where(some, jnp.take_along_axis(plan["snr_db"], first, 1)[:, 0], 0.0)
    others = others * _gain(level, _rms(others), plan["gain_db"] - reference_db)[:, None]
    above_db = plan["gain_db"][:, None] + plan["snr_db"] - reference_db[:, None]
    return targets * _gain(level[:, None], recorded, above_db)[..., None], others


def _noise(mixture, augment: AugmentConfig, key):
    """Noise floors, `[batch, time]`; zeros where a mixture gets none."""
    batch, time = mixture.shape
    keys = jax.random.split(key, 4)
    low, high = augment.noise_db
    level_db = low + (high - low) * jax.random.uniform(keys[0], (batch,))
    reddening, chance = jax.random.uniform(keys[1], (2, batch))
    noise = jax.random.uniform(keys[2], (batch, time), minval=-0.5, maxval=0.5)
    leak = -0.99 * jnp.maximum(0.0, 2 * reddening - 1)  # a leaky sum of white noise is brown
    one, none = jnp.ones(batch), jnp.zeros(batch)
    brown = response_of(jnp.stack([one, none, none, one, leak, none], axis=1)[:, None], time)
    noise = jnp.fft.irfft(jnp.fft.rfft(noise, axis=1) * brown, time, axis=1)
    wanted = jnp.where(chance < augment.noise, _rms(mixture) * 10.0 ** (level_db / 20), 0.0)
    return noise * (wanted / _rms(noise))[:, None]


def _rms(samples):
    return jnp.sqrt(jnp.mean(jnp.square(samples), axis=-1))


def _level_at(samples, silence_db: float):
    rms = _rms(samples)
    return jnp.where(rms > 10.0 ** (silence_db / 20), rms, 0.0)


def _gain(level, rms, above_db):
    return jnp.where(rms > 0, level * 10.0 ** (above_db / 20) / jnp.where(rms > 0, rms, 1.0), 0.0)
