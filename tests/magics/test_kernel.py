"""The magics in a real kernel: stopping, logging in, what is left in the notebook."""

import sys
import threading
import time

import psutil
import pytest
from jupyter_client.manager import start_new_kernel

from ds_magic.teaching.guess.guess import TYPE
from tests.servers.scripted import ScriptedServer, chunk, event, head, refused, said, streamed, text_chunk
from tests.teaching.making import ENTRIES

KEY = "sk-0f1e2d3c4b5a69788796a5b4c3d2e1f0"
PATIENCE = 60


class Kernel:
    def __init__(self):
        self.manager, self.client = start_new_kernel(kernel_name="python3")

    def run(self, code, answer=None, interrupt_at=None, interrupt_at_picture=None):
        """Run a cell; its outputs (messages' contents).

        `answer` is given to the question that it asks; when `interrupt_at` has been printed, or what is shown begins
        with `interrupt_at_picture`, it is interrupted.
        """
        message = self.client.execute(code, allow_stdin=answer is not None)
        if answer is not None:
            asked = self.client.get_stdin_msg(timeout=PATIENCE)
            assert asked["content"]["password"], "the question would show its answer"
            self.client.input(answer)
        outputs = []
        while True:
            got = self.client.get_iopub_msg(timeout=PATIENCE)
            if got["parent_header"].get("msg_id") != message:
                continue
            if got["msg_type"] == "status" and got["content"]["execution_state"] == "idle":
                return outputs
            outputs.append(got["content"])
            if interrupt_at and interrupt_at in "".join(output.get("text", "") for output in outputs):
                interrupt_at = None
                self.manager.interrupt_kernel()
            plain = got["content"].get("data", {}).get("text/plain", "")
            if interrupt_at_picture and plain.startswith(interrupt_at_picture):
                interrupt_at_picture = None
                self.manager.interrupt_kernel()

    def text(self, code, **more):
        return "".join(output.get("text", "") for output in self.run(code, **more))


@pytest.fixture
def kernel(monkeypatch):
    kernel = Kernel()
    yield kernel
    kernel.client.stop_channels()
    kernel.manager.shutdown_kernel(now=True)


def half_an_answer(connection):
    """Streams two words, and waits for the other side to hang up."""
    connection.send(head())
    connection.send(chunk(event(text_chunk("Half an"))))
    connection.send(chunk(event(text_chunk(" answer"))))
    connection.wait_until_closed()


def test_interrupting_a_cell_keeps_what_came_without_a_traceback(kernel):
    with ScriptedServer(half_an_answer) as server:
        kernel.run(
            f"%load_ext ds_magic\n%config DeepSeekMagics.base_url = {server.url!r}\n"
            "%config DeepSeekMagics.view = 'text'"
        )
        outputs = kernel.run("%%deepseek -o answer\nHi", interrupt_at=" answer")
        assert not any("traceback" in output for output in outputs)
        shown = kernel.text("print([answer.content, answer.interrupted, _ds is answer])")
        assert shown == "['Half an answer', True, True]\n"


def test_stopping_before_anything_came_keeps_the_earlier_result(kernel):
    asked = threading.Event()

    def waits(connection):
        connection.send(head() + chunk(b": keep-alive\n\n"))
        asked.set()
        connection.wait_until_closed()

    with ScriptedServer(said("Hello"), waits) as server:
        kernel.run(
            f"%load_ext ds_magic\n%config DeepSeekMagics.base_url = {server.url!r}\n"
            "%config DeepSeekMagics.view = 'none'"
        )
        kernel.run("%%deepseek -o answer\nHi")
        message = kernel.client.execute("%%deepseek -o answer\nHi")
        assert asked.wait(PATIENCE), "the request never left"
        kernel.manager.interrupt_kernel()
        while kernel.client.get_shell_msg(timeout=PATIENCE)["parent_header"]["msg_id"] != message:
            pass
        assert kernel.text("print(answer.content, answer.interrupted)") == "Hello False\n"


def test_a_login_is_hidden_and_kept_for_this_kernel(kernel):
    with ScriptedServer(said("Hello")) as server:
        kernel.run(f"%load_ext ds_magic\n%config DeepSeekMagics.base_url = {server.url!r}")
        outputs = kernel.run("%ds_login", answer=KEY)
        assert KEY not in str(outputs) and "memory" in str(outputs)
        outputs = kernel.run("%%deepseek\nHi")
        assert server.requests[-1].headers["authorization"] == f"Bearer {KEY}"
        outputs += kernel.run("print(In, _ih, Out, list(get_ipython().history_manager.get_range()))\n%ds_why\n%whos")
        outputs += kernel.run("{name: repr(value) for name, value in list(globals().items())}")
        assert KEY not in str(outputs)
        kernel.run("%ds_login --forget\n%deepseek Hi")
        assert "authorization" not in server.requests[-1].headers


def test_where_nobody_can_be_asked_login_says_what_to_do(kernel):
    kernel.run("%load_ext ds_magic")
    outputs = kernel.run("%ds_login")
    assert "DEEPSEEK_API_KEY" in str(outputs)
    assert outputs[-1]["ename"] == "InvalidRequestError"


def test_run_all_stops_at_an_error(kernel):
    kernel.run("%load_ext ds_magic")
    cells = [kernel.client.execute(code) for code in ("%%deepseek -t hot\nHi", "ran = True")]
    statuses = {}
    while set(cells) - set(statuses):
        reply = kernel.client.get_shell_msg(timeout=PATIENCE)
        statuses[reply["parent_header"]["msg_id"]] = reply["content"]["status"]
    assert [statuses[cell] for cell in cells] == ["error", "aborted"]


def calls_add(connection):
    function = {"name": "add", "arguments": '{"a": 1, "b": 2}'}
    piece = {"index": 0, "id": "c1", "type": "function", "function": function}
    chunks = [{"choices": [{"index": 0, "delta": {"tool_calls": [piece]}}]}, text_chunk("", finish="tool_calls")]
    streamed(*chunks)(connection)


def test_a_static_view_makes_one_display_with_all_rounds(kernel):
    with ScriptedServer(calls_add, said("It is 3.")) as server:
        kernel.run(f"%load_ext ds_magic\n%config DeepSeekMagics.base_url = {server.url!r}")
        kernel.run("def add(a: int, b: int): return a + b\n%config DeepSeekMagics.view = 'static'")
        outputs = [output["data"] for output in kernel.run("%%deepseek --tools add\n1 + 2?") if "data" in output]
    assert len(outputs) == 1
    assert all(text in outputs[0]["text/html"] for text in ("add(", "→ 3", "It is 3."))
    assert all(text in outputs[0]["text/plain"] for text in ("add(", "→ 3", "It is 3."))


def test_a_live_view_shows_each_call_with_its_result(kernel):
    with ScriptedServer(calls_add, said("It is 3.")) as server:
        kernel.run(f"%load_ext ds_magic\n%config DeepSeekMagics.base_url = {server.url!r}")
        kernel.run("def add(a: int, b: int): return a + b\n%config DeepSeekMagics.view = 'live'")
        shown = [output["data"] for output in kernel.run("%%deepseek --tools add\n1 + 2?") if "data" in output]
    texts = [data.get("text/plain", "") for data in shown]
    assert any("add(" in text and "→ 3" in text for text in texts)
    assert "It is 3." in str(shown)


@pytest.mark.parametrize("view", ["static", "live"])
def test_an_answer_to_be_guessed_is_one_display_whose_last_state_is_the_guess(kernel, view):
    pieces = [text_chunk(bytes(one["bytes"]).decode(), logprobs={"content": [one]}) for one in ENTRIES]
    with ScriptedServer(streamed(*pieces, text_chunk("", finish="stop"))) as server:
        kernel.run(f"%load_ext ds_magic\n%config DeepSeekMagics.base_url = {server.url!r}")
        kernel.run(f"%config DeepSeekMagics.view = {view!r}")
        outputs = [output for output in kernel.run("%%deepseek --guess\nCapital?") if "data" in output]
    *before, last = outputs
    assert TYPE in last["data"] and "3 words to guess" in last["data"]["text/plain"]
    assert len({output["transient"].get("display_id") for output in outputs}) == 1
    assert (len(before) > 0) == (view == "live") and not any("Canberra" in str(output) for output in before)


def test_a_guess_that_fails_leaves_nothing_behind_but_the_error(kernel):
    with ScriptedServer(refused(400)) as server:
        kernel.run(f"%load_ext ds_magic\n%config DeepSeekMagics.base_url = {server.url!r}")
        kernel.run("%config DeepSeekMagics.view = 'live'")
        outputs = kernel.run("%%deepseek --guess\nCapital?")
    assert [output["data"] for output in outputs if "data" in output][-1] == {}
    assert any("InvalidRequestError" in str(output) for output in outputs)


def an_object_in_pieces(connection):
    """Streams a JSON object, and its last piece when the first has been shown."""
    connection.send(head())
    connection.send(chunk(event(text_chunk('{"number": 7, "note": "pa'))))
    connection.wait(an_object_in_pieces.shown)
    connection.send(chunk(event(text_chunk('id"}')) + event(text_chunk("", finish="stop")) + b"data: [DONE]\n\n"))
    connection.send(b"0\r\n\r\n")


def test_a_live_view_shows_the_object_while_it_comes_and_ends_without_it(kernel):
    an_object_in_pieces.shown = threading.Event()
    with ScriptedServer(an_object_in_pieces) as server:
        kernel.run(f"%load_ext ds_magic\n%config DeepSeekMagics.base_url = {server.url!r}")
        kernel.run("%config DeepSeekMagics.view = 'live'")
        message = kernel.client.execute("%%deepseek --json -o answer\nGo.")
        displays = {}
        while True:
            got = kernel.client.get_iopub_msg(timeout=PATIENCE)
            if got["parent_header"].get("msg_id") != message:
                continue
            if got["msg_type"] == "status" and got["content"]["execution_state"] == "idle":
                break
            if got["msg_type"] in ("display_data", "update_display_data"):
                display = got["content"]["transient"].get("display_id")
                displays.setdefault(display, []).append(got["content"]["data"])
                if "<th" in str(got["content"]["data"]) and "pa" in str(got["content"]["data"]):
                    an_object_in_pieces.shown.set()
        assert an_object_in_pieces.shown.is_set()
        (partial,) = [updates for updates in displays.values() if "<th" in str(updates[0])]
        assert partial[-1] == {"text/plain": ""}
        assert kernel.text("print(answer.parsed)") == "{'number': 7, 'note': 'paid'}\n"


def test_an_interrupt_before_there_is_a_server_is_quiet_and_a_second_one_stops_run_all(kernel):
    kernel.run("%load_ext ds_magic\nimport threading, _thread, ds_magic.backend as backend\n"
               "def waiting(**more):\n    _thread.interrupt_main()\n    threading.Event().wait(30)\n"
               "backend.resolve = waiting")
    first = kernel.run("%%deepseek\nHi")
    assert not any("traceback" in output for output in first) and "Stopped." in str(first)
    second = kernel.run("from ds_magic import stop\nimport time\nstop._last_interrupt = time.monotonic()\n%deepseek Hi")
    assert second[-1]["ename"] == "KeyboardInterrupt" and len(second[-1]["traceback"]) == 1


def word(text, *others):
    """A piece of a stream with its alternatives."""
    listed = [{"token": each, "logprob": -1.0, "bytes": list(each.encode())} for each in (text, *others)]
    return text_chunk(text, logprobs={"content": [{**listed[0], "top_logprobs": listed}]})


class Output:
    """What the output of a page does that is to be gone on from: it opens a comm, and hears of it."""

    def __init__(self, kernel, opening):
        self.client = kernel.client
        self.send("comm_open", target_name="ds_magic.answer", data=opening)

    def send(self, kind, **content):
        session = self.client.session
        self.client.shell_channel.send(session.msg(kind, {"comm_id": "c", **content}))

    def hears(self, kind, **wanted):
        """The content of the next message of a kind that says what is wanted."""
        while True:
            got = self.client.get_iopub_msg(timeout=PATIENCE)
            data = got["content"].get("data", {})
            if got["msg_type"] == kind and all(data.get(name) == value for name, value in wanted.items()):
                return data


def test_an_output_asks_for_a_branch_and_is_told_all_that_it_holds_of_it(kernel):
    branch = streamed(word(" is"), word(" large"), text_chunk("", finish="stop"))
    with ScriptedServer(streamed(word(" Canberra", " Sydney"), text_chunk("", finish="stop")), branch) as server:
        kernel.run(
            f"%load_ext ds_magic\n%config DeepSeekMagics.base_url = {server.url!r}\n"
            "%config DeepSeekMagics.view = 'static'"
        )
        (shown,) = (output for output in kernel.run("%%deepseek -l -o answer\nCapital?") if "metadata" in output)
        held = {"data": shown["data"]["application/vnd.ds-magic.answer+json"], "metadata": shown["metadata"]}
        output = Output(kernel, held)
        output.hears("comm_msg", type="ready")
        output.send("comm_msg", data={"type": "fork", "node": 0, "at": 0, "rank": 2})
        assert output.hears("comm_msg", type="node")["place"]["state"] == "running"
        assert output.hears("comm_msg", type="text")["text"] == " is"
        ended = output.hears("comm_msg", type="node")
        assert (ended["node"], ended["place"]["label"], ended["place"]["parent"]) == (1, "·Sydney", 0)
        assert ended["table"]["packed"] and "Sydney" in ended["table"]["html"] and "2 requests" in ended["tree"]
        assert kernel.text("print(answer.branches[0].content)") == " Sydney is large\n"


@pytest.mark.parametrize("opening", [{}, {"data": {"answer": 3}, "metadata": {}}, {"data": 1, "metadata": None}])
def test_an_output_that_holds_nothing_to_go_on_from_is_told_so(kernel, opening):
    kernel.run("%load_ext ds_magic")
    assert "does not hold what was asked" in Output(kernel, opening).hears("comm_msg", type="refused")["why"]


def test_an_unloaded_extension_answers_no_outputs(kernel):
    kernel.run("%load_ext ds_magic\n%unload_ext ds_magic")
    Output(kernel, {}).hears("comm_close")


def test_where_all_of_several_fail_a_panel_is_left_and_no_bar(kernel):
    kernel.run("%load_ext ds_magic\n%config DeepSeekMagics.view = 'live'")
    outputs = kernel.run("%%deepseek --base-url http://127.0.0.1:9 --times 3\nHi")
    pictures = [output["data"] for output in outputs if "data" in output]
    assert any("<progress" in picture.get("text/html", "") for picture in pictures) and pictures[-1] == {}
    assert "No connection" in outputs[-1]["evalue"]


def test_an_interrupt_ends_several_with_what_is_there(kernel):
    with ScriptedServer(said("one"), said("two"), half_an_answer) as server:
        kernel.run(
            f"%load_ext ds_magic\n%config DeepSeekMagics.base_url = {server.url!r}\n"
            "%config DeepSeekMagics.view = 'live'"
        )
        outputs = kernel.run("%%deepseek --times 40 -o many\nHi", interrupt_at_picture="2 of 40")
        assert not any("traceback" in output for output in outputs)
        assert kernel.text("print(sorted(many.contents)[-2:], len(many) < 40)") == "['one', 'two'] True\n"


@pytest.mark.skipif(sys.platform != "linux", reason="the C library of Linux keeps what is freed")
def test_an_idle_kernel_gives_back_what_was_freed(kernel):
    kernel.run("%load_ext ds_magic")
    process = psutil.Process(int(kernel.text("import os; print(os.getpid())")))
    kernel.run("kept = [bytes(3000) for _ in range(50_000)][::50]")
    after = process.memory_info().rss
    deadline = time.monotonic() + PATIENCE
    while process.memory_info().rss > after - 50e6:
        assert time.monotonic() < deadline, "it keeps everything"
        time.sleep(0.05)
