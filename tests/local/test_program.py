"""`ds-magic serve` as a program, in the hands of a person."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import requests

pytestmark = pytest.mark.model

BODY = {"model": "deepseek-chat", "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 2}


@contextmanager
def serving(*options: str) -> Iterator[tuple[subprocess.Popen, dict[str, str]]]:
    """The running program, and the three lines that it prints."""
    command = [sys.executable, "-m", "ds_magic.local", "serve", *options]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        lines = [process.stdout.readline().split("=", 1) for _ in range(3)]
        yield process, {name.strip(): value.strip() for name, value in lines}
    finally:
        process.kill()
        process.wait()


def test_it_shows_requests_as_they_pass():
    with serving("--api-key", "k") as (process, said):
        url, key = f"{said['base_url']}/chat/completions", {"Authorization": "Bearer k"}
        requests.post(url, json=BODY, headers=key, timeout=120)
        line = process.stderr.readline()
        assert "POST /chat/completions 200" in line and "31 + 2 tokens, length" in line
        requests.post(url, json=BODY, timeout=120)
        assert "POST /chat/completions 401" in process.stderr.readline()


def test_it_shows_a_client_that_went_away():
    with serving("--api-key", "k") as (process, said):
        body = {**BODY, "stream": True, "max_tokens": 3000}
        with requests.post(
            f"{said['base_url']}/chat/completions", json=body, headers={"Authorization": "Bearer k"}, stream=True,
            timeout=120,
        ) as response:
            next(response.iter_content(10))
        assert "went away" in process.stderr.readline()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_cleanly_also_while_it_answers(number):
    with serving("--api-key", "k") as (process, said):
        body = {**BODY, "stream": True, "max_tokens": 3000}
        response = requests.post(
            f"{said['base_url']}/chat/completions", json=body, headers={"Authorization": "Bearer k"}, stream=True,
            timeout=120,
        )
        next(response.iter_content(10))
        process.send_signal(number)
        assert process.wait(timeout=60) == 0
        assert "Traceback" not in process.stderr.read()


def test_it_takes_the_port_that_it_is_given_and_says_so_when_it_cannot():
    with serving() as (_, said):
        port = said["base_url"].rsplit(":", 1)[1]
        second = subprocess.run(
            [sys.executable, "-m", "ds_magic.local", "serve", "--port", port], capture_output=True, text=True,
            timeout=60,
        )
        assert second.returncode == 1
        assert f"127.0.0.1:{port} cannot be had" in second.stderr


def test_beyond_this_machine_it_warns():
    with serving("--host", "0.0.0.0") as (process, said):
        assert "can be reached by other machines" in process.stderr.readline()
        address = said["base_url"].replace("0.0.0.0", "127.0.0.1")
        answer = requests.get(
            f"{address}/models", headers={"Authorization": f"Bearer {said['api_key']}", "Host": "elsewhere"}, timeout=60
        )
        assert answer.status_code == 200


def test_help_names_every_option():
    text = subprocess.check_output([sys.executable, "-m", "ds_magic.local", "serve", "--help"], text=True)
    for option in ("--port", "--host", "--model", "--threads", "--parallel", "--waiting", "--context", "--sleep",
                   "--api-key", "--today", "--fault"):
        assert option in text


def test_a_fault_that_there_is_not_is_refused_with_those_there_are():
    done = subprocess.run(
        [sys.executable, "-m", "ds_magic.local", "serve", "--fault", "earthquake"], capture_output=True, text=True
    )
    assert done.returncode == 2
    assert "malformed" in done.stderr
