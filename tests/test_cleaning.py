"""Every place that shows what somebody else wrote cleans it by the policies of api/clean_text.py: none has its own."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ds_magic.api.clean_text import for_terminal, heal_surrogates, on_one_line
from ds_magic.api.errors import DeepSeekError
from ds_magic.api.events import Note
from ds_magic.api.request import ChatRequest
from ds_magic.api.response import ChatCompletion

# What a reader needs, what harms, and letters that no place takes for a key, for white space or for its own marks.
SAID = ["é", "\u00a0", "👩\u200d👧", "ی\u200cخ", "❤\ufe0f", "\u200f", "日本", "x"]
HARM = ["\x1b[31m", "\x07", "\x9b", "\u202e", "\u2066", "\u2069", "\ud83d", "\x7f"]
texts = st.lists(st.sampled_from(SAID + HARM), min_size=1, max_size=12).map(lambda parts: f"a{''.join(parts)}b")


def completion(text, **known):
    message = {"role": "assistant", "content": text}
    usage = {"prompt_tokens": 1, "completion_tokens": 1, **known.pop("odd", {})}
    return ChatCompletion.from_wire({"model": text, "choices": [{"message": message}], "usage": usage}, **known)


def repr_of_a_completion(text):
    return repr(completion(text))


def repr_of_a_chat(text):
    from ds_magic.conversation.chats import Chat

    chat = Chat(text)
    chat.record("cell", [{"role": "user", "content": text}], completion("b", interruption=text))
    return repr(chat)


def list_of_chats(text):
    from ds_magic.conversation.chats import Chat
    from ds_magic.magics.listings import ChatList

    return repr(ChatList({text: Chat(text)}))


def list_of_models(text):
    from ds_magic.magics.listings import ModelList

    return repr(ModelList([text], text))


def report_of_usage(text):
    from ds_magic.api.spent import UsageLog
    from ds_magic.magics.usage_report import UsageReport

    log = UsageLog()
    log.add(text, text, completion(text).usage)
    return repr(UsageReport(log.sums, {}))


def message_of_an_error(text):
    return str(DeepSeekError(text))


def panel_of_an_error(text):
    from ds_magic.views.panel import panel

    return "\n".join(panel(DeepSeekError("refused", remedy=text), width=92)[1:-1])


def terminal(text):
    from ds_magic.views import make_view

    out = io.StringIO()
    view = make_view("text", out=out)
    view.start(ChatRequest.build("q"), "here")
    view.event(Note(text))
    view.finish(completion(text, backend=text), None)
    return out.getvalue()


def text_of_a_saved_output(text):
    from ds_magic.views.answer.static import to_text

    return to_text(completion(text, backend=text))


def call_of_a_function(text):
    from ds_magic.conversation.tools import Called

    return repr(Called("1", "f", text, text))


def repr_of_usage(text):
    return repr(completion("", odd={heal_surrogates(text): 1}).usage)


WHOLE = [repr_of_usage, repr_of_a_completion, message_of_an_error, terminal, text_of_a_saved_output, call_of_a_function]
LINES = [repr_of_a_chat, list_of_chats, list_of_models, report_of_usage, panel_of_an_error]
OUR_COLOURS = ["\x1b[31m▌ \x1b[0m"]


@pytest.mark.parametrize("place", [*WHOLE, *LINES], ids=lambda place: place.__name__)
@given(text=texts)
def test_the_same_text_is_shown_alike_everywhere(place, text):
    shown = place(text)
    for colours in OUR_COLOURS if place is panel_of_an_error else ():
        shown = shown.replace(colours, "")
    policy = on_one_line if place in LINES else for_terminal
    assert policy(text) in shown
    assert shown == for_terminal(shown), "something stands there that was not cleaned"


def test_places_on_a_page_keep_what_a_reader_needs():
    from ds_magic.views.answer.static import to_html, to_markdown

    said = "".join(SAID)
    assert said in to_html(completion(said)) and said in to_markdown(completion(said))


OVERRIDES = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"


def completion_of_nothing_but(said):
    """A completion that has `said` wherever a server, a user or a function can say something."""
    entry = {"token": said, "logprob": -0.5, "bytes": None, "top_logprobs": [{"token": said, "logprob": -0.5}]}
    arguments = [said, f'{{"{said}": "{said}"}}', f'["{said}"', "x" * 20_001 + said]
    calls = [{"id": said, "type": said, "function": {"name": said, "arguments": each}} for each in arguments]
    message = {
        "content": f"{said}\n\n```{said}\n{said}\n```\n\n    {said}\n\n`{said}` <b> {said}\n```\n{said}",
        "reasoning_content": said, "tool_calls": calls,
    }
    logprobs = {"content": [entry], "reasoning_content": [entry]}
    choices = [{"index": at, "message": message, "finish_reason": said, "logprobs": logprobs} for at in (0, 1)]
    asked = [{"role": "user", "content": said}, {"role": "assistant", "content": said, "prefix": True}]
    return ChatCompletion.from_wire(
        {"model": said, "choices": choices, "usage": {"prompt_tokens": 1, "completion_tokens": 1}},
        request=ChatRequest.build(asked), backend=said, interruption=said, notes=[said],
    )


@pytest.mark.parametrize("override", OVERRIDES, ids=ascii)
def test_no_override_of_direction_is_left_in_what_is_read_as_it_stands(override):
    from ds_magic.views import make_view
    from ds_magic.views.answer.static import to_markdown, to_text

    whole, out = completion_of_nothing_but(f"a{override}b"), io.StringIO()
    view = make_view("text", out=out)
    view.start(whole.request, "here")
    view.finish(whole, None)
    for shown in (to_text(whole), to_markdown(whole), repr(whole), out.getvalue()):
        assert f"a⟨U+{ord(override):04X}⟩b" in shown and override not in shown


def test_a_label_reads_as_it_stands():
    from ds_magic.logprobs.table import LogprobTable

    yes = {"token": "yes", "bytes": None, "logprob": -0.5}
    table = LogprobTable.from_wire([{**yes, "top_logprobs": [yes]}])
    shown = repr(table.classify({"a\u202e b": ["yes"], "no": ["no"]}))
    assert "a⟨U+202E⟩ b" in shown and "\u202e" not in shown


def test_code_reads_as_it_runs_on_every_way_out():
    from ds_magic.views.answer.markdown import markdown_to_html, safe_markdown

    for text in ("```\na\u200fb\u202ec\n```", "`a\u200fb\u202ec`"):
        assert "\u202e" not in safe_markdown(text)
        html = markdown_to_html(text)
        assert "\u202e" not in html and "\u200f" not in html
    assert "\u200f" not in safe_markdown("```\na\u200fb\n```")


def test_a_dry_run_writes_harm_as_escapes_and_says_the_same():
    import json
    import shlex

    from ds_magic.magics.dry_run import DryRun

    said = "".join(SAID[:5] + HARM[:6])
    dry = DryRun(ChatRequest.build(said), "http://127.0.0.1:9", False)
    assert for_terminal(repr(dry)) == repr(dry) and "".join(SAID[:5]) in repr(dry)
    assert json.loads(shlex.split(dry.curl.replace("\\\n", ""))[-1])["messages"][0]["content"] == said
