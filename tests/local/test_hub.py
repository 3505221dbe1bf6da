"""Models of the Hugging Face Hub, through the real `huggingface_hub` from a hub on this machine."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import ds_magic
from ds_magic.api.events import Preparing
from ds_magic.local.model_failures import MissingExtraError, NoRoomError, WeightsError
from ds_magic.local.models import hub
from ds_magic.local.models.hub_errors import told
from ds_magic.local.models.listing import names
from ds_magic.local.models.names import parsed
from ds_magic.local.models.obtain import obtained
from ds_magic.run import Observer, run
from tests.local.tiny_models import write_model
from tests.servers.hub import Hub

pytestmark = pytest.mark.usefixtures("no_servers_left")


@pytest.fixture
def server(tmp_path, monkeypatch):
    """The hub; nothing of it is in the cache yet."""
    for name in [name for name in os.environ if name.startswith(("HF_", "HUGGING", "TRANSFORMERS_", "DS_MAGIC_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    monkeypatch.setenv("HF_HUB_DISABLE_XET", "1")
    monkeypatch.setenv("DS_MAGIC_CACHE", str(tmp_path / "cache"))
    with Hub() as server:
        monkeypatch.setenv("HF_ENDPOINT", server.url)
        yield server


@pytest.fixture
def tiny(tmp_path):
    """A model of random weights, in a file of the name that is given."""

    def write(name: str = "tiny-Q4_K_M.gguf", **options) -> Path:
        (tmp_path / "models").mkdir(exist_ok=True)
        return write_model(tmp_path / "models" / name, **options)

    return write


def test_a_model_is_fetched_into_the_hubs_cache_and_pinned_to_its_commit(server, tiny):
    file = tiny()
    commit = server.put("ada/tiny", file)
    steps = []
    found = obtained("hf:ada/tiny", lambda done, total: steps.append((done, total)))
    size = file.stat().st_size
    assert found.path.read_bytes() == file.read_bytes()
    assert found.told == {"local_model": "hf:ada/tiny", "revision": commit}
    assert found.path == hub.cache_folder() / "models--ada--tiny" / "snapshots" / commit / file.name
    assert steps[0] == (0, size) and steps[-1] == (size, size)


def test_what_lies_in_the_cache_is_as_the_library_finds_it(server, tiny):
    server.put("ada/tiny", tiny())
    found = obtained("hf:ada/tiny")
    program = """
import huggingface_hub
print(huggingface_hub.hf_hub_download("ada/tiny", "tiny-Q4_K_M.gguf"))
cache = huggingface_hub.scan_cache_dir()
print(cache.warnings, cache.size_on_disk, [repository.repo_id for repository in cache.repos])
"""
    environment = {**os.environ, "HF_HUB_OFFLINE": "1"}
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment, check=True)
    assert said.stdout.splitlines() == [str(found.path), f"[] {found.path.stat().st_size} ['ada/tiny']"]


def test_what_is_in_the_cache_is_used_without_asking_anybody(server, tiny):
    server.put("ada/tiny", tiny())
    first = obtained("hf:ada/tiny")
    asked = len(server.requests)
    again = obtained("hf:ada/tiny")
    assert (again.path, again.revision) == (first.path, first.revision)
    assert len(server.requests) == asked


def test_of_several_files_the_usual_quantisation_is_taken_and_others_by_name_or_kind(server, tiny):
    server.put("ada/tiny", *[tiny(f"tiny-{kind}.gguf") for kind in ("F16", "Q8_0", "Q4_K_M", "Q2_K")])
    assert obtained("hf:ada/tiny").path.name == "tiny-Q4_K_M.gguf"
    assert obtained("hf:ada/tiny:q8_0").path.name == "tiny-Q8_0.gguf"
    assert obtained("hf:ada/tiny/tiny-Q2_K.gguf").path.name == "tiny-Q2_K.gguf"


def test_a_file_for_pictures_is_no_model(server, tiny):
    server.put("ada/tiny", tiny("mmproj-F16.gguf"), tiny("tiny-F32.gguf"))
    assert obtained("hf:ada/tiny").path.name == "tiny-F32.gguf"


def test_all_parts_of_a_split_model_are_fetched_and_the_first_is_loaded(server, tmp_path):
    parts = [tmp_path / f"big-Q4_K_M-0000{number}-of-00003.gguf" for number in (1, 2, 3)]
    for number, part in enumerate(parts):
        part.write_bytes(b"GGUF" + bytes([number]) * 1000)
    server.put("ada/big", *parts)
    steps = []
    found = obtained("hf:ada/big", lambda *step: steps.append(step))
    assert found.path.name == parts[0].name
    assert [found.path.with_name(part.name).read_bytes() for part in parts] == [part.read_bytes() for part in parts]
    assert steps[-1] == (3012, 3012)


def test_a_download_that_breaks_off_is_gone_on_with(server, tiny):
    file = tiny()
    server.put("ada/tiny", file)
    server.breaks = [10_000, 20_000]
    assert obtained("hf:ada/tiny").path.read_bytes() == file.read_bytes()
    assert server.sent == [0, 10_000, 30_000]


FETCH = "from ds_magic.local.models.obtain import obtained; print(obtained('hf:ada/tiny').path)"


def test_another_process_goes_on_where_a_killed_one_stopped(server, tiny):
    file = tiny()
    server.put("ada/tiny", file)
    server.breaks, server.held = [50_000], threading.Event()
    process = subprocess.Popen([sys.executable, "-c", FETCH])
    blobs = hub.folder_of("ada/tiny") / "blobs"
    while sum(part.stat().st_size for part in blobs.glob("*.part")) < 50_000:
        assert process.poll() is None
    process.kill()
    process.wait()
    server.held.set()
    assert obtained("hf:ada/tiny").path.read_bytes() == file.read_bytes()
    assert server.sent == [0, 50_000]
    assert list(blobs.glob("*.part")) == []


@pytest.mark.parametrize("left", ["more", "other"])
def test_what_is_left_of_another_file_is_not_gone_on_with(server, tiny, left):
    file = tiny()
    server.put("ada/tiny", file)
    blobs = hub.folder_of("ada/tiny") / "blobs"
    blobs.mkdir(parents=True)
    part = blobs / f"{server.sha256(file)}.part"
    part.write_bytes(b"x" * (file.stat().st_size + 5) if left == "more" else b"x" * 1000)
    if left == "other":
        with pytest.raises(WeightsError, match="wrong SHA-256"):
            obtained("hf:ada/tiny")
    assert obtained("hf:ada/tiny").path.read_bytes() == file.read_bytes()


def test_a_store_that_knows_no_ranges_sends_it_all_again(server, tiny):
    file = tiny()
    server.put("ada/tiny", file)
    server.breaks, server.knows_ranges = [10_000], False
    assert obtained("hf:ada/tiny").path.read_bytes() == file.read_bytes()
    assert server.sent == [0, 0]


def test_where_nothing_more_comes_it_is_said_and_what_came_is_kept(server, tiny):
    file = tiny()
    server.put("ada/tiny", file)
    server.breaks = [10_000, *[0] * 30]
    with pytest.raises(WeightsError, match="could not be fetched") as caught:
        obtained("hf:ada/tiny")
    assert "goes on from there" in caught.value.remedy
    server.breaks = []
    assert obtained("hf:ada/tiny").path.read_bytes() == file.read_bytes()
    assert server.sent[-1] == 10_000


def test_a_newer_commit_is_taken_only_when_it_is_asked_for(server, tiny):
    server.put("ada/tiny", tiny(seed=1))
    first = obtained("hf:ada/tiny")
    second = server.put("ada/tiny", tiny("tiny-Q4_K_S.gguf", seed=2))
    assert obtained("hf:ada/tiny").revision == first.revision
    assert obtained("hf:ada/tiny", is_new=True).revision == second
    assert obtained("hf:ada/tiny").path.name == "tiny-Q4_K_S.gguf"
    assert obtained(f"hf:ada/tiny@{first.revision}").path == first.path


def test_a_branch_is_a_revision(server, tiny):
    server.put("ada/tiny", tiny())
    other = server.put("ada/tiny", tiny("next-Q8_0.gguf"), branch="next")
    found = obtained("hf:ada/tiny@next")
    assert (found.revision, found.path.name) == (other, "next-Q8_0.gguf")


def test_a_token_goes_to_the_hub_and_not_to_the_store_and_is_in_no_message(server, tiny, monkeypatch):
    server.put("ada/secret", tiny(), token="hf_0a1b2c3d4e5f6a7b8c9d")
    monkeypatch.setenv("HF_TOKEN", "hf_0a1b2c3d4e5f6a7b8c9d")
    assert obtained("hf:ada/secret").path.exists()
    assert server.tokens_at_the_store == [None]
    monkeypatch.setenv("HF_TOKEN", "hf_wrong0a1b2c3d4e5f6a7b")
    with pytest.raises(WeightsError) as caught:
        obtained("hf:ada/secret", is_new=True)
    assert "hf_wrong" not in f"{caught.value.message} {caught.value.remedy}"


def test_a_token_that_the_library_was_told_to_keep_is_sent_nowhere(server, tiny):
    server.put("ada/tiny", tiny())
    environment = {**os.environ, "HF_TOKEN": "hf_0a1b2c3d4e5f6a7b8c9d", "HF_HUB_DISABLE_IMPLICIT_TOKEN": "1"}
    subprocess.run([sys.executable, "-c", FETCH], check=True, capture_output=True, env=environment)
    assert server.sent == [0] and set(server.tokens) == {None}


@pytest.mark.parametrize(("name", "message", "remedy"), [
    ("hf:ada/nowhere", "has no repository ada/nowhere", "spelling"),
    ("hf:ada/gated", "only for those whom its owners let in", "hf auth login"),
    ("hf:ada/plain", "no GGUF file in ada/plain. It has: model.safetensors", "GGUF"),
    ("hf:ada/tiny@nowhere", "no revision `nowhere`", "branch"),
    ("hf:ada/tiny/other.gguf", "no file other.gguf in ada/tiny", "tiny-Q4_K_M.gguf"),
    ("hf:ada/tiny:Q8_0", "no GGUF file of the kind Q8_0 in ada/tiny", "tiny-Q4_K_M.gguf"),
    ("hf:ada", "`hf:ada` names no model", "hf:owner/repo"),
    ("hf:ada/../tiny", "names no model", "hf:owner/repo"),
    ("hf:ada/tiny@/etc/motd", "names no model", "hf:owner/repo"),
    ("hf:ada/tiny/a\nb.gguf", "names no model", "hf:owner/repo"),
    ("ada/tiny", "no such file", "`hf:ada/tiny`"),
])
def test_what_cannot_be_had_is_said_with_what_helps(server, tiny, tmp_path, name, message, remedy):
    (tmp_path / "model.safetensors").write_bytes(b"none")
    server.put("ada/tiny", tiny())
    server.put("ada/gated", tiny(), token="hf_other")
    server.put("ada/plain", tmp_path / "model.safetensors")
    with pytest.raises(WeightsError) as caught:
        obtained(name)
    assert message in caught.value.message
    assert remedy in caught.value.remedy


@pytest.mark.parametrize("sha", ["", "../../elsewhere", "main"])
def test_a_hub_that_names_no_commit_is_not_believed(server, tiny, tmp_path, sha):
    repository = server.put("ada/tiny", tiny()) and server.repositories["ada/tiny"]
    repository.commits[sha] = repository.commits.pop(repository.branches["main"])
    repository.branches["main"] = sha
    with pytest.raises(WeightsError, match="which commit"):
        obtained("hf:ada/tiny")
    assert not (tmp_path / "hf" / "elsewhere").exists()


def test_offline_what_is_in_the_cache_is_named(server, tiny, monkeypatch):
    server.put("ada/tiny", tiny())
    obtained("hf:ada/tiny")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    asked = len(server.requests)
    assert obtained("hf:ada/tiny").path.exists()
    with pytest.raises(WeightsError, match="HF_HUB_OFFLINE") as caught:
        obtained("hf:ada/other")
    assert "hf:ada/tiny/tiny-Q4_K_M.gguf" in caught.value.remedy
    assert len(server.requests) == asked


def test_without_a_network_it_is_said_which_hub_was_asked(server, monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", "http://ada:secret@127.0.0.1:9")
    with pytest.raises(WeightsError, match=r"127\.0\.0\.1:9") as caught:
        obtained("hf:ada/tiny")
    assert "secret" not in f"{caught.value.message} {caught.value.remedy}"


def test_a_disk_that_is_too_small_is_told_before_anything_is_fetched(server, tiny):
    server.put("ada/tiny", tiny())
    server.claims = 10**18
    with pytest.raises(WeightsError, match="are free") as caught:
        obtained("hf:ada/tiny")
    assert "HF_HOME" in caught.value.remedy
    assert server.sent == []


def test_a_cache_that_cannot_be_written_is_told(server, tiny, tmp_path):
    server.put("ada/tiny", tiny())
    (tmp_path / "hf").write_text("a file where the folder would be: that keeps root from writing, too")
    with pytest.raises(WeightsError, match=os.strerror(errno.ENOTDIR)):
        obtained("hf:ada/tiny")


def test_what_cannot_fit_into_memory_is_refused_before_it_is_fetched_with_what_would_fit(server, tiny, tmp_path):
    from ds_magic.local.models.footprint import BASE, check_size

    large = tiny("tiny-Q4_K_M.gguf", words=[" word" * 20])
    small = tiny("tiny-Q2_K.gguf")
    server.put("ada/tiny", large, small)
    between = BASE + (large.stat().st_size + small.stat().st_size) // 2

    def room(name, size, others):
        check_size(name, size, between, others)

    with pytest.raises(NoRoomError, match="hf:ada/tiny takes") as caught:
        obtained("hf:ada/tiny", room=room)
    assert server.sent == []
    assert caught.value.remedy


def test_a_disk_that_fills_up_meanwhile_is_told():
    error = told(OSError(errno.ENOSPC, "No space left on device"), parsed("hf:ada/tiny"), [])
    assert "The disk is full" in error.message and "HF_HOME" in error.remedy


def test_the_program_fetches_a_model_and_asks_for_what_is_new(server, tiny):
    server.put("ada/tiny", tiny(seed=1))
    obtained("hf:ada/tiny")
    commit = server.put("ada/tiny", tiny("tiny-Q4_K_S.gguf", seed=2))
    command = [sys.executable, "-m", "ds_magic", "fetch"]
    done = subprocess.run([*command, "hf:ada/tiny"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith(f"tiny-Q4_K_S.gguf (revision {commit})\n")
    assert "Fetching hf:ada/tiny" in done.stderr
    failed = subprocess.run([*command, "hf:ada/nowhere"], capture_output=True, text=True)
    assert failed.returncode == 1 and "has no repository" in failed.stderr


def test_without_the_library_the_extra_is_named(server, monkeypatch):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)  # as if it were not installed
    with pytest.raises(MissingExtraError) as caught:
        obtained("hf:ada/tiny")
    assert "pip install 'ds-magic[local]'" in caught.value.remedy


def test_models_in_the_cache_can_be_named(server, tiny):
    server.put("ada/tiny", tiny(), tiny("tiny-Q8_0.gguf"))
    obtained("hf:ada/tiny:Q8_0")
    assert names() == ["hf:ada/tiny/tiny-Q8_0.gguf"]


@pytest.mark.model
def test_a_request_is_answered_by_a_model_of_the_hub_and_says_which_commit(server, tiny):
    commit = server.put("ada/Tiny-GGUF", tiny())
    answer = ds_magic.chat("Hi", local_model="hf:ada/Tiny-GGUF", max_tokens=3)
    assert answer.model == "tiny"
    assert answer.provenance.more.items() >= {"local_model": "hf:ada/Tiny-GGUF", "revision": commit}.items()
    assert answer.provenance.model_file == "tiny-Q4_K_M.gguf"


@pytest.mark.model
def test_a_request_that_waits_is_told_how_far_the_download_is_and_can_be_stopped(server, tiny):
    server.put("ada/tiny", tiny())
    server.breaks, server.held = [50_000], threading.Event()
    stop, heard = ds_magic.Stop(), []

    class Audience(Observer):
        def event(self, event):
            heard.append(event)
            if isinstance(event, Preparing) and event.done:
                stop.set()

    client = ds_magic.local_model("hf:ada/tiny")
    answer = run(client, ds_magic.ChatRequest.build("Hi", stream=True), [Audience()], stop=stop)
    assert answer.interrupted and answer.content == ""
    assert any(event.is_fetching and 0 < event.share < 1 for event in heard)
    server.held.set()
    assert client.chat("Hi", max_tokens=1).model == "tiny"  # which went on meanwhile


@pytest.mark.model
def test_what_comes_with_us_answers_the_same_from_the_hub(server, model_file):
    server.put("ada/SmolLM2-GGUF", model_file)
    asked = {"temperature": 0, "max_tokens": 6, "logprobs": True, "top_logprobs": 3}
    fetched = ds_magic.chat("Name a colour.", local_model="hf:ada/SmolLM2-GGUF", **asked)
    here = ds_magic.chat("Name a colour.", local_model=str(model_file), **asked)
    assert fetched.content == here.content
    assert json.dumps(fetched.raw["choices"]) == json.dumps(here.raw["choices"])
