import contextlib
import io
import re

import pytest

from ds_magic.api.errors import InvalidRequestError
from ds_magic.views import colours
from ds_magic.views.answer.terminal import TerminalView
from ds_magic.views.panel import panel


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture(autouse=True)
def nobody_says_no(monkeypatch):
    monkeypatch.delenv("NO_COLOR", raising=False)


def written(out):
    """What an answer and an error are, written to `out`."""
    TerminalView(out).event("waits")
    with contextlib.redirect_stdout(out):
        print(*panel(InvalidRequestError("no")))
        assert colours.for_errors() is colours.for_terminal()
    assert "waits" in out.getvalue() and "InvalidRequestError" in out.getvalue()
    return out.getvalue()


def test_a_terminal_has_colours():
    assert written(Terminal()).count("\x1b") > 4


def test_a_pipe_has_no_colours():
    assert "\x1b" not in written(io.StringIO())


def test_no_color_takes_them_from_a_terminal(monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in written(Terminal())


def test_what_stands_in_backticks_is_bold_in_a_panel_with_colours_and_stays_as_typed_without():
    error = InvalidRequestError("No.", remedy="Ask with `-l`, or try " + "`a long piece of code` " * 4)
    with contextlib.redirect_stdout(Terminal()):
        lines = panel(error, 40)
    assert "\x1b[1m-l\x1b[0m" in "".join(lines) and "`" not in "".join(lines)
    assert "a long piece of code" in " ".join(re.sub("\x1b\\[[0-9]+m|▌", "", "".join(lines)).split())
    assert "`-l`" in "".join(panel(error, 40))
