"""Each refusal as its class, with its remedy, and without the key anywhere."""

import io
import pickle
import re
import sys
import traceback

import pytest

import ds_magic
from ds_magic import (
    APIConnectionError,
    APITimeoutError,
    AuthenticationError,
    Client,
    DeepSeekError,
    InsufficientBalanceError,
    InvalidRequestError,
    RateLimitError,
    ServerError,
    ServerOverloadedError,
    StreamInterruptedError,
)
from ds_magic.api.errors import class_for_status
from tests.servers.scripted import ScriptedServer, answered, chunk, completion, event, head, refused, said, text_chunk

STATUSES = [
    (400, InvalidRequestError, "field"),
    (401, AuthenticationError, "%ds_login"),
    (402, InsufficientBalanceError, "Top up"),
    (403, InvalidRequestError, "field"),
    (404, InvalidRequestError, "base URL"),
    (413, InvalidRequestError, "field"),
    (422, InvalidRequestError, "field"),
    (429, RateLimitError, "fewer"),
    (500, ServerError, "again"),
    (502, ServerError, "again"),
    (503, ServerOverloadedError, "overloaded"),
]


def raised(connect, script, ask="chat", **options):
    """The error that a script's answer is raised as."""
    options = {"retries": 0, "model": "m", **options}
    with ScriptedServer(script) as server, pytest.raises(DeepSeekError) as caught:
        list(getattr(connect(server, **options), ask)("Hi"))
    return caught.value


@pytest.mark.parametrize(("status", "kind", "remedy"), STATUSES)
@pytest.mark.parametrize("ask", ["chat", "stream"])
def test_each_status_is_its_class_with_its_remedy(status, kind, remedy, ask, connect):
    error = raised(connect, refused(status, "because", param="temperature", code="odd"), ask)
    assert type(error) is kind is class_for_status(status)
    assert error.status == status and remedy in error.remedy and str(error) == "because" and error.partial is None
    assert (error.type, error.field, error.code) == ("invalid_request_error", "temperature", "odd")


@pytest.mark.parametrize(("body", "content_type", "shown"), [
    (b'{"error": {"message": "because"}}', "text/html", "because"),
    (b'{"error": {"message": "because"}}', "", "because"),
    (b'{"error": "because"}', "application/json", "because"),
    (b'{"message": "because"}', "application/json", "because"),
    (b'{"detail": "because"}', "application/json", "because"),
    (b'{"detail": [{"msg": "because"}]}', "application/json", "because"),
    (b'{"error": {"reason": "because"}}', "application/json", "because"),
    (b'["because"]', "application/json", "because"),
    (b"because", "text/plain", "because"),
    (b"<html>because</html>", "text/html", "because"),
    (b'{"error": {"message": "because \\ud83d"}}', "application/json", "because \ufffd"),
    (b"because \xff", "text/plain", "because \ufffd"),
    (b"\xef\xbb\xbf" + b'{"error": {"message": "because"}}', "application/json", "because"),
    (b"", "application/json", "HTTP 400"),
    (b"null", "application/json", "null"),
    (b'{"error": null}', "application/json", "error"),
    (b"[" * 100_000, "application/json", "["),
])
def test_a_refusals_body_is_read_whatever_it_is(body, content_type, shown, connect):
    error = raised(connect, answered(body, "400 No", content_type))
    assert isinstance(error, InvalidRequestError) and shown in str(error)
    str(error).encode()


def test_a_long_body_is_shown_in_part(connect):
    assert len(str(raised(connect, answered(b"word " * 100_000, "500 No", "text/html")))) <= 300
    assert len(str(raised(connect, refused(500, "word " * 1000)))) <= 600


def test_a_refusal_is_read_under_every_framing(connect):
    def cut_off(connection):
        connection.send(head("400 No", framing=100) + b"because")
        return "close"

    def close_delimited(connection):
        connection.send(head("400 No", framing="close") + b"because")
        return "close"

    def in_chunks(connection):
        connection.send(head("400 No") + chunk(b"bec") + chunk(b"ause") + chunk(b""))

    for script in (cut_off, close_delimited, in_chunks):
        assert "because" in str(raised(connect, script))


ECHOES = [
    "Your api key: {key} is invalid",
    "Your api key: ****{end} is invalid",
    "Wrong key {start}...{end}",
    "Authentication Fails: Bearer {key}",
    "no access for key_{middle}_x",
]


@pytest.mark.parametrize("echo", ECHOES)
@pytest.mark.parametrize("where", ["chat", "iterate", "enter", "models", "in the stream", "instead of an answer"])
def test_a_key_or_a_part_of_it_that_a_server_echoes_is_masked(echo, where, connect, key):
    said_of_key = echo.format(key=key, start=key[:8], end=key[-4:], middle=key[10:20])
    error = {"message": said_of_key, "type": said_of_key, "param": said_of_key, "code": said_of_key}
    script = refused(401, **error)
    if where == "in the stream":
        def script(connection):
            connection.send(head() + chunk(event(text_chunk("a"))) + chunk(event({"error": error})))
    if where == "instead of an answer":
        script = answered({"error": error})
    with ScriptedServer(script, models=script) as server:
        client = connect(server, retries=0)
        with pytest.raises(DeepSeekError) as caught:
            if where == "chat":
                client.chat("Hi")
            elif where == "models":
                client.models()
            elif where == "enter":
                client.stream("Hi").__enter__()
            else:
                list(client.stream("Hi"))
    error = caught.value
    error = error.with_traceback(error.__traceback__.tb_next)  # below this test's own frame
    shown = f"{error} {error!r} {vars(error)} {verbose(error)} {error.partial and error.partial.interruption}"
    shown = re.sub(r"0x[0-9a-f]+", "", shown)  # addresses look like parts of a key, too
    pieces = [key[at : at + 4] for at in range(3, len(key) - 3)]
    pieces = [piece for piece in pieces if not piece.isdigit()]  # so does the number of a port
    assert "****" in str(error) and not [piece for piece in pieces if piece in shown.replace(said_of_key, "")]
    assert key not in shown


@pytest.mark.parametrize("wrap", [lambda said: {"at": [said]}, lambda said: [[said]], lambda said: {said: 1}])
@pytest.mark.parametrize("status", ["401 No", "200 OK"])
def test_a_key_echoed_inside_a_structured_field_is_in_no_variable_and_in_no_pickle(wrap, status, connect, key):
    nested = wrap(f"key {key[:20]} of {key}")
    error = {"message": "no", "type": nested, "param": nested, "code": nested, "remedy": f"Revoke {key}."}
    caught = raised(connect, answered({"error": error}, status))
    assert key[5:15] not in f"{vars(caught)}" and key[5:15].encode() not in pickle.dumps(caught)
    assert all("****" in each for each in (caught.type, caught.field, caught.code, caught.remedy))


def test_what_a_server_says_beside_its_message_commands_no_terminal(connect):
    said = "a\x1b]0;x\x07\u202eb"
    error = raised(connect, refused(400, said, type=said, param=said, code=said, remedy=said))
    for each in (error.message, error.type, error.field, error.code, error.remedy):
        assert "a␛]0;x␇⟨U+202E⟩b" in each


def test_a_remedy_of_anybodys_commands_no_terminal():
    assert DeepSeekError("no", remedy="a\x1b[31m sk-0123456789abcdef").remedy == "a␛[31m ****"


def verbose(error):
    """The traceback as IPython's Verbose mode shows it, with the locals of each frame."""
    from IPython.core.ultratb import VerboseTB

    shown = io.StringIO()
    VerboseTB(theme_name="nocolor", ostream=shown, include_vars=True)(type(error), error, error.__traceback__)
    return shown.getvalue() + "".join(traceback.format_exception(error))


def refusal(server, key):
    Client(server.url, key, retries=0).chat("Hi")


def refusal_of_a_stream(server, key):
    with Client(server.url, key, retries=0).stream("Hi") as stream:
        list(stream)


def refusal_while_iterating(server, key):
    list(Client(server.url, key, retries=0).stream("Hi"))


def refusal_of_models(server, key):
    Client(server.url, key, retries=0).models()


FAILURES = {
    "refused": refused(401),
    "unknown model": refused(400, "model does not exist"),
    "no http": lambda connection: connection.send(b"garbage\r\n\r\n") or "close",
    "closed": lambda connection: "close",
    "reset": lambda connection: connection.reset(),
    "cut off": lambda connection: connection.send(head() + chunk(event(text_chunk("a")))) or "close",
    "no json": answered(b"<html>"),
    "bad gzip": answered(b"x", content_encoding="gzip"),
}


@pytest.mark.parametrize("ask", [refusal, refusal_of_a_stream, refusal_while_iterating, refusal_of_models])
@pytest.mark.parametrize("failure", FAILURES)
def test_a_traceback_with_all_locals_does_not_show_the_key(ask, failure, key):
    with ScriptedServer(FAILURES[failure]) as server:
        try:
            ask(server, key)
        except DeepSeekError as caught:
            error = caught
    key_less = error.with_traceback(error.__traceback__.tb_next.tb_next)  # below this test's own frames
    shown = verbose(key_less)
    assert key not in shown and "Bearer" not in shown
    assert error.__cause__ is None and error.__context__ is None


def test_a_connection_that_is_refused_shows_no_key(key):
    with ScriptedServer(said("a")) as server:
        pass
    try:
        refusal(server, key)
    except APIConnectionError as caught:
        shown = verbose(caught.with_traceback(caught.__traceback__.tb_next.tb_next))
    assert key not in shown


@pytest.mark.parametrize("bad", ["{key}\nX-Evil: 1", "{key} b", "{key}é", "{key}\x00"])
def test_a_key_that_no_header_can_hold_is_refused_and_not_shown(bad, key):
    bad = bad.format(key=key)
    try:
        Client("http://127.0.0.1:9", bad)
    except AuthenticationError as caught:
        shown = verbose(caught.with_traceback(caught.__traceback__.tb_next))
        assert key not in shown and key not in str(caught)
    else:
        pytest.fail("the key was taken")


@pytest.mark.parametrize("url", ["http://[::1", "http://", "ftp://x", "localhost:80", "api.deepseek.com", "http://a b"])
def test_an_address_that_is_none_is_one_of_our_errors_and_shows_no_key(url, key):
    try:
        Client(url, key, retries=0).chat("Hi")
    except DeepSeekError as caught:
        shown = verbose(caught.with_traceback(caught.__traceback__.tb_next))
        assert key not in shown and caught.remedy
    else:
        pytest.fail("the address was taken")


def test_a_password_in_the_address_is_not_shown(key):
    client = Client("ftp://ada:secret@example.org", key)
    with pytest.raises(InvalidRequestError) as caught:
        client.chat("Hi")
    assert "secret" not in f"{caught.value} {client!r} {client.name}"


def test_the_key_is_in_no_repr_and_in_no_pickle(key):
    with ScriptedServer(said("a"), answered(completion())) as server:
        client = Client(server.url, key)
        stream = client.stream("Hi")
        list(stream)
        answer = client.chat("Hi")
        for thing in (client, stream, stream.completion, answer, answer.request, client._auth, client._session):
            assert key not in repr(thing) and key not in str(thing)
        assert key not in repr(vars(client)) + repr(vars(stream)) + repr(vars(client._session))
        for thing in (client, stream, answer, answer.request, stream.completion):
            try:
                pickled = pickle.dumps(thing)
            except (TypeError, AttributeError):
                continue
            assert key.encode() not in pickled
        assert key not in answer.model_dump_json() + repr(answer.request.to_wire())


def test_an_error_survives_pickling_with_its_remedy():
    error = RateLimitError("no", retry_after=3.0, code="x")
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), again.remedy, again.retry_after, again.code, again.status) == (
        "no", error.remedy, 3.0, "x", 429)


def test_a_traceback_of_plain_python_ends_with_the_remedy():
    error = InvalidRequestError("No such place.", remedy="Name another.")
    assert traceback.format_exception_only(error)[-2:] == [
        "ds_magic.api.errors.InvalidRequestError: No such place.\n", "→ Name another.\n"
    ]
    error.remedy = "Or a third."
    assert traceback.format_exception_only(pickle.loads(pickle.dumps(error)))[-1] == "→ Or a third.\n"


def test_the_tree_is_as_documented():
    assert issubclass(ServerOverloadedError, ServerError) and issubclass(APITimeoutError, APIConnectionError)
    for name in ds_magic.__all__:
        if name.endswith("Error"):
            kind = getattr(ds_magic, name)
            assert issubclass(kind, DeepSeekError) and kind.default_remedy
            if kind.__module__ == "ds_magic.api.errors":
                assert kind("x").remedy and kind("x").partial is None
    assert [kind.retryable for kind in (AuthenticationError, InsufficientBalanceError, InvalidRequestError,
                                        StreamInterruptedError)] == [False] * 4
    assert RateLimitError.retryable and ServerError.retryable and ServerOverloadedError.retryable


def test_without_a_key_deepseek_is_not_asked():
    with pytest.raises(AuthenticationError, match="no API key") as caught:
        Client("https://api.deepseek.com", None).chat("Hi")
    assert "%ds_login" in caught.value.remedy


def test_an_error_message_may_hold_anything():
    error = DeepSeekError("\ud83d sk-0123456789abcdef")
    assert str(error) == "\ufffd ****"
    print(error, file=io.TextIOWrapper(io.BytesIO(), sys.stdout.encoding or "utf-8"))
