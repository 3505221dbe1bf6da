"""What many rows cost: ours beside openai's async client, litellm and curator, and how well a journal stands a kill.

    python tests/bench/many.py [--rows 10000] [--in-flight 64 256] [--model] [--with litellm=/its/own/bin/python]

One scripted server in a process of its own, with a fixed latency and literal bytes, so that nobody can be faster than
what is in flight divided by the latency. Each contender runs in a fresh process, one after another, with default
settings but for the number in flight, and ends with a list of texts. Prints rows a second, the share of the server's
limit, CPU time a row, and how far memory grows. "not collected" is our engine alone, whose rows nobody keeps: its
memory is given for a fifth of the rows and for all. Then what a row of Answers takes, the resume of a run that is
whole, ten kills at random, and with `--model` 100 samples of one token of the embedded model. Contenders that are not
installed are left out; `--with` names an interpreter that has one.
"""

import argparse
import asyncio
import collections
import gc
import importlib.util
import json
import multiprocessing
import os
import platform
import random
import re
import subprocess
import sys
import tempfile
import time
import tracemalloc
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MODEL = "bench"
PROMPT = "Row {}: what is its capital?"
KILLED_ROWS, KILLED_IN_FLIGHT, KILLS = 1500, 32, 10

USAGE = {"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 12}
HEAD = {"id": "bench", "created": 1, "model": MODEL}
DELTAS = [{"role": "assistant", "content": ""}, {"content": "Can"}, {"content": "berra"}, {"content": "."}]
CHUNKS = [
    *({**HEAD, "object": "chat.completion.chunk", "choices": [{"index": 0, "delta": delta, "finish_reason": None}]}
      for delta in DELTAS),
    {**HEAD, "object": "chat.completion.chunk", "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}],
     "usage": USAGE},
]
MESSAGE = {"role": "assistant", "content": "Canberra."}
BODY = {**HEAD, "object": "chat.completion", "usage": USAGE,
        "choices": [{"index": 0, "message": MESSAGE, "finish_reason": "stop"}]}


def http(media, body):
    return b"HTTP/1.1 200 OK\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s" % (media, len(body), body)


def chunked(events):
    pieces = b"".join(b"%x\r\n%s\r\n" % (len(event), event) for event in events)
    return (b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
            + pieces + b"0\r\n\r\n")


STREAMED = chunked([*(b"data: %s\n\n" % json.dumps(chunk).encode() for chunk in CHUNKS), b"data: [DONE]\n\n"])
WHOLE = http(b"application/json", json.dumps(BODY).encode())


class Answering(asyncio.Protocol):
    """One connection: each POST is answered when the latency is over; GET tells how often each row was asked."""

    asked = collections.Counter()
    latency = 0.0

    def connection_made(self, transport):
        self.transport, self.data = transport, b""

    def data_received(self, data):
        self.data += data
        headers, found, body = self.data.partition(b"\r\n\r\n")
        if not found:
            return
        if headers.startswith(b"GET"):
            self.data = b""
            self.transport.write(http(b"application/json", json.dumps(self.asked).encode()))
            self.asked.clear()
            return
        length = int(re.search(rb"content-length: *(\d+)", headers, re.IGNORECASE)[1])
        if len(body) < length:
            return
        self.data = b""
        if row := re.search(rb"Row (\d+)", body):  # curator begins with a question of its own
            self.asked[row[1].decode()] += 1
        answer = STREAMED if re.search(rb'"stream": ?true', body) else WHOLE
        asyncio.get_running_loop().call_later(self.latency, self.transport.write, answer)


def serve(ready, latency):
    Answering.latency = latency

    async def forever():
        server = await asyncio.get_running_loop().create_server(Answering, "127.0.0.1", 0, backlog=1024)
        ready.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(forever())


def counts(url):
    """How often each row was asked since the last time."""
    with urllib.request.urlopen(url) as answer:
        return json.load(answer)


def prompts(rows):
    return [PROMPT.format(number) for number in range(rows)]


def with_ours(url, rows, in_flight, **options):
    import ds_magic

    client = ds_magic.Client(url, "key", model=MODEL)
    answers = ds_magic.map("{{ value }}", prompts(rows), client=client, concurrency=in_flight, **options)
    return list(answers.contents)


def with_our_journal(url, rows, in_flight, **options):
    with tempfile.TemporaryDirectory() as folder:
        return with_ours(url, rows, in_flight, journal=Path(folder, "run.jsonl"), **options)


def not_collected(url, rows, in_flight):
    """The engine with a journal, its rows dropped as they come."""
    import ds_magic
    from ds_magic.conversation.turn import turn_for
    from ds_magic.many.pace import Limits
    from ds_magic.many.runner import Runner
    from ds_magic.many.task import Asking

    with tempfile.TemporaryDirectory() as folder:
        client = ds_magic.Client(url, "key", model=MODEL, journal=Path(folder, "run.jsonl"))
        asked = (Asking({}, turn_for(client, PROMPT.format(number))) for number in range(rows))
        with client.recording():
            for row in Runner(client, limits=Limits(in_flight)).run(asked, rows):
                yield row.content


def with_openai(url, rows, in_flight):
    import openai

    async def all_of_them():
        limits = asyncio.Semaphore(in_flight)
        async with openai.AsyncOpenAI(base_url=url, api_key="key") as client:

            async def one(prompt):
                async with limits:
                    answer = await client.chat.completions.create(
                        model=MODEL, messages=[{"role": "user", "content": prompt}]
                    )
                return answer.choices[0].message.content

            return await asyncio.gather(*map(one, prompts(rows)))

    return asyncio.run(all_of_them())


def with_litellm(url, rows, in_flight):
    import litellm

    litellm.suppress_debug_info = True
    answers = litellm.batch_completion(
        f"openai/{MODEL}", [[{"role": "user", "content": prompt}] for prompt in prompts(rows)], api_base=url,
        api_key="key", max_workers=in_flight,
    )
    return [answer.choices[0].message.content for answer in answers]


def with_curator(url, rows, in_flight):
    from bespokelabs import curator

    with tempfile.TemporaryDirectory() as folder:
        llm = curator.LLM(
            model_name=f"openai/{MODEL}", backend="litellm",
            backend_params={"base_url": url, "api_key": "key", "max_concurrent_requests": in_flight,
                            "max_requests_per_minute": 10**8, "max_tokens_per_minute": 10**10},
        )
        answers = llm(prompts(rows), working_dir=folder)
        return [row["response"] for row in getattr(answers, "dataset", answers)]


NOT_COLLECTED = "the same, not collected"
CONTENDERS = {
    "ds_magic": with_ours,
    "ds_magic, with a journal": with_our_journal,
    NOT_COLLECTED: not_collected,
    "openai, a semaphore": with_openai,
    "litellm": with_litellm,
    "curator": with_curator,
}
NEEDED = {"openai, a semaphore": "openai", "litellm": "litellm", "curator": "bespokelabs"}
QUIET = {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "TELEMETRY_ENABLED": "0", "CURATOR_DISABLE_RICH_DISPLAY": "1",
         "OPENAI_API_KEY": "key"}


def peak():
    """The most memory that this process has had, in bytes; where the system does not say, 0."""
    status = Path("/proc/self/status")
    found = re.search(r"VmHWM:\s+(\d+) kB", status.read_text()) if status.exists() else None
    return int(found[1]) * 1024 if found else 0


def contend(name, url, rows, in_flight):
    """One contender in this process, after a few rows that import everything; prints what it took, as JSON."""
    contender = CONTENDERS[name]
    collections.deque(contender(url, 2 * in_flight, in_flight), 0)
    gc.collect()
    before, cpu, wall = peak(), time.process_time(), time.perf_counter()
    answers = contender(url, rows, in_flight)
    if isinstance(answers, list):
        right = sum(answer == MESSAGE["content"] for answer in answers)
    else:
        right = sum(1 for answer in answers if answer == MESSAGE["content"])
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    print(json.dumps({"rows": right, "cpu": cpu, "wall": wall, "memory": peak() - before}))


def contended(name, url, rows, in_flight, pythons):
    """The same in a process of its own."""
    python = pythons.get(name, sys.executable)
    command = [python, __file__, "--contend", name, url, "--rows", str(rows), "--in-flight", str(in_flight)]
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, **QUIET, "PYTHONPATH": str(ROOT), "CURATOR_CACHE_DIR": folder}
        run = subprocess.run(command, capture_output=True, text=True, env=environment)
    if run.returncode:
        return run.stderr.strip().splitlines()[-1][:100]
    return json.loads(run.stdout.splitlines()[-1])


def is_installed(name, pythons):
    return name not in NEEDED or name in pythons or importlib.util.find_spec(NEEDED[name]) is not None


def row_of_answers(url, rows):
    """The bytes that a row of Answers takes, its texts and its request included."""
    import ds_magic

    client = ds_magic.Client(url, "key", model=MODEL)
    ds_magic.map("{{ value }}", prompts(64), client=client, concurrency=64)
    gc.collect()
    tracemalloc.start()
    answers = ds_magic.map("{{ value }}", prompts(rows), client=client, concurrency=256)
    gc.collect()
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return kept / len(answers)


RESUME = """
import json, sys, time
import ds_magic
url, path, rows = sys.argv[1], sys.argv[2], int(sys.argv[3])
client = ds_magic.Client(url, "key", model="bench")
asked = ["Row %d: what is its capital?" % number for number in range(rows)]
ds_magic.map("{{ value }}", asked[:1], client=client, journal=path + ".warm", cache=True)
began = time.perf_counter(), time.process_time()
answers = ds_magic.map("{{ value }}", asked, client=client, concurrency=64, journal=path, cache=True)
made = time.perf_counter() - began[0], time.process_time() - began[1]
assert len(answers) == rows and not answers.failed
began = time.perf_counter()
texts = set(answers.contents)
print(json.dumps([*made, time.perf_counter() - began]))
"""


def resumed(url, rows):
    """Seconds, CPU seconds, and seconds to read every text, of a run that is whole in its journal; what it asked."""
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder, "run.jsonl"))
        with_ours(url, rows, 256, journal=path)
        counts(url)
        run = subprocess.run([sys.executable, "-c", RESUME, url, path, str(rows)], capture_output=True, text=True,
                             env={**os.environ, "PYTHONPATH": str(ROOT)})
        if run.returncode:
            sys.exit(run.stderr)
        return json.loads(run.stdout.splitlines()[-1]), sum(counts(url).values()) - 1


KILLED = """
import os, sys
import ds_magic
url, path, rows, in_flight = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
class Told:
    def progress(self, progress):
        os.write(1, b"%d\\n" % progress.done)
    def close(self):
        pass
client = ds_magic.Client(url, "key", model="bench")
asked = ["Row %d: what is its capital?" % number for number in range(rows)]
answers = ds_magic.map("{{ value }}", asked, client=client, concurrency=in_flight, journal=path, cache=True,
                       listener=Told())
assert answers.contents == ("Canberra.",) * rows
print("whole")
"""


def killed(url, rows, in_flight, kills, chance):
    """Rows that counted as done and were not in the journal, rows asked twice, and the runs until all were there."""
    from ds_magic.many.journal import Journal

    lost = runs = 0
    counts(url)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "run.jsonl")
        command = [sys.executable, "-c", KILLED, url, str(path), str(rows), str(in_flight)]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        while True:
            process = subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, text=True)
            runs += 1
            said = []
            if runs <= kills:  # after so many rows of this run, and a moment
                kept = len(list(Journal(path).entries())) if path.exists() else 0
                due = kept + chance.randrange(1, 2 * rows // (kills + 2))
                for line in process.stdout:
                    said.append(line)
                    if line.strip().isdigit() and int(line) >= due:
                        time.sleep(chance.uniform(0, 0.1))
                        process.kill()
                        break
            said += process.stdout.readlines()
            process.wait()
            done = max((int(line) for line in said if line.strip().isdigit()), default=0)
            lost += max(0, done - len({entry.key for entry in Journal(path).entries()}))
            if said and said[-1] == "whole\n":
                break
            if runs > kills:
                sys.exit("a run broke off that nobody killed")
    asked = counts(url)
    lost += rows - len(asked)
    return lost, sum(asked.values()) - len(asked), runs


def one_token_samples(times=100):
    """Seconds for so many samples of one token of the embedded model, best of three; and how many there were."""
    import ds_magic
    from ds_magic.backend import resolve

    client = resolve(local=True)
    options = {"client": client, "max_tokens": 1, "temperature": 1}
    ds_magic.sample("Name a colour.", 2, **options)  # the model is loaded
    found = []
    for number in range(3):
        began = time.perf_counter()
        answers = ds_magic.sample(f"Name a colour, as {number + 1} others did.", times, **options)
        found.append(time.perf_counter() - began)
    return min(found), len(answers) - len(answers.failed)


def table(name, got, rows, in_flight, latency):
    if isinstance(got, str):
        print(f"{name:28}  {got}")
        return
    rate, limit = got["rows"] / got["wall"], in_flight / latency
    wrong = f"  {rows - got['rows']} rows lacking" if got["rows"] != rows else ""
    print(f"{name:28}{rate:8.0f}{rate / limit:8.2f}{1000 * got['cpu'] / rows:12.2f}{got['memory'] / 1e6:12.1f}{wrong}",
          flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--in-flight", type=int, nargs="*", default=[64, 256])
    parser.add_argument("--latency", type=float, default=0.5)
    parser.add_argument("--only", nargs="*", help="names of contenders, instead of all that are installed")
    parser.add_argument("--skip", nargs="*", default=[], choices=["table", "answers", "resume", "kills"])
    parser.add_argument("--model", action="store_true", help="100 samples of one token of the embedded model, too")
    parser.add_argument("--with", dest="pythons", action="append", default=[], help="NAME=PYTHON that has it")
    parser.add_argument("--seed", type=int, default=15, help="of the moments at which a run is killed")
    parser.add_argument("--contend", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.contend:
        contend(*arguments.contend, arguments.rows, arguments.in_flight[0])
        return
    pythons = dict(each.split("=", 1) for each in arguments.pythons)
    here, there = multiprocessing.Pipe()
    server = multiprocessing.Process(target=serve, args=(there, arguments.latency), daemon=True)
    server.start()
    url = f"http://127.0.0.1:{here.recv()}"
    print(f"{platform.machine()}, {multiprocessing.cpu_count()} cores, Python {platform.python_version()}; "
          f"{arguments.rows:,} rows, latency {arguments.latency:g} s; load before {os.getloadavg()[0]:.1f}")
    missing = [name for name in CONTENDERS if not is_installed(name, pythons)]
    if missing:
        print(f"not installed, and left out: {', '.join(missing)}")
    names = [name for name in arguments.only or CONTENDERS if name not in missing]
    for in_flight in arguments.in_flight if "table" not in arguments.skip else ():
        print(f"\n{in_flight} in flight: at most {in_flight / arguments.latency:.0f} rows a second")
        print(f"{'':28}{'rows/s':>8}{'share':>8}{'CPU ms/row':>12}{'memory MB':>12}")
        for name in names:
            if name == NOT_COLLECTED:
                fifth = contended(name, url, arguments.rows // 5, in_flight, pythons)
                print(f"{'… of a fifth of the rows':28}{'':28}{fifth['memory'] / 1e6:12.1f}", flush=True)
            table(name, contended(name, url, arguments.rows, in_flight, pythons), arguments.rows, in_flight,
                  arguments.latency)
    if "answers" not in arguments.skip:
        print(f"\na row of Answers takes {row_of_answers(url, min(arguments.rows, 2000)) / 1000:.1f} kB")
    if "resume" not in arguments.skip:
        (wall, cpu, read), asked = resumed(url, arguments.rows)
        print(f"resume of {arguments.rows:,} finished rows: {wall:.2f} s ({cpu:.2f} s of CPU), {asked} asked; "
              f"to read every text {read:.2f} s more")
    if "kills" not in arguments.skip:
        lost, twice, runs = killed(url, KILLED_ROWS, KILLED_IN_FLIGHT, KILLS, random.Random(arguments.seed))
        print(f"{runs - 1} kills in {KILLED_ROWS:,} rows, {KILLED_IN_FLIGHT} in flight: {lost} rows lost, {twice} "
              f"asked twice (at most {(runs - 1) * KILLED_IN_FLIGHT} were in flight)")
    if arguments.model:
        seconds, came = one_token_samples()
        print(f"{came} samples of one token of the embedded model: {seconds:.2f} s")


if __name__ == "__main__":
    main()
