import contextlib
import io
import os
import pty

import pytest

from ds_magic.api.events import Note, Queued
from ds_magic.api.request import ChatRequest
from ds_magic.views import make_view
from tests.views.making import HOSTILE, completion, delta, prefixed


def shown(deltas, made, out=None, request=None, events=()):
    out = out or io.StringIO()
    view = make_view("text", out=out)
    view.start(request or ChatRequest.build("q"), "embedded model")
    for event in events:
        view.event(event)
    for each in deltas:
        view.delta(each)
    view.finish(made, None)
    return out.getvalue() if isinstance(out, io.StringIO) else None


def on_a_terminal(deltas, made):
    master, slave = pty.openpty()
    with os.fdopen(slave, "w", encoding="utf-8") as out:
        shown(deltas, made, out)
    read = b""
    with contextlib.suppress(OSError):  # what Linux says at the end
        while piece := os.read(master, 100_000):
            read += piece
    os.close(master)
    return read.decode().replace("\r\n", "\n")


def test_text_is_written_as_it_comes():
    out = io.StringIO()
    view = make_view("text", out=out)
    view.start(ChatRequest.build("q"), "embedded model")
    view.delta(delta(content="Hel"))
    assert out.getvalue() == "Hel"
    view.delta(delta(content="lo"))
    assert out.getvalue() == "Hello"


def test_a_summary_line_ends_the_answer():
    text = shown([delta(content="Hello")], completion())
    figures = "1,234 tokens in · 56 out · first after 0.42 s · 61.3 tokens/s"
    assert text == f"Hello\n⟨tiny · embedded model · {figures} · stop⟩\n"


def test_reasoning_is_dim_on_a_terminal():
    read = on_a_terminal([delta(reasoning_content="hm"), delta(content="Yes")], completion("Yes", reasoning="hm"))
    assert "\x1b[2mhm\x1b[0m" in read
    assert "\n\nYes\n" in read


def test_without_a_terminal_there_are_no_escape_codes():
    text = shown([delta(reasoning_content="hm"), delta(content="Yes")], completion(), events=[Queued(), Note("n")])
    assert "\x1b" not in text
    assert "Reasoning:\nhm\n\nYes" in text


@pytest.mark.parametrize("text", [*HOSTILE, "\x1b]0;title\x07\x1b[2J\x9b31m\x08\x7f\u202e"])
def test_nothing_that_a_model_says_commands_the_terminal(text):
    deltas = [delta(reasoning_content=character) for character in text] + [delta(content=text)]
    made = completion(text, reasoning=text, calls=[(text, text)], finish=text, interruption=text)
    made.model = text
    written = shown(deltas, made)
    written.encode()
    assert not [character for character in written if ord(character) < 32 and character not in "\n\t"]
    assert not [character for character in written if 0x7F <= ord(character) < 0xA0 or character in "\u202e\u202d"]


def test_the_halves_of_an_emoji_in_two_pieces_are_one_character():
    assert "😀 end" in shown([delta(content="\ud83d"), delta(content="\ude00 end")], completion())


def test_waits_and_notes_are_shown_on_lines_of_their_own():
    text = shown([delta(content="Hi")], completion("Hi"), events=[Queued(), Note("`top_p` is ignored")])
    assert text.startswith("The request waits in the server's queue.\n`top_p` is ignored\nHi\n")


def test_the_prefix_is_shown_before_its_continuation():
    assert shown([delta(content=" Paris")], completion(" Paris"), request=prefixed("It is")).startswith("It is Paris\n")


def test_an_answer_that_was_not_streamed_is_shown_whole():
    text = shown([], completion("Whole", reasoning="why"))
    assert "why" in text
    assert "\nWhole\n" in text


def test_tool_calls_are_shown():
    assert 'calls f {\n  "a": 1\n}' in shown([], completion(None, calls=[("f", '{"a":1}')]))


def test_an_interruption_is_said():
    text = shown([delta(content="Half")], completion("Half", interruption="the connection was lost"))
    assert "the connection was lost: this answer is partial" in text


def test_nothing_is_shown_where_nothing_came():
    assert shown([], None) == ""
