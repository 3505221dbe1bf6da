"""What the live view sends, in a real kernel; how it looks is tested in a browser."""

import os

from tests.views.answer.test_display import kernel, outputs  # noqa: F401

LIVE = """
view = make_view("live")
view.start(ChatRequest.build("q"), "embedded model")
"""


def told(content):
    """What a message tells the widget; nothing for other messages."""
    return content.get("data", {}).get("content") or {}


def test_each_piece_is_sent_while_the_cell_is_blocked(kernel, tmp_path):  # noqa: F811
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    waiting = ["Three", " two", "One"]

    def open_the_gate(content):
        if waiting and waiting[-1] in told(content).get("content", ""):
            waiting.pop()
            gate.write_text("open")

    code = f"""
view.delta(delta(content="One"))
open({str(gate)!r}).read()
view.delta(delta(content=" and"))
view.delta(delta(content=" two"))
open({str(gate)!r}).read()
view.delta(delta(content=" Three"))
open({str(gate)!r}).read()
view.finish(completion("One and two Three"), None)
"""
    outputs(kernel, LIVE + code, open_the_gate)
    assert not waiting


def test_the_static_output_takes_the_place_of_what_was_kept(kernel):  # noqa: F811
    code = 'view.delta(delta(content="**Hi**")); view.finish(completion("**Hi**"), None)'
    shown = [
        (kind, content["transient"]["display_id"], set(content["data"]))
        for kind, content in outputs(kernel, LIVE + code) if kind != "comm_msg"
    ]
    (_, place, _), _ = shown
    assert shown == [
        ("display_data", place, {"text/html", "text/plain"}),
        ("update_display_data", place, {"text/html", "text/markdown", "text/plain"}),
    ]


def test_what_has_come_is_kept_now_and_then_and_altogether_not_much_of_it(kernel):  # noqa: F811
    code = """
from ds_magic.views.answer import live
usual = live.KEPT, live.INTERVAL, live.SHORT_INTERVAL
live.KEPT = live.INTERVAL = live.SHORT_INTERVAL = 0.0
for number in range(2000): view.delta(delta(content=f"word{number} "))
view.finish(completion("x"), None)
live.KEPT, live.INTERVAL, live.SHORT_INTERVAL = usual
"""
    kept = [content["data"]["text/plain"] for kind, content in outputs(kernel, LIVE + code) if kind != "comm_msg"][1:-1]
    assert len(kept) > 5
    assert all("had not ended" in text for text in kept)
    lengths = [len(text) for text in kept]
    assert lengths == sorted(lengths) and sum(lengths) < 4 * lengths[-1]


def test_nothing_is_left_where_nothing_came(kernel):  # noqa: F811
    got = outputs(kernel, LIVE + "view.finish(None, None)")
    assert [content["data"] for kind, content in got if kind != "comm_msg"][1:] == [{}]


def test_what_came_is_kept_where_a_second_interrupt_leaves_no_completion(kernel):  # noqa: F811
    code = 'view.delta(delta(content="Half", reasoning_content="Hm")); view.finish(None, None)'
    *_, (_, content) = ((kind, content) for kind, content in outputs(kernel, LIVE + code) if kind != "comm_msg")
    assert "Half" in content["data"]["text/plain"]
    assert "stopped: this answer is partial" in content["data"]["text/plain"]


def test_a_view_that_was_never_started_can_be_finished(kernel):  # noqa: F811
    assert outputs(kernel, 'make_view("live").finish(None, None)') == []


def test_the_text_is_sent_once(kernel):  # noqa: F811
    code = """
words = [f"word{number} " for number in range(5000)]
for word in words: view.delta(delta(content=word))
view.finish(completion("".join(words)), None)
"""
    messages = [told(content) for kind, content in outputs(kernel, LIVE + code) if kind == "comm_msg"]
    text = "".join(message.get("content", "") for message in messages)
    assert text == "".join(f"word{number} " for number in range(5000))
    size = len(repr([message for message in messages if "content" in message]))
    assert size < 1.2 * len(text)


def test_a_count_is_never_far_behind_the_tokens(kernel):  # noqa: F811
    code = """
import time
for number in range(300):
    view.delta(delta(content="word "))
    time.sleep(0.002)
view.finish(completion("word " * 300), None)
"""
    told_pieces = came = 0
    for kind, content in outputs(kernel, LIVE + code):
        if kind == "comm_msg":
            told_pieces += told(content).get("pieces", 0)
            came += told(content).get("content", "").count("word")
            assert told_pieces >= came / 1.2
    assert told_pieces == 300


def test_much_text_is_sent_ahead_of_its_html(kernel):  # noqa: F811
    code = """
text = "Some *words*.\\n\\n" * 1000
view.delta(delta(content=text))
view.finish(completion(text), None)
"""
    messages = [told(content) for kind, content in outputs(kernel, LIVE + code) if kind == "comm_msg"]
    with_text = next(at for at, message in enumerate(messages) if "content" in message)
    assert "finished" not in messages[with_text]
    assert "finished" in messages[with_text + 1]


def test_a_burst_of_deltas_is_sent_before_its_time_and_loses_nothing(kernel, tmp_path):  # noqa: F811
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    length = 0

    def open_the_gate(content):
        nonlocal length
        before = length
        length += len(told(content).get("content", ""))
        if before < 5 * 4000 <= length:
            gate.write_text("open")

    # No thread sends here: what comes before the gate opens was sent by the deltas themselves.
    code = f"""
view._soon.end()
for number in range(5000): view.delta(delta(content="word "))
open({str(gate)!r}).read()
view.finish(completion("word " * 5000), None)
"""
    outputs(kernel, LIVE + code, open_the_gate)
    assert length == 5 * 5000


def test_messages_are_batched(kernel):  # noqa: F811
    code = """
import time
began = time.monotonic()
for number in range(20_000): view.delta(delta(content="word "))
view.finish(completion("word " * 20_000), None)
print(time.monotonic() - began)
"""
    got = outputs(kernel, LIVE + code)
    elapsed = float(next(content["text"] for kind, content in got if kind == "stream"))
    assert len([kind for kind, content in got if kind == "comm_msg"]) < 6 + 10 + elapsed * 25
