"""A client that sends what it is told and shows what came, byte by byte."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests

from ds_magic.local import launch, weights
from tests.local.hermes import HERMES, MARKS, THINKS, WORDS
from tests.local.tiny_models import write_model


@pytest.fixture(scope="session")
def model_file() -> Path:
    """The real weights: DS_MAGIC_LOCAL_MODEL, or the cached file."""
    return weights.model_path()


class Api:
    """Requests to one server, for `model` unless told otherwise.

    `post` and `get` give the response, `chat` the parsed answer, `events` a stream's.
    """

    def __init__(self, base_url: str, api_key: str, model: str = "deepseek-chat"):
        self.base_url = base_url
        self.model = model
        self.session = requests.Session()
        self.session.headers["Authorization"] = f"Bearer {api_key}"

    def get(self, path: str, **options: Any) -> requests.Response:
        return self.session.get(self.base_url + path, timeout=300, **options)

    def post(self, body: Any, path: str = "/chat/completions", **options: Any) -> requests.Response:
        return self.session.post(self.base_url + path, json=body, timeout=300, **options)

    def body(self, text: str = "Hi", **fields: Any) -> dict[str, Any]:
        return {"model": self.model, "messages": [{"role": "user", "content": text}], **fields}

    def chat(self, text: str = "Hi", **fields: Any) -> dict[str, Any]:
        response = self.post(self.body(text, **fields))
        assert response.status_code == 200, response.text
        return response.json()

    def prefixed(self, text: str, prefix: str, **fields: Any) -> dict[str, Any]:
        """The answer to `text` that begins with `prefix`."""
        body = self.body(text, **fields)
        body["messages"].append({"role": "assistant", "content": prefix, "prefix": True})
        response = self.post(body, "/beta/chat/completions")
        assert response.status_code == 200, response.text
        return response.json()

    def events(self, text: str = "Hi", **fields: Any) -> list[Any]:
        """The data of each event of a stream, parsed; the last is the text `[DONE]`."""
        response = self.post(self.body(text, stream=True, **fields))
        assert response.status_code == 200, response.text
        datas = [line[6:] for line in response.text.split("\n") if line.startswith("data: ")]
        return [data if data == "[DONE]" else json.loads(data) for data in datas]


@pytest.fixture(scope="session")
def api(local_server) -> Api:
    return Api(local_server.base_url, local_server.api_key)


@pytest.fixture(scope="session")
def todays(todays_server) -> Api:
    """What asks the embedded server that speaks as DeepSeek's service does today."""
    return Api(todays_server.base_url, todays_server.api_key, todays_server.model)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Where a file's models are."""
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="module")
def thinker(folder: Path) -> Iterator[Api]:
    """A model that thinks within marks of its own, and then answers."""
    from tests.local.tiny_server import serve  # which makes an Api

    with serve(write_model(folder / "thinker.gguf", HERMES, marks=MARKS, words=WORDS, says=THINKS)) as api:
        yield api


@pytest.fixture
def refused(api: Api) -> Iterator[Callable[..., dict[str, Any]]]:
    """Post what will be refused: the error object, with its status under `status`."""

    def post(path: str = "/chat/completions", **fields: Any) -> dict[str, Any]:
        response = api.post(api.body(**fields), path)
        assert list(response.json()) == ["error"], response.text
        return {**response.json()["error"], "status": response.status_code}

    return post


@pytest.fixture
def no_servers_left() -> Iterator[None]:
    """The servers that a test has started end with it."""
    before = set(launch._servers)
    yield
    for name in set(launch._servers) - before:
        server = launch._servers.pop(name)
        server.release()
        with suppress(psutil.NoSuchProcess):
            psutil.Process(server.pid).kill()
