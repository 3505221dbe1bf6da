"""The views of notebooks, in a real kernel."""

import os
import subprocess
import sys

import pytest
from jupyter_client.manager import start_new_kernel

from ds_magic.views import make_view

PATIENCE = 60

SETUP = """
from ds_magic.api.events import Queued
from ds_magic.api.request import ChatRequest
from ds_magic.views import default_view, make_view
from tests.views.making import completion, delta
"""


@pytest.fixture(scope="module")
def kernel():
    manager, client = start_new_kernel(kernel_name="python3", env={**os.environ, "PYTHONPATH": os.getcwd()})
    yield client
    client.stop_channels()
    manager.shutdown_kernel(now=True)


def outputs(client, code, on_output=lambda content: None):
    """The messages (type, content) that a cell made; each content is also given to `on_output` as it comes."""
    sent = client.execute(SETUP + code)
    got = []
    while True:
        message = client.get_iopub_msg(timeout=PATIENCE)
        if message["parent_header"].get("msg_id", sent) != sent:
            continue
        content = message["content"]
        if message["msg_type"] == "status" and content["execution_state"] == "idle":
            return got
        assert message["msg_type"] != "error", "\n".join(content.get("traceback", ()))
        if message["msg_type"] in ("display_data", "update_display_data", "stream", "comm_msg"):
            got.append((message["msg_type"], content))
            on_output(content)


def test_the_static_view_makes_a_single_display(kernel):
    code = """
view = make_view("static")
view.start(ChatRequest.build("q"), "embedded model")
view.delta(delta(content="Hello"))
view.finish(completion("Hello"), None)
"""
    [(kind, content)] = outputs(kernel, code)
    assert kind == "display_data"
    assert set(content["data"]) == {"text/html", "text/markdown", "text/plain"}


def test_the_none_view_shows_nothing(kernel):
    code = """
view = make_view("none")
view.start(None, "")
view.event(Queued())
view.delta(None)
view.finish(None, None)
"""
    assert outputs(kernel, code) == []


def test_an_unknown_view_is_refused():
    with pytest.raises(ValueError, match="live, static, text, none"):
        make_view("hologram")


def test_a_kernel_without_a_jupyter_server_gets_the_static_view(kernel):
    printed = outputs(kernel, "import os; os.environ.pop('JPY_SESSION_NAME', 0); print(default_view())")
    assert "".join(content["text"] for _, content in printed) == "static\n"


def test_a_kernel_of_a_jupyter_server_gets_the_live_view(kernel):
    printed = outputs(kernel, "import os; os.environ['JPY_SESSION_NAME'] = 'n.ipynb'; print(default_view())")
    assert "".join(content["text"] for _, content in printed) == "live\n"


def test_a_terminal_gets_text():
    code = "import IPython; from ds_magic.views import default_view; print(default_view())"
    environment = {name: value for name, value in os.environ.items() if name != "JPY_SESSION_NAME"}
    assert subprocess.check_output([sys.executable, "-c", code], env=environment, text=True) == "text\n"


def test_colab_gets_the_static_view(kernel):
    code = """
import os
os.environ.update(JPY_SESSION_NAME="n.ipynb", COLAB_RELEASE_TAG="r")
print(default_view())
del os.environ["COLAB_RELEASE_TAG"], os.environ["JPY_SESSION_NAME"]
"""
    assert "".join(content["text"] for _, content in outputs(kernel, code)) == "static\n"


def test_an_answer_in_the_background_is_shown_in_the_place_that_was_reserved(kernel):
    code = """
view = make_view("static", on_stop=lambda: None)
view.start(ChatRequest.build("q"), "embedded model")
view.delta(delta(content="Hello"))
view.finish(completion("Hello"), None)
"""
    (first, reserved), (second, filled) = outputs(kernel, code)
    assert (first, second) == ("display_data", "update_display_data")
    assert reserved["transient"]["display_id"] == filled["transient"]["display_id"]
    assert "Hello" in filled["data"]["text/plain"]


def test_what_comes_later_takes_the_place_that_was_reserved_before_wherever_that_is_shown(kernel):
    code = """
from ds_magic.views.answer.display import Place
place = Place("ds-live-place-1")
place.here()
for kind in ("static", "live"):
    view = make_view(kind, on_stop=lambda: None, place=place)
    view.start(ChatRequest.build("q"), "embedded model")
    view.finish(completion(f"The {kind} one"), None)
place.here()
"""
    shown = [(kind, content) for kind, content in outputs(kernel, code) if kind != "comm_msg"]
    assert {content["transient"]["display_id"] for _, content in shown} == {"ds-live-place-1"}
    assert all(content["metadata"]["ds_magic"]["place"] == "ds-live-place-1" for _, content in shown)
    (first, empty), *_, (last, again) = shown
    assert (first, empty["data"]) == ("display_data", {}) and last == "display_data"
    assert "The live one" in again["data"]["text/plain"]
    assert any("The static one" in content["data"].get("text/plain", "") for _, content in shown)
