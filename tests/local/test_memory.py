"""Idle, the model's memory is given back, and the next request has it again; where there is little, less is taken."""

from __future__ import annotations

import time

import psutil
import pytest

from ds_magic.local.memory import allowed_memory, places
from tests.local.conftest import Api
from tests.local.test_program import serving

GB = 10**9


@pytest.fixture
def limits(tmp_path):
    """Writes files as a control group has them."""

    def write(**files):
        for name, text in files.items():
            file = tmp_path / {"version_2": "memory.max", "version_1": "memory/memory.limit_in_bytes"}[name]
            file.parent.mkdir(exist_ok=True)
            file.write_text(f"{text}\n")
        return tmp_path

    return write


def test_the_memory_is_the_least_of_what_the_container_and_jupyterhub_allow(limits):
    assert allowed_memory(limits(version_1=2_000_000), {}) == 2_000_000
    assert allowed_memory(limits(version_2=1_000_000), {"MEM_LIMIT": "1500000"}) == 1_000_000
    assert allowed_memory(limits(version_2="max"), {"MEM_LIMIT": "1500000"}) == 1_500_000


def test_without_a_limit_the_memory_is_the_machines(limits):
    machine = psutil.virtual_memory().total
    for cgroups in (limits(version_1=2**63 - 4096), limits(version_2="max")):
        assert allowed_memory(cgroups, {"MEM_LIMIT": "", "MEM_GUARANTEE": "1000"}) == machine


def test_where_there_is_little_memory_two_requests_are_answered_at_once_and_else_four():
    assert [places(memory) for memory in (GB, 2 * GB, 16 * GB, None)] == [2, 2, 4, 4]


@pytest.mark.model
def test_on_binder_the_server_takes_two_caches_less_and_says_the_same(monkeypatch):
    def asked():
        with serving("--api-key", "k", "--threads", "1") as (process, said):
            answer = Api(said["base_url"], "k").chat(
                "Name a colour.", max_tokens=12, temperature=0, logprobs=True, top_logprobs=20
            )
            return answer["choices"], psutil.Process(process.pid).memory_info().rss

    choices, memory = asked()
    monkeypatch.setenv("MEM_LIMIT", str(GB))
    same, less = asked()
    assert same == choices
    assert less < memory - 150e6


@pytest.mark.model
def test_a_model_that_nobody_asks_is_let_go_and_comes_back_as_it_was(row):
    with serving("--api-key", "k", "--sleep", "1") as (process, said):
        api, server = Api(said["base_url"], "k"), psutil.Process(process.pid)

        def ask():
            answer = api.chat("Name a colour.", max_tokens=4, temperature=0, logprobs=True, top_logprobs=5)
            return answer["choices"], server.memory_info().rss / 1e6

        before, loaded = ask()
        deadline = time.monotonic() + 60
        while (idle := server.memory_info().rss / 1e6) > loaded / 3:
            assert time.monotonic() < deadline, f"idle, it has {idle:.0f} MB of {loaded:.0f}"
            time.sleep(0.05)
        after, again = ask()
        row("Memory of the embedded server", **{"MB after each": f"{loaded:.0f}, {idle:.0f}, {again:.0f}"},
            of="a request, a second without any, the next")
        assert before == after
