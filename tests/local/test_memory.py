"""Idle, the model's memory is given back, and the next request has it again."""

from __future__ import annotations

import time

import psutil

from tests.local.conftest import Api
from tests.local.test_program import serving


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
