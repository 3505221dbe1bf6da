import math
import re

import pytest

from ds_magic import Answers, Client
from ds_magic.api.addresses import EMBEDDED
from ds_magic.api.errors import InvalidRequestError, StreamInterruptedError
from ds_magic.run import AtTheEnd
from tests.servers.scripted import ScriptedServer, refused, said, streamed, text_chunk
from tests.views.making import Page


def entry(text, p, alternatives=()):
    raw = text if isinstance(text, bytes) else text.encode()
    tops = [
        {
            "token": name if isinstance(name, str) else "�",
            "logprob": math.log(share),
            "bytes": list(name if isinstance(name, bytes) else name.encode()),
        }
        for name, share in alternatives
    ]
    return {"token": raw.decode(errors="replace"), "bytes": list(raw), "logprob": math.log(p), "top_logprobs": tops}


def spoken(*entries, done=True):
    """A stream of tokens with their logprobs."""
    chunks = [text_chunk(bytes(one["bytes"]).decode(errors="replace"), logprobs={"content": [one]}) for one in entries]
    return streamed(*chunks, text_chunk("", finish="stop", usage={"completion_tokens": len(entries)}), done=done)


CANBERRA = [
    entry(" Canberra", 0.57, [(" Canberra", 0.57), (" Sydney", 0.38), (b" \xe2", 0.02), ("", 0.01)]),
    entry(",", 0.5, [(",", 0.5), (".", 0.4)]),
    entry(" the capital", 0.9),
]
SYDNEY = [entry(" is", 0.25), entry(" large", 0.25)]


@pytest.fixture
def answered():
    """`ask(*scripts)` gives the answer to the first script, and its client and server."""
    servers = []

    def ask(*scripts, **fields):
        server = ScriptedServer(*scripts)
        servers.append(server)
        server.__enter__()
        client = Client(base_url=server.url, api_key="k", model="m")
        messages = [
            {"role": "user", "content": "Capital?"},
            {"role": "assistant", "content": "It is", "prefix": True},
        ]
        options = {"stream": True, "logprobs": True, "top_logprobs": 4, "temperature": 0.5, **fields}
        return client.chat(messages, **options), client, server

    yield ask
    for server in servers:
        server.__exit__(None, None, None)


def test_a_fork_sends_what_is_shared_and_what_stands_there_instead_as_a_prefix(answered):
    answer, client, server = answered(spoken(*CANBERRA), spoken(*SYDNEY))
    answer.fork(" the capital", "a town", client=client)
    sent = server.requests[-1].json
    assert server.requests[-1].path == "/beta/chat/completions"
    assert sent["messages"] == [
        {"role": "user", "content": "Capital?"},
        {"role": "assistant", "content": "It is Canberra, a town", "prefix": True},
    ]
    assert (sent["temperature"], sent["logprobs"], sent["top_logprobs"]) == (0.5, True, 4)


def test_a_branch_is_the_whole_answer_with_a_parent(answered):
    answer, client, _ = answered(spoken(*CANBERRA), spoken(*SYDNEY))
    branch = answer.fork("Canberra", "Sydney", client=client)
    assert str(branch) == " Sydney is large"
    assert branch.parent is answer and answer.branches == (branch,)
    assert (branch.branch.position, branch.branch.instead, branch.branch.replaced) == (0, " Sydney", " Canberra")
    assert "·Sydney (38.0 %) instead of ·Canberra (57.0 %), at token 0" in repr(branch.tree())
    assert branch.branch.prob == pytest.approx(0.38)


def test_what_a_branch_replaced_is_a_text_and_shown_by_its_label(answered):
    halves = [entry(b"\xf0\x9f", 0.5), entry(b"\x98\x80", 0.5)]
    end = entry("", 0.5, [("", 0.5), ("more", 0.25)])
    whole = streamed(
        text_chunk("\U0001f600", logprobs={"content": halves}),
        text_chunk("", logprobs={"content": [end]}, finish="stop"),
    )
    answer, client, _ = answered(whole, spoken(*SYDNEY), spoken(*SYDNEY))
    smile, more = answer.fork(0, "A", client=client), answer.fork(2, "more", client=client)
    assert (smile.branch.replaced, more.branch.replaced) == ("\U0001f600", "")
    assert "more (25.0 %) instead of ⟨end⟩" in repr(answer.tree())


def test_the_shared_part_and_the_forced_token_are_marked_and_left_out_of_perplexity(answered):
    answer, client, _ = answered(spoken(*CANBERRA), spoken(*SYDNEY))
    branch = answer.fork(1, rank=2, client=client)
    table = branch.logprobs
    assert table.token == [" Canberra", ".", " is", " large"]
    assert table.forced.tolist() == [True, True, False, False]
    assert table.prob[1] == pytest.approx(0.4)
    assert float(table.perplexity) == pytest.approx(4.0)
    assert table.matches_content is True


def test_a_text_that_was_not_returned_has_no_probability(answered):
    answer, client, _ = answered(spoken(*CANBERRA), spoken(*SYDNEY))
    branch = answer.fork("Canberra", "Hobart, of course", client=client)
    assert branch.content == " Hobart, of course is large"
    assert branch.branch.prob is None and branch.logprobs.status[0] == "missing"
    assert "·Hobart,·of·course (not returned) instead of ·Canberra (57.0 %)" in repr(branch.tree())


def test_a_branch_of_a_branch_keeps_the_prefix_of_the_user_and_counts_in_the_tree(answered):
    answer, client, server = answered(spoken(*CANBERRA), spoken(*SYDNEY), spoken(entry(" end", 0.5)))
    first = answer.fork("Canberra", "Sydney", client=client)
    second = first.fork(" large", "small", client=client)
    assert server.requests[-1].json["messages"][-1]["content"] == "It is Sydney is small"
    assert second.content == " Sydney is small end" and second.text == "It is Sydney is small end"
    tree = second.tree()
    assert [(depth, one.content) for depth, one in tree] == [
        (0, answer.content),
        (1, first.content),
        (2, second.content),
    ]
    assert tree.requests == 3 and "3 requests: the answer and 2 branches" in repr(tree)
    assert "It is ▸Sydney◂ is large" in repr(tree)


def test_what_was_grown_by_hand_is_a_tree_of_answers_with_what_each_fork_held(answered):
    answer, client, _ = answered(spoken(*CANBERRA), spoken(*SYDNEY))
    branch = answer.fork("Canberra", "Sydney", client=client)
    for known in (Answers.of(answer), Answers.of(branch), Answers.of(answer, branch)):
        assert known.contents == (answer.content, branch.content)
    tree = known.divergence()
    assert known.factors == {"branch": ("the answer", "Sydney at token 0")} and tree.by == "token"
    assert [each.prob for _, each in tree][1:] == pytest.approx([0.57, 0.38])
    assert Answers.of(answered(spoken(*CANBERRA))[0]).factors == {}


def test_an_answer_that_a_stop_string_ended_inside_a_token_can_be_branched(answered):
    answer, client, server = answered(
        streamed(
            text_chunk(" Canberra", logprobs={"content": [CANBERRA[0]]}),
            text_chunk(",", logprobs={"content": [CANBERRA[1]]}),
            text_chunk(" the cap", logprobs={"content": [CANBERRA[2]]}),
            text_chunk("", finish="stop"),
        ),
        spoken(*SYDNEY),
    )
    assert answer.content == " Canberra, the cap"
    assert answer.fork(0, rank=2, client=client).content == " Sydney is large"
    assert answer.fork(2, "a town", client=client).content == " Canberra, a town is large"


def test_a_prefix_that_ends_in_a_blank_is_warned_of(answered):
    answer, client, _ = answered(spoken(*CANBERRA), spoken(*SYDNEY))
    assert not any("blank" in note for note in answer.notes)
    branch = answer.fork("Canberra", "Sydney ", client=client)
    (note,) = [note for note in branch.notes if "blank" in note]
    assert "Leave it out" in note
    assert not any("blank" in note for note in answer.fork("Canberra", "Sydney", client=client).notes)


def test_a_server_that_repeats_the_prefix_is_understood(answered):
    repeated = streamed(text_chunk("It is Sydney"), text_chunk(" now", finish="stop"))
    answer, client, _ = answered(spoken(*CANBERRA), repeated)
    assert answer.fork("Canberra", "Sydney", client=client).content == " Sydney now"


def test_an_answer_without_logprobs_is_forked_by_its_text(answered):
    answer, client, server = answered(said(" Canberra", " it is"), said(" now"), logprobs=None, top_logprobs=None)
    branch = answer.fork("Canberra", "Sydney", client=client)
    assert server.requests[-1].json["messages"][-1]["content"] == "It is Sydney"
    assert branch.content == " Sydney now" and not branch.logprobs


def test_request_fields_can_be_changed_for_a_branch(answered):
    answer, client, server = answered(spoken(*CANBERRA), spoken(*SYDNEY))
    answer.fork(0, "x", client=client, temperature=0, max_tokens=5)
    assert server.requests[-1].json["temperature"] == 0 and server.requests[-1].json["max_tokens"] == 5


@pytest.mark.parametrize(
    ("token", "options", "said_back"),
    [
        (0, {"rank": 3}, "part of a character"),
        (0, {"rank": 4}, "ends the answer"),
        (0, {"rank": 9}, "4 came"),
        (0, {}, "what stands there instead"),
        (0, {"instead": "x", "rank": 1}, "what stands there instead"),
        (0, {"instead": ""}, "no text"),
        (99, {"instead": "x"}, "no token 99"),
        ("Canbera", {"instead": "x"}, "Did you mean 'Canberra'"),
    ],
)
def test_what_cannot_be_forked_is_refused_in_words_before_anything_is_sent(answered, token, options, said_back):
    answer, client, server = answered(spoken(*CANBERRA))
    with pytest.raises(InvalidRequestError, match=said_back):
        answer.fork(token, client=client, **options)
    assert len(server.requests) == 1 and answer.branches == ()


def test_a_fork_inside_a_character_is_refused(answered):
    parts = [entry(bytes([byte]), 0.5) for byte in "é".encode()]
    answer, client, _ = answered(spoken(entry("a", 0.5), *parts))
    with pytest.raises(InvalidRequestError, match="inside a character that begins with token 1"):
        answer.fork(2, "x", client=client)


def test_an_answer_of_an_unknown_server_asks_for_its_client(answered, monkeypatch):
    answer, client, server = answered(spoken(*CANBERRA))
    monkeypatch.setenv("DEEPSEEK_BASE_URL", "http://127.0.0.1:9")
    with pytest.raises(InvalidRequestError, match="Give the server's client"):
        try:
            answer.fork(0, "x")
        except InvalidRequestError as error:
            raise InvalidRequestError(f"{error} {error.remedy}") from None
    monkeypatch.setenv("DEEPSEEK_BASE_URL", server.url)
    server.scripts = (spoken(*SYDNEY),)
    assert answer.fork(0, "x").content == " x is large"


def test_a_branch_that_breaks_off_is_kept_as_far_as_it_came(answered):
    answer, client, _ = answered(spoken(*CANBERRA), spoken(*SYDNEY, done=False))
    with pytest.raises(StreamInterruptedError) as raised:
        answer.fork("Canberra", "Sydney", client=client)
    assert raised.value.partial.content == " Sydney is large"
    assert raised.value.partial.parent is answer and raised.value.partial.interrupted


def test_the_tree_is_shown_with_its_text_escaped(answered):
    answer, client, _ = answered(spoken(entry("<b>&", 0.5)), spoken(entry("</script><img src=x>", 0.5)))
    answer.fork(0, "<i>", client=client)
    page = answer.tree()._repr_html_()
    assert "<b>&amp;" not in page and "<i>" not in page and "<img" not in page and "&lt;/script&gt;" in page


def test_the_tree_says_what_stands_instead_of_what_with_both_shares(answered):
    answer, client, _ = answered(spoken(*CANBERRA), spoken(*SYDNEY))
    answer.fork("Canberra", "Sydney", client=client)
    page = Page(answer.tree()._repr_html_())
    assert "·Sydney (38.0 %) instead of ·Canberra (57.0 %), at token 0" in page.text
    assert "The answer" in page.text and "px;font" not in answer.tree()._repr_html_()


def test_a_branch_is_shown_once_with_what_it_was_given_set_apart(answered):
    answer, client, _ = answered(spoken(*CANBERRA), spoken(*SYDNEY))
    bundle = answer.fork("Canberra", "Sydney", client=client)._repr_mimebundle_()
    assert bundle["text/plain"].startswith("It is Sydney is large")
    without_tints = re.sub(r'<span( style="[^"]*")? title="\d[^"]*">(.*?)</span>', r"\2", bundle["text/html"])
    assert re.search(r"<span[^>]*>It is Sydney</span> is large", without_tints)


def test_the_embedded_model_continues_a_branch(local_server):
    with Client(base_url=local_server.base_url, api_key=local_server.api_key) as client:
        messages = [
            {"role": "user", "content": "What is the capital of Australia?"},
            {"role": "assistant", "content": "The capital of Australia is", "prefix": True},
        ]
        answer = client.chat(messages, logprobs=True, top_logprobs=20, temperature=0, max_tokens=8)
        branch = answer.fork("Canberra", "Sydney", client=client)
    assert branch.content.startswith(" Sydney")
    assert branch.logprobs.matches_content is True
    assert branch.logprobs.forced.tolist()[:2] == [True, False]
    assert 0.1 < branch.branch.prob < 0.6


def test_at_the_embedded_model_the_tokens_before_a_fork_have_the_numbers_they_had(local_server):
    with Client(local_server.base_url, local_server.api_key, name=EMBEDDED) as client:
        answer = client.chat("List three seas.", top_logprobs=20, temperature=0, max_tokens=24)
        at = 12
        branch = answer.fork(at, rank=answer.logprobs[at].rank, client=client, max_tokens=24 - at - 1)
        assert [row.logprob for row in branch.logprobs] == [row.logprob for row in answer.logprobs]
        assert branch.content == answer.content
        broken = answer.fork(at, "\n", client=client, max_tokens=2).fork(at + 1, "\n", client=client, max_tokens=1)
    assert [row.bytes for row in broken.logprobs][at + 1] == b"\n"
    assert not any("anew" in note for note in [*branch.notes, *broken.notes])
    assert "anew" not in repr(answer.tree()) + answer.tree()._repr_html_()
    assert broken.request.messages[-1].prefix_tokens[at:] == [[10], [10]]
    assert broken.usage.prompt_tokens == answer.usage.prompt_tokens + at + 2


def test_elsewhere_it_is_said_before_it_is_asked_that_tokens_may_merge(answered):
    answer, client, _ = answered(spoken(entry("\n", 0.5), entry("a", 0.5)), spoken(*SYDNEY))
    said = []

    class Listener(AtTheEnd):
        def event(self, event):
            said.append(str(event))

        def delta(self, delta):
            said.append("asked")

        def finish(self, completion, error):
            pass

    branch = answer.fork(1, "\n", client=client, observers=[Listener()])
    before = said[: said.index("asked")]
    assert any("tokenised anew" in each for each in before) and any("one token" in each for each in before)
    assert branch.request.messages[-1].prefix_tokens is None
    assert "tokenised anew" in repr(answer.tree()) and "tokenised anew" in answer.tree()._repr_html_()


def test_a_fork_at_a_server_without_beta_says_so(answered):
    answer, client, server = answered(spoken(*CANBERRA))
    server.scripts = [refused(404, "Not Found")]
    with pytest.raises(InvalidRequestError) as caught:
        answer.fork("Canberra", "Sydney", client=client)
    assert "no `/beta`" in caught.value.remedy
