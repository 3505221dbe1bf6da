"""Which server answers, and what is kept of the keys."""

import pytest

from ds_magic import AuthenticationError, InvalidRequestError, backend
from ds_magic.api.secret import Secret
from tests.servers.scripted import ScriptedServer, said

KEY = "sk-5d41402abc4b2a76b9719d911017c592"


@pytest.fixture(autouse=True)
def clean(monkeypatch):
    for name in ("DEEPSEEK_API_KEY", "DEEPSEEK_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    yield
    backend.logout()


def test_a_key_means_deepseek_and_a_base_url_another_server(monkeypatch):
    monkeypatch.setenv("DEEPSEEK_API_KEY", KEY)
    assert backend.resolve().name == "DeepSeek"
    assert backend.resolve(base_url="http://127.0.0.1:9/v1").name == "127.0.0.1:9"


def test_the_same_server_is_the_same_client_and_another_key_another():
    backend.login(KEY)
    first = backend.resolve()
    assert backend.resolve() is first
    backend.login(KEY[::-1])
    assert backend.resolve() is not first


def test_a_login_comes_before_the_environment_and_is_forgotten(monkeypatch):
    monkeypatch.setenv("DEEPSEEK_API_KEY", "sk-environment")
    backend.login(f" {KEY}\n")
    with ScriptedServer(said("a")) as server:
        backend.resolve(base_url=server.url).chat("Hi", stream=True)
        backend.logout()
        backend.resolve(base_url=server.url).chat("Hi", stream=True)
    sent = [request.headers["authorization"] for request in server.requests]
    assert sent == [f"Bearer {KEY}", "Bearer sk-environment"]


def test_without_a_key_the_embedded_model_answers_and_that_is_said_once(monkeypatch, local_server):
    monkeypatch.setattr(backend, "_said_why", False)
    first, second = (backend.chat("Hi", max_tokens=1) for _ in range(2))
    assert first.backend == second.backend == "embedded model"
    assert "no API key" in first.notes[0] and second.notes == []


@pytest.mark.parametrize(("key", "error"), [(KEY, InvalidRequestError), (KEY + "é", AuthenticationError)])
def test_a_traceback_in_verbose_mode_shows_no_key(monkeypatch, key, error):
    from IPython.core.ultratb import VerboseTB

    monkeypatch.setenv("DEEPSEEK_API_KEY", KEY)
    backend.resolve()
    monkeypatch.setenv("DEEPSEEK_API_KEY", key)
    with pytest.raises(error) as caught:
        backend.resolve(timeout=-1)
    inside = caught.tb.tb_next
    shown = "".join(VerboseTB(theme_name="nocolor").structured_traceback(error, caught.value, inside))
    assert "resolve" in shown and KEY[3:] not in shown


def test_what_is_kept_of_a_key_does_not_show_it():
    backend.login(KEY)
    client = backend.resolve()
    assert KEY[3:] not in repr(backend._clients) + repr(vars(client)) + repr(vars(client._auth))


def test_a_secret_equals_itself_and_shows_nothing():
    assert Secret(KEY) == Secret.of(f"{KEY} ") != Secret("sk-other") and Secret.of(" ") is None
    assert repr(Secret(KEY)) == "****" and Secret(KEY).reveal() == KEY
