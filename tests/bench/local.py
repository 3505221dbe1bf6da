"""The embedded server against llama.cpp's own HTTP server: same model, same threads, in one run.

    python tests/bench/local.py [--threads N] [--tokens 128] [--rounds 5] [--prompts 500]

Both run side by side and are asked in turn, so that what else the machine does hits both alike. Prints
the time to the first token, tokens a second alone and with four clients at once, and memory; and how the
embedded server's memory grows over many different prompts.
"""

from __future__ import annotations

import argparse
import http.client
import json
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import psutil

from ds_magic.local import weights
from ds_magic.local.cores import free_cores

REFERENCE = """
import sys, xllamacpp
params = xllamacpp.CommonParams()
params.model.path, threads = sys.argv[1], int(sys.argv[2])
params.verbosity = params.cache_ram_mib = 0
params.n_ctx, params.n_parallel, params.kv_unified = 8192, 4, True
params.ui = params.warmup = params.fit_params = False
params.cpuparams.n_threads = params.cpuparams_batch.n_threads = threads
server = xllamacpp.Server(params)
print(server.listening_address, flush=True)
sys.stdin.read()
"""
FIRST_TOKENS = 60
"""Prompts for the time to the first token, which differs by more from prompt to prompt than from server to server."""

PLAIN = {"temperature": 1, "top_p": 1}
UNCUT = {**PLAIN, "top_k": 0, "min_p": 0, "samplers": ["penalties", "temperature", "top_p"]}


@dataclass
class Contender:
    """One server, and what was measured of it."""

    name: str
    address: str
    key: str
    path: str
    sampling: dict
    process: psutil.Process
    first: list[float] = field(default_factory=list)
    alone: list[float] = field(default_factory=list)
    with_logprobs: list[float] = field(default_factory=list)
    crowded: list[float] = field(default_factory=list)
    work: dict[str, list[float]] = field(default_factory=lambda: {"alone": [], "with_logprobs": []})
    """Milliseconds of CPU time a token, with its prompt's share: steadier than the clock on a busy machine."""

    def ask(self, prompt: str, tokens: int, **fields) -> tuple[float, float, int]:
        """Seconds to the first token and to the last, and how many there were."""
        host = urlsplit(self.address)
        connection = http.client.HTTPConnection(host.hostname, host.port, timeout=600)
        messages = [{"role": "user", "content": prompt}]
        body = {"model": "deepseek-chat", "messages": messages, "stream": True, "max_tokens": tokens}
        begun = time.perf_counter()
        connection.request(
            "POST", self.path, json.dumps({**body, **self.sampling, **fields}),
            {"Content-Type": "application/json", "Authorization": f"Bearer {self.key}"},
        )
        response = connection.getresponse()
        assert response.status == 200, response.read()
        first = last = 0.0
        count = 0
        while line := response.readline():
            if b'"content":"' in line and b'"content":""' not in line:
                last = time.perf_counter()
                first = first or last
                count += 1
        connection.close()
        return first - begun, last - begun, count

    def cpu(self) -> float:
        """Seconds of CPU time so far."""
        times = self.process.cpu_times()
        return times.user + times.system

    def memory(self) -> float:
        """Resident memory in MB."""
        return self.process.memory_info().rss / 1e6


@contextmanager
def reference(threads: int) -> Iterator[Contender]:
    command = [sys.executable, "-c", REFERENCE, str(weights.model_path()), str(threads)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        address = process.stdout.readline().strip()
        path = "/v1/chat/completions"
        yield Contender("llama.cpp's own", address, "", path, UNCUT, psutil.Process(process.pid))
        process.kill()


@contextmanager
def ours(threads: int) -> Iterator[Contender]:
    command = [sys.executable, "-m", "ds_magic.local", "serve", "--threads", str(threads), "--api-key", "bench"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        address = process.stdout.readline().split("=", 1)[1].strip()
        yield Contender("ds_magic.local", address, "bench", "/chat/completions", PLAIN, psutil.Process(process.pid))
        process.kill()


def story(number: int) -> str:
    return f"{number * 7919} is a number. Write a long story about a ship with that many sails."


def measure(contenders: list[Contender], tokens: int, rounds: int) -> None:
    for each in contenders:  # the first answer waits for the model
        each.ask(story(0), 8)
    for number in range(FIRST_TOKENS):
        for each in contenders[:: 1 if number % 2 else -1]:
            each.first.append(each.ask(story(50_000 + number), 2)[0])
    for number in range(1, rounds + 1):
        for each in contenders:
            for fields, kind in (({}, "alone"), ({"logprobs": True, "top_logprobs": 20}, "with_logprobs")):
                before = each.cpu()
                first, last, count = each.ask(story(number + 1000 * len(fields)), tokens, **fields)
                each.work[kind].append(1000 * (each.cpu() - before) / count)
                getattr(each, kind).append((count - 1) / (last - first))
            each.crowded.append(together(each, number, tokens))


def together(each: Contender, number: int, tokens: int) -> float:
    """Tokens a second of four clients at once."""
    counts: list[int] = []

    def one(client: int) -> None:
        counts.append(each.ask(story(10_000 + 10 * number + client), tokens)[2])

    clients = [threading.Thread(target=one, args=(client,)) for client in range(4)]
    begun = time.perf_counter()
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    return sum(counts) / (time.perf_counter() - begun)


def report(contenders: list[Contender]) -> None:
    print(f"{'':34}" + "".join(f"{each.name:>18}" for each in contenders))

    def row(what: str, values: list[float], form: str) -> None:
        print(f"{what:34}" + "".join(f"{value:18{form}}" for value in values))

    middle = statistics.median
    row("first token, ms (median)", [1000 * middle(each.first) for each in contenders], ".1f")
    row("tokens a second, alone", [middle(each.alone) for each in contenders], ".1f")
    row("  the same with 20 alternatives", [middle(each.with_logprobs) for each in contenders], ".1f")
    row("tokens a second, four clients", [middle(each.crowded) for each in contenders], ".1f")
    row("CPU time a token, ms", [middle(each.work["alone"]) for each in contenders], ".2f")
    row("  the same with 20 alternatives", [middle(each.work["with_logprobs"]) for each in contenders], ".2f")
    row("memory, MB", [each.memory() for each in contenders], ".0f")
    other, own = contenders
    print(f"\nfirst token later by {1000 * (middle(own.first) - middle(other.first)):.1f} ms (aim: at most 10)")
    for what, name in (("alone", "alone"), ("with 20 alternatives", "with_logprobs"), ("four clients", "crowded")):
        ratio = middle(getattr(own, name)) / middle(getattr(other, name))
        print(f"tokens a second {what}: {ratio:.3f} of llama.cpp's own (aim: at least 0.97)")
    print(f"memory: {own.memory() - other.memory():+.0f} MB (aim: at most +60)")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=free_cores())
    parser.add_argument("--tokens", type=int, default=128)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--prompts", type=int, default=500, help="prompts for the growth of memory")
    options = parser.parse_args()
    with reference(options.threads) as other, ours(options.threads) as own:
        contenders = [other, own]
        measure(contenders, options.tokens, options.rounds)
        print(f"{options.threads} threads, {options.tokens} tokens, {options.rounds} rounds\n")
        report(contenders)
        if options.prompts:
            before = own.memory()
            for number in range(options.prompts):
                own.ask(story(100_000 + number), 2)
            print(f"over {options.prompts} different prompts: {own.memory() - before:+.1f} MB (aim: level)")


if __name__ == "__main__":
    main()
