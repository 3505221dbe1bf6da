"""What it costs to type in a prompt in JupyterLab: without our extension, with it, and in a cell of Python with it.

    python tests/bench/keystrokes.py [characters [keys]]

In one run, in turns: keys typed in the middle of a cell of some 5,000 characters, one every 40 ms. `frame` is from the
key's event to the frame that was painted after it, which a screen of 60 Hz shows every 17 ms; `update` is the time that
the editor takes for one letter, the layout of the page included. Milliseconds: the median, and 95 of 100 are faster.
`busiest`: the same for the last lines of a cell that is hostile to whoever reads it.
"""

import platform
import statistics
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.browser.chromium import chromium
from tests.browser.jupyter import Jupyter, Lab

CHARACTERS, KEYS = (*map(int, sys.argv[1:]), *(5000, 150)[len(sys.argv) - 1 :])
PARAGRAPH = """Read what stands in {{ document }}, and say *briefly* what is **new** in it. Don't guess:
- quote the line (`text`), and number it;
- where there is `nothing`, say "nothing", for {{ reader }}'s sake.

```python
def share(part, whole):
    return part / whole if whole else None  # a comment
```

"""
CODE = 'def share(part, whole):\n    """Of the whole."""\n    return {"part": part / whole} if whole else 0  # so\n\n'


def filled(text):
    return (text * (CHARACTERS // len(text) + 1))[:CHARACTERS]


CELLS = {
    "prompt": "%%deepseek -t 0.3 --system \"Be brief.\"\n@system\nSo.\n@user\n" + filled(PARAGRAPH),
    "python": filled(CODE),
    "long line": "%%deepseek\n" + ("word {{ name }} *it* `c` " * 5000)[:100_000],
    "brackets": "%%deepseek\n" + ("{{ [*`_<$" * 12_000)[:100_000],
    "many lines": "%%deepseek\n" + "- a {{ name }} and *b*\n" * 10_000,
}

TYPE = """number => {
  const { editor } = jupyterapp.shell.currentWidget.content.widgets[number];
  jupyterapp.shell.currentWidget.content.activeCellIndex = number;
  editor.focus();
  const { doc } = editor.editor.state;
  const at = doc.lineAt(Math.floor(doc.length / 2)).to;
  editor.editor.dispatch({ selection: { anchor: at }, scrollIntoView: true });
  window.frames_ = [];
  window.listen ??= addEventListener("keydown", (event) => {
    const began = event.timeStamp;
    requestAnimationFrame(() => {
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = () => frames_.push(performance.now() - began);
      port2.postMessage(0);
    });
  }, true) ?? true;
}"""
UPDATES = """([number, times]) => {
  const { editor } = jupyterapp.shell.currentWidget.content.widgets[number].editor;
  const taken = [];
  for (let time = 0; time < times; time++) {
    const at = editor.state.selection.main.head;
    const began = performance.now();
    editor.dispatch({ changes: { from: at, insert: "e" }, selection: { anchor: at + 1 } });
    editor.contentDOM.getBoundingClientRect();
    taken.push(performance.now() - began);
  }
  return taken;
}"""


def main():
    print(f"{platform.machine()}, {platform.system()}; {CHARACTERS} characters, {KEYS} keys")
    with tempfile.TemporaryDirectory() as folder, chromium(Path(folder) / "profile") as browser:
        servers = {}
        for name, is_extended in {"without": False, "with": True}.items():
            home = Path(folder) / name
            home.mkdir()
            servers[name] = Jupyter(home, labextension=is_extended)
        try:
            pages = {name: opened(browser, server) for name, server in servers.items()}
            for cell, number in ((name, number) for number, name in enumerate(CELLS)):
                figures = {name: measured(page, number) for name, page in pages.items()}
                for name, (frames, updates) in figures.items():
                    print(f"{cell:10}  {name:8} frame {spread(frames)}   update {spread(updates)}", flush=True)
        finally:
            for server in servers.values():
                server.end()


def opened(browser, server):
    page = browser.new_page()
    server.write("typing.ipynb", CELLS.values())
    Lab(page, server, "typing.ipynb").wait_for_kernel()
    page.wait_for_timeout(3000)
    return page


def measured(page, number):
    """The milliseconds to a frame, and those of an update, of each key."""
    page.bring_to_front()
    page.evaluate(TYPE, number)
    page.wait_for_timeout(1000)
    for _ in range(KEYS if number < 2 else KEYS // 5):
        page.keyboard.press("e")
        page.wait_for_timeout(40)
    return page.evaluate("frames_"), page.evaluate(UPDATES, [number, KEYS if number < 2 else KEYS // 5])


def spread(figures):
    return f"{statistics.median(figures):6.1f} {statistics.quantiles(figures, n=20)[-1]:6.1f}"


if __name__ == "__main__":
    main()
