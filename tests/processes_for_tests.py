"""Conversion to TFLite and scoring in this process: another one would import TensorFlow first.

Tests of the process itself ask for `in_processes`.
"""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tfsepgan.evaluation import score
from tfsepgan.export.tflite import conversion, convert

RUN_CONVERTER, RUN_JOBS = conversion.run_converter, score.run_jobs


def run_converter(arguments, folder):
    convert.main(arguments)
    return subprocess.CompletedProcess(arguments, 0, "", "")


def run_jobs(function, jobs, *, workers, **options):
    return RUN_JOBS(function, jobs, workers=min(workers, 0), **options)


@contextmanager
def placed(converter, jobs) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(conversion, "run_converter", converter)
        patch.setattr(score, "run_jobs", jobs)
        yield


def here():
    """Convert and score in this process.

    Not for models that the converter refuses: it may abort its process.
    """
    return placed(run_converter, run_jobs)


def in_processes():
    """Convert and score in other processes, as the package does."""
    return placed(RUN_CONVERTER, RUN_JOBS)
