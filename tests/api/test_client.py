"""The client: its models, its key, its timeouts, its connections, and ending from any thread."""

import contextlib
import socket
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from ds_magic import (
    APITimeoutError,
    Client,
    DeepSeekError,
    InvalidRequestError,
    StreamInterruptedError,
    Timeouts,
)
from ds_magic.api.events import Note, Retrying
from tests.servers.scripted import (
    DONE,
    LAST_CHUNK,
    PATIENCE,
    ScriptedServer,
    answered,
    chunk,
    completion,
    event,
    head,
    refused,
    said,
    text_chunk,
    timers,
)

UNKNOWN = refused(400, "Model Not Exist")
MODELS = answered({"object": "list", "data": [{"id": "first", "owned_by": "us"}, {"id": "second"}, 5, {}]})


def waiting_for_close(closed, *sent):
    """A script that sends something and waits until the client closes the connection."""

    def script(connection):
        for data in sent:
            with contextlib.suppress(OSError):  # on a busy machine the client has given up by then
                connection.send(data)
        assert connection.wait_until_closed(), "the connection was never closed"
        closed.set()

    return script


def test_the_models_are_listed(connect):
    with ScriptedServer(models=MODELS) as server:
        models = connect(server).models()
        assert (server.looks[0].method, server.looks[0].path) == ("GET", "/models")
    assert [model.id for model in models] == ["first", "second", ""] and models[0].owned_by == "us"


@pytest.mark.parametrize("body", [{}, {"data": None}, {"data": 5}, {"data": [None]}])
def test_a_list_of_models_that_is_none_is_empty(body, connect):
    with ScriptedServer(models=answered(body)) as server:
        assert connect(server).models() == []


@pytest.mark.parametrize("streaming", [True, False])
def test_a_default_model_that_is_unknown_is_replaced_for_the_clients_life_and_that_is_said(streaming, connect):
    told = []
    answer = said("a") if streaming else answered(completion("a"))
    with ScriptedServer(UNKNOWN, answer, models=MODELS) as server:
        client = connect(server, on_event=told.append)
        first, second = (client.chat("Hi", stream=streaming) for _ in range(2))
        asked = [request.json["model"] for request in server.requests]
    assert asked == ["deepseek-chat", "first", "first"] and len(server.looks) == 1
    assert first.content == second.content == "a" and first.request.model == "first"
    assert len(first.notes) == 1 and "deepseek-chat" in first.notes[0] and "first" in first.notes[0]
    assert second.notes == [] and [str(each) for each in told] == first.notes and type(told[0]) is Note


@pytest.mark.parametrize("refusal", [
    refused(400, "Model Not Exist"), refused(404, "The model `deepseek-chat` does not exist", code="model_not_found"),
    refused(422, "no", param="model"), answered({"detail": "unknown model deepseek-chat"}, "400 No"),
])
def test_an_unknown_model_is_recognised_in_several_words(refusal, connect):
    with ScriptedServer(refusal, answered(completion("a")), models=MODELS) as server:
        assert connect(server).chat("Hi").content == "a"


@pytest.mark.parametrize("how", ["request", "client"])
def test_a_model_that_was_named_is_never_replaced_and_the_error_lists_what_there_is(how, connect):
    with ScriptedServer(UNKNOWN, said("a"), models=MODELS) as server:
        client = connect(server, **({"model": "mine"} if how == "client" else {}))
        with pytest.raises(InvalidRequestError, match="Model Not Exist") as caught:
            client.chat("Hi", **({"model": "mine"} if how == "request" else {}))
        assert len(server.requests) == 1
    assert "first, second" in caught.value.remedy


def test_a_model_that_the_server_lists_is_not_the_reason_of_a_refusal(connect):
    listed = answered({"data": [{"id": "deepseek-chat"}]})
    with ScriptedServer(refused(400, "This model does not support logprobs"), models=listed) as server:
        with pytest.raises(InvalidRequestError) as caught:
            connect(server).chat("Hi")
        assert len(server.requests) == len(server.looks) == 1
    assert "Name a model" not in caught.value.remedy


def test_where_there_is_no_list_the_refusal_itself_may_name_the_models(connect):
    gone = "The supported API model names are deepseek-flash, deepseek-v4-pro, but you passed deepseek-chat."
    with ScriptedServer(refused(400, gone), answered(completion("a"))) as server:
        assert connect(server).chat("Hi").request.model == "deepseek-flash"


@pytest.mark.parametrize("models", [refused(404), answered({"data": []}), answered(b"<html>")])
def test_without_a_list_of_models_the_refusal_stands(models, connect):
    with ScriptedServer(UNKNOWN, models=models) as server, pytest.raises(InvalidRequestError, match="Model Not Exist"):
        connect(server).chat("Hi")


def test_the_key_is_sent_as_a_bearer_token_and_no_key_as_nothing(connect, key):
    with ScriptedServer(answered(completion())) as server:
        connect(server).chat("Hi")
        connect(server, api_key=f"  {key}\n").chat("Hi")
        connect(server, api_key="").chat("Hi")
        sent = [request.headers.get("authorization") for request in server.requests]
    assert sent == [f"Bearer {key}", f"Bearer {key}", None]


def test_key_and_address_come_from_the_environment(monkeypatch, key):
    with ScriptedServer(answered(completion())) as server:
        monkeypatch.setenv("DEEPSEEK_API_KEY", key)
        monkeypatch.setenv("DEEPSEEK_BASE_URL", server.url + "/v1/")
        Client().chat("Hi")
        assert server.requests[0].path == "/v1/chat/completions"
        assert server.requests[0].headers["authorization"] == f"Bearer {key}"


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
@pytest.mark.parametrize("with_key", [True, False])
def test_a_netrc_file_neither_replaces_nor_stands_in_for_the_key(host, with_key, connect, key, tmp_path, monkeypatch):
    (tmp_path / ".netrc").write_text("default login ada password secret\n")
    (tmp_path / ".netrc").chmod(0o600)
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    with ScriptedServer(answered(completion())) as server:
        connect(f"http://{host}:{server.port}", api_key=key if with_key else "").chat("Hi")
        assert server.requests[0].headers.get("authorization") == (f"Bearer {key}" if with_key else None)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_redirect_to_another_place_does_not_carry_the_key(status, host, connect, key):
    with ScriptedServer(answered(completion())) as other:
        target = f"http://{host}:{other.port}/chat/completions"
        with ScriptedServer(answered(b"", f"{status} Go", Location=target)) as server:
            connect(server).chat("Hi")
            assert server.requests[0].headers["authorization"] == f"Bearer {key}"
        assert "authorization" not in other.requests[0].headers and key not in str(other.requests[0])


def test_a_redirect_on_the_same_server_carries_the_key(connect, key):
    with ScriptedServer(answered(b"", "307 Go", Location="/v1/chat/completions"), answered(completion("a"))) as server:
        assert connect(server).chat("Hi").content == "a"
        assert server.requests[1].headers["authorization"] == f"Bearer {key}"


def test_each_request_has_its_own_body_and_the_cookies_that_the_server_set_last(connect, key):
    texts = ["Hi", "What is a cell, in a few words?", "Äh"]
    scripts = [answered(completion("a"), Set_Cookie=f"place={number}; Path=/") for number in range(3)]
    with ScriptedServer(*scripts) as server:
        client = connect(server)
        for text in texts:
            client.chat(text)
        assert [each.json["messages"][0]["content"] for each in server.requests] == texts
        assert [int(each.headers["content-length"]) for each in server.requests] == [
            len(each.body) for each in server.requests
        ]
        assert [each.headers.get("cookie") for each in server.requests] == [None, "place=0", "place=1"]
        assert {each.headers["authorization"] for each in server.requests} == {f"Bearer {key}"}


def test_a_proxy_of_the_environment_is_not_asked_for_loopback(connect, monkeypatch):
    with ScriptedServer(answered(completion("proxy"))) as proxy, ScriptedServer(answered(completion("a"))) as server:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        for host in ("127.0.0.1", "localhost", "LOCALHOST"):
            assert connect(f"http://{host}:{server.port}").chat("Hi").content == "a"
        assert proxy.requests == []


def test_a_proxy_of_the_environment_is_asked_for_other_places(connect, monkeypatch):
    with ScriptedServer(answered(completion("proxy"))) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.delenv("NO_PROXY", raising=False)
        assert connect("http://example.invalid").chat("Hi").content == "proxy"


def test_a_server_that_accepts_no_connection_is_given_up():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        port = listener.getsockname()[1]
        fillers = []
        for _ in range(4):  # a full backlog: further connections wait
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", port))
            fillers.append(filler)
        client = Client(f"http://127.0.0.1:{port}", "k", timeout=Timeouts(connect=0.2), on_event=print)
        with pytest.raises(APITimeoutError, match="did not accept a connection"):
            client.chat("Hi")
        slow = Client(f"http://127.0.0.1:{port}", "k", timeout=Timeouts(connect=1000, total=0.2), on_event=print)
        with pytest.raises(APITimeoutError):
            slow.chat("Hi")
        for filler in fillers:
            filler.close()


@pytest.mark.parametrize("ask", ["chat", "stream"])
@pytest.mark.parametrize("sent", [[], [head()], [head(framing="close"), b": keep-alive\n\n"]])
def test_a_server_that_falls_silent_is_given_up(ask, sent, connect):
    closed = threading.Event()
    with ScriptedServer(waiting_for_close(closed, *sent)) as server:
        with pytest.raises(APITimeoutError) as caught:
            list(getattr(connect(server, timeout=Timeouts(idle=0.1)), ask)("Hi"))
        assert "sent nothing for 0.1 s" in str(caught.value) and "--timeout" in caught.value.remedy
        assert closed.wait(PATIENCE) and len(server.requests) == 1


def test_what_had_come_before_a_silence_is_kept(connect):
    closed = threading.Event()
    with ScriptedServer(waiting_for_close(closed, head() + chunk(event(text_chunk("a"))))) as server:
        with pytest.raises(APITimeoutError) as caught:
            list(connect(server, timeout=Timeouts(idle=0.1)).stream("Hi"))
        assert caught.value.partial.content == "a" and closed.wait(PATIENCE)


@pytest.mark.parametrize(("ask", "keep_alive", "last"), [
    ("stream", b": keep-alive\n\n", event(text_chunk("a")) + DONE),
    ("chat", b"\n", b'{"choices": [{"message": {"content": "a"}}]}'),
])
def test_keep_alives_begin_the_idle_time_anew(ask, keep_alive, last, connect):
    pause = threading.Event()

    def script(connection):
        connection.send(head())
        for _ in range(8):
            pause.wait(0.1)
            connection.send(chunk(keep_alive))
        connection.send(chunk(last) + LAST_CHUNK)

    with ScriptedServer(script) as server:
        client = connect(server, timeout=Timeouts(idle=0.5))
        answer = client.chat("Hi", stream=ask == "stream")
    assert answer.content == "a"


@pytest.mark.parametrize("ask", ["chat", "stream"])
def test_the_total_time_ends_an_answer_that_keeps_coming(ask, connect):
    closed = threading.Event()

    def script(connection):
        connection.send(head())
        try:
            while not closed.wait(0.01):
                connection.send(chunk(event(text_chunk("a")) if ask == "stream" else b"\n"))
        except OSError:
            closed.set()

    with ScriptedServer(script) as server:
        with pytest.raises(APITimeoutError, match="not complete within 0.3 s") as caught:
            list(getattr(connect(server), ask)("Hi", timeout=0.3))
        assert closed.wait(PATIENCE)
    assert (caught.value.partial is not None) is (ask == "stream")


@pytest.mark.parametrize("ask", ["chat", "stream"])
def test_the_total_time_ends_a_wait_for_headers_and_for_a_retry(ask, connect):
    closed = threading.Event()
    slow_down = answered({"error": "no"}, "429 No", Retry_After="50")
    for script in (waiting_for_close(closed), slow_down):
        with ScriptedServer(script) as server, pytest.raises(APITimeoutError):
            list(getattr(connect(server, timeout=0.2), ask)("Hi"))
    assert closed.wait(PATIENCE)


def test_the_total_time_over_in_a_wait_says_why_there_was_a_wait(connect):
    script = answered({"error": {"message": "slow down"}}, "429 No", Retry_After="50")
    with ScriptedServer(script) as server, pytest.raises(APITimeoutError, match="slow down"):
        connect(server, timeout=0.2).chat("Hi")


def test_an_answer_within_its_time_leaves_no_timer(connect):
    with ScriptedServer(said("a"), answered(completion()), refused(400)) as server:
        client = connect(server, timeout=500, model="m")
        client.chat("Hi", stream=True)
        client.chat("Hi")
        with pytest.raises(InvalidRequestError):
            client.chat("Hi")
        with pytest.raises(InvalidRequestError), client.stream("Hi"):
            pass
    assert timers() == []


@pytest.mark.parametrize("timeout", [0, -1, float("nan"), float("inf"), "5", 1e30, Timeouts(idle=0)])
def test_a_time_that_is_none_is_refused(timeout, connect):
    with ScriptedServer(said("a")) as server:
        for ask in (connect(server).chat, connect(server).stream):
            with pytest.raises(InvalidRequestError) as caught:
                ask("Hi", timeout=timeout)
            assert caught.value.field == "timeout"
        with pytest.raises(InvalidRequestError):
            connect(server, timeout=timeout)
        assert server.requests == []


def test_a_bare_number_is_the_total():
    assert Timeouts.of(5) == Timeouts(total=5) and Timeouts.of(None) == Timeouts()


def closed_by_another(stream, when, before=lambda: None):
    """What a reader in this thread gets while another closes the stream once `when` is set."""
    def close():
        assert when.wait(PATIENCE)
        before()
        stream.close()

    closer = threading.Thread(target=close)
    closer.start()
    texts = [delta.content for delta in stream]
    closer.join(PATIENCE)
    assert not closer.is_alive()
    return texts


@pytest.mark.parametrize("sent", [
    b"", head(), head() + chunk(b": keep-alive\n\n"), head() + chunk(event(text_chunk("a"))),
    head(Content_Encoding="gzip"), head(framing="close"), head("500 No", framing=10),
])
def test_closing_from_another_thread_ends_a_waiting_reader_and_the_connection(sent, connect):
    asked, closed = threading.Event(), threading.Event()

    def script(connection):
        connection.send(sent)
        asked.set()
        assert connection.wait_until_closed(), "the connection was never closed"
        closed.set()

    with ScriptedServer(script) as server:
        stream = connect(server, timeout=Timeouts(idle=60)).stream("Hi")
        texts = closed_by_another(stream, asked)
        assert closed.wait(PATIENCE)
    assert texts in ([], ["a"])
    assert stream.completion.interruption == "stopped" and stream.completion.content == "".join(texts)


def test_closing_ends_the_wait_for_a_retry_and_nothing_more_is_sent(connect):
    waits = threading.Event()

    def told(told):
        assert type(told) is Retrying
        waits.set()

    with ScriptedServer(answered({"error": "no"}, "429 No", Retry_After="60")) as server:
        stream = connect(server, on_event=told).stream("Hi")
        assert closed_by_another(stream, waits) == []
        assert len(server.requests) == 1 and stream.completion.interrupted


def test_closing_ends_the_wait_for_a_list_of_models(connect):
    asked, closed = threading.Event(), threading.Event()

    def models(connection):
        asked.set()
        assert connection.wait_until_closed()
        closed.set()

    with ScriptedServer(UNKNOWN, models=models) as server:
        stream = connect(server).stream("Hi")
        with contextlib.suppress(InvalidRequestError):
            assert closed_by_another(stream, asked) == []
        assert closed.wait(PATIENCE) and len(server.requests) == len(server.looks) == 1


def test_closing_between_deltas_ends_the_stream_there(connect):
    closed = threading.Event()
    script = waiting_for_close(closed, head() + chunk(event(text_chunk("a")) + event(text_chunk("b"))))
    with ScriptedServer(script) as server:
        stream = connect(server).stream("Hi")
        texts = []
        for delta in stream:
            texts.append(delta.content)
            closer = threading.Thread(target=stream.close)
            closer.start()
            closer.join()
        assert texts == ["a"] and stream.completion.interrupted and closed.wait(PATIENCE)


def test_closing_twice_or_after_the_end_changes_nothing(connect):
    with ScriptedServer(said("a")) as server:
        client = connect(server)
        with client.stream("Hi") as stream:
            list(stream)
            stream.close()
        stream.close()
        assert not stream.completion.interrupted
        assert client.chat("Hi", stream=True).content == "a" and server.connections == 1


def test_connections_are_used_again_after_answers_and_refusals(connect):
    scripts = [answered(completion()), refused(400), said("a"), answered(completion())]
    with ScriptedServer(*scripts, models=MODELS) as server:
        client = connect(server, model="m")
        client.chat("Hi")
        with pytest.raises(InvalidRequestError):
            client.chat("Hi")
        client.models()
        list(client.stream("Hi"))
        client.chat("Hi")
        assert len(server.requests) == 4 and len(server.looks) == 1 and server.connections == 1


def test_a_connection_that_idled_away_is_replaced(connect):
    def and_close(script):
        return lambda connection: script(connection) or "close"

    with ScriptedServer(and_close(said("a"))) as server:
        client = connect(server)
        assert [client.chat("Hi", stream=True).content for _ in range(5)] == ["a"] * 5
        assert server.connections == 5


def test_one_client_serves_several_threads(connect):
    def script(connection):
        words = connection.request.json["messages"][0]["content"].split()
        connection.send(head())
        for word in words:
            connection.send(chunk(event(text_chunk(word))))
        connection.send(chunk(event(text_chunk("", finish="stop")) + DONE) + LAST_CHUNK)

    def ask(number):
        words = [f"{number}-{position}" for position in range(20)]
        stream = client.stream(" ".join(words))
        if number % 4 == 0:
            next(stream)
            stream.close()
            return True
        return [delta.content for delta in stream if delta.content] == words and not stream.completion.interrupted

    with ScriptedServer(script) as server:
        client = connect(server)
        with ThreadPoolExecutor(12) as pool:
            assert all(pool.map(ask, range(120)))


@pytest.mark.slow
def test_hundreds_of_streams_leave_no_timer_and_no_socket(connect):
    def fail_half_way(connection):
        connection.send(head() + chunk(event(text_chunk("a"))))
        return "close"

    with ScriptedServer(*[said("a", "b"), fail_half_way, refused(400), said("a", "b")] * 60) as server:
        client = connect(server, timeout=100, model="m", retries=0)
        before = server.open_sockets_of_clients()
        for number in range(200):
            stream = client.stream("Hi")
            with contextlib.suppress(StreamInterruptedError, InvalidRequestError):
                for _ in stream:
                    if number % 4 == 3:
                        break
            stream.close()
            del stream
        assert len(server.requests) == 200
        assert timers() == []
        gone = before + 1 - server.open_sockets_of_clients()
        assert gone >= 0, "more is open than the one connection that waits to be used again"


def test_a_client_says_where_it_goes_and_never_with_what(key):
    client = Client("http://ada:secret@example.org:81/v1", key)
    assert repr(client) == "Client('example.org:81', with a key)" and client.name == "example.org:81"
    assert Client("https://api.deepseek.com/", key).name == "DeepSeek" and Client("http://x", "").is_deepseek is False


def test_a_client_is_a_context_manager():
    with Client("http://127.0.0.1:9", "k", retries=0) as client, pytest.raises(DeepSeekError):
        client.chat("Hi")


def test_what_is_announced_is_said_once_and_stands_in_the_notes(connect):
    with ScriptedServer(said("a")) as server:
        heard = []
        client = connect(server, on_event=lambda event: heard.append(str(event)))
        client.announce("A word.")
        first, second = client.chat("Hi", stream=True), client.chat("Hi", stream=True)
        assert (first.notes, second.notes, heard) == (["A word."], [], ["A word."])


@pytest.mark.parametrize("status", [404, 405])
def test_a_server_without_beta_is_told_from_a_wrong_base_url(status, connect):
    strict = {"type": "function", "function": {"name": "f", "strict": True}}
    with ScriptedServer(refused(status, "Not Found")) as server:
        for fields in ({"prefix": "Well"}, {"tools": [strict]}):
            with pytest.raises(InvalidRequestError) as caught:
                connect(server, model="m").chat("Hi", **fields)
            assert "no `/beta`" in caught.value.remedy and "base URL" not in caught.value.remedy
        for client in (connect(server, model="m"), Client(server.url + "/beta", "k", model="m")):
            with pytest.raises(InvalidRequestError) as caught:
                client.chat("Hi")
            assert "/beta" not in caught.value.remedy


def test_the_names_of_models_are_not_masked_for_a_key_that_shares_a_word_with_them(connect):
    listed = answered({"data": [{"id": "deepseek-flash"}, {"id": "deepseek-v4-pro"}]})
    with ScriptedServer(UNKNOWN, models=listed) as server, pytest.raises(InvalidRequestError) as caught:
        connect(server, api_key="deepseek-v4-0a1b2c3d4e5f").chat("Hi", model="other")
    assert caught.value.remedy == "Name a model that this server has: deepseek-flash, deepseek-v4-pro."
