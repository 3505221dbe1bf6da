import contextlib
import io

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
