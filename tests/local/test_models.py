"""The models on this machine: what is read of each, what each takes, and what is done where it does not fit."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

import ds_magic
from ds_magic import backend
from ds_magic.api.errors import APIConnectionError, DeepSeekError
from ds_magic.api.events import Preparing, waiting
from ds_magic.local import launch, weights
from ds_magic.local.memory import free_memory
from ds_magic.local.model_failures import NoRoomError, WeightsError
from ds_magic.local.models.choice import Choice, choices
from ds_magic.local.models.footprint import fitting, footprint, too_large
from ds_magic.local.models.header import Header, read_header
from ds_magic.local.models.listing import local_models, names
from ds_magic.local.models.names import key, parsed, short
from tests.local.conftest import Api
from tests.local.test_program import serving
from tests.local.tiny_models import CHATML, write_model

pytestmark = pytest.mark.usefixtures("no_servers_left")

THINKS = CHATML.replace("assistant\n", "assistant\n<think>\n")
CALLS = "{% if tools %}{{ tools | tojson }}{{ messages[0].tool_calls }}{% endif %}" + CHATML
GAPS = ["<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>"]
NAMED = {"fim_pre_token_id": "<a>", "fim_suf_token_id": "<b>", "fim_mid_token_id": "<c>"}
GB = 10**9


@pytest.fixture(autouse=True)
def own_caches(tmp_path, monkeypatch):
    """Nothing is in any cache, and nobody named a model."""
    monkeypatch.delenv("DS_MAGIC_LOCAL_MODEL", raising=False)
    monkeypatch.setenv("DS_MAGIC_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    monkeypatch.setenv("OLLAMA_MODELS", str(tmp_path / "ollama"))


@pytest.fixture
def tiny(tmp_path) -> Path:
    return write_model(tmp_path / "Tiny-Q8_0.gguf")


@pytest.mark.parametrize(("name", "said"), [
    ("hf:ada/Qwen3-0.6B-GGUF", "qwen3-0.6b"),
    ("hf:ada/x/sub/Qwen3-0.6B-Q4_K_M.gguf@main", "qwen3-0.6b"),
    ("hf:ada/x/big-UD-Q4_K_XL-00001-of-00003.gguf", "big"),
    ("ollama:qwen3:0.6b", "qwen3:0.6b"),
    ("~/models/SmolLM2-135M-Instruct.Q4_1.gguf", "smollm2-135m-instruct"),
])
def test_a_model_is_called_by_what_it_is_named_without_how_it_is_packed(name, said):
    assert short(name) == said


@pytest.mark.parametrize("name", ["hf:a/b", "hf:a/b/c.gguf@refs/pr/1", "hf:a/b:Q8_0", "ollama:a", "ollama:hf.co/a/b:c"])
def test_a_name_is_written_as_it_was_given(name):
    assert str(parsed(name)) == name


def test_two_ways_to_write_a_name_mean_one_model(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert key("tiny.gguf") == key(str(tmp_path / "tiny.gguf"))
    assert key("ollama:tiny") == key("ollama:tiny:latest") == key("ollama:library/tiny")


def test_of_a_repository_split_models_count_as_one_and_only_when_whole():
    parts = {f"a-Q8_0-0000{number}-of-00002.gguf": 10 for number in (1, 2)}
    assert choices(parts) == [Choice(tuple(parts), 20)]
    assert choices({"a-Q8_0-00001-of-00002.gguf": 10}) == []


@pytest.mark.parametrize(("options", "expected"), [
    ({}, []),
    ({"template": THINKS}, ["thinks"]),
    ({"marks": ["<think>", "</think>"]}, ["thinks"]),
    ({"template": CALLS}, ["calls functions"]),
    ({"marks": GAPS}, ["fills in the middle"]),
    ({"marks": GAPS[:2]}, []),
    ({"marks": ["<a>", "<b>", "<c>"], "ids": NAMED}, ["fills in the middle"]),
    ({"template": THINKS + CALLS, "marks": GAPS}, ["thinks", "calls functions", "fills in the middle"]),
    ({"template": None}, []),
])
def test_what_a_model_can_do_is_read_from_its_template_and_its_marks(tmp_path, options, expected):
    assert list(read_header(write_model(tmp_path / "tiny.gguf", **options)).abilities) == expected


def test_a_header_says_how_much_each_token_takes_in_the_cache(tmp_path, model_file):
    tiny = read_header(write_model(tmp_path / "tiny.gguf", context=512))
    assert (tiny.context, tiny.cache) == (512, 2 * (16 + 16) * 2)  # 16 bits for keys and values of 2 heads in one layer
    header = read_header(model_file)
    assert (header.size, header.context) == (model_file.stat().st_size, 8192)
    assert header.cache * 4096 == 94_371_840  # the 90 MB of which the README speaks


def test_of_a_large_file_only_the_header_is_read(tmp_path):
    path = write_model(tmp_path / "a.gguf", context=777)
    os.truncate(path, 10**12)  # more than any memory or patience has; the disk has none of it
    header = read_header(path)
    assert (header.size, header.context) == (10**12, 777)


def test_a_split_model_of_which_a_part_is_missing_is_told(tmp_path):
    first = write_model(tmp_path / "a-00001-of-00002.gguf")
    with pytest.raises(WeightsError, match="a-00002-of-00002.gguf is missing"):
        read_header(first)


def test_models_here_are_listed_with_size_context_and_what_they_can_do(tmp_path, monkeypatch):
    monkeypatch.setenv("DS_MAGIC_LOCAL_MODEL", str(write_model(tmp_path / "a.gguf", THINKS + CALLS, context=4096)))
    (model,) = ds_magic.local_models()
    assert model.name == str(tmp_path / "a.gguf")
    assert repr(model) == f"{model.name} · {model.size / 1e3:.0f} KB · 4,096 tokens · thinks · calls functions"
    assert names() == [model.name]


def test_what_was_read_of_a_file_is_not_read_again_until_it_changes(tmp_path, monkeypatch):
    path = write_model(tmp_path / "a.gguf", context=1024)
    monkeypatch.setenv("DS_MAGIC_LOCAL_MODEL", str(path))
    assert local_models()[0].context == 1024
    about = path.stat()
    path.write_bytes(b"x" * about.st_size)
    os.utime(path, ns=(about.st_atime_ns, about.st_mtime_ns))
    assert local_models()[0].context == 1024, "it was read again"
    os.utime(path)
    assert local_models() == []
    write_model(path, context=2048)
    assert local_models()[0].context == 2048


@pytest.mark.parametrize("content", ["", "[]", '{"a": 1}', "\udcff"])
def test_a_damaged_note_of_what_was_read_does_no_harm(tiny, monkeypatch, content):
    monkeypatch.setenv("DS_MAGIC_LOCAL_MODEL", str(tiny))
    weights.cache_dir().mkdir()
    (weights.cache_dir() / "models.json").write_text(content, errors="surrogateescape")
    assert len(local_models()) == 1


def test_an_empty_machine_says_how_to_get_a_model():
    assert repr(ds_magic.local_models()) == "There is no model on this machine yet: `ds-magic fetch` brings one."


def test_the_program_lists_the_models(tiny):
    environment = {**os.environ, "DS_MAGIC_LOCAL_MODEL": str(tiny)}
    command = [sys.executable, "-m", "ds_magic", "models"]
    said = subprocess.run(command, capture_output=True, text=True, env=environment, check=True).stdout
    assert said.startswith(f"{tiny} · ")


HEADER = Header("a", "llama", size=4 * GB, context=32768, layers=32, cache=100_000, vocabulary=100_000)


def test_what_does_not_fit_gets_fewer_places_and_then_a_shorter_context():
    def found(free, **asked):
        given = fitting(HEADER, free, context=4096, places=4, **asked)
        return given and (given.places, given.context)

    assert found(None) == found(8 * GB) == (4, 4096)
    assert found(5 * GB) == (2, 4096)
    assert found(4.6 * GB) == (1, 4096)
    assert found(4.4 * GB) == (1, 2048)
    assert found(4.1 * GB) is None
    assert found(4.4 * GB, is_context_asked=True) is None
    assert found(5 * GB, are_places_asked=True) == (4, 1024)


def test_a_refusal_says_what_would_fit():
    others = [Choice((f"a-{kind}.gguf",), size) for kind, size in (("Q8_0", 8 * GB), ("Q3_K_M", 3 * GB), ("Q2_K", GB))]
    error = too_large("hf:ada/a", "5 GB", 4 * GB, others, [("ollama:tiny", GB), ("ollama:huge", 9 * GB)], 512)
    assert isinstance(error, NoRoomError)
    assert "hf:ada/a takes 5 GB, and 4.0 GB of memory are free" in error.message
    for way in ("--context 512", "`hf:ada/a/a-Q3_K_M.gguf` (3.0 GB)", "`ollama:tiny` (1.0 GB), which is here"):
        assert way in error.remedy
    assert "huge" not in error.remedy and "Q8_0" not in error.remedy


@pytest.fixture
def group(tmp_path):
    """Writes what a control group (version 2 or 1) may have and uses."""

    def write(version: int, limit: object, used: int, inactive: int) -> Path:
        names = {1: ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes", "memory/memory.stat"),
                 2: ("memory.max", "memory.current", "memory.stat")}[version]
        stat = f"cache 1\n{'total_' if version == 1 else ''}inactive_file {inactive}\n"
        for name, text in zip(names, (limit, used, stat), strict=True):
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).write_text(f"{text}\n")
        (tmp_path / "meminfo").write_text("MemTotal: 9000 kB\nMemAvailable:   8000 kB\n")
        return tmp_path

    return write


@pytest.mark.parametrize("version", [1, 2])
def test_free_memory_is_what_the_control_group_leaves_and_the_machine_has(group, version):
    folder = group(version, 5_000_000, used=3_000_000, inactive=1_000_000)
    assert free_memory(folder, {}, folder / "meminfo") == 3_000_000
    assert free_memory(folder, {"MEM_LIMIT": "4000000"}, folder / "meminfo") == 2_000_000
    folder = group(version, 2**63 - 4096 if version == 1 else "max", used=10**15, inactive=0)
    assert free_memory(folder, {}, folder / "meminfo") == 8000 * 1024
    assert free_memory(folder, {"MEM_LIMIT": "4000000"}, folder / "meminfo") == 4_000_000


@pytest.mark.model
def test_what_is_reckoned_beforehand_is_about_what_it_takes(model_file, row):
    options = ["--model", str(model_file), "--parallel", "2", "--context", "4096"]
    with serving("--api-key", "k", *options) as (process, said):
        Api(said["base_url"], "k").chat("Hi", max_tokens=2)
        taken = psutil.Process(process.pid).memory_info().rss
    reckoned = footprint(read_header(model_file), 4096, 2)
    row("Memory of a model", reckoned=f"{reckoned.total / 1e6:.0f} MB", taken=f"{taken / 1e6:.0f} MB")
    assert 0.8 * reckoned.total < taken < 1.1 * reckoned.total


@pytest.mark.model
def test_by_hand_it_is_said_what_a_model_takes_and_how_fast_it_is(tiny):
    with serving("--api-key", "k", "--model", str(tiny), "--threads", "1", "--gpu-layers", "0") as (process, said):
        assert said["model"] == "tiny"
        takes, speed = process.stderr.readline(), process.stderr.readline()
    assert "Tiny-Q8_0.gguf" in takes and "2,048 tokens" in takes and "are free" in takes and "Threads: 1." in takes
    assert speed.endswith(" tokens a second, one request at a time.\n")


@pytest.mark.model
def test_where_there_is_little_memory_the_context_is_made_to_fit_and_that_is_said(model_file, monkeypatch):
    monkeypatch.setenv("MEM_LIMIT", str(310 * 10**6))
    with serving("--api-key", "k", "--model", str(model_file), "--today") as (process, said):
        takes = process.stderr.readline()
        (first, *_) = Api(said["base_url"], "k").get("/models").json()["data"]
        taken = psutil.Process(process.pid).memory_info().rss
    assert "1 × 2,048 tokens" in takes and "for 4,096 tokens there is no room" in takes
    assert first["context_window"] == 2048
    assert taken < 310e6


@pytest.mark.model
def test_where_the_memory_is_too_small_it_is_refused_with_what_would_fit(tiny, monkeypatch):
    monkeypatch.setenv("MEM_LIMIT", str(150 * 10**6))
    with serving("--api-key", "k", "--model", str(tiny)) as (process, said):
        refused = process.stderr.readline()
        answer = Api(said["base_url"], "k").post(Api(said["base_url"], "k").body("Hi"))
    assert f"{tiny} takes" in refused and "150 MB of memory are free" in refused
    assert answer.status_code == 503
    assert "are free" in answer.json()["error"]["message"]


def test_while_a_named_model_is_loaded_it_is_said_what_it_takes():
    event = waiting(b"keep-alive loading 4000000000 500000000 9000000000")
    assert event == Preparing(weights=4 * GB, cache=GB // 2, free=9 * GB)
    assert str(event) == "The model is being loaded. It takes 4.5 of 9.0 GB that are free."
    assert waiting(b"keep-alive loading x y z") is None


@pytest.mark.model
def test_each_model_has_a_server_of_its_own_in_one_process(tiny, tmp_path):
    other = write_model(tmp_path / "other.gguf", seed=1)
    one, another = launch.ensure(str(tiny)), launch.ensure(str(other))
    assert (one.model, another.model) == ("tiny", "other")
    assert one.pid != another.pid
    assert launch.ensure(str(tiny)) is one
    assert launch.running(str(other)) is another
    assert launch.running(str(tmp_path / "third.gguf")) is None


@pytest.mark.model
def test_a_fork_and_a_cell_keep_to_the_model_that_answered(tmp_path, model_file):
    mine = tmp_path / "Mine-Q4_1.gguf"
    mine.symlink_to(model_file)
    answer = ds_magic.chat("Name a colour.", local_model=str(mine), max_tokens=4, temperature=0, top_logprobs=3)
    branch = answer.fork(1, rank=2)
    assert (answer.model, branch.model) == ("mine", "mine")
    assert branch.provenance.more["local_model"] == str(mine)
    assert branch.logprobs[0].bytes == answer.logprobs[0].bytes
    assert answer.as_cell().startswith(f"%%deepseek --local-model {mine} ")
    assert backend.named(answer.backend, str(mine)).chat("Hi", max_tokens=1).model == "mine"


@pytest.mark.model
def test_a_playground_and_samples_from_elsewhere_keep_to_the_model_of_their_client(tiny):
    client = ds_magic.local_model(str(tiny))
    assert ds_magic.playground("Hi", client=client).cell.startswith(f"%%deepseek --local-model {tiny}")
    with ThreadPoolExecutor(2) as executor:
        answers = ds_magic.sample("Hi", 2, client=client, executor=executor, max_tokens=1)
    assert {answer.model for answer in answers.completions} == {"tiny"}


def test_a_fork_of_somebodys_saved_answer_fetches_no_model(tiny):
    body = {"model": "evil", "provenance": {"local_model": "hf:mallory/evil"}, "choices": [
        {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "Hi"}},
    ]}
    request = ds_magic.ChatRequest.build("Hi")
    answer = ds_magic.ChatCompletion.from_wire(body, request=request, backend="embedded model")
    with pytest.raises(DeepSeekError, match="not on this machine") as caught:
        answer.fork("Hi", "Ho")
    assert "`ds-magic fetch hf:mallory/evil`" in caught.value.remedy


@pytest.mark.model
def test_a_journal_tells_models_apart_and_a_replay_gives_each_its_own(tiny, tmp_path):
    other = write_model(tmp_path / "other.gguf", seed=1)
    journal = tmp_path / "a.jsonl"
    asked = {"max_tokens": 4, "temperature": 0}
    one, another = (
        ds_magic.chat("Hi", local_model=str(each), journal=journal, cache=True, **asked) for each in (tiny, other)
    )
    assert (one.model, another.model) == ("tiny", "other")
    again = ds_magic.chat("Hi", local_model=str(tiny), journal=journal, cache=True, **asked)
    assert again.recorded is not None and again.model == "tiny", "it was asked again"
    for each, first in ((other, another), (tiny, one)):
        again = ds_magic.chat("Hi", local_model=str(each), replay=journal, speed=0, **asked)
        assert (again.model, again.content) == (first.model, first.content)


@pytest.mark.model
def test_unload_ends_the_servers_of_a_model_and_the_next_request_has_it_again(tiny, tmp_path):
    other = write_model(tmp_path / "other.gguf", seed=1)
    client, spared = ds_magic.local_model(str(tiny)), ds_magic.local_model(str(other))
    assert client.chat("Hi", max_tokens=1).model == "tiny"
    server, kept = psutil.Process(launch.ensure(str(tiny)).pid), launch.ensure(str(other))
    command = [sys.executable, "-m", "ds_magic", "unload", str(tiny)]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert said == f"{tiny}: its memory is free\n"
    server.wait(timeout=60)
    assert client.chat("Hi", max_tokens=1).model == "tiny"
    assert launch.ensure(str(other)) is kept
    assert spared.chat("Hi", max_tokens=1).model == "other"


def test_unload_says_where_nothing_is_loaded():
    said = subprocess.run([sys.executable, "-m", "ds_magic", "unload"], capture_output=True, text=True, check=True)
    assert said.stdout == "No kernel uses a model on this machine.\n"


@pytest.mark.model
def test_a_model_that_answers_is_not_let_go(model_file):
    client = ds_magic.local_model(str(model_file))
    with client.stream("Write a long story.", max_tokens=400, temperature=0) as stream:
        next(iter(stream))
        said = subprocess.run([sys.executable, "-m", "ds_magic", "unload"], capture_output=True, text=True)
    assert said.returncode == 1
    assert "answers 1 request just now" in said.stderr


@pytest.mark.model
@pytest.mark.parametrize("by", ["environment", "config"])
def test_a_model_is_kept_for_as_long_as_was_said(model_file, monkeypatch, tmp_path, by):
    own = tmp_path / "own.gguf"  # another test may have a server of the same file running, which keeps it for longer
    own.symlink_to(model_file)
    if by == "environment":
        monkeypatch.setenv("DS_MAGIC_KEEP", "1")
    launch.arrange(keep=1 if by == "config" else None)
    try:
        ds_magic.chat("Hi", local_model=str(own), max_tokens=1)
    finally:
        launch.arrange()
    server = psutil.Process(launch.ensure(str(own)).pid)
    loaded, deadline = server.memory_info().rss, time.monotonic() + 60
    while (idle := server.memory_info().rss) > loaded / 3:
        assert time.monotonic() < deadline, f"unused, it has {idle / 1e6:.0f} MB of {loaded / 1e6:.0f}"
        time.sleep(0.05)


def test_a_file_that_is_not_there_is_an_error_that_names_the_ways_out(tmp_path):
    with pytest.raises(DeepSeekError, match="no such file") as caught:
        ds_magic.chat("Hi", local_model=str(tmp_path / "none.gguf"))
    assert "hf:owner/repo" in caught.value.remedy
    json.dumps(caught.value.message)


@pytest.mark.parametrize("name", ["~nobody-of-this-name/tiny.gguf", f"{'a' * 300}.gguf"])
def test_what_no_file_can_be_called_names_no_model(name, monkeypatch):
    with pytest.raises(WeightsError, match="names no model"):
        parsed(name)
    monkeypatch.setenv("DS_MAGIC_LOCAL_MODEL", name)
    assert local_models() == []
    with pytest.raises(DeepSeekError, match="names no model"):
        ds_magic.chat("Hi")


def test_whatever_keeps_a_model_from_being_found_is_told_to_who_waits_for_it(monkeypatch):
    monkeypatch.setenv("HF_HOME", "a" * 300)  # longer than any folder's name
    with pytest.raises(DeepSeekError, match="cannot be had: OSError"):
        ds_magic.chat("Hi", local_model=f"hf:ada/tiny@{'a' * 40}", timeout=20)


@pytest.mark.model
def test_a_model_that_llama_cpp_dies_of_is_told_with_where_to_look(tmp_path):
    client = ds_magic.local_model(str(write_model(
        tmp_path / "endless.gguf", "{% macro again(x) %}{{ again(x) }}{% endmacro %}{{ again(1) }}"
    )))
    client.retries = 0
    with pytest.raises(APIConnectionError) as caught:
        client.chat("Hi")
    assert "ds-magic serve --model" in caught.value.remedy and "base URL" not in caught.value.remedy


@pytest.mark.model
@pytest.mark.parametrize("damage", ["half", "template"])
def test_what_llama_cpp_cannot_load_is_told_with_what_may_be_the_matter(tmp_path, damage):
    path = write_model(tmp_path / "a.gguf", "{% for %}{{" if damage == "template" else CHATML)
    if damage == "half":
        os.truncate(path, path.stat().st_size // 2)
    with pytest.raises(DeepSeekError, match="llama.cpp could not load") as caught:
        ds_magic.chat("Hi", local_model=str(path))
    assert "file whole" in caught.value.remedy and "template" in caught.value.remedy
