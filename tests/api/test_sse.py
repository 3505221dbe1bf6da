"""The event-stream decoder by the WHATWG rules, each with every split of the bytes."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ds_magic.api.errors import StreamInterruptedError
from ds_magic.api.loose_json import LONGEST
from ds_magic.api.sse import EventDecoder


def events_of(*pieces):
    """The data of all events in the pieces, taken in one after the other."""
    decoder = EventDecoder()
    events = [event for piece in pieces for event in decoder.decode(piece)]
    return events + decoder.flush()


def every_split(data):
    """The bytes in two pieces at each place, and byte by byte, with empty reads between."""
    yield [data]
    for place in range(len(data) + 1):
        yield [data[:place], data[place:]]
    yield [data[place : place + 1] for place in range(len(data))]
    yield [piece for place in range(len(data)) for piece in (data[place : place + 1], b"")]


def reference(data):
    """The standard's algorithm on decoded text, written to be read: the data of each dispatched event."""
    text = data.decode("utf-8", "replace").removeprefix("\ufeff")
    lines, line, position = [], "", 0
    while position < len(text):
        if text.startswith("\r\n", position):
            lines.append(line)
            line, position = "", position + 2
        elif text[position] in "\r\n":
            lines.append(line)
            line, position = "", position + 1
        else:
            line, position = line + text[position], position + 1
    events, buffer = [], ""
    for each in lines:
        if each == "":
            if buffer:
                events.append(buffer.removesuffix("\n"))
            buffer = ""
        elif not each.startswith(":"):
            field, _, value = each.partition(":")
            if field == "data":
                buffer += value.removeprefix(" ") + "\n"
    field, _, value = line.partition(":")
    if field == "data":
        buffer += value.removeprefix(" ") + "\n"
    if buffer.strip(" \t\n\r\v\f") == "[DONE]" and buffer.count("\n") == 1:
        events.append(buffer.removesuffix("\n"))
    return events


RULES = {
    "an event ends at a blank line": (b"data: a\n\ndata: b\n\n", [b"a", b"b"]),
    "lines end at CR": (b"data: a\r\rdata: b\r\r", [b"a", b"b"]),
    "lines end at CRLF": (b"data: a\r\n\r\ndata: b\r\n\r\n", [b"a", b"b"]),
    "CRLF is one end of a line, not two": (b"data: a\r\ndata: b\r\n: c\r\ndata: d\r\n\r\n", [b"a\nb\nd"]),
    "line ends may be mixed": (b"data: a\r\n\ndata: b\n\r\ndata: c\r\n\rdata: d\n\n", [b"a", b"b", b"c", b"d"]),
    "CR LF LF is an end of line and a blank line": (b"data: a\r\n\ndata: b\n\n", [b"a", b"b"]),
    "LF CR is two ends of lines": (b"data: a\n\rdata: b\n\n", [b"a", b"b"]),
    "one leading BOM is dropped": (b"\xef\xbb\xbfdata: a\n\n", [b"a"]),
    "a second BOM is part of the field's name": (b"\xef\xbb\xbf\xef\xbb\xbfdata: a\n\ndata: b\n\n", [b"b"]),
    "a BOM later is part of the field's name": (b"data: a\n\n\xef\xbb\xbfdata: b\n\ndata: c\n\n", [b"a", b"c"]),
    "a BOM in data stays": (b"data: \xef\xbb\xbfa\n\n", [b"\xef\xbb\xbfa"]),
    "a part of a BOM is no BOM": (b"\xef\xbbdata: a\n\ndata: b\n\n", [b"b"]),
    "comments are skipped": (b": keep-alive\n\n:\ndata: a\n: x\ndata: b\n\n", [b"a\nb"]),
    "a comment may hold a field": (b":data: a\n\n", []),
    "a field without colon has an empty value": (b"data\n\n", [b""]),
    "only the first space is dropped": (b"data:  a\n\n", [b" a"]),
    "no space is needed": (b"data:a\n\n", [b"a"]),
    "a tab is not a space": (b"data:\ta\n\n", [b"\ta"]),
    "data may hold colons": (b"data: a: b\n\n", [b"a: b"]),
    "several data lines are joined by LF": (b"data: a\ndata:\ndata: b\n\n", [b"a\n\nb"]),
    "data that is there and empty is dispatched": (b"data: \n\ndata:\n\n", [b"", b""]),
    "an event without data is not dispatched": (b"event: ping\n\nid: 1\n\n\n\n", []),
    "an unterminated last event is not dispatched": (b"data: a\n\ndata: b\n", [b"a"]),
    "an unterminated last line is not dispatched": (b"data: a\n\ndata: b", [b"a"]),
    "[DONE] needs no blank line at the end of input": (b"data: a\n\ndata: [DONE]\n", [b"a", b"[DONE]"]),
    "[DONE] needs no line end at the end of input": (b"data: a\n\ndata: [DONE]", [b"a", b"[DONE]"]),
    "[DONE] at the end of input may end in CR": (b"data: a\r\rdata:[DONE]\r", [b"a", b"[DONE]"]),
    "[DONE] behind other data is no end": (b"data: a\ndata: [DONE]", []),
    "[DONE] in a comment or another field is no end": (b": [DONE]\nid: [DONE]", []),
    "event, id, retry and unknown fields are tolerated": (
        b"event: x\nid: 1\nretry: 5\nfoo: bar\nfoo\ndata: a\ndatax: b\nDATA: c\n data: d\n\n", [b"a"]
    ),
    "a field's name ends at its colon": (b"data : a\n\ndat: b\n\n", []),
    "U+2028 does not end a line": ("data: a\u2028data: b\n\n".encode(), ["a\u2028data: b".encode()]),
    "U+2029 does not end a line": ("data: a\u2029b\n\n".encode(), ["a\u2029b".encode()]),
    "U+0085 does not end a line": ("data: a\x85b\n\n".encode(), ["a\x85b".encode()]),
    "VT, FF and the separators do not end a line": (b"data: a\x0b\x0c\x1c\x1d\x1eb\n\n", [b"a\x0b\x0c\x1c\x1d\x1eb"]),
    "NUL is a character": (b"data: a\x00b\n\n", [b"a\x00b"]),
    "characters are never torn": ("data: é€😀\n\n".encode(), ["é€😀".encode()]),
    "invalid UTF-8 stays where it is": (b"data: a\xffb\xc3\n\ndata: c\n\n", [b"a\xffb\xc3", b"c"]),
    "nothing gives nothing": (b"", []),
}


@pytest.mark.parametrize("rule", RULES)
def test_rule_holds_under_every_split(rule):
    data, expected = RULES[rule]
    for pieces in every_split(data):
        assert events_of(*pieces) == expected, pieces


@pytest.mark.parametrize("rule", RULES)
def test_rules_agree_with_the_standards_own_algorithm(rule):
    data, expected = RULES[rule]
    assert [event.decode("utf-8", "replace") for event in expected] == reference(data)


FRAGMENTS = st.sampled_from([
    b"data:", b"data: ", b"data", b"dat", b"event: x", b"id", b":", b": c", b" ", b"\n", b"\r", b"\r\n", b"\n\n",
    b"\xef\xbb\xbf", b"\xef\xbb", b"\xe2\x80\xa8", b"\xc2\x85", b"[DONE]", b"a", b"\xff", b"\xf0\x9f", b"\x00", b"{}",
])


@given(st.lists(st.one_of(FRAGMENTS, st.binary(max_size=4)), max_size=25), st.data())
@example([b"\xef\xbb\xbf", b"data: a", b"\r", b"\n", b"\r"], None)
def test_any_bytes_in_any_pieces_decode_as_the_standard_says(fragments, data):
    stream = b"".join(fragments)
    pieces = fragments
    if data is not None:
        cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=6)))
        pieces = [stream[start:end] for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    decoded = [event.decode("utf-8", "replace") for event in events_of(*pieces)]
    assert decoded == reference(stream)


@pytest.mark.parametrize(("data", "before", "comment"), [
    (b": keep-alive\n", None, b"keep-alive"), (b":\n", None, b""), (b"data: a\n\n", None, None), (b"\n\n", None, None),
    (b"data: a\n\n: x\n", None, b"x"), (b": x\n:y \n", b"x", b"y"), (b":" + b"z" * 999 + b"\n", None, b"z" * 199),
])
def test_the_last_comment_is_told_when_it_is_whole(data, before, comment):
    decoder = EventDecoder()
    decoder.decode(data[:-1])
    assert decoder.comment == before
    decoder.decode(data[-1:])
    assert decoder.comment == comment


def test_events_are_given_as_soon_as_their_blank_line_is_there():
    decoder = EventDecoder()
    assert decoder.decode(b"data: a\n") == []
    assert decoder.decode(b"\n") == [b"a"]
    assert decoder.decode(b"data: b\r\n\r") == [b"b"]
    assert decoder.decode(b"\ndata: c\n\n") == [b"c"]


def test_a_flushed_decoder_has_forgotten_the_unfinished_event():
    decoder = EventDecoder()
    decoder.decode(b"data: a")
    assert decoder.flush() == []
    assert decoder.decode(b"data: b\n\n") == [b"b"]


def test_only_one_event_can_be_too_long_and_not_all_of_them_together():
    decoder, part = EventDecoder(), b"x" * (LONGEST // 3)
    for _ in range(4):
        assert decoder.decode(b": " + part + b"\n") == []
        assert decoder.decode(b"data: " + part) == [] and len(decoder.decode(b"\n\n")) == 1
    with pytest.raises(StreamInterruptedError, match="longer than 128 MB"):
        for _ in range(4):
            decoder.decode(b"data: " + part + b"\n")
