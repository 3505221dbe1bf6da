"""The embedded server lives exactly as long as the process that started it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import psutil
import pytest
import requests

from ds_magic.api.events import Retrying
from ds_magic.local import launch, weights
from ds_magic.local.model_failures import LocalModelError, MissingExtraError

pytestmark = pytest.mark.model

STARTER = """
import json, sys, time
from ds_magic.local import launch
server = launch.ensure()
print(json.dumps([server.process.pid, server.base_url, server.api_key]), flush=True)
"""
WAIT = "sys.stdin.read()\n"


@contextmanager
def starter(program: str = STARTER + WAIT) -> Iterator[tuple[subprocess.Popen, psutil.Process, str, str]]:
    """A process that has started an embedded server: itself, the server, its address and key."""
    process = subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )
    try:
        pid, base_url, key = json.loads(process.stdout.readline())
        yield process, psutil.Process(pid), base_url, key
    finally:
        process.kill()
        process.wait()


def models(base_url: str, key: str) -> requests.Response:
    return requests.get(f"{base_url}/models", headers={"Authorization": f"Bearer {key}"}, timeout=60)


def test_the_server_ends_with_its_starter():
    with starter() as (process, server, _, _):
        process.stdin.close()
        assert process.wait() == 0
        server.wait(timeout=60)


def test_the_server_ends_when_its_starter_is_killed():
    with starter() as (process, server, _, _):
        process.send_signal(signal.SIGKILL)
        server.wait(timeout=60)


def test_a_forked_child_does_not_keep_the_server_alive():
    fork = "import os\nchild = os.fork()\nif not child:\n    time.sleep(3600)\nprint(child, flush=True)\n"
    with starter(STARTER + fork + WAIT) as (process, server, _, _):
        child = psutil.Process(int(process.stdout.readline()))
        process.send_signal(signal.SIGKILL)
        server.wait(timeout=60)
        assert child.is_running()
        child.kill()


def test_the_servers_of_two_starters_do_not_disturb_each_other():
    with starter() as (one, one_server, one_url, one_key), starter() as (_, _, other_url, other_key):
        assert one_url != other_url
        assert models(other_url, one_key).status_code == 401
        one.kill()
        one_server.wait(timeout=60)
        assert models(other_url, other_key).status_code == 200
        assert one_key != other_key


def test_an_interrupt_of_the_kernel_does_not_reach_the_server():
    program = STARTER.replace("import json", "import os, signal, json") + """
signal.signal(signal.SIGINT, lambda *_: print("interrupted", flush=True))
os.setpgid(0, 0)
os.killpg(0, signal.SIGINT)
""" + WAIT
    with starter(program) as (process, server, base_url, key):
        assert process.stdout.readline() == "interrupted\n"
        assert server.is_running()
        assert models(base_url, key).status_code == 200


def test_one_process_has_one_server_and_a_new_one_when_it_died():
    first = launch.ensure()
    try:
        assert launch.ensure() is first
        first.process.kill()
        first.process.wait()
        second = launch.ensure()
        assert second is not first
        assert models(second.base_url, second.api_key).status_code == 200
    finally:
        launch.ensure().stop()


def test_the_key_is_on_no_command_line_and_in_no_repr(local_server):
    server = psutil.Process(local_server.process.pid)
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
    server.stop()


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
    server.stop()


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
    server.stop()
    assert response.status_code == 503
    assert "could not load" in response.json()["error"]["message"]


def test_memory_stays_level_over_different_prompts(api, local_server):
    server = psutil.Process(local_server.process.pid)

    def ask(number: int) -> None:
        api.chat(f"{number} is a number. Write about {number * 7919} things. " + "so " * (number % 20), max_tokens=4)

    for number in range(20):
        ask(number)
    before = server.memory_info().rss
    for number in range(20, 80):
        ask(number)
    grown = (server.memory_info().rss - before) / 1e6
    assert grown < 20, f"it grew by {grown:.0f} MB"


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


def test_a_model_that_cannot_be_had_is_said_once_with_its_remedy_and_can_be_mended(monkeypatch, tmp_path, local_server):
    from ds_magic import DeepSeekError, backend

    good = os.environ.get("DS_MAGIC_LOCAL_MODEL") or str(weights.cache_dir() / weights.FILE_NAME)
    monkeypatch.setattr(launch, "_server", None)
    broken = tmp_path / "broken.gguf"
    broken.write_text("no model")
    told = []
    for bad in (str(tmp_path / "nowhere.gguf"), str(broken)):
        monkeypatch.setenv("DS_MAGIC_LOCAL_MODEL", bad)
        with pytest.raises(DeepSeekError) as caught:
            backend.resolve(local=True).chat("Hi", stream=True, on_event=told.append)
        assert "gguf" in caught.value.message and "overloaded" not in caught.value.remedy
        launch.ensure().process.wait(timeout=60)
    assert [event for event in told if isinstance(event, Retrying)] == []
    monkeypatch.setenv("DS_MAGIC_LOCAL_MODEL", good)
    assert backend.resolve(local=True).chat("Hi", max_tokens=1).finish_reason
    launch.ensure().stop()


def test_a_start_that_is_interrupted_leaves_no_server_behind(tmp_path):
    # Its first word comes when its starter waits for its address, and that is when the interrupt comes.
    program = """
import sys, _thread
from ds_magic.local import launch
launch._PROGRAM = launch._PROGRAM.replace("sys.path +=", "print('begins', file=sys.stderr, flush=True)\\nsys.path +=")

class Interrupts:
    def write(self, text):
        if "begins" in text:
            _thread.interrupt_main()
    def flush(self):
        pass

try:
    sys.stderr = Interrupts()
    launch.ensure()
    print("started")
except KeyboardInterrupt:
    print("interrupted")
sys.stdout.flush()
sys.stdin.read()
"""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    process = subprocess.Popen([sys.executable, "-c", program], text=True, **pipes)
    try:
        assert process.stdout.readline() == "interrupted\n"
        assert psutil.Process(process.pid).children() == []
    finally:
        process.kill()
        process.wait()
