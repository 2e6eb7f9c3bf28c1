"""BSS Eval, versions 4 and 3: the error of an estimate as interference, artifacts and filtering.

The mathematics is museval's, the reference implementation. This module loads it, checks the arrays
and names the results.

`bss_eval` is version 4, for current evaluations; `bss_eval_sources` is version 3, for comparison
with older tables.

Source: Vincent, Gribonval & Fevotte 2006 (BSS Eval; version 3 is its toolbox of 2012); Stoter,
  Liutkus & Ito 2018, arXiv:1804.06267 (v4).
Departs from museval:
- `museval/metrics.py` is loaded alone, because `import museval` also imports musdb and stempeg,
  which fail without ffmpeg;
- this private copy sees `numpy.linalg.linalg`, which numpy 2 removed and museval uses when its
  matrix is singular;
- "silent" means that every sample is zero; museval sums the channels first, so it treats two
  channels of opposite sign as silence.
"""

import contextlib
import functools
import importlib.util
import types
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from tfsepgan.errors import ConfigError, ShapeError
from tfsepgan.metrics.validation import check_audio


class BSSScores(NamedTuple):
    """Four ratios in dB, each `[sources, windows]`, or `[sources]` in `medians`.

    sdr: signal to distortion, all errors together.
    isr: image to spatial distortion, the changes by filtering and level.
    sir: signal to interference, other sources that remain.
    sar: signal to artifacts, what no source explains.
    NaN marks a window in which any source or estimate is silent throughout; by museval's convention
    such a window is left out for every source.
    """

    sdr: np.ndarray
    isr: np.ndarray
    sir: np.ndarray
    sar: np.ndarray

    def medians(self) -> "BSSScores":
        """The median over the defined windows, `[sources]`, as in museval; NaN without any."""
        return BSSScores(*(np.array([_defined_median(row) for row in metric]) for metric in self))


def bss_eval(
    references,
    estimates,
    sample_rate_hz: float,
    *,
    window_seconds: float = 1.0,  # museval and SiSEC 2018
    hop_seconds: float = 1.0,  # museval and SiSEC 2018
) -> BSSScores:
    """Splits the error of every estimate into interference, artifacts and filtering, by window.

    As in museval, the distortion filters (512 taps) are fitted on the whole signal, a last window
    that is incomplete is not scored, and a signal shorter than a window is one window.

    Args:
      references: `[sources, time, channels]`, the true sources, none of them silent.
      estimates: `[sources, time, channels]`, in the same order. With a silent one all scores are
        NaN.
      sample_rate_hz: samples per second.
      window_seconds, hop_seconds: length of a window and distance between two, both above zero.
    Returns: BSSScores of `[sources, windows]` in dB.
    Raises: ShapeError when the shapes differ or are not three-dimensional, a value is not finite or
      a reference is silent; ConfigError when a length is not positive or museval is not installed.
    """
    references = _check_sources("references", references)
    estimates = _check_sources("estimates", estimates)
    if references.shape != estimates.shape:
        raise ShapeError(
            f"references of shape {list(references.shape)} and estimates of shape"
            f" {list(estimates.shape)} differ; give one estimate for each reference, of the same"
            " length and channels"
        )
    for index, reference in enumerate(references):
        if not reference.any():
            raise ShapeError(
                f"reference {index} of {len(references)} is silent (all zeros), for which BSS Eval"
                " is not defined; leave this track out or score an excerpt where every source"
                " sounds"
            )
    window = _whole_samples("window_seconds", window_seconds, sample_rate_hz)
    hop = _whole_samples("hop_seconds", hop_seconds, sample_rate_hz)
    if _any_silent(estimates):
        time = references.shape[1]
        windows = (time - window) // hop + 1 if window < time else 1
        undefined = np.full((len(references), windows), np.nan)
        return BSSScores(undefined, undefined.copy(), undefined.copy(), undefined.copy())
    with _numpy_1_silenced():
        sdr, isr, sir, sar, _ = _museval().bss_eval(references, estimates, window=window, hop=hop)
    return BSSScores(sdr=sdr, isr=isr, sir=sir, sar=sar)


def bss_eval_sources(references, estimates) -> BSSScores:
    """SDR, SIR and SAR by BSS Eval 3: a short filter of the true source is no error.

    Args:
      references: `[sources, time]`, the true sources, none of them silent.
      estimates: `[sources, time]`, in the same order, none of them silent. Other orders are not
        tried.
    Returns: BSSScores of `[sources]` in dB, with one filter of 512 taps for the whole signal.
      Volume, and a delay or filter below 512 taps, do not count. `isr` is NaN: version 3 has none
      for sources.
    Raises: ShapeError when the shapes differ or are not two-dimensional, a value is not finite, or
      something is silent.
    """
    references = check_audio("references", references)
    estimates = check_audio("estimates", estimates)
    if references.shape != estimates.shape or references.ndim != 2:
        raise ShapeError(
            f"references of shape {list(references.shape)} and estimates of shape"
            f" {list(estimates.shape)}, wanted the same [sources, time]; mix channels down first"
        )
    for name, signals in (("reference", references), ("estimate", estimates)):
        silent = np.flatnonzero(~signals.any(axis=1))
        if silent.size:
            raise ShapeError(
                f"{name} {silent[0]} of {len(signals)} is silent (all zeros), for which BSS Eval 3"
                " is not defined"
            )
    score = _museval().bss_eval_sources
    with _numpy_1_silenced():
        sdr, sir, sar, _ = score(references, estimates, compute_permutation=False)
    isr = np.full(len(references), np.nan)
    return BSSScores(*(np.reshape(metric, -1) for metric in (sdr, isr, sir, sar)))


@contextlib.contextmanager
def _numpy_1_silenced() -> Iterator[None]:
    """Within this context, numpy 1 does not warn of a parameter that museval leaves out."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="`rcond` parameter", category=FutureWarning)
        yield


@functools.lru_cache(maxsize=1)
def _museval() -> types.ModuleType:
    """The metrics module of museval without its package; see the top of this file."""
    package = importlib.util.find_spec("museval")
    if package is None or package.origin is None:
        raise ConfigError(
            "BSS Eval needs the package museval, which is not installed; run: pip install museval"
        )
    path = Path(package.origin).with_name("metrics.py")
    specification = importlib.util.spec_from_file_location("tfsepgan.metrics._museval", path)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    module.np = _numpy_with_linalg()
    module._any_source_silent = _any_silent
    return module


def _numpy_with_linalg() -> types.ModuleType:
    """A copy of numpy's namespace with `numpy.linalg.linalg`, for the private copy of museval."""
    linalg = types.ModuleType("numpy.linalg")
    linalg.__dict__.update(vars(np.linalg), linalg=np.linalg)
    numpy = types.ModuleType("numpy")
    numpy.__dict__.update(vars(np), linalg=linalg)
    return numpy


def _any_silent(sources: np.ndarray) -> bool:
    """Whether any of `[sources, time, channels]` is all zeros."""
    return bool(np.any(~np.any(sources, axis=(1, 2))))


def _check_sources(name: str, sources) -> np.ndarray:
    """The sources as float64 `[sources, time, channels]`, or a ShapeError."""
    sources = check_audio(name, sources)
    if sources.ndim != 3:
        raise ShapeError(f"{name} of shape {list(sources.shape)}, wanted [sources, time, channels]")
    return sources


def _whole_samples(name: str, seconds: float, sample_rate_hz: float) -> int:
    """The length in samples, at least one."""
    samples = int(seconds * sample_rate_hz) if seconds > 0 and sample_rate_hz > 0 else 0
    if samples < 1:
        raise ConfigError(
            f"{name} of {seconds} s at {sample_rate_hz} Hz is {samples} samples, wanted at least"
            " one; give a positive length and rate"
        )
    return samples


def _defined_median(values: np.ndarray) -> float:
    """Median of the values that are not NaN; NaN, without a warning, when all are."""
    defined = values[~np.isnan(values)]
    return float(np.median(defined)) if defined.size else np.nan
