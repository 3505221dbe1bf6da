import contextlib
import fcntl
import io
import math
import os
import pty
import re
import struct
import termios

import pytest

from ds_magic.api.delta import Delta
from ds_magic.api.events import Note, Queued
from ds_magic.api.request import ChatRequest
from ds_magic.api.response import ChatCompletion
from ds_magic.views import make_view, terminal_width
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


def on_a_terminal(deltas, made, columns=0):
    """What a terminal of so many columns is sent; 0: it does not say."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
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


def lines_of(read):
    """The lines of the answer without escapes and without what stands below it."""
    return re.sub("\x1b\\[[0-9;]*m", "", read).partition("\n⟨")[0].split("\n")


WORDS = "The quick brown fox jumps over the lazy dog, and\n    indented text stays where it was put by its author."


@pytest.mark.parametrize("columns", [14, 20, 37, 80])
@pytest.mark.parametrize("size", [1, 3, 1000])
def test_words_go_on_the_next_line_whole(columns, size):
    pieces = [delta(content=WORDS[at : at + size]) for at in range(0, len(WORDS), size)]
    lines = lines_of(on_a_terminal(pieces, completion(WORDS), columns))
    assert max(map(len, lines)) < columns
    assert " ".join(lines).split() == WORDS.split()
    assert any(line.startswith("    indented") for line in lines)


def test_only_the_word_that_is_not_over_is_held_back():
    master, slave = pty.openpty()
    with os.fdopen(slave, "w", encoding="utf-8") as out:
        view = make_view("text", out=out)
        view.start(ChatRequest.build("q"), "embedded model")
        for piece, written in (("Hello", ""), (" wor", "Hello"), ("ld", ""), ("\n", " world\r\n")):
            view.delta(delta(content=piece))
            out.flush()
            os.set_blocking(master, False)
            try:
                read = os.read(master, 1000).decode()
            except BlockingIOError:
                read = ""
            assert read == written
    os.close(master)


def test_letters_of_two_columns_break_where_the_line_is_full():
    text = "日本語の文章は空白がないので、どこでも改行できる。"
    lines = lines_of(on_a_terminal([delta(content=letter) for letter in text], completion(text), 20))
    assert max(map(terminal_width.columns, lines)) <= 19 and len(lines) == 3 and "".join(lines) == text


def test_an_address_wider_than_the_terminal_is_not_cut():
    url = "https://example.org/" + "a" * 100
    text = f"See {url} for more of it."
    assert url in on_a_terminal([delta(content=letter) for letter in text], completion(text), 30)


def surprising(*tokens):
    content = [{"token": text, "logprob": -bits * math.log(2), "top_logprobs": []} for text, bits in tokens]
    return {"choices": [{"index": 0, "delta": {"content": "".join(text for text, _ in tokens)},
                         "logprobs": {"content": content}}]}  # fmt: skip


def with_bits(*tokens):
    chunk = surprising(*tokens)
    return Delta.of(chunk, chunk["choices"][0])


def test_on_a_terminal_each_word_is_marked_by_its_surprise():
    text = "sure doubt odd wild"
    tokens = [with_bits(("sure", 0.1)), with_bits((" doubt", 3), (" odd", 5)), with_bits((" wild", 9))]
    read = on_a_terminal(tokens, completion(text))
    sure, doubt, odd, wild = read.partition("\n")[0].split(" ")
    assert sure == "sure" and doubt == "\x1b[4mdoubt\x1b[0m"
    assert odd == "\x1b[38;5;16;48;5;73modd\x1b[0m" and wild == "\x1b[1;4m\x1b[38;5;16;48;5;73mwild\x1b[0m"
    assert "Underlined: 2 bits of surprise and more." in read
    assert "Underlined" not in on_a_terminal([with_bits(("sure", 0.1))], completion("sure"))


def test_an_answer_that_came_whole_is_marked_as_well():
    choice = surprising(("sure", 0.1), (" wild", 9))["choices"][0]
    body = {"choices": [{"message": choice["delta"], "logprobs": choice["logprobs"], "finish_reason": "stop"}]}
    read = on_a_terminal([], ChatCompletion.from_wire(body))
    assert read.startswith("sure \x1b[1;4m\x1b[38;5;16;48;5;73mwild\x1b[0m\n") and "Underlined" in read


def test_there_are_no_marks_without_colours(monkeypatch):
    tokens = [with_bits(("wild", 9), (" odd", 5))]
    assert shown(tokens, completion("wild odd")).startswith("wild odd\n⟨")
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in on_a_terminal(tokens, completion("wild odd"))
