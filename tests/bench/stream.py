"""What a streamed chunk costs: ours beside openai, httpx-sse, iter_lines, and the bare JSON parser.

    python tests/bench/stream.py [--chunks 8000]

One loopback server in a process of its own sends the same bytes to each client, without and with 20
alternatives a chunk, flat out and at 200 chunks a second. Prints the CPU time of this process for a
chunk, chunks a second, the latency from the server's send to the client's delta (p50, p99), and how ours
compares. Ours is everything that a user gets: the deltas, the completion, and with alternatives the table of
token probabilities. iter_lines and httpx-sse give neither; openai gives the chunks as objects, and no table.
At the end: the memory of an answer of 8,192 tokens with 20 alternatives, from the first chunk to the table
(tracemalloc: what Python and numpy have allocated, the chunks' own bytes included).
"""

import argparse
import gc
import importlib.util
import json
import multiprocessing
import platform
import socket
import statistics
import time
import tracemalloc

WARM_UP = 300


def payloads(count, alternatives):
    words = [" the", " capital", " of", " Australia", " is", " Can", "berra", ",", " and", "\n"]
    for position in range(count):
        word = words[position % len(words)]
        logprobs = None
        if alternatives:
            entry = {"token": word, "logprob": -0.25 - position % 7 / 10, "bytes": list(word.encode())}
            others = [
                {"token": f" word{rank}", "logprob": -0.3 * rank - 0.123456789, "bytes": list(f" word{rank}".encode())}
                for rank in range(alternatives)
            ]
            logprobs = {"content": [{**entry, "top_logprobs": others}]}
        choice = {"index": 0, "delta": {"content": word}, "logprobs": logprobs, "finish_reason": None}
        head = {"id": "bench", "object": "chat.completion.chunk", "created": 1, "model": "bench"}
        yield json.dumps({**head, "system_fingerprint": "fp_bench", "choices": [choice], "usage": None})


def serve(ready, chunks):
    """Answer each POST with the stream that its body asks for: {"alternatives": n, "rate": per second or 0}."""
    bodies = {n: [p.encode() for p in payloads(chunks, n)] for n in (0, 20)}
    done = b"data: [DONE]\n\n"
    last = json.dumps({"id": "bench", "object": "chat.completion.chunk", "created": 1, "model": "bench", "choices": [
        {"index": 0, "delta": {"content": ""}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 1, "completion_tokens": chunks, "total_tokens": chunks + 1}}).encode()
    listener = socket.create_server(("127.0.0.1", 0))
    ready.send(listener.getsockname()[1])
    while True:
        connection, _ = listener.accept()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with connection:
            data = b""
            while b"\r\n\r\n" not in data:
                data += connection.recv(65536)
            headers, _, body = data.partition(b"\r\n\r\n")
            length = next(int(line.split(b":")[1]) for line in headers.lower().split(b"\r\n")
                          if line.startswith(b"content-length"))
            while len(body) < length:
                body += connection.recv(65536)
            asked = json.loads(body)
            count, rate = asked.get("user_chunks", chunks), asked.get("rate", 0)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
                               b"Transfer-Encoding: chunked\r\n\r\n")
            begin = time.monotonic()
            for position, payload in enumerate(bodies[asked.get("alternatives", 0)][:count]):
                if rate:
                    while (left := begin + position / rate - time.monotonic()) > 0:
                        time.sleep(left if left > 0.002 else 0)
                    payload = payload.replace(b'"created": 1', b'"created": %d' % time.monotonic_ns())
                event = b"data: " + payload + b"\n\n"
                connection.sendall(b"%x\r\n%s\r\n" % (len(event), event))
            for event in (b"data: " + last + b"\n\n", done):
                connection.sendall(b"%x\r\n%s\r\n" % (len(event), event))
            connection.sendall(b"0\r\n\r\n")


def with_ours(url, asked):
    from ds_magic import Client

    client = Client(url, "key")
    with client.stream("Hi", model="bench", extra=asked) as stream:
        for delta in stream:
            # A whole chunk is parsed only where somebody looks at it: here for the time of its sending.
            yield delta.chunk["created"] if asked.get("rate") else 1, delta.content
    completion = stream.completion
    assert completion.content and completion.usage.completion_tokens
    if asked["alternatives"]:
        assert len(completion.logprobs.prob) > 0


def with_openai(url, asked):
    import openai

    client = openai.OpenAI(base_url=url, api_key="key")
    messages = [{"role": "user", "content": "Hi"}]
    for chunk in client.chat.completions.create(model="bench", messages=messages, stream=True, extra_body=asked):
        yield chunk.created, chunk.choices[0].delta.content


def with_iter_lines(url, asked):
    import requests

    with requests.post(url + "/chat/completions", json=asked, stream=True) as response:
        for line in response.iter_lines():
            if line.startswith(b"data: ") and line != b"data: [DONE]":
                chunk = json.loads(line[6:])
                yield chunk["created"], chunk["choices"][0]["delta"].get("content")


def with_iter_lines_of_1(url, asked):
    import requests

    with requests.post(url + "/chat/completions", json=asked, stream=True) as response:
        for line in response.iter_lines(chunk_size=1):
            if line.startswith(b"data: ") and line != b"data: [DONE]":
                chunk = json.loads(line[6:])
                yield chunk["created"], chunk["choices"][0]["delta"].get("content")


def with_httpx_sse(url, asked):
    import httpx
    import httpx_sse

    with httpx.Client(timeout=60) as client, httpx_sse.connect_sse(
        client, "POST", url + "/chat/completions", json=asked
    ) as source:
        for event in source.iter_sse():
            if event.data != "[DONE]":
                chunk = json.loads(event.data)
                yield chunk["created"], chunk["choices"][0]["delta"].get("content")


def bare_parser(chunks, alternatives):
    from pydantic_core import from_json

    data = [payload.encode() for payload in payloads(chunks, alternatives)]
    gc.collect()
    began = time.process_time()
    for payload in data:
        from_json(payload)
    return (time.process_time() - began) / chunks


def memory(tokens=8192):
    """Megabytes at the peak: of a stream's bytes as they are kept and the table made from them; and of the table."""
    from ds_magic.api.accumulator import Accumulator
    from ds_magic.api.decoder import ChunkDecoder
    from ds_magic.api.response import ChatCompletion

    def answer(tokens):
        accumulator, decoder = Accumulator(), ChunkDecoder()
        for text in payloads(tokens, 20):
            payload = text.encode()
            accumulator.add(decoder.decode(payload), payload)
        return ChatCompletion.from_wire(accumulator.wire())

    assert answer(8).logprobs  # everything is imported
    gc.collect()
    tracemalloc.start()
    completion = answer(tokens)
    streamed, _ = tracemalloc.get_traced_memory()
    tracemalloc.reset_peak()
    table = completion.logprobs
    kept, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(table) == tokens
    return streamed / 1e6, (peak - streamed) / 1e6, (kept - streamed) / 1e6, peak / 1e6


CLIENTS = {
    "ds_magic": with_ours,
    "iter_lines + json": with_iter_lines,
    "iter_lines(1) + json": with_iter_lines_of_1,
    "httpx-sse + json": with_httpx_sse,
    "openai": with_openai,
}


def is_installed(name):
    """Whether a client's packages are there; those of ours and iter_lines are."""
    needed = {"httpx-sse + json": "httpx_sse", "openai": "openai"}.get(name)
    return needed is None or importlib.util.find_spec(needed) is not None


def flat_out(client, url, chunks, alternatives):
    for _ in client(url, {"alternatives": alternatives, "user_chunks": WARM_UP}):
        pass
    gc.collect()
    cpu, wall = time.process_time(), time.perf_counter()
    count = sum(1 for _ in client(url, {"alternatives": alternatives}))
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    assert count >= chunks
    return cpu / chunks, chunks / wall


def latencies(client, url, alternatives, rate=200, count=1000):
    delays = []
    for created, _ in client(url, {"alternatives": alternatives, "user_chunks": count, "rate": rate}):
        if created > 1:
            delays.append((time.monotonic_ns() - created) / 1e6)
    cuts = statistics.quantiles(delays[20:], n=100)
    return cuts[49], cuts[98]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--chunks", type=int, default=8000)
    parser.add_argument("--rounds", type=int, default=3, help="the best of so many is shown")
    parser.add_argument("--only", nargs="*", help="names of clients, instead of all that are installed")
    arguments = parser.parse_args()
    clients = {name: client for name, client in CLIENTS.items()
               if (name in arguments.only if arguments.only else is_installed(name))}
    here, there = multiprocessing.Pipe()
    server = multiprocessing.Process(target=serve, args=(there, arguments.chunks), daemon=True)
    server.start()
    url = f"http://127.0.0.1:{here.recv()}"
    print(f"{platform.machine()}, {multiprocessing.cpu_count()} cores, Python {platform.python_version()}; "
          f"{arguments.chunks} chunks, best of {arguments.rounds}")
    for alternatives in (0, 20):
        print(f"\n{alternatives} alternatives a chunk")
        print(f"{'':22}{'CPU µs/chunk':>14}{'chunks/s':>12}{'p50 ms':>10}{'p99 ms':>10}")
        floor = min(bare_parser(arguments.chunks, alternatives) for _ in range(arguments.rounds))
        print(f"{'from_json alone':22}{floor * 1e6:14.1f}")
        costs = {}
        runs = {name: [] for name in clients}
        for _ in range(arguments.rounds):  # in turn, so that other work on the machine falls on all alike
            for name, client in clients.items():
                runs[name].append(flat_out(client, url, arguments.chunks, alternatives))
        for name, client in clients.items():
            costs[name], rate = min(run[0] for run in runs[name]), max(run[1] for run in runs[name])
            p50, p99 = min(latencies(client, url, alternatives) for _ in range(arguments.rounds))
            print(f"{name:22}{costs[name] * 1e6:14.1f}{rate:12.0f}{p50:10.2f}{p99:10.2f}", flush=True)
        for name in ("iter_lines + json", "openai"):
            if name in costs:
                print(f"{'ds_magic : ' + name:30}{costs['ds_magic'] / costs[name]:6.2f}")
    streamed, at_peak, kept, whole = memory()
    print(f"\n8,192 tokens with 20 alternatives, MB: the chunks as kept {streamed:.1f}; the table {at_peak:.1f} at the "
          f"peak of making it, {kept:.1f} kept; both at the peak {whole:.1f}")


if __name__ == "__main__":
    main()
