"""What a live view costs the browser grows with the length of the text and no faster.

The messages are those that a kernel sends, one for each piece; they are fed to the view's own module, which draws each
of them. Measured is the processor time of the page, as in `tests/test_growth.py`.
"""

from functools import partial

import comm
import ipykernel.ipkernel  # noqa: F401  when it is imported it decides by what comms are made; here that is ours
import pytest
from comm.base_comm import BaseComm

from ds_magic.api.request import ChatRequest
from ds_magic.views.answer import live
from tests.growing import TEXTS
from tests.test_growth import LONGEST, STEEPEST, cells, growth, surely_measured
from tests.views.making import delta

BLOCKS = {
    "paragraphs": "A *word* and so on, for a while.\n\n",
    "list": "- one of many\n",
    "programs": "```python\n" + "def f(x): return 'a' + x\n" * 200 + "```\n\n",
}
PAGE = """
<div style="height: 600px; overflow: auto">
  <div class="jp-OutputArea"><div class="jp-OutputArea-output"></div></div>
</div>
"""
FEED = """async ([{ module, style, state }, messages]) => {
  document.adoptedStyleSheets = [await new CSSStyleSheet().replace(style)];
  document.querySelector(".jp-OutputArea-output").innerHTML = `<div class="${state.about.mark}"></div>`;
  const { default: widget } = await import(URL.createObjectURL(new Blob([module], { type: "text/javascript" })));
  let hear;
  const model = { get: (name) => state[name], send() {}, on: (kind, tell) => kind === "msg:custom" && (hear = tell) };
  const end = widget.initialize({ model });
  for (const message of messages) {
    hear(message);
    await null;
  }
  const shown = document.querySelector(".ds-live").textContent;
  end();
  return shown;
}"""


def piece_of_an_answer(text):
    return delta(content=text)


def piece_of_a_thought(text):
    return delta(reasoning_content=text)


def piece_of_a_call(text):
    return delta(tool_calls=[{"index": 0, "function": {"name": "f", "arguments": text}}])


KINDS = {
    "an answer": (piece_of_an_answer, 256, TEXTS | BLOCKS),
    "an answer in tiny pieces": (piece_of_an_answer, 16, {"prose": TEXTS["prose"], "word": TEXTS["word"]}),
    "a thought": (piece_of_a_thought, 256, TEXTS),
    "arguments of a call": (piece_of_a_call, 256, TEXTS),
}


@pytest.fixture
def messages(monkeypatch):
    """What a view sends where text comes in pieces of a size, each in a message of its own."""
    sent = []

    class Recorder(BaseComm):
        def publish_msg(self, msg_type, data=None, metadata=None, buffers=None, **keys):
            if data and data.get("method") == "custom":
                sent.append(data["content"])

    monkeypatch.setattr(comm, "create_comm", Recorder)
    for pause in ("INTERVAL", "SHORT_INTERVAL", "PAUSE"):
        monkeypatch.setattr(live, pause, 0.0)

    def made(piece, size, unit, length):
        sent.clear()
        view = live.LiveView()
        view.start(ChatRequest.build("q"), "embedded model")
        text = (unit * length)[:length]
        for at in range(0, length, size):
            view.delta(piece(text[at : at + size]))
        view.finish(None, None)
        widget = view._widget
        state = {"about": widget.about, "styles": widget.styles}
        return [{"module": widget._esm, "style": widget._css, "state": state}, list(sent)]

    return made


@pytest.fixture
def spent(page):
    """The seconds of processor time that the page has taken."""
    page.set_content(PAGE)
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})

    def seconds():
        metrics = session.send("Performance.getMetrics")["metrics"]
        return next(metric["value"] for metric in metrics if metric["name"] == "TaskDuration")

    return seconds


@pytest.mark.parametrize("kind", KINDS)
def test_a_view_takes_some_four_times_as_long_for_four_times_the_text(kind, messages, spent, page, row):
    piece, size, units = KINDS[kind]
    feed = partial(page.evaluate, FEED)
    assert "aaa" in feed(messages(piece, size, "a", 256))
    found = {
        name: surely_measured(feed, partial(messages, piece, size, unit), LONGEST, spent)
        for name, unit in units.items()
    }
    slowest = max(found, key=lambda name: found[name][1][2] / found[name][0])
    steepest = max(found, key=lambda name: growth(found[name]))
    row("Growth of the live view with the length of a text", of=kind, slowest=slowest, **cells(found[slowest]),
        steepest=f"{steepest} x{growth(found[steepest]):.1f}")
    assert growth(found[steepest]) < STEEPEST, f"{kind}, {steepest}: {found[steepest]}"
