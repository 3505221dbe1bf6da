"""Completion through a real kernel's complete_request."""

import pytest
from jupyter_client.manager import start_new_kernel

from tests.servers.scripted import ScriptedServer, answered, said

SETUP = '''
%load_ext ds_magic
from pydantic import BaseModel
class Invoice(BaseModel):
    number: int
def get_weather(city: str): ...
def get_time(city: str): ...
number = 3
notes = {"seed": 1}
class Place:
    town, _hidden = "Bern", 1
    def visit(self): ...
    @property
    def weather(self):
        global number
        number += 1
        return "rain"
places = [Place()]
'''


@pytest.fixture(scope="module")
def complete():
    """What is offered at the | in a cell, and what it replaces."""
    manager, client = start_new_kernel(kernel_name="python3")
    models = answered({"data": [{"id": "deepseek-flash"}, {"id": "deepseek-v4-pro"}]})
    with ScriptedServer(models=models) as server:

        def run(code):
            reply = client.execute_interactive(code, timeout=60, output_hook=lambda message: None)
            assert reply["content"]["status"] == "ok", reply["content"]

        run(SETUP + f"%config DeepSeekMagics.base_url = {server.url!r}")
        with ScriptedServer(said("Hi")) as other:
            run(f"%deepseek --base-url {other.url} --quiet --chat lesson -o answer Hi")

        def ask(cell):
            position = cell.index("|")
            reply = client.complete(cell.replace("|", ""), position, reply=True, timeout=60)["content"]
            return reply["matches"], cell.replace("|", "")[reply["cursor_start"] : reply["cursor_end"]]

        def value(expression):
            reply = client.execute_interactive(
                "", silent=True, user_expressions={"it": expression}, timeout=60, output_hook=lambda message: None
            )
            return reply["content"]["user_expressions"]["it"]["data"]["text/plain"]

        ask.value = value
        yield ask
    client.stop_channels()
    manager.shutdown_kernel(now=True)


@pytest.mark.parametrize(
    ("cell", "matches", "replaced"),
    [
        ("%%deepseek --te|", ["--temperature"], "--te"),
        ("%%deepseek --te|\nHello", ["--temperature"], "--te"),
        ("%%deepseek -t 0 --top|", ["--top-p", "--top-logprobs"], "--top"),
        ("%deepseek --dr|", ["--draw", "--dry-run"], "--dr"),
        ("x = %deepseek --no-s|", ["--no-stream"], "--no-s"),
        ("%%deepseek --reasoning-effort |", ["none", "minimal", "low", "medium", "high", "xhigh", "max", "ultra"], ""),
        ("%%deepseek --reasoning-effort=h|", ["high"], "h"),
        ("%%deepseek -m deepseek-v|", ["deepseek-v4-pro"], "deepseek-v"),
        ("%%deepseek --tools get_|", ["get_weather", "get_time"], "get_"),
        ("%%deepseek --tools get_time,get_w|", ["get_weather"], "get_w"),
        ("%%deepseek --schema |", ["Invoice"], ""),
        ("%%deepseek --chat l|", ["lesson"], "l"),
        ("%%deepseek --extra n|", ["notes"], "n"),
        ("%%deepseek -o |", ["answer"], ""),
        ("%%deepseek --sweep temp|", ["temperature="], "temp"),
        ("%%deepseek --map pl|", ["places"], "pl"),
        ("%ds_login --f|", ["--forget"], "--f"),
        ("%ds_chats l|", ["lesson"], "l"),
        ("%ds_help fil|", ["filling"], "fil"),
        ("%config DeepSeekMagics.temp|", ["DeepSeekMagics.temperature"], "DeepSeekMagics.temp"),
    ],
)
def test_what_fits_is_offered(cell, matches, replaced, complete):
    assert complete(cell) == (matches, replaced)


@pytest.mark.parametrize("cell", ["%%deepseek -t 0 Hello --te|", "%%deepseek\n--te|", "text = '--te|'", "%%time --te|"])
def test_options_are_not_offered_elsewhere(cell, complete):
    assert "--temperature" not in complete(cell)[0]


def test_every_option_is_offered(complete):
    from ds_magic.magics.options import OPTIONS

    offered = complete("%%deepseek -|")[0]
    assert {spelling for option in OPTIONS for spelling in option.spellings} == set(offered)


@pytest.mark.parametrize(
    ("cell", "matches", "replaced"),
    [
        ("%%deepseek\nSee {{ no|", ["notes"], "no"),
        ("%%deepseek\nSee {{ no| }} and so on", ["notes"], "no"),
        ("%%deepseek\n@user name={{ pla|", ["places"], "pla"),
        ("%%deepseek --prefix {{ no|", ["notes"], "no"),
        ('%%deepseek --prefix "See {{ no|', ["notes"], "no"),
        ("%%deepseek See {{ no|", ["notes"], "no"),
        ("x = %deepseek See {{ no|", ["notes"], "no"),
        ("%%deepseek\n{{ places[0].t|", ["town"], "t"),
        ("%%deepseek\n{{ places[0].|", ["town", "weather"], ""),
        ("%%deepseek\n@us|", ["@user"], "@us"),
        ("%%deepseek\nHello\n@|", ["@system", "@user", "@assistant", "@tool"], "@"),
        ("\n  %%deepseek\n  @us|", ["@user"], "@us"),
        ("%%deepseek\n@assistant |", ["name=", "reasoning=", "prefix"], ""),
        ("%%deepseek\n@assistant name=ada pre|", ["prefix"], "pre"),
        ("%%deepseek\n@assistant name=ada n|", [], "n"),
        ("%%deepseek\n@tool c|", ["call_id="], "c"),
    ],
)
def test_names_and_roles_are_offered_in_a_prompt(cell, matches, replaced, complete):
    found, at = complete(cell)
    assert (found, at if found else replaced) == (matches, replaced)


@pytest.mark.parametrize("cell", [
    "%%deepseek\npri|", "%%deepseek\nnotes.|", "%%deepseek\n\n|", "%%deepseek\nHello @us|", "%%deepseek\n{{no|",
    "%%deepseek\n\\{{ notes }} pri|", "%%deepseek\n{{ notes }} pri|", "%%deepseek Hello pri|",
    "x = %deepseek Hello pri|", "%%deepseek --system pri|",
    "%%deepseek\n{{ places[0].weather.|", "%%deepseek\n{{ nobody.|", "%%deepseek\n%ti|",
])
def test_nothing_of_python_is_offered_in_a_prompt(cell, complete):
    assert complete(cell)[0] == []


def test_python_is_offered_everywhere_else(complete):
    assert "print" in complete("pri|")[0]
    assert "print" in complete("%%time\npri|")[0]
    assert "print" in complete("x = %deepseek Hi\npri|")[0]


def test_nothing_is_run_for_a_completion(complete):
    before = complete("%%deepseek\n{{ number|")[0]
    complete("%%deepseek\n{{ places[0].weather.|")
    assert before == ["number"] and complete.value("number") == "3"
