"""Programs without a console have no standard error; commands show the log of the package."""

import io
import logging
import sys

from rich.console import Console

from tfsepgan.cli.command import showing_log
from tfsepgan.quiet import kept_stderr, quiet_libraries


def test_a_program_without_a_standard_error_can_be_quiet(monkeypatch):
    monkeypatch.setattr(sys, "stderr", None)
    with quiet_libraries():
        assert kept_stderr().write("text") == 4


def test_a_command_shows_information_on_its_console_and_warnings_on_stderr(capsys):
    text, logger = io.StringIO(), logging.getLogger("tfsepgan.any.module")
    with showing_log(Console(file=text, soft_wrap=True)):
        logger.info("step %d [bold]", 3)
        logger.warning("careful")
    logger.info("after the command")
    assert text.getvalue() == "step 3 [bold]\n"
    assert capsys.readouterr().err == "careful\n"
    assert logging.getLogger("tfsepgan").propagate
