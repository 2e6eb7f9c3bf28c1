"""The kinds of TFLite files in an export: their names, their descriptions, and their limits.

Files with float weights must give the numbers of the Keras model. Files with 8-bit weights cannot;
they must separate as well as it does, which is measured on mixtures whose sources are known.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from tfsepgan.config import nearest
from tfsepgan.data.references.fixed_mixtures import Mixture
from tfsepgan.errors import ConfigError, ExportError, ShapeError
from tfsepgan.export.parity import Stems, keras_stems, largest_difference
from tfsepgan.export.tflite.metadata import facts_inside
from tfsepgan.metrics.waveform import snr
from tfsepgan.models.bundle import Bundle, Manifest


class Stream(NamedTuple):
    """How a file takes a signal block by block."""

    channels: int = 1  # of a call
    least_block: int = 1024  # samples; for shorter blocks, the calls cost more than the arithmetic
    complex_numbers: bool = True  # False for runtimes without operators for them


class Variant(NamedTuple):
    """One kind of TFLite file."""

    end: str  # of its name
    precision: str  # see export.tflite.convert
    summary: str
    stream: Stream | None = None  # None takes a whole signal

    @property
    def streaming(self) -> bool:
        """Whether it takes a signal block by block."""
        return self.stream is not None


BASE = {
    "float32": Variant(".tflite", "float32", "float32"),
    "float16": Variant(".fp16.tflite", "float16", "float16 weights"),
}
_STREAM = Stream()
# a minute in 42 calls; longer blocks take more memory and are not faster
_WEB = Stream(channels=2, least_block=65536)
VARIANTS = {
    name: Variant(f".{name}.tflite", precision, summary, stream)
    for name, precision, summary, stream in (
        ("dynamic", "dynamic", "8-bit weights, ranges found while it runs", None),
        ("int8", "int8", "8-bit weights and products, fixed ranges", None),
        ("stream", "float32", "streaming, float32", _STREAM),
        ("stream.fp16", "float16", "streaming, float16 weights", _STREAM),
        ("stream.dynamic", "dynamic", "streaming, 8-bit weights", _STREAM),
        ("web", "dynamic", "streaming, stereo, long blocks, 8-bit weights", _WEB),
        ("web.float32", "float32", "streaming, stereo, long blocks, float32", _WEB),
        (
            *("web.gpu", "dynamic", "streaming, stereo, long blocks, 8-bit weights, real numbers"),
            _WEB._replace(complex_numbers=False),
        ),
    )
}
TFLITE_ENDS = tuple(one.end for one in (*BASE.values(), *VARIANTS.values()))
OF_PEAK = {"float32": 1e-4, "float16": 1e-2}  # largest difference from Keras relative to peak
MAX_SDR_LOSS_DB = 0.5  # of 8-bit weights, where the sources are known
# where the sources are not known; an estimate of 10 dB SDR with an error at -20 dB loses < 0.5 dB
MIN_CLOSENESS_DB = 20.0


@dataclass(frozen=True, kw_only=True)
class Rehearsal:
    """Audio for making and comparing quantised files."""

    calibration: tuple[np.ndarray, ...]
    """`[time, channels]` each; the ranges of "int8" are measured on it."""
    mixtures: tuple[Mixture, ...] = ()
    """SDR is measured on them; a source that they lack is compared with the Keras model."""


def check_variants(wanted: Sequence[str]) -> None:
    """Raise ConfigError for a name that is not in the table."""
    for name in wanted:
        if name not in VARIANTS:
            raise ConfigError(f"There is no TFLite variant {name!r}; {nearest(name, VARIANTS)}")


def file_facts_inside(
    manifest: Manifest, variant: str, *, streaming: Mapping[str, Any] | None = None
) -> dict:
    """The description inside a TFLite file, as `tfsepgan.ondevice.describe` reads it."""
    stems = [*manifest.sources, "residual"]
    if streaming is None:
        name, inputs = "separate", {"mixture": [1, "time", 1]}
        outputs = dict.fromkeys(stems, [1, "time", 1])
    else:
        channels = streaming["channels"]
        block, state = (
            [channels, streaming["block_samples"], 1],
            [channels, streaming["state_size"]],
        )
        name, inputs = "stream", {"block": block, "state": state, "valid": [1]}
        outputs = {**dict.fromkeys(stems, block), "state": state}
    further = {} if streaming is None else {"streaming": dict(streaming)}
    further |= {"stems": stems, "hop": manifest.hop, "context": manifest.context}
    signatures = {name: {"inputs": inputs, "outputs": outputs}}
    return facts_inside(manifest, variant, signatures, **further)


class Comparison:
    """Measures the difference between the stems of a file and those of the Keras model.

    Args:
      bundle: the Keras model.
      audio: `[time, channels]` real music.
      mixtures: with known sources; Keras separates them once, when they are first needed.
    """

    def __init__(self, bundle: Bundle, audio: np.ndarray, mixtures: Sequence[Mixture] = ()):
        self._bundle, self._audio, self._mixtures = bundle, audio, tuple(mixtures)
        self._reference = keras_stems(bundle, audio)
        self._of_mixtures: list[Stems] = []

    def figures(self, run: Callable[[np.ndarray], Stems], *, with_sdr: bool) -> dict[str, float]:
        """Measure a file.

        Args:
          run: the file, as a function of `[time, channels]` to stems.
          with_sdr: True measures SDR on the mixtures too.
        Returns:
          "of_peak": the largest difference relative to peak.
          "closeness_db": level of the estimates relative to the difference, for the worst source.
          "sdr_loss_db": mean loss of SDR, of the worst source that the mixtures hold; left out
            where they hold none.
          "unheard_closeness_db": "closeness_db" of the sources that the mixtures lack; only beside
            "sdr_loss_db", and left out where they lack none.
        """
        stems, sources = run(self._audio), self._bundle.manifest.sources
        figures = {"of_peak": largest_difference(self._reference, stems)}
        if not np.isfinite(figures["of_peak"]):
            return {**figures, "closeness_db": -np.inf}
        closeness_db = {one: _snr_or(np.inf, self._reference[one], stems[one]) for one in sources}
        figures["closeness_db"] = min(closeness_db.values())
        losses = self._losses(run) if with_sdr else {}
        if not losses:
            return figures
        lacking = [value for source, value in closeness_db.items() if source not in losses]
        if lacking:
            figures["unheard_closeness_db"] = min(lacking)
        return {**figures, "sdr_loss_db": max(losses.values())}

    def _losses(self, run) -> dict[str, float]:
        """Mean loss of SDR in dB by source, for the sources that the mixtures hold."""
        self._of_mixtures = self._of_mixtures or [
            keras_stems(self._bundle, one.mixture) for one in self._mixtures
        ]
        losses: dict[str, list[float]] = {}
        for mixture, before in zip(self._mixtures, self._of_mixtures, strict=True):
            after = run(mixture.mixture)
            for source in {*self._bundle.manifest.sources} & {*mixture.sources}:
                truth = mixture.sources[source]
                then, now = (_snr_or(np.nan, truth, one[source]) for one in (before, after))
                if not np.isnan(then - now):
                    losses.setdefault(source, []).append(then - now)
        return {source: float(np.mean(each)) for source, each in losses.items()}


def check_variant(name: str, figures: Mapping[str, float]) -> None:
    """Raise ExportError when a file misses the limit of its kind."""
    precision, unheard_db = VARIANTS[name].precision, figures.get("unheard_closeness_db", np.inf)
    least_db = f"wanted at least {MIN_CLOSENESS_DB:.0f} dB"
    if precision in OF_PEAK:
        good = figures["of_peak"] <= OF_PEAK[precision]
        wanted = (
            f"differs from the Keras model by {figures['of_peak']:.1e} of peak; wanted at most"
            f" {OF_PEAK[precision]:.0e}"
        )
    elif "sdr_loss_db" not in figures:
        good = figures["closeness_db"] >= MIN_CLOSENESS_DB
        wanted = (
            f"differs from the Keras model by only {figures['closeness_db']:.1f} dB below the"
            f" estimate; {least_db}, as there were no mixtures with known sources to measure SDR on"
        )
    elif unheard_db < MIN_CLOSENESS_DB:
        good = False
        wanted = (
            f"differs from the Keras model by only {unheard_db:.1f} dB below the estimate of a"
            f" source that no mixture at hand holds; {least_db}"
        )
    else:
        good = figures["sdr_loss_db"] <= MAX_SDR_LOSS_DB
        wanted = (
            f"has {figures['sdr_loss_db']:.2f} dB less SDR than the Keras model; wanted at most"
            f" {MAX_SDR_LOSS_DB} dB"
        )
    if not good:
        raise ExportError(
            f"the TFLite variant {name!r} {wanted}. Nothing was written; leave that variant out."
        )


def _snr_or(otherwise: float, reference: np.ndarray, estimate: np.ndarray) -> float:
    """SNR in dB, or `otherwise` for a silent reference."""
    try:
        return snr(reference, estimate)
    except ShapeError:
        return otherwise
