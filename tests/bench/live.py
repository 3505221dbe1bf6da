"""What the live view costs in JupyterLab, beside `print` and an ipywidgets.HTML that is set 20 times a second.

    python tests/bench/live.py [tokens [rounds]]

In one run: prose and text that is mostly code, 400 tokens a second and as fast as they come; and ours with
twice the tokens. All three are handed the same deltas, after a first short answer of the same way: the first
of a page loads the page's typesetter, the first of a kernel its modules. Traffic is what the page's websocket
receives; CPU is the kernel's, all threads, while the cell runs, the waiting for the next token included
(`nothing` shows how much that is); the delay is from the last token handed over to its text in the page, the
stream then stalling for a second; a stall is the longest time for which the page's thread ran nothing else,
from the first text in the page to the static output. Each figure is the median of the rounds.
"""

import statistics
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.browser.chromium import chromium
from tests.browser.jupyter import Jupyter, Lab

TOKENS, ROUNDS = (*map(int, sys.argv[1:]), *(8000, 1)[len(sys.argv) - 1 :])
END = "Endmark"

WATCH = """
window.traffic = { bytes: 0, messages: 0 };
const Plain = WebSocket;
window.WebSocket = class extends Plain {
  constructor(...all) {
    super(...all);
    this.addEventListener("message", ({ data }) => {
      traffic.bytes += data.byteLength ?? data.size ?? new TextEncoder().encode(data).length;
      traffic.messages += 1;
    });
  }
};
window.watch = (mark) => {
  traffic.bytes = traffic.messages = 0;
  window.seen = { at: null, stall: 0 };
  let last = performance.now();
  setInterval(() => {
    const now = performance.now();
    seen.stall = Math.max(seen.stall, now - last);
    last = now;
  }, 4);
  const look = () => {
    const outputs = document.querySelectorAll(".jp-Cell:nth-child(4) .jp-OutputArea-output");
    const text = outputs.length ? outputs[outputs.length - 1].textContent : "";
    if (text && !seen.began) {
      seen.began = true;
      seen.stall = 0;
      last = performance.now();
    }
    if (text.includes(mark)) seen.at = Date.now();
    else requestAnimationFrame(look);
  };
  look();
};
"""

SETUP = f"""
import itertools, time
from ds_magic.api.request import ChatRequest
from ds_magic.views import make_view
from tests.views.making import completion, delta

PROSE = "The old town by the sea was calm , and its folk knew how the day will end ."
PARAGRAPH = [word + " " for word in PROSE.split()] * 6 + ["\\n\\n"]
LINES = '''def total(values, start=0):
    \"\"\"Add them up.\"\"\"
    result = start
    for value in values:
        result += value  # one by one
    return f"the total is {{{{result}}}}"

'''
import re
CODE = ["```", "python\\n", *(re.findall(r"\\w+|\\s+|[^\\w\\s]", LINES) * 20), "```", "\\n\\nAnd so on.\\n\\n"]

def tokens(kind, number):
    words = itertools.cycle(PARAGRAPH if kind == "prose" else CODE)
    return [*itertools.islice(words, number - 1), {END!r}]

def paced(deltas, rate):
    began = time.perf_counter()
    for at, each in enumerate(deltas):
        if rate:
            time.sleep(max(0, began + at / rate - time.perf_counter()))
        yield each

class Ours:
    def __init__(self):
        self.view = make_view("live")
        self.view.start(ChatRequest.build("q"), "embedded model")
        self.parts = []
    def add(self, each):
        self.parts.append(each.content)
        self.view.delta(each)
    def end(self):
        self.view.finish(completion("".join(self.parts)), None)

class Nothing:
    def add(self, each):
        pass
    def end(self):
        print({END!r})

class Print:
    def add(self, each):
        print(each.content, end="", flush=False)
    def end(self):
        pass

class Html:
    def __init__(self):
        import html, ipywidgets
        from IPython.display import display
        self.escape, self.widget, self.text, self.last = html.escape, ipywidgets.HTML(), "", 0
        display(self.widget)
    def add(self, each):
        self.text += each.content
        if time.perf_counter() - self.last >= 0.05:
            self.set()
    def set(self):
        self.widget.value = "<pre>" + self.escape(self.text) + "</pre>"
        self.last = time.perf_counter()
    def end(self):
        self.set()

def measure(way, kind, number, rate):
    deltas = [delta(content=token) for token in tokens(kind, number)]
    used = time.process_time()
    shown = way()
    for each in paced(deltas, rate):
        shown.add(each)
    if way is Html:
        shown.set()
    sent = time.time()
    time.sleep(1)
    shown.end()
    global figures
    figures = (sent, time.process_time() - used)
"""

FIRST_HTML = "from IPython.display import HTML, display; display(HTML('<p>$x$</p>'))"


def measured(jupyter, context, name, way, kind, number, rate):
    """bytes, messages, CPU seconds, delay and longest stall in ms, bytes of the saved notebook."""
    begin = f"measure({way}, {kind!r}, "
    jupyter.write(name, [SETUP, FIRST_HTML, f"{begin}300, 0)", f"{begin}{number}, {rate})", "print(*figures)"])
    page = context.new_page()
    page.set_default_timeout(180_000)
    page.add_init_script(WATCH)
    notebook = Lab(page, jupyter, name)
    notebook.wait_for_kernel()
    page.wait_for_timeout(1500)
    page.evaluate("jupyterapp.shell.currentWidget.content.activeCellIndex = 3")
    page.evaluate("jupyterapp.commands.execute('notebook:run-all-above')")
    page.wait_for_selector("mjx-container")
    page.wait_for_timeout(2000)
    page.evaluate("mark => watch(mark)", END)
    page.evaluate("void jupyterapp.commands.execute('notebook:run-all-below')")
    page.wait_for_function("seen.at")
    page.wait_for_function("[...document.querySelectorAll('.jp-Cell')].at(-1).querySelector('pre')?.textContent > '1'")
    page.wait_for_timeout(500)
    printed = page.evaluate("[...document.querySelectorAll('.jp-OutputArea pre')].at(-1).textContent")
    sent, cpu = map(float, printed.split())
    seen, traffic = page.evaluate("seen"), page.evaluate("traffic")
    notebook.save()
    page.evaluate("jupyterapp.shell.currentWidget.context.sessionContext.shutdown()")
    page.close()
    size = (jupyter.folder / name).stat().st_size
    return traffic["bytes"], traffic["messages"], cpu, seen["at"] - 1000 * sent, seen["stall"], size


def main():
    print(f"{TOKENS:,} tokens                  traffic  messages  kernel CPU    delay  longest stall    saved")
    with tempfile.TemporaryDirectory() as home:
        jupyter = Jupyter(Path(home))
        with chromium(f"{home}/profile") as context:
            for kind in ("prose", "code"):
                for rate in (400, 0):
                    for way in ("Ours", "Print", "Html"):
                        row(jupyter, context, way, kind, TOKENS, rate)
                row(jupyter, context, "Nothing", kind, TOKENS, 400)
                row(jupyter, context, "Ours", kind, 2 * TOKENS, 400)
        jupyter.end()


def row(jupyter, context, way, kind, number, rate):
    name = f"{way}-{kind}-{number}-{rate}.ipynb"
    rounds = [measured(jupyter, context, name, way, kind, number, rate) for _ in range(ROUNDS)]
    size, messages, cpu, delay, stall, saved = map(statistics.median, zip(*rounds, strict=True))
    title = f"{kind}, {f'{rate}/s' if rate else 'flat out'}, {way}" + (" ×2" if number != TOKENS else "")
    print(
        f"{title:28} {size / 1e6:7.3f} MB {messages:8,.0f} {cpu:10.2f} s {delay:6.0f} ms {stall:10.0f} ms "
        f"{saved / 1e3:7.0f} KB",
        flush=True,
    )


if __name__ == "__main__":
    main()
