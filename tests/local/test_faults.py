"""Trouble on demand is real trouble, is said in every response, and is off unless asked for."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
from urllib.parse import urlsplit

import pytest
import requests

from ds_magic.local.service.faults import Fault

FAULT = "X-DS-Fault"


def trouble(api, spec: str, **fields):
    return api.post(api.body("Count to ten.", max_tokens=8, **fields), headers={FAULT: spec})


def test_without_being_asked_nothing_is_said_of_faults(api):
    assert FAULT not in api.post(api.body(max_tokens=1)).headers


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_refusal_has_its_status_and_says_that_it_was_asked_for(api, status):
    response = trouble(api, str(status))
    assert response.status_code == status
    assert response.headers[FAULT] == str(status)
    assert "asked for" in response.json()["error"]["message"]


def test_too_many_requests_say_how_long_to_wait(api):
    assert trouble(api, "429=7").headers["Retry-After"] == "7"


def test_a_cut_breaks_the_connection_after_so_many_parts(api):
    with pytest.raises(requests.exceptions.ChunkedEncodingError) as caught:
        trouble(api, "cut=2", stream=True)
    assert caught.value


def test_a_cut_shows_what_came_before_it(api):
    body = api.body("Count to ten.", max_tokens=8, stream=True)
    with api.session.post(
        f"{api.base_url}/chat/completions", json=body, headers={FAULT: "cut=2"}, stream=True
    ) as response:
        assert response.headers[FAULT] == "cut=2"
        got = b""
        with pytest.raises(requests.exceptions.ChunkedEncodingError):
            for data in response.iter_content(None):
                got += data
    assert got.count(b"data: {") == 3  # the opening, and two parts
    assert b"[DONE]" not in got


def test_a_malformed_part_is_no_json_and_the_stream_goes_on(api):
    lines = [line for line in trouble(api, "malformed=2", stream=True).text.split("\n") if line]
    assert lines.count('data: {"id": malformed') == 1
    assert lines[-1] == "data: [DONE]"


def test_a_stall_sends_nothing_more(api):
    body = api.body("Count to ten.", max_tokens=8, stream=True)
    headers = {FAULT: "stall=1", "Authorization": api.session.headers["Authorization"]}
    address = urlsplit(api.base_url)
    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=60)
    connection.request("POST", "/chat/completions", json.dumps(body), {"Content-Type": "application/json", **headers})
    socket = connection.sock
    with connection.getresponse() as response:
        for _ in range(2):  # and keep-alives before them where it takes its time
            while not response.readline().startswith(b"data: {"):
                pass
        assert response.readline() == b"\n"
        socket.settimeout(2)
        with pytest.raises(TimeoutError):
            response.readline()
    connection.close()


def test_an_answer_that_is_not_streamed_can_be_cut_too(api):
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        trouble(api, "cut=1")


@pytest.mark.parametrize("reason", ["aborted", "insufficient_system_resource"])
def test_an_answer_can_fail_half_way_in_a_200(api, reason):
    response = trouble(api, f"{reason}=2", stream=True)
    assert response.status_code == 200
    *chunks, done = [line[6:] for line in response.text.split("\n") if line.startswith("data: ")]
    choices = [json.loads(chunk)["choices"][0] for chunk in chunks]
    assert [choice["finish_reason"] for choice in choices] == [None, None, None, reason]  # the opening, and two parts
    assert choices[1]["delta"]["content"] and done == "[DONE]"


def test_an_answer_that_is_not_streamed_can_fail_half_way_too(api):
    answer = trouble(api, "aborted=3").json()
    assert answer["choices"][0]["finish_reason"] == "aborted"
    assert answer["choices"][0]["message"]["content"]
    assert answer["usage"]["completion_tokens"] < 8


def test_a_thought_can_fail_half_way_and_is_counted(api):
    answer = trouble(api, "aborted=2", thinking={"type": "enabled"}).json()
    assert answer["choices"][0]["message"]["content"] == ""
    assert answer["usage"]["completion_tokens_details"]["reasoning_tokens"] >= 2


def test_an_unknown_fault_is_refused_with_those_there_are(api):
    response = trouble(api, "earthquake")
    assert response.status_code == 400
    assert "malformed" in response.json()["error"]["message"]


@pytest.mark.model
def test_a_server_started_with_a_fault_says_so_everywhere_and_recovers_after_its_times():
    process = subprocess.Popen(
        [sys.executable, "-m", "ds_magic.local", "serve", "--fault", "503,times=1", "--api-key", "k"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )
    try:
        assert "trouble on purpose: 503,times=1" in process.stderr.readline()
        base_url = process.stdout.readline().split("=", 1)[1].strip()
        body = {"model": "deepseek-chat", "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 1}
        key = {"Authorization": "Bearer k"}
        responses = [
            requests.post(f"{base_url}/chat/completions", json=body, headers=key, timeout=120) for _ in range(2)
        ]
        assert [response.status_code for response in responses] == [503, 200]
        said = [*responses, requests.get(f"{base_url}/models", headers=key, timeout=60)]
        assert [response.headers[FAULT] for response in said] == ["503,times=1"] * 3
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize("spec", ["cut", "cut=x", "aborted", "aborted=x", "delay=soon", "404", "times=1.5"])
def test_a_fault_that_makes_no_sense_is_refused(spec):
    with pytest.raises(ValueError, match="is no fault"):
        Fault.parse(spec)
