"""What a streamed chunk costs: ours beside openai, httpx-sse, iter_lines, and the bare JSON parser.

    python tests/bench/stream.py [--chunks 8000]

One loopback server in a process of its own sends the same bytes to each client, without and with 20
alternatives a chunk, flat out and at 200 chunks a second. Prints the CPU time of this process for a
chunk, chunks a second, and the latency from the server's send to the client's delta (p50, p99).
"""

import argparse
import gc
import json
import multiprocessing
import platform
import socket
import statistics
import time

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
            yield delta.chunk["created"], delta.content
    completion = stream.completion
    assert completion.content and completion.usage.completion_tokens


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


CLIENTS = {
    "ds_magic": with_ours,
    "iter_lines + json": with_iter_lines,
    "iter_lines(1) + json": with_iter_lines_of_1,
    "httpx-sse + json": with_httpx_sse,
    "openai": with_openai,
}


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
    arguments = parser.parse_args()
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
        for name, client in CLIENTS.items():
            runs = [flat_out(client, url, arguments.chunks, alternatives) for _ in range(arguments.rounds)]
            cpu, rate = min(run[0] for run in runs), max(run[1] for run in runs)
            p50, p99 = latencies(client, url, alternatives)
            print(f"{name:22}{cpu * 1e6:14.1f}{rate:12.0f}{p50:10.2f}{p99:10.2f}", flush=True)


if __name__ == "__main__":
    main()
