"""Every place that reads or shows a text of somebody's, as a function of that text, for the table of growth."""

from __future__ import annotations

import contextlib
import io
import json
import math
from functools import partial
from types import SimpleNamespace

from ds_magic.api.accumulator import Accumulator
from ds_magic.api.clean_text import escaped, for_code, for_json, for_page, for_report, heal, mask_keys, on_one_line
from ds_magic.api.decoder import ChunkDecoder
from ds_magic.api.delta import deltas_of
from ds_magic.api.error_messages import refusal
from ds_magic.api.errors import DeepSeekError
from ds_magic.api.loose_json import parse_json
from ds_magic.api.request import ChatRequest
from ds_magic.api.response import ChatCompletion
from ds_magic.api.sse import EventDecoder
from ds_magic.conversation.chats import Chat
from ds_magic.logprobs.glyphs import label
from tests.servers.scripted import event, text_chunk

KEY = "sk-0a1b2c3d4e5f60718293a4b5c6d7e8f9"

TEXTS = {
    "word": "a",
    "blanks": " ",
    "lines": "a\n",
    "brackets": "[",
    "quotes": '"',
    "digits": "7",
    "marks": "\u0301",
    "emoji": "👩\u200d👧",
    "rtl": "א\u200f",
    "overrides": "\u202e",
    "letters": "".join(map(chr, range(0x4E00, 0x5000))),
    "prose": "A *word*, `code` and [a link](https://x.org/a_b) for $x^2$, 1. **so** it_is | <b> &amp; ~~no~~\n",
    "json": '{"a": [1, "b", null]}, ',
}
"""What a long text may consist of, by name."""


def all_of_text(text):
    for policy in (for_page, for_report, for_code, for_json, escaped, on_one_line, partial(mask_keys, key=KEY), heal):
        policy(text)


def an_event(text):
    decoder, chunks, sum_ = EventDecoder(), ChunkDecoder(), Accumulator()
    data = event(text_chunk(text))
    for at in range(0, len(data), 4096):
        for payload in decoder.decode(data[at : at + 4096]):
            chunk = chunks.decode(payload)
            sum_.add(chunk, payload)
            list(deltas_of(chunk, payload))
    sum_.wire()


def in_pieces(text):
    """The same text, a few characters a chunk."""
    decoder, chunks, sum_ = EventDecoder(), ChunkDecoder(), Accumulator()
    for at in range(0, len(text), 64):
        for payload in decoder.decode(event(text_chunk(text[at : at + 64]))):
            sum_.add(chunks.decode(payload), payload)
    sum_.wire()


def bytes_of_a_stream(text):
    decoder = EventDecoder()
    data = text.encode()
    for at in range(0, len(data), 4096):
        decoder.decode(data[at : at + 4096])
    decoder.flush()


def a_refusal(text):
    body = json.dumps({"error": {"message": text, "code": [text], "type": text, "param": text, "remedy": text}})
    for sent in (text.encode(), body.encode()):
        str(refusal("http://127.0.0.1/", 400, sent, retry_after=None, redirected_from=None))


def panel_of_an_error(text):
    from ds_magic.views.panel import panel

    panel(DeepSeekError(text, remedy=text), 92)


def json_of_anybody(text):
    with contextlib.suppress(ValueError):
        parse_json(text.encode())


def completion(text):
    called = [text, json.dumps({"a": text})]
    calls = [{"id": text, "type": "function", "function": {"name": text, "arguments": each}} for each in called]
    message = {"role": "assistant", "content": text, "reasoning_content": text, "tool_calls": calls}
    return ChatCompletion.from_wire(
        {"model": text, "choices": [{"message": message, "finish_reason": text}], "usage": {"prompt_tokens": 1}},
        request=ChatRequest.build([{"role": "user", "content": text}]), backend=text, notes=[text], interruption=text,
    )


def a_completion(text):
    repr(completion(text))


def a_saved_output(kind):
    def show(text):
        from ds_magic.views.answer import static

        getattr(static, kind)(completion(text))

    return show


def a_prefix(text):
    from ds_magic.views.answer.static import to_html

    message = {"role": "assistant", "content": text}
    asked = [{"role": "user", "content": "q"}, {"role": "assistant", "content": text, "prefix": True}]
    to_html(ChatCompletion.from_wire({"choices": [{"message": message}]}, request=ChatRequest.build(asked)))


def a_gap(text):
    """A gap in such a text that is filled with it, as a cell, as a stream and as an output."""
    from ds_magic.api.completion_request import CompletionRequest
    from ds_magic.api.text_completion import event_as_chat
    from ds_magic.magics.cell_text import cell_of
    from ds_magic.magics.gap_in_cell import parts_of
    from ds_magic.magics.prompt import Filler
    from ds_magic.views.answer.static import mimebundle, numbered_html

    request = CompletionRequest.of(text, text.replace("\u2028", ""))
    cell_of(request)
    for cell in (text + "\n@gap\n" + text, "\\" * len(text) + "@gap\n@gap"):
        parts_of(cell, None, Filler({"a": 1}))
    tokens = [text[at : at + 64] for at in range(0, len(text), 64)]
    top = [{each: -1.0, text: -2.0} for each in tokens[:1]]
    lists = {"tokens": tokens, "token_logprobs": [-1.0] * len(tokens), "top_logprobs": top}
    event_as_chat(json.dumps({"choices": [{"text": text, "logprobs": lists}]}).encode(), 1)
    for answer in answers_of(text):
        whole = ChatCompletion.from_wire(answer.raw, request=request)
        mimebundle(whole), numbered_html(whole)


def a_terminal(text):
    from ds_magic.views import make_view

    for out in (io.StringIO(), ATerminal()):
        view = make_view("text", out=out)
        whole = completion(text)
        view.start(whole.request, text)
        view.finish(whole, None)


class ATerminal(io.StringIO):
    def isatty(self):
        return True


def code(language):
    def show(text):
        from ds_magic.views.answer.code import code_to_html

        code_to_html(text, language)

    return show


def markdown(text):
    from ds_magic.views.answer.markdown import markdown_to_html, safe_markdown

    markdown_to_html(text)
    safe_markdown(text + "<b>")


def an_object_in_parts(text):
    from ds_magic.views.answer.json_object import partial_object, to_html

    for begun in (text, '{"a": ' + text, '{"a": "' + text):
        to_html(partial_object(begun) or {text: text})


def blocks(text):
    from ds_magic.views.answer.blocks import Blocks

    growing = Blocks()
    for at in range(0, len(text), 16384):
        growing.add(text[at : at + 16384])
        growing.format()
    growing.format(is_last=True)


def rounds(text):
    from ds_magic.conversation.tools import Called
    from ds_magic.views.answer.rounds import calls_to_html, calls_to_text

    called = Called(text, text, text, text)
    repr(called), calls_to_html([called]), calls_to_text([called])


def answers_of(text):
    """The answer that is `text` in tokens of 64 characters, and in one token, with probabilities."""
    lists = []
    for tokens in ([text[at : at + 64] for at in range(0, len(text), 64)], [text]):
        others = {"token": tokens[-1], "logprob": -1.0, "bytes": None}
        entries = [{"token": each, "logprob": -0.5, "bytes": None, "top_logprobs": [
            {"token": each, "logprob": -0.5, "bytes": None}, others]} for each in tokens]
        lists.append(entries)
    message = {"role": "assistant", "content": text}
    return [ChatCompletion.from_wire({"choices": [{"message": message, "logprobs": {"content": each}}]})
            for each in lists]


def a_table_of(text):
    """The tables of those answers."""
    return [answer.logprobs for answer in answers_of(text)]


def tables(text):
    from ds_magic.views.tokens.tables import to_html, to_markdown, to_text

    for table in a_table_of(text):
        to_html(table), to_text(table), to_markdown(table), repr(table)


def tints(text):
    from ds_magic.views.answer.markdown import markdown_to_html
    from ds_magic.views.answer.tinted import tinted

    for table in a_table_of(text):
        tinted(markdown_to_html(text), text, table), tinted(markdown_to_html(text), text + "x", table)


def heatmap(text):
    from ds_magic.views.tokens.heatmap import heatmap_html

    for table in a_table_of(text):
        heatmap_html(table)


def search_in_a_table(text):
    for table in a_table_of(text):
        table.find(text), table.find(text[-20:] + "x"), table.windows(), label(text, None)


def fields_of_a_table(text):
    for table in a_table_of(json.dumps({"a": [text], text: {"b": 1}})):
        repr(table.fields()), table.fields()._repr_html_()
    for table in a_table_of(text):
        with contextlib.suppress(ValueError):
            table.fields()


def comparison(text):
    from ds_magic.logprobs.compare import compare

    one, other = a_table_of(text)
    for pair in ((one, other), (one, one)):
        found = compare(*pair)
        repr(found), found._repr_html_()


def pictures_of_results(text):
    for table in a_table_of(text):
        place = table[0].tempered([0, 2], top_p=0.9, top_k=3)
        for result in (table.classify([text[:99], "b"]), table.at_temperature(2), table.windows(), place):
            repr(result), result._repr_html_()


def a_magic_line(text):
    from ds_magic.magics.line import parse

    for line in (text, "-s " + text, "-s '" + text, "--" + text, "-o" + text, "-s {{ " + text, "-t " + text):
        with contextlib.suppress(DeepSeekError):
            parse(line).values()


def a_cell(text):
    from ds_magic.magics.prompt import Filler, messages_of

    for cell in (text, "@user name=" + text, "@assistant " + text, "@tool call_id='" + text, "{{ a" + text):
        with contextlib.suppress(DeepSeekError):
            messages_of(cell, Filler({"a": 1}), system=text)


def a_request_as_a_cell(text):
    from ds_magic.magics.cell_text import cell_of

    asked = [{"role": "system", "content": text}, "@user name=" + text, "\\" + text, "\\" * len(text) + "@user"]
    for prefix in (text, text + "\u2028"):
        cell_of(ChatRequest.build(asked, prefix=prefix, stop=[text, "\\" * len(text)], extra={"a": text}))


def an_undefined_name(text):
    from ds_magic.api.nearest import nearest
    from ds_magic.magics.objects import named, named_type
    from ds_magic.magics.options import SPELLINGS

    names = {text: 1, text[1:]: 2, "answer": 3}
    for ask in (partial(named, text + "x", names, "--tools"), partial(named_type, text, names),
                partial(ChatRequest.build, "q", **{text: 1})):
        with contextlib.suppress(DeepSeekError):
            ask()
    nearest(text, SPELLINGS), nearest("x" + text, [text])


def an_undefined_place(text):
    from ds_magic.magics.prompt import lookup

    for expression in (text, "a." + text, f'a["{text}"]'):
        with contextlib.suppress(DeepSeekError):
            lookup(expression, {"a": SimpleNamespace(), text + "x": 1})


def completions(text):
    from ds_magic.magics.completer import completions

    magics = SimpleNamespace(user_ns={text: 1}, chats={})
    for before in ("%deepseek " + text, "%%deepseek -o " + text, text + "%deepseek ", text + "= %deepseek -",
                   "%ds_help " + text, "%deepseek -t=" + text):
        completions(magics, before, 0, before)
    for before in (text, "{{ " + text, "{{ a." + text, "@user " + text, "@" + text):
        completions(magics, "%%deepseek\n" + before, 1, before)


def protection(text):
    from ds_magic.magics.protect import protect_cells, protect_questions

    protect_cells([f"%%deepseek {text}\n", text])
    for cell in (f"%deepseek {text}", f"x = %deepseek {text}?", f"# {text}\n%deepseek a\n"):
        protect_questions(cell.splitlines(keepends=True))


def keys_in_cells(text):
    from ds_magic.magics.keys_in_cells import holds_key

    holds_key("sk-" + text), holds_key(text)


def help_on(text):
    from ds_magic.magics.help import about

    with contextlib.suppress(DeepSeekError):
        about(text)


def dry_run(text):
    from ds_magic.magics.dry_run import DryRun

    dry = DryRun(ChatRequest.build(text), "http://127.0.0.1:9", False)
    repr(dry), dry.curl, dry._repr_html_()


def listings(text):
    from ds_magic.api.spent import UsageLog
    from ds_magic.magics.listings import ChatList, ModelList
    from ds_magic.magics.usage_report import UsageReport

    chat, log = Chat(text), UsageLog()
    chat.record(text, [{"role": "user", "content": text}], completion(text))
    log.add(text, text, None)
    repr(chat), repr(ChatList({text: chat})), repr(ModelList([text], text)), repr(UsageReport(log.sums, {}))


def arguments_of_a_call(text):
    from ds_magic.conversation.functions import FunctionTool

    def weather(place: str) -> str:
        return place

    for given in (text, json.dumps({"place": text}), json.dumps({text: 1})):
        with contextlib.suppress(ValueError, DeepSeekError):
            FunctionTool(weather).arguments(given)


def an_answer_to_a_schema(text):
    from ds_magic.conversation.answer_schema import AnySchema, Schema, parse_answer

    for said in (text, json.dumps({"a": text}), "```json\n" + text):
        for schema in (AnySchema(), Schema(list[int], "x")):
            with contextlib.suppress(DeepSeekError):
                parse_answer(ChatCompletion.from_wire({"choices": [{"message": {"content": said}}]}), schema)


def a_journal(text):
    """A text asked, answered, recorded, read again, listed, and compared with another."""
    import tempfile
    from pathlib import Path

    from ds_magic.many.differences import differences, is_changing, shown
    from ds_magic.many.journal import Journal
    from ds_magic.many.reading import line_of
    from tests.many.making import entry

    asked = {"messages": [{"role": "user", "content": text}], text[:100_000]: text}
    with tempfile.TemporaryDirectory() as folder, Journal(Path(folder) / "a.jsonl").writing() as journal:
        journal.append(entry(asked=asked, text=text, backend=text, model=text))
        journal.sync()
        for each in journal.entries():
            line_of(each)
            for other in (text[: len(text) // 2], text + "b", text[::-1]):
                for found in differences(each.asked, {"messages": [{"role": "user", "content": other}]}):
                    shown(found), is_changing(found)


def lines_of_a_journal(text):
    """A file of somebody's that is to be a journal."""
    import tempfile
    from pathlib import Path

    from ds_magic.many.entry import HEADER, entry_of, packed, start_of
    from ds_magic.many.journal import Journal

    data = text.encode()
    for line in (data + b"\n", b'{"key":"' + b"0" * 64 + b'","ended":"whole","backend":"' + data + b"}\n"):
        start_of(line), entry_of(line)
    packed([(0, data), (0, b'{"id": "' + data + b'"}'), (1, b"{}")])
    with tempfile.TemporaryDirectory() as folder:
        for beginning in (b"", HEADER):
            path = Path(folder) / "a.jsonl"
            path.write_bytes(beginning + data)
            with contextlib.suppress(DeepSeekError):
                list(Journal(path).entries())


def _rows(*contents):
    from ds_magic import Answers
    from ds_magic.many.row import Row

    bodies = ({"choices": [{"message": {"content": text}, "finish_reason": "stop"}]} for text in contents)
    return Answers(Row({"sample": n}, ChatCompletion.from_wire(body)) for n, body in enumerate(bodies))


def _all_of_answers(rows):
    from ds_magic import Answers
    from ds_magic.many.row import Row

    for seen in (rows, rows.counts(), rows.divergence(), rows.entropy()):
        repr(seen)
        seen._repr_html_()
    rows.to_pandas()
    crossed = Answers(Row({**row.factors, "a": n % 2, "b": n // 2 % 2}, row.answer) for n, row in enumerate(rows))
    for seen in (crossed, crossed.grid("a", "b"), crossed.entropy(by="a")):
        repr(seen)
        seen._repr_html_()
    crossed.marked(lambda row: True).marked("a", contains=True)


def several_answers(text):
    """Answers that part at the end, in the middle, at once, and not at all."""
    half = len(text) // 2
    _all_of_answers(_rows(text, text, f"{text}b", f"{text[:half]}c{text[half:]}", f"d{text}"))


def answers_while_they_come(text):
    """A picture after each tenth of an answer."""
    from ds_magic.api.delta import Delta
    from ds_magic.many.growing import Growing

    growing = Growing(lambda: None)
    (observer,) = growing.begun(0, {"a": text}).observers()
    for at in range(0, len(text), len(text) // 10 or 1):
        piece = text[at : at + (len(text) // 10 or 1)]
        token = {"token": piece, "logprob": -1.0, "bytes": None, "top_logprobs": []}
        choice = {"index": 0, "delta": {"content": piece}, "logprobs": {"content": [token]}}
        observer.delta(Delta.of({}, choice))
        growing.html()


def hidden_words(text):
    """An answer that is guessed, also after a prefix and a question of its length."""
    from ds_magic.teaching.guess.guess import Guess

    for answer in answers_of(f"a{text} b"):
        answer._request = ChatRequest.build(text or "?", prefix=text)
        guess = Guess(answer)
        guess.bundle(), guess.reveal(1).to_text(), guess.reveal(len(guess.words))._repr_html_()


def a_template_of_rows(text):
    from ds_magic.many.records import names_in

    names_in([text, "{{ " + text, f"{{{{ {text} }}}}"])


def html_of_others(text):
    from ds_magic.teaching.pages.clean_html import cleaned

    for before in ("", "<p title='", "<!--", "<script>", "<p style='color:", "<a href='", "&#"):
        cleaned(before + text)


def a_lesson(text):
    """A notebook of the text in every place, as a page."""
    from ds_magic.teaching.pages.lesson import shown
    from ds_magic.teaching.pages.prose import Pictures, prose_to_html

    prose_to_html(text, Pictures(None, {}))
    for kind in ("text/html", "text/plain", "text/latex", "text/markdown", "image/png", "image/svg+xml"):
        shown({kind: text})


PLACES = {each.__name__.replace("_", " "): each for each in (
    all_of_text, an_event, in_pieces, bytes_of_a_stream, json_of_anybody, a_refusal, panel_of_an_error, a_completion,
    a_prefix, a_gap, a_terminal, markdown, blocks, an_object_in_parts, rounds, tables, tints, heatmap,
    search_in_a_table, fields_of_a_table, comparison, pictures_of_results, a_magic_line, a_cell, a_request_as_a_cell,
    an_undefined_name, an_undefined_place, completions, protection, keys_in_cells, help_on, dry_run, listings,
    arguments_of_a_call, an_answer_to_a_schema, a_journal, lines_of_a_journal, several_answers,
    answers_while_they_come, a_template_of_rows, hidden_words, html_of_others, a_lesson,
)} | {
    "saved html": a_saved_output("to_html"), "saved text": a_saved_output("to_text"),
    "saved markdown": a_saved_output("to_markdown"), "python": code("python"), "json": code("json"),
    "unknown code": code("x"),
}


def added(*payloads):
    """What the chunks add up to, read by everybody who reads a completion."""
    from ds_magic.conversation.tools import Toolbox
    from ds_magic.views.answer.static import mimebundle

    chunks, sum_ = ChunkDecoder(), Accumulator()
    for payload in payloads:
        data = json.dumps(payload).encode()
        chunk = chunks.decode(data)
        sum_.add(chunk, data)
        list(deltas_of(chunk, data))
    whole = ChatCompletion.from_wire(sum_.wire())
    mimebundle(whole)
    if whole.tool_calls:
        list(Toolbox(()).run(whole))


def call(number, **fields):
    function = {"name": "f", "arguments": '{"a": 1}'}
    return {"type": "function", "function": function, "id": f"c{number}"} | fields


def of_calls(calls):
    return {"choices": [{"index": 0, "delta": {"tool_calls": calls}}]}


def calls_without_an_index(count):
    added(*(of_calls([call(number)]) for number in range(count)))


def calls_with_an_index(count):
    added(*(of_calls([call(number, index=number)]) for number in range(count)))


def calls_of_one_id(count):
    added(*(of_calls([call(0, index=number)]) for number in range(count)))


def calls_in_one_chunk(count):
    added(of_calls([call(number) for number in range(count)]))


def ids_of_calls(count):
    from ds_magic.conversation.tools import _unique_ids

    _unique_ids([f"c{number}" for number in range(count)], 0)
    _unique_ids([None] * count, 0)


def chunks_of_one_letter(count):
    added(*(text_chunk("a") for _ in range(count)))


def choices(count):
    added(*({"choices": [{"index": number, "delta": {"content": "a"}}]} for number in range(count)))


def fields_that_nobody_knows(count):
    added(*({**text_chunk("a"), f"x{number}": number} for number in range(count)))


def events_of_many_lines(count):
    EventDecoder().decode(b"data: a\n" * count + b"\n")


def comments(count):
    EventDecoder().decode(b": a\n\n" * count)


def models(count):
    from ds_magic.magics.listings import ModelList

    repr(ModelList([f"model-{number}" for number in range(count)], "model-1"))


def names(count):
    from ds_magic.magics.objects import named

    with contextlib.suppress(DeepSeekError):
        named("nothing", {f"name{number}": 1 for number in range(count)}, "--tools")


def notes(count):
    from ds_magic.views.answer.static import mimebundle

    mimebundle(ChatCompletion.from_wire({"choices": [{"message": {"content": "a"}}]}, notes=["a"] * count))


def exchanges_in_a_journal(count):
    """Written, listed, found, and the nearest looked for."""
    import tempfile
    from pathlib import Path

    from ds_magic.many.differences import nearest_shown
    from ds_magic.many.journal import Journal
    from tests.many.making import entry

    with tempfile.TemporaryDirectory() as folder, Journal(Path(folder) / "a.jsonl").writing() as journal:
        for number in range(count):
            journal.append(entry(number))
        again = Journal(journal.path)
        again.refresh()
        assert again.find(entry(count - 2).key) is not None
        nearest_shown(again, {"messages": []}, 0)


def answers_of_one_text(count):
    _all_of_answers(_rows(*(["the same"] * count)))


def answers_of_different_texts(count):
    _all_of_answers(_rows(*(f"answer {number}" for number in range(count))))


def answers_that_are_nested(count):
    """Their texts together are `count` characters, each one longer than the one before."""
    _all_of_answers(_rows(*("a" * number for number in range(int((2 * count) ** 0.5)))))


def levels(count):
    json_of_anybody("[" * count + "]" * count)
    an_event(json.dumps({"a": "[" * count}))


def tokens_of_two_models(count):
    """Two answers of so many tokens, cut at other places."""
    from ds_magic.logprobs.compare import compare
    from ds_magic.logprobs.table import LogprobTable

    text = " ".join(map(str, range(count))) * 2
    one, other = (
        LogprobTable.from_wire([
            {"token": text[at : at + size], "bytes": None, "logprob": -0.5, "top_logprobs": []}
            for at in range(0, size * count, size)
        ]) for size in (3, 4)
    )
    found = compare(one, other)
    repr(found), found._repr_html_(), found.to_pandas(), found.bits_per_byte


def alternatives(count):
    """A token of which the whole distribution came, streamed, as it is shown and kept."""
    from ds_magic.logprobs.compare import compare
    from ds_magic.views.answer.static import alive, mimebundle

    top = [{"token": f"t{rank}", "bytes": None, "logprob": -math.log(count) - rank / count} for rank in range(count)]
    chunk = text_chunk("t0", logprobs={"content": [{**top[0], "top_logprobs": top}]})
    decoder, chunks, sum_ = EventDecoder(), ChunkDecoder(), Accumulator()
    data = event(chunk)
    for at in range(0, len(data), 4096):
        for payload in decoder.decode(data[at : at + 4096]):
            sum_.add(chunks.decode(payload), payload)
    answer = ChatCompletion.from_wire(sum_.wire())
    alive(answer, mimebundle(answer))
    table = answer.logprobs
    table.bars(0).to_text(), repr(table[0].tempered(top_p=0.9)), table.classify(["t1", "x"])
    repr(compare(table[0], table[0]))


def tags_of_others(count):
    """What a reader of HTML may look for the end of, again and again."""
    from ds_magic.teaching.pages.clean_html import cleaned
    from ds_magic.teaching.pages.prose import Pictures, prose_to_html

    for tag in ("<", "<!--", "<!", "</", "</script x", "<script>", "<a b='", "<a \"'", "<p>", "<b></p>", "<a href=x ",
                "'<a '>", "<img src=data:", "<td><table>", "<p style='a:b;", "<svg></svg>"):  # fmt: skip
        cleaned(tag * count)
        prose_to_html(tag * count, Pictures(None, {}))


def schemas_in_schemas(count):
    """Of functions that shall be strict."""
    from ds_magic.api.strict import made_strict, unfit

    text = {"type": "string"}
    wide = {"type": "object", "properties": {f"p{number}": text for number in range(count)}}
    deep = {"type": "string", "minLength": 1}
    for _ in range(count):
        deep = {"anyOf": [text, {"type": "array", "items": deep}]}
    assert unfit(wide) and unfit(deep) and unfit(made_strict(wide)[0]) is None


def files_of_a_model(count):
    from ds_magic.local.models.choice import choices

    names = [f"a-{number:05}-of-{count:05}.gguf" for number in range(1, count + 1)]
    assert len(choices(dict.fromkeys(names, 1))) == 1


MANY = {each.__name__.replace("_", " "): (longest, each) for longest, each in (
    (16_000, calls_without_an_index), (16_000, calls_with_an_index), (16_000, calls_of_one_id),
    (16_000, calls_in_one_chunk), (64_000, ids_of_calls), (64_000, chunks_of_one_letter), (4_000, choices),
    (16_000, fields_that_nobody_knows), (256_000, events_of_many_lines), (256_000, comments), (16_000, models),
    (16_000, names), (16_000, notes), (64_000, levels), (4_000, exchanges_in_a_journal), (64_000, alternatives),
    (32_000, tokens_of_two_models), (64_000, files_of_a_model),
    (8_000, answers_of_one_text), (8_000, answers_of_different_texts), (256_000, answers_that_are_nested),
    (16_000, tags_of_others), (64_000, schemas_in_schemas),
)}
"""By name: how many at most, and what is done with so many."""
