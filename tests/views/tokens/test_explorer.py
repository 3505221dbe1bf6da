import json
import math
import re
import threading

import numpy as np
import pytest

from ds_magic import ChatRequest, Client
from ds_magic.branch import fork
from ds_magic.logprobs.table import LogprobTable
from ds_magic.views.answer.static import to_html
from ds_magic.views.tokens.explorer.assets import css, script
from ds_magic.views.tokens.explorer.kept import kept
from ds_magic.views.tokens.explorer.nodes import nodes_of
from ds_magic.views.tokens.explorer.page import page
from ds_magic.views.tokens.explorer.payload import pack
from ds_magic.views.tokens.explorer.widget import Explorer
from ds_magic.views.tokens.tints import METRICS, TINT
from tests.servers.scripted import PATIENCE, ScriptedServer, chunk, event, head, refused, streamed, text_chunk


def entry(text, p, alternatives=()):
    raw = text if isinstance(text, bytes) else text.encode()
    tops = [{"token": name, "logprob": math.log(share), "bytes": list(name.encode())} for name, share in alternatives]
    return {"token": raw.decode(errors="replace"), "bytes": list(raw), "logprob": math.log(p), "top_logprobs": tops}


def unpack(payload):
    length = int.from_bytes(payload[:4], "little")
    header = json.loads(payload[4 : 4 + length])
    body = payload[4 + length :]
    arrays = {
        name: np.frombuffer(body, np.dtype(type_).newbyteorder("<"), count, offset)
        for name, type_, offset, count in header["arrays"]
    }
    return header, arrays


CITIES = [(" Canberra", 0.57), (" Sydney", 0.38), ("", 0.01)]


def spoken(*entries):
    chunks = [text_chunk(bytes(one["bytes"]).decode(), logprobs={"content": [one]}) for one in entries]
    return streamed(*chunks, text_chunk("", finish="stop"))


FIRST = spoken(entry(" Canberra", 0.57, CITIES), entry(".", 0.9))


@pytest.fixture
def explorer():
    """An explorer over the answer of a server with these scripts for its branches."""
    opened = []

    def make(*scripts):
        server = ScriptedServer(FIRST, *scripts)
        opened.append(server)
        server.__enter__()
        client = Client(base_url=server.url, api_key="k", model="m", retries=0)
        answer = client.chat("Capital?", stream=True, logprobs=True, top_logprobs=3)
        shown = Explorer(answer, fork=lambda *args, **options: fork(*args, client=client, **options))
        shown.sent = []
        shown.send = lambda content, buffers=None: shown.sent.append(content)
        shown.server, shown.answer = server, answer
        return shown

    yield make
    for server in opened:
        server.__exit__(None, None, None)


def ask(explorer, **message):
    """A message from the page; waits for the branch that it starts."""
    explorer._handle_custom_msg(message, [])
    for thread in explorer.threads:
        thread.join(10)
        assert not thread.is_alive()


def test_the_payload_holds_the_columns_and_the_alternatives_in_16_bits():
    table = LogprobTable.from_wire([entry(" Canberra", 0.57, CITIES), entry(".", 0.9)], vocabulary_size=100)
    header, arrays = unpack(pack(table))
    assert header["labels"][arrays["code"][0]] == "·Canberra"
    assert np.exp(arrays["logprob"]) == pytest.approx([0.57, 0.9])
    assert np.exp(arrays["alternativeStep"] / -header["step"]) == pytest.approx([0.57, 0.38, 0.01], rel=3e-4)
    assert [header["labels"][code] for code in arrays["alternativeCode"]] == ["·Canberra", "·Sydney", "⟨end⟩"]
    assert arrays["count"].tolist() == [3, 0] and arrays["chosen"].tolist() == [1, 0]
    assert header["bytes"] == {str(header["labels"].index("⟨end⟩")): ""}


def test_the_payload_has_the_rest_of_the_table_and_not_of_rounded_alternatives():
    table = LogprobTable.from_wire([entry("a", 0.9925, [("a", 0.9925)]), entry("b", 0.5)])
    header, arrays = unpack(pack(table))
    assert arrays["rest"] == pytest.approx(table.rest_mass, rel=1e-6)
    assert 1 - np.exp(arrays["alternativeStep"][0] / -header["step"]) == pytest.approx(0.0073, abs=1e-4)


def test_an_explorer_made_anew_has_the_branches_of_branches(explorer):
    shown = explorer(spoken(entry(" is", 0.25, [(" is", 0.25), (" was", 0.2)])), spoken(entry(" big", 0.5)))
    client = Client(base_url=shown.server.url, api_key="k", model="m", retries=0)
    child = shown.answer.fork(0, rank=2, client=client)
    grandchild = child.fork(1, rank=2, client=client)
    anew = Explorer(shown.answer, fork=fork)
    assert anew.completions == [shown.answer, child, grandchild]
    parents = [(node["parent"], node["at"], node["label"], node["replaced"]) for node in anew.nodes]
    assert parents == [(-1, 0, "", ""), (0, 0, "·Sydney", "·Canberra"), (1, 1, "·was", "·is")]


def test_the_payload_of_a_slice_has_only_its_own_vocabulary_and_keeps_positions():
    table = LogprobTable.from_wire([entry(f"t{i}", 0.5) for i in range(100)])
    header, _ = unpack(pack(table[40:42]))
    assert header["labels"] == ["t40", "t41"] and header["first"] == 40
    _, arrays = unpack(pack(table.take([7, 3])))
    assert arrays["position"].tolist() == [7, 3]


def test_every_array_lies_where_its_type_may():
    rocket = [entry(bytes([byte]), 0.5) for byte in "🚀".encode()]
    header, _ = unpack(pack(LogprobTable.from_wire([*rocket, entry("a", 0.5, CITIES)])))
    assert all(offset % np.dtype(type_).itemsize == 0 for _, type_, offset, _ in header["arrays"])
    assert header["texts"]["0"] == "🚀"


def test_an_explorers_payload_stays_under_a_megabyte_for_a_long_answer():
    from tests.browser.tables import long

    assert len(pack(long())) < 1_000_000


def test_the_scripts_are_one_module_without_imports():
    for last in ("widget.js", "page.js"):
        assert not re.search(r"^import ", script(last), re.MULTILINE)
    assert re.findall(r"^export.*", script("widget.js"), re.MULTILINE) == ["export default widgetOf(Source);"]
    assert not re.search(r"^export ", script("page.js"), re.MULTILINE)


def test_the_colours_of_the_page_are_those_of_the_tints():
    hue = f"rgb({TINT[0]} {TINT[1]} {TINT[2]}"
    assert f"--dsx-tint: {hue});" in css()
    for name, metric in METRICS.items():
        last = len(metric.edges)
        for class_ in range(1, last + 1):
            (rule,) = re.findall(rf'\[data-metric="{name}"\] \.dsx-{name}{class_} \{{ (.*) \}}', css())
            share = float((re.findall(r"--dsx-widest\) \* ([\d.]+)", rule) or ["1"])[0])
            assert rule.startswith(f"background-color: {hue} / ") and abs(share - class_ / last) < 0.001
            assert ("border-bottom: 2px solid" in rule) == (class_ == last)


def test_the_page_names_no_address_and_forbids_fetching():
    html = page(LogprobTable.from_wire([entry("</script><b>", 0.5)]))
    assert "http://" not in html and "https://" not in html
    assert "default-src 'none'" in html and "<b>" not in html


def test_a_chosen_alternative_streams_into_a_branch_that_is_shown_in_place_of_the_rest(explorer):
    shown = explorer(spoken(entry(" is", 0.5), entry(" large", 0.5)))
    ask(shown, type="fork", node=0, at=0, rank=2)
    _, branch = shown.nodes
    assert (branch["label"], branch["replaced"], branch["state"]) == ("·Sydney", "·Canberra", "done")
    assert "".join(message["text"] for message in shown.sent) == " is large"
    assert shown.shown == 1 and shown.packed == 1
    assert shown.spent.startswith("2 requests: the answer and 1 branch. A prefix is tokenised anew")
    assert shown.answer.branches[0].content == " Sydney is large"
    _, arrays = unpack(shown.payload)
    assert arrays["flags"].tolist() == [1, 0, 0]


def test_a_branch_does_not_come_before_the_reader_who_has_gone_elsewhere(explorer):
    let = threading.Event()
    shown = explorer(lambda connection: (let.wait(PATIENCE), spoken(entry(" is", 0.5))(connection)))
    for message in ({"type": "fork", "node": 0, "at": 0, "rank": 2}, {"type": "show", "node": 0}):
        shown._handle_custom_msg(message, [])
    let.set()
    shown.threads[0].join(PATIENCE)
    assert (shown.shown, shown.packed, shown.nodes[1]["state"]) == (0, 0, "done")


def test_the_page_is_told_the_cell_that_asks_for_each_text(explorer):
    shown = explorer(spoken(entry(" is", 0.5)))
    ask(shown, type="fork", node=0, at=0, rank=2)
    cells = [node["cell"] for node in shown.nodes]
    assert cells[0].endswith(" --top-logprobs 3\nCapital?") and "--prefix" not in cells[0]
    assert ' --prefix " Sydney" ' in cells[1] and cells == [each.as_cell() for each in shown.completions]


def test_the_page_is_told_no_cell_where_it_is_long_or_where_none_can_say_it(explorer):
    shown = explorer()
    for messages in (["x" * 20_000], [{"role": "user", "content": "Hi", "name": "\"'"}]):
        shown.answer._request = ChatRequest.build(messages)
        assert [node.told(0)["cell"] for node in nodes_of(shown.answer)] == [""]
    assert "cell" not in nodes_of(shown.answer.logprobs)[0].told(0)


def test_the_tokens_that_the_page_selects_are_a_table_that_can_be_observed(explorer):
    shown, seen = explorer(), []
    shown.observe(lambda change: seen.append([row.label for row in change.new]), "selected")
    shown.set_state({"selection": [1]})
    shown.set_state({"selection": [0, 1]})
    assert seen == [["."], ["·Canberra", "."]]
    shown.set_state({"selection": [7, -1, 0]})
    assert seen[-1] == ["·Canberra"]


def test_tokens_are_selected_by_number_slice_and_text(explorer):
    shown = explorer()
    assert [row.label for row in shown.select(-1)] == ["."]
    assert shown.select(slice(0, 2)) is shown.selected and shown.selection == [0, 1]
    assert [row.label for row in shown.select("Canberra")] == ["·Canberra"]
    assert shown.select([1, 0]).position.tolist() == [1, 0]
    assert shown.select(1, "Canberra").position.tolist() == [1, 0]
    assert len(shown.select()) == 0
    with pytest.raises(IndexError):
        shown.select(99)
    with pytest.raises(ValueError, match="Did you mean 'Canberra'"):
        shown.select("Camberra")


def test_what_is_selected_is_of_the_branch_that_is_shown(explorer):
    shown = explorer(spoken(entry(" is", 0.5)))
    shown.select("Canberra")
    ask(shown, type="fork", node=0, at=0, rank=2)
    assert len(shown.selected) == 0
    assert [row.label for row in shown.select("Sydney is")] == ["·Sydney", "·is"]


def test_the_prefix_stands_before_the_answer_and_not_in_it(explorer):
    assert unpack(explorer().payload)[0]["given"] == ""
    with ScriptedServer(FIRST) as server:
        client = Client(base_url=server.url, api_key="k", model="m", retries=0)
        answer = client.chat("Capital?", prefix="The\u202e capital is", logprobs=True, top_logprobs=3, stream=True)
    header, _ = unpack(Explorer(answer).payload)
    assert header["given"] == "The⟨U+202E⟩ capital is"


def test_a_branch_that_is_refused_says_why_and_how_to_go_on(explorer):
    shown = explorer(refused(402, "Insufficient Balance"))
    ask(shown, type="fork", node=0, at=0, rank=2)
    assert shown.nodes[1]["state"] == "failed" and "Insufficient Balance. Top up" in shown.notice
    assert shown.shown == 0 and shown.completions == [shown.answer]


def test_a_branch_that_breaks_off_keeps_what_came(explorer):
    broken = streamed(text_chunk(" is", logprobs={"content": [entry(" is", 0.5)]}), done=False)
    shown = explorer(broken)
    ask(shown, type="fork", node=0, at=0, rank=2)
    branch = shown.nodes[1]
    assert branch["text"] == " is" and branch["state"] == "done" and branch["error"] and shown.notice


def stalls(connection):
    connection.send(head())
    connection.send(chunk(event(text_chunk(" is"))))
    connection.wait_until_closed()


def test_a_branch_can_be_stopped_and_keeps_what_came(explorer):
    shown, came = explorer(stalls), threading.Semaphore(0)
    shown.send = lambda message: came.release()
    shown._handle_custom_msg({"type": "fork", "node": 0, "at": 0, "rank": 2}, [])
    assert came.acquire(timeout=PATIENCE)
    shown._handle_custom_msg({"type": "stop", "node": 1}, [])
    shown.threads[0].join(PATIENCE)
    branch = shown.nodes[1]
    assert branch["state"] == "done" and branch["text"].startswith(" is")
    assert shown.answer.branches[0].interrupted


def test_two_branches_that_are_stopped_at_once_both_end(explorer):
    shown, came = explorer(stalls), threading.Semaphore(0)
    shown.send = lambda message: came.release()
    for rank in (2, 2):
        shown._handle_custom_msg({"type": "fork", "node": 0, "at": 0, "rank": rank}, [])
    assert came.acquire(timeout=PATIENCE) and came.acquire(timeout=PATIENCE)
    for branch in (1, 2, 1):
        shown._handle_custom_msg({"type": "stop", "node": branch}, [])
    for thread in shown.threads:
        thread.join(PATIENCE)
    assert [node["state"] for node in shown.nodes] == ["done"] * 3
    assert [branch.interruption for branch in shown.answer.branches] == ["stopped"] * 2


def test_a_branch_of_a_branch_is_stopped_while_its_headers_are_awaited(explorer):
    asked = threading.Event()

    def silent(connection):
        asked.set()
        connection.wait_until_closed()

    shown = explorer(spoken(entry(" is", 0.9, CITIES), entry(".", 0.9)), silent)
    ask(shown, type="fork", node=0, at=0, rank=2)
    child = shown.answer.branches[0]
    thread = shown.branch(child, 1, 1)
    assert asked.wait(PATIENCE)
    shown._handle_custom_msg({"type": "stop", "node": 2}, [])
    thread.join(PATIENCE)
    assert not thread.is_alive() and shown.nodes[2]["state"] != "running"


def test_what_the_page_sends_is_not_trusted(explorer):
    shown = explorer()
    before = shown.payload
    for message in ({}, {"type": "show", "node": 99}, {"type": "show", "node": "0"}, {"type": "show", "node": -1}):
        ask(shown, **message)
    for kind in ("fork", "stop", "x"):
        ask(shown, type=kind)
        ask(shown, type=kind, node=0)
    for place in ({"at": 999, "rank": 1}, {"at": -1, "rank": 1}, {"at": 0, "rank": True}, {"at": "0", "rank": 1}):
        ask(shown, type="fork", node=0, **place)
    assert shown.nodes[1:] == []
    ask(shown, type="fork", node=0, at=0, rank=99)
    assert shown.payload == before and len(shown.server.requests) == 1
    assert [node["state"] for node in shown.nodes[1:]] == ["failed"]


def test_an_answer_without_logprobs_cannot_be_explored():
    from ds_magic.api.errors import InvalidRequestError
    from ds_magic.api.response import ChatCompletion

    answer = ChatCompletion.from_wire({"choices": [{"message": {"content": "hi"}}]})
    with pytest.raises(InvalidRequestError) as refusal:
        answer.explore()
    assert "-l" in refusal.value.remedy
    with pytest.raises(InvalidRequestError):
        answer.to_html("never.html")


def test_the_answers_page_holds_its_branches_and_says_what_was_asked(explorer, tmp_path):
    shown = explorer(spoken(entry(" now", 0.5)))
    ask(shown, type="fork", node=0, at=0, rank=2)
    text = shown.answer.to_html(tmp_path / "answer.html").read_text()
    assert 'data-table="0"' in text and 'data-table="1"' in text and "·Sydney" in json.loads(
        re.search(r'id="nodes">(.*?)</script>', text)[1]
    )["nodes"][1]["label"]
    assert "<title>Capital?</title>" in text and "<h1>Capital?</h1>" in text


def test_a_page_says_of_whom_was_asked_what_and_how(tmp_path):
    with ScriptedServer(FIRST) as server:
        client = Client(base_url=server.url, api_key="k", model="m", retries=0)
        answer = client.chat(
            [{"role": "system", "content": "Be <brief>."}, {"role": "user", "content": "Capital?"}],
            prefix="It is", temperature=0.5, seed=7, logprobs=True, top_logprobs=3, stream=True,
        )  # fmt: skip
    text = answer.to_html(tmp_path / "answer.html").read_text()
    facts = dict(re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", text, re.DOTALL))
    assert facts["system"] == "Be &lt;brief&gt;." and facts["prefix"] == "It is" and "user" not in facts
    assert "temperature 0.5" in facts["settings"] and "seed 7" in facts["settings"]
    assert facts["model"].startswith("scripted at 127.0.0.1") and re.match(r"\d{4}-\d\d-\d\d", facts["date"])


def test_no_token_in_the_tree_of_a_page_ends_its_script(explorer):
    shown = explorer(spoken(entry(" now", 0.5)))
    client = Client(base_url=shown.server.url, api_key="k", model="m", retries=0)
    shown.answer.fork(0, "</script><b>", client=client)
    assert "</script><b>" not in page(shown.answer)


def test_a_page_without_a_path_is_named_by_the_question_and_spares_what_is_there(explorer, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    answer = explorer().answer
    first, second = answer.to_html(), answer.to_html()
    assert (str(first), str(second)) == ("capital.html", "capital-2.html") and first.read_text() == second.read_text()
    assert first._repr_html_() == '<a href="capital.html" target="_blank">capital.html</a>'
    elsewhere = answer.to_html(tmp_path.parent / "elsewhere & far.html")
    assert "href" not in elsewhere._repr_html_() and "&amp;" in elsewhere._repr_html_()
    assert (first.parent / "other").name == "other"


def test_a_notebook_keeps_the_heat_map_and_the_tree_of_an_explorer(explorer, monkeypatch):
    shown = explorer(spoken(entry(" is", 0.5)))
    ask(shown, type="fork", node=0, at=0, rank=2)
    kept_ = kept(shown._nodes, shown.mark)
    assert shown.mark in kept_["text/html"] and "<script" not in kept_["text/html"]
    assert 'title="' in kept_["text/html"] and "Sydney</b> is" in kept_["text/html"]
    assert "▸Sydney◂ is" in kept_["text/plain"]
    for said in ("57.0 %", "others"):  # as bars, as in the text
        assert said in re.sub('title="[^"]*"', "", kept_["text/html"]) and said in kept_["text/plain"]


def test_for_a_projector_what_is_kept_and_its_tree_are_half_as_large_again_and_nothing_twice(explorer, projected):
    shown = explorer(spoken(entry(" is", 0.5)))
    ask(shown, type="fork", node=0, at=0, rank=2)
    for html in (kept(shown._nodes, shown.mark)["text/html"], to_html(shown.answer, mark="m")):
        assert "Sydney</b> is" in html and html.count("font-size:1.5em") == 1


def test_what_a_notebook_keeps_of_an_explorer_has_a_limit():
    from tests.browser.tables import long

    assert len(kept(nodes_of(long()), "m")["text/html"]) < 400_000
