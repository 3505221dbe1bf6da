"""One embedded server for all kernels of a user: found, shared, started again, and ended after the last of them."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from urllib.parse import urlsplit

import psutil
import pytest
import requests

from ds_magic import DeepSeekError, backend
from ds_magic.api.errors import StreamInterruptedError
from ds_magic.api.events import Retrying
from ds_magic.local import launch, weights
from ds_magic.local.model_failures import LocalModelError, MissingExtraError
from ds_magic.local.record import Record

pytestmark = pytest.mark.model

KERNEL = """
import json, os, sys, time
from ds_magic.local import launch
launch.LINGER = float(os.environ.get("LINGER", "0"))
server = launch.ensure()
print(json.dumps([server.pid, server.base_url, server.api_key]), flush=True)
"""
WAIT = "sys.stdin.read()\n"
ASK = """
from ds_magic import backend
client = backend.resolve(local=True)
for line in sys.stdin:
    print("answered", repr(client.chat(line, max_tokens=4).content), flush=True)
"""


@pytest.fixture(autouse=True)
def own_records(tmp_path, monkeypatch):
    """A cache folder in which no other server is told of; the weights stay where they are."""
    monkeypatch.setenv("DS_MAGIC_LOCAL_MODEL", str(weights.model_path()))
    monkeypatch.setenv("DS_MAGIC_CACHE", str(tmp_path / "cache"))


@contextmanager
def kernel(
    program: str = KERNEL + WAIT, **environment: str
) -> Iterator[tuple[subprocess.Popen, psutil.Process, str, str]]:
    """A process that uses the embedded server: itself, the server, its address and key."""
    process = subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        env={**os.environ, **environment},
    )
    try:
        pid, base_url, key = json.loads(process.stdout.readline())
        yield process, psutil.Process(pid), base_url, key
    finally:
        process.kill()
        process.wait()


def models(base_url: str, key: str) -> requests.Response:
    return requests.get(f"{base_url}/models", headers={"Authorization": f"Bearer {key}"}, timeout=60)


def test_the_server_ends_after_its_kernel():
    with kernel() as (process, server, _, _):
        process.stdin.close()
        assert process.wait() == 0
        server.wait(timeout=60)


def test_the_server_ends_after_its_kernel_was_killed():
    with kernel() as (process, server, _, _):
        process.send_signal(signal.SIGKILL)
        server.wait(timeout=60)


def test_a_forked_child_does_not_keep_the_server_alive():
    fork = "child = os.fork()\nif not child:\n    time.sleep(3600)\nprint(child, flush=True)\n"
    with kernel(KERNEL + fork + WAIT) as (process, server, _, _):
        child = psutil.Process(int(process.stdout.readline()))
        process.send_signal(signal.SIGKILL)
        server.wait(timeout=60)
        assert child.is_running()
        child.kill()


def asked(process: subprocess.Popen, text: str) -> str:
    """What a kernel that runs ASK prints of its answer."""
    process.stdin.write(f"{text}\n")
    process.stdin.flush()
    return process.stdout.readline()


@pytest.mark.parametrize("order", [(0, 1), (1, 0), (0, 1, 2, 3), (3, 2, 1, 0), (1, 3, 0, 2)])
def test_kernels_share_one_server_which_ends_after_the_last_in_whatever_order_they_are_killed(order, row):
    with ExitStack() as stack:
        kernels = [stack.enter_context(kernel(KERNEL + ASK)) for _ in order]
        assert len({(server.pid, url, key) for _, server, url, key in kernels}) == 1
        _, server, _, _ = kernels[0]
        programs = [process for process, *_ in kernels]
        memory = []
        for number, program in enumerate(programs):
            assert asked(program, f"Hello from {number}.").startswith("answered")
            memory.append(server.memory_info().rss / 1e6)
        started = [each.pid for program in programs for each in psutil.Process(program.pid).children(recursive=True)]
        assert started == [server.pid]
        row("Memory of the embedded server", **{"MB after each": ", ".join(f"{each:.0f}" for each in memory)},
            of=f"a request from each of {len(order)} kernels")
        assert memory[-1] < 1.2 * memory[0]
        for number in order[:-1]:
            programs[number].kill()
            programs[number].wait()
            others = [program for program in programs if program.poll() is None]
            assert all(asked(program, "And now?").startswith("answered") for program in others)
        programs[order[-1]].kill()
        server.wait(timeout=60)


def test_kernels_that_start_at_once_start_one_server():
    programs = [subprocess.Popen(
        [sys.executable, "-c", KERNEL + WAIT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) for _ in range(4)]
    told = {program.stdout.readline() for program in programs}
    for program in programs:
        program.kill()
        program.wait()
    assert len(told) == 1
    psutil.Process(json.loads(told.pop())[0]).wait(timeout=60)


def test_a_server_goes_on_for_a_while_so_that_a_kernel_can_be_restarted():
    with kernel(LINGER="600") as (process, server, url, key):
        process.kill()
        process.wait()
        with kernel() as (_, same, _, _):
            assert same.pid == server.pid
        server.kill()


def test_another_model_has_a_server_of_its_own(tmp_path, model_file):
    other = tmp_path / "other.gguf"
    other.symlink_to(model_file)
    with kernel() as (_, one, _, _), kernel(DS_MAGIC_LOCAL_MODEL=str(other)) as (_, another, _, _):
        assert one.pid != another.pid


def test_what_tells_of_a_server_can_be_read_by_its_user_alone_and_goes_with_it():
    with kernel() as (process, server, _, key):
        record = Record.of_this_kernel()
        assert record.read()["api_key"] == key
        assert stat.S_IMODE(record.path.stat().st_mode) == 0o600
        assert stat.S_IMODE(record.path.parent.stat().st_mode) == 0o700
        process.kill()
        server.wait(timeout=60)
        assert not record.path.exists()


def test_a_record_that_is_no_record_is_passed_over():
    record = Record.of_this_kernel()
    record.make_folder()
    for content in ("no JSON", '["a list"]', '{"pid": 1}'):
        record.path.write_text(content)
        record.path.chmod(0o600)
        with kernel() as (_, server, url, key):
            assert models(url, key).status_code == 200
        server.wait(timeout=60)


def test_a_server_of_which_others_can_read_is_not_used():
    with kernel() as (_, one, _, _):
        Record.of_this_kernel().path.chmod(0o644)
        with kernel() as (_, another, _, _):
            assert another.pid != one.pid


def test_where_nothing_can_be_written_a_kernel_has_a_server_for_itself(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    with kernel(DS_MAGIC_CACHE=str(tmp_path / "file")) as (process, server, url, key):
        assert models(url, key).status_code == 200
        process.kill()
        server.wait(timeout=60)


def test_an_interrupt_of_the_kernel_does_not_reach_the_server():
    program = KERNEL.replace("import json", "import signal, json") + """
signal.signal(signal.SIGINT, lambda *_: print("interrupted", flush=True))
os.setpgid(0, 0)
os.killpg(0, signal.SIGINT)
""" + WAIT
    with kernel(program) as (process, server, base_url, key):
        assert process.stdout.readline() == "interrupted\n"
        assert server.is_running()
        assert models(base_url, key).status_code == 200


def test_one_process_has_one_server_and_a_new_one_when_it_died():
    first = launch.ensure()
    try:
        assert launch.ensure() is first
        psutil.Process(first.pid).kill()
        while first.is_alive:
            pass
        second = launch.ensure()
        assert second is not first
        assert models(second.base_url, second.api_key).status_code == 200
    finally:
        psutil.Process(launch.ensure().pid).kill()


@pytest.fixture
def no_server():
    """This process uses no server, whatever other tests have used, and the one that it then uses is killed."""
    if used := launch.running():
        used.release()
    backend.logout()
    yield
    if used := launch.running():
        psutil.Process(used.pid).kill()


@pytest.fixture
def embedded(no_server):
    """The client of the embedded server."""
    return backend.resolve(local=True)


def test_an_answer_whose_server_is_killed_keeps_what_had_come_and_the_next_one_is_given(embedded):
    texts = []
    # Some hundred tokens, each time: what is drawn at a high temperature can end at once.
    stream = embedded.stream("Write a long story about a dragon and a princess.", max_tokens=3000, temperature=0)
    with pytest.raises(StreamInterruptedError) as caught, stream:
        for delta in stream:
            texts.append(delta.content or "")
            if len(texts) == 5:
                psutil.Process(launch.ensure().pid).kill()
    assert caught.value.partial.content == "".join(texts)
    assert caught.value.partial.interrupted
    assert embedded.chat("Hi", max_tokens=2).finish_reason == "length"


def test_a_request_right_after_the_server_was_killed_starts_it_again(embedded):
    assert embedded.chat("Hi", max_tokens=2).content
    psutil.Process(launch.ensure().pid).kill()
    assert embedded.chat("Hi", max_tokens=2).content


def test_the_key_is_on_no_command_line_and_in_no_repr(local_server):
    server = psutil.Process(local_server.pid)
    assert local_server.api_key not in " ".join(server.cmdline())
    assert local_server.api_key not in json.dumps(server.environ())
    assert local_server.api_key not in repr(local_server)


def test_starting_it_brings_neither_the_engine_nor_a_server_into_this_process():
    program = "import sys; from ds_magic.local import launch; print([name for name in ('aiohttp', 'xllamacpp',\
 'pydantic', 'requests', 'numpy') if name in sys.modules])"
    assert subprocess.check_output([sys.executable, "-c", program], text=True) == "[]\n"


def test_a_missing_extra_names_both_ways_out(monkeypatch):
    monkeypatch.setitem(sys.modules, "xllamacpp", None)  # as if it were not installed
    with pytest.raises(MissingExtraError) as caught:
        launch.start()
    assert "xllamacpp" in str(caught.value)
    assert "DEEPSEEK_API_KEY" in caught.value.remedy
    assert "pip install 'ds-magic[local]'" in caught.value.remedy


def test_files_in_the_notebooks_folder_are_not_taken_for_the_standard_library(tmp_path, monkeypatch):
    (tmp_path / "json.py").write_text("raise SystemExit('not this one')\n")
    monkeypatch.chdir(tmp_path)
    server = launch.start()
    assert models(server.base_url, server.api_key).status_code == 200
    server.release()


def test_a_server_that_cannot_start_says_why(tmp_path, monkeypatch):
    monkeypatch.setattr(launch, "_PROGRAM", "raise SystemExit('no room on this machine')")
    with pytest.raises(LocalModelError, match="no room on this machine"):
        launch.start()


def test_without_weights_the_request_says_where_to_put_them(tmp_path, monkeypatch, capfd):
    monkeypatch.setenv("DS_MAGIC_LOCAL_MODEL", str(tmp_path / "none.gguf"))
    server = launch.start()
    body = {"model": "deepseek-chat", "messages": [{"role": "user", "content": "Hi"}]}
    response = requests.post(
        f"{server.base_url}/chat/completions", json=body, timeout=60,
        headers={"Authorization": f"Bearer {server.api_key}"},
    )
    assert response.status_code == 503
    assert str(tmp_path / "none.gguf") in response.json()["error"]["message"]
    server.release()


def test_a_model_that_cannot_be_loaded_is_a_503_with_the_reason(tmp_path, monkeypatch, model_file):
    half = tmp_path / "half.gguf"
    half.write_bytes(model_file.read_bytes()[:50_000_000])
    monkeypatch.setenv("DS_MAGIC_LOCAL_MODEL", str(half))
    server = launch.start()
    body = {"model": "deepseek-chat", "messages": [{"role": "user", "content": "Hi"}]}
    response = requests.post(
        f"{server.base_url}/chat/completions", json=body, timeout=60,
        headers={"Authorization": f"Bearer {server.api_key}"},
    )
    server.release()
    assert response.status_code == 503
    assert "could not load" in response.json()["error"]["message"]


def test_memory_stays_level_over_different_prompts(api, local_server):
    server = psutil.Process(local_server.pid)

    def ask(number: int) -> None:
        api.chat(f"{number} is a number. Write about {number * 7919} things. " + "so " * (number % 20), max_tokens=4)

    for number in range(20):
        ask(number)
    before = server.memory_info().rss
    for number in range(20, 50):
        ask(number)
    grown = (server.memory_info().rss - before) / 1e6
    assert grown < 10, f"it grew by {grown:.0f} MB"


def test_by_hand_it_prints_the_three_lines_that_a_client_needs_and_ends_on_ctrl_c():
    process = subprocess.Popen(
        [sys.executable, "-m", "ds_magic.local"], stdout=subprocess.PIPE, text=True, env={**os.environ}
    )
    lines = dict(process.stdout.readline().rstrip("\n").split("=", 1) for _ in range(3))
    lines = {name.strip(): value.strip() for name, value in lines.items()}
    assert lines["model"] == "smollm2-135m-instruct"
    assert models(lines["base_url"], lines["api_key"]).status_code == 200
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=60) == 0
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.1", urlsplit(lines["base_url"]).port), timeout=5)


def test_a_model_that_cannot_be_had_is_said_once_with_its_remedy_and_can_be_mended(monkeypatch, tmp_path, no_server):
    good = os.environ.get("DS_MAGIC_LOCAL_MODEL") or str(weights.cache_dir() / weights.FILE_NAME)
    broken = tmp_path / "broken.gguf"
    broken.write_text("no model")
    told = []
    for bad in (str(tmp_path / "nowhere.gguf"), str(broken)):
        monkeypatch.setenv("DS_MAGIC_LOCAL_MODEL", bad)
        with pytest.raises(DeepSeekError) as caught:
            backend.resolve(local=True).chat("Hi", stream=True, on_event=told.append)
        assert "gguf" in caught.value.message and "overloaded" not in caught.value.remedy
        psutil.wait_procs([psutil.Process(launch.ensure().pid)], timeout=60)
    assert [event for event in told if isinstance(event, Retrying)] == []
    monkeypatch.setenv("DS_MAGIC_LOCAL_MODEL", good)
    assert backend.resolve(local=True).chat("Hi", max_tokens=1).finish_reason


def test_a_start_that_is_interrupted_leaves_no_server_behind(tmp_path):
    # What is started here interrupts its starter, which waits for its address, and never says it.
    program = """
import os, signal, sys
from ds_magic.local import launch
signal.signal(signal.SIGINT, signal.default_int_handler)  # whatever it was where the tests were started
launch._PROGRAM = f"import os, sys; sys.stdin.readline(); os.kill({os.getpid()}, {signal.SIGINT}); sys.stdin.read()"
try:
    launch.ensure()
    print("started")
except KeyboardInterrupt:
    print("interrupted")
sys.stdout.flush()
"""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    process = subprocess.Popen([sys.executable, "-c", program + WAIT], text=True, **pipes)
    try:
        assert process.stdout.readline() == "interrupted\n"
        assert psutil.Process(process.pid).children() == []
    finally:
        process.kill()
        process.wait()
