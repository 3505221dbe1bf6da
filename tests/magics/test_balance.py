"""What is left on an account: `GET /user/balance`, `%ds_balance`, and the line of `%ds_usage`."""

import pytest

from ds_magic import Client
from ds_magic.api.addresses import root
from ds_magic.api.errors import InvalidRequestError
from tests.servers.scripted import ScriptedServer, answered, refused

LEFT = {"is_available": True, "balance_infos": [
    {"currency": "CNY", "total_balance": "110.00", "granted_balance": "10.00", "topped_up_balance": "100.00"},
    {"currency": "USD", "total_balance": "0.50", "granted_balance": "", "topped_up_balance": None},
]}  # fmt: skip
KEY = "sk-" + "0a1b" * 8


@pytest.fixture
def serving(monkeypatch):
    def serve(*scripts):
        server = ScriptedServer(*scripts)
        monkeypatch.setenv("DEEPSEEK_BASE_URL", f"{server.url}/v1")
        monkeypatch.setenv("DEEPSEEK_API_KEY", KEY)
        return server

    return serve


@pytest.fixture
def cell(shell, capsys):
    def run(text, *, fails=False):
        result = shell.run_cell(text)
        shown = capsys.readouterr().out
        assert (not result.success) == fails, shown
        return f"{shown}{result.result!r}"

    return run


def test_the_balance_is_asked_at_the_root_of_the_host_with_the_key(cell, serving):
    with serving(answered(LEFT)) as server:
        said = cell("%ds_balance")
    assert "110.00 CNY (10.00 granted, 100.00 topped up)" in said and "0.50 USD" in said
    (asked,) = server.requests
    assert (asked.method, asked.path, asked.headers["authorization"]) == ("GET", "/user/balance", f"Bearer {KEY}")
    assert root("https://a.example:8/b/v1") == "https://a.example:8"


def test_usage_has_it_and_asks_once(cell, serving):
    with serving(answered(LEFT)) as server:
        assert "Left on the account: 110.00 CNY" in cell("%ds_usage") and len(server.requests) == 1


@pytest.mark.parametrize("script", [refused(404, "no such path"), refused(405, "not so")])
def test_a_server_that_has_none_is_told_so_and_usage_says_nothing_of_it(script, cell, serving):
    with serving(script, script):
        assert "tells of no balance" in cell("%ds_balance", fails=True)
        assert "account" not in cell("%ds_usage")


def test_in_python_a_server_that_has_none_is_told_so_too():
    with ScriptedServer(refused(404, "no such path")) as server, pytest.raises(InvalidRequestError) as refusal:
        Client(server.url, KEY).balance()
    assert "tells of no balance" in str(refusal.value) and "/user/balance" in refusal.value.remedy


def test_a_wrong_key_is_a_panel_and_usage_stays_readable(cell, serving):
    with serving(refused(401, f"no access for {KEY}"), refused(401, "no")):
        said = cell("%ds_balance", fails=True)
        assert "AuthenticationError" in said and KEY not in said
        assert "is not known" in cell("%ds_usage")


def test_without_a_key_nobody_is_asked(cell, monkeypatch):
    monkeypatch.delenv("DEEPSEEK_BASE_URL")
    assert "costs nothing" in cell("%ds_balance", fails=True) and "account" not in cell("%ds_usage")


@pytest.mark.parametrize("body", [{}, {"balance_infos": 7, "is_available": "no"}, {"balance_infos": [None, {}]},
                                  {"balance_infos": [{"total_balance": "1\x1b[2J\n" * 999}]}])  # fmt: skip
def test_whatever_a_server_says_there_is_a_balance_to_show(body):
    with ScriptedServer(answered(body)) as server:
        said = repr(Client(server.url, KEY).balance())
    assert said and "\x1b" not in said and len(said) < 300


def test_too_little_for_a_request_is_said():
    with ScriptedServer(answered({**LEFT, "is_available": False})) as server:
        assert repr(Client(server.url, KEY).balance()).endswith("It is not enough for a request.")


def of(*currencies):
    """What a server says that has something left in each of these."""
    return answered({**LEFT, "balance_infos": [{"currency": each, "total_balance": "1"} for each in currencies]})


def test_of_very_many_currencies_the_first_are_shown():
    with ScriptedServer(of(*map(str, range(3000)))) as server:
        left = Client(server.url, KEY).balance()
    assert len(left.balance_infos) == 3000 and repr(left).count("\n") == 12 and repr(left).endswith("… 2,988 more")


def test_a_report_of_usage_divides_the_currencies(cell, serving):
    with serving(of("CNY", "USD")):
        assert "Left on the account: 1 CNY; 1 USD" in cell("%ds_usage")
