"""What a page is told that comes late: all that the others have been told, in one message."""

import json
import os

import comm
import ipykernel.ipkernel  # noqa: F401  when it is imported it decides by what comms are made; here that is ours
import pytest
from comm.base_comm import BaseComm
from jupyter_server.services.kernels.kernelmanager import MappingKernelManager

from ds_magic.api.delta import Delta
from ds_magic.api.events import Queued
from ds_magic.views.answer import control_channel, live
from ds_magic.views.answer.told import Told
from tests.views.answer.test_display import kernel, outputs  # noqa: F401
from tests.views.answer.test_live import LIVE, told
from tests.views.making import delta, prefixed

TEXT = """## Title 😀

Some *words* and `code`, $x^2$ and 5 $.

- one
- two

```python
def f(x):
    return x
```

|a|b|
|-|-|
|1|2|

The end *grows"""


def said(text):
    logprobs = {"content": [{"token": text, "logprob": -0.3 * len(text), "bytes": None, "top_logprobs": []}]}
    return Delta.of({"model": "tiny"}, {"index": 0, "delta": {"content": text}, "logprobs": logprobs})


@pytest.fixture
def messages(monkeypatch):
    """What a view tells a page of an answer with everything in it, each piece in a message of its own."""
    sent = []

    class Recorder(BaseComm):
        def publish_msg(self, msg_type, data=None, metadata=None, buffers=None, **keys):
            if data and data.get("method") == "custom":
                sent.append(json.loads(json.dumps(data["content"])))

    monkeypatch.setattr(comm, "create_comm", Recorder)
    for pause in ("INTERVAL", "SHORT_INTERVAL", "PAUSE"):
        monkeypatch.setattr(live, pause, 0.0)
    view = live.LiveView()
    view.start(prefixed("The **prefix** of it, "), "embedded model")
    view.event(Queued())
    for word in ("Let me", " think", "."):
        view.delta(delta(reasoning_content=word))
    for at in range(0, len(TEXT), 3):
        view.delta(said(TEXT[at : at + 3]))
    for arguments in ("", '{"city": ', '"Rome"}'):
        view.delta(delta(tool_calls=[{"index": 1, "function": {"name": "weather", "arguments": arguments}}]))
    return sent


def whole(messages):
    """All of them in one, without its clock."""
    taken = Told()
    for message in messages:
        taken.take(message)
    made = json.loads(json.dumps(taken.message()))
    assert len(made.pop("ago")) == (3 if made.get("pieces") else 1)
    return made


def test_one_who_takes_the_whole_and_then_the_rest_has_what_one_has_who_took_each_message(messages):
    expected = whole(messages)
    assert expected["content"] == "The **prefix** of it, " + TEXT
    assert len(expected["finished"]) >= 5
    assert expected["calls"] == [[1, "weather", '{"city": "Rome"}']]
    for at in range(len(messages)):
        assert whole([whole(messages[:at]), *messages[at:]]) == expected


def test_a_note_is_not_told_when_something_has_come(messages):
    notes = [whole(messages[:at]).get("note") for at in range(len(messages))]
    assert any(notes)
    assert notes[-1] is None


def ask(client, **asked):
    client.control_channel.send(client.session.msg(control_channel.KIND, {"ds_magic": asked}))


def test_a_kernel_tells_the_whole_while_its_cell_is_blocked(kernel, tmp_path):  # noqa: F811
    gate = tmp_path / "gate"
    os.mkfifo(gate)

    def ask_and_open_the_gate(content):
        if told(content).get("content") == "One":
            ask(kernel, asks="whole", marks=[])
        if "whole" in told(content):
            gate.write_text("open")

    code = f"""
view.delta(delta(content="One"))
open({str(gate)!r}).read()
view.finish(completion("One"), None)
"""
    got = outputs(kernel, LIVE + code, ask_and_open_the_gate)
    (message,) = (told(content) for kind, content in got if kind == "comm_msg" and "whole" in told(content))
    assert message["about"]["backend"] == "embedded model"
    assert message["whole"]["content"] == "One"


def test_a_question_is_of_a_kind_that_a_server_does_not_take_for_work():
    assert control_channel.KIND in MappingKernelManager.untracked_message_types.default()


def test_the_channel_is_left_as_it_was_when_the_extension_is_unloaded(kernel):  # noqa: F811
    code = """
from ds_magic.views.answer import control_channel
handlers = get_ipython().kernel.control_handlers
ours = handlers[control_channel.KIND]
get_ipython().run_line_magic("load_ext", "ds_magic")
get_ipython().run_line_magic("unload_ext", "ds_magic")
print(*(handler == get_ipython().kernel.kernel_info_request for handler in (ours, handlers[control_channel.KIND])))
"""
    got = outputs(kernel, LIVE + "view.finish(None, None)" + code)
    assert "".join(content["text"] for kind, content in got if kind == "stream") == "False True\n"
