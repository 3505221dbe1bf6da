"""What token probabilities cost: our table and views beside a list of pydantic objects, CircuitsVis, Inspectus.

    python tests/bench/logprobs.py [--tokens 8192] [--runs 5]

One answer with 20 alternatives a token, parsed once, is given to each. Prints CPU time (the quickest of the runs:
other work on the machine only adds) and memory to build, time of DataFrames and of the measures, sizes of what goes
to a page, and in Chromium the time from opening a page to its being drawn and the time to change the metric.
CircuitsVis and Inspectus take part where they are installed; a browser where one is found (or named in CHROMIUM).
Needs nothing else, and no network.
"""

import argparse
import gc
import json
import math
import os
import platform
import random
import shutil
import statistics
import sys
import tempfile
import time
import tracemalloc
from pathlib import Path

ALTERNATIVES = 20
VOCABULARY = 12_000
LETTERS = "etaoinshrdlucmfwypvbgkjqxz"


def answer(tokens, seed=0):
    """The wire's entries: words by Zipf's law, distributions from sure to open, the chosen one drawn from them."""
    draw = random.Random(seed)
    words = [" " + "".join(draw.choices(LETTERS, k=draw.randint(1, 9))) for _ in range(VOCABULARY)]
    entries = []
    for position in range(tokens):
        sharpness = draw.choice((0.3, 0.8, 1.5, 4.0))
        drawn = [words[min(VOCABULARY - 1, int(draw.paretovariate(0.6)))] for _ in range(4 * ALTERNATIVES)]
        names = list(dict.fromkeys([*drawn, *words[:ALTERNATIVES]]))[:ALTERNATIVES]
        weights = [math.exp(-sharpness * rank) for rank in range(ALTERNATIVES)]
        total = sum(weights) * draw.uniform(1.001, 1.3)
        logprobs = [math.log(weight / total) for weight in weights]
        if position % 40 == 39:
            names[0] = ".\n"
        chosen = draw.choices(range(ALTERNATIVES), weights)[0]
        tops = [one(name, logprob) for name, logprob in zip(names, logprobs, strict=True)]
        entries.append({**one(names[chosen], logprobs[chosen]), "top_logprobs": tops})
    return entries


def one(token, logprob):
    return {"token": token, "logprob": logprob, "bytes": list(token.encode())}


def timed(function, runs):
    """This process's CPU time for the quickest of the runs, in milliseconds, and the last result."""
    times = []
    for _ in range(runs):
        gc.collect()
        start = time.process_time()
        result = function()
        times.append(1000 * (time.process_time() - start))
    return min(times), result


def memory(function):
    """Megabytes that the result keeps, and the peak while it was made."""
    gc.collect()
    tracemalloc.start()
    result = function()
    kept, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    del result
    return kept / 1e6, peak / 1e6


def line(name, value, note=""):
    print(f"  {name:<44} {value:>12}  {note}")


def build(entries, runs):
    from ds_magic.api.token_logprobs import TokenLogprob
    from ds_magic.logprobs.table import LogprobTable

    print("From the parsed stream")
    milliseconds, table = timed(lambda: LogprobTable.from_wire(entries, vocabulary_size=129_280), runs)
    kept, peak = memory(lambda: LogprobTable.from_wire(entries, vocabulary_size=129_280))
    line("LogprobTable", f"{milliseconds:.0f} ms", f"{kept:.1f} MB kept, {peak:.1f} MB at the peak")
    milliseconds, _ = timed(lambda: [TokenLogprob.model_validate(entry) for entry in entries], 1)
    kept, _ = memory(lambda: [TokenLogprob.model_validate(entry) for entry in entries])
    line("a list of pydantic objects", f"{milliseconds:.0f} ms", f"{kept:.1f} MB kept")
    return table


def measures(table, runs):
    print("From the table")
    table.to_pandas()  # pandas is imported
    for name, function in {
        "to_pandas()": table.to_pandas,
        "alternatives().to_pandas()": lambda: table.alternatives().to_pandas(),
        "perplexity, bits a byte, mean entropy": lambda: (table.perplexity, table.bits_per_byte, table.mean_entropy),
        "windows(16)": lambda: table.windows(16),
        "at_temperature(0.7)": lambda: table.at_temperature(0.7),
        "find(), least_certain(10)": lambda: (table.find("the"), table.least_certain(10)),
    }.items():
        line(name, f"{timed(function, runs)[0]:.1f} ms")


def sizes(table, entries, runs, folder):
    from ds_magic.api.response import ChatCompletion
    from ds_magic.views.tokens.explorer.payload import pack

    print("To the page")
    milliseconds, payload = timed(lambda: pack(table), runs)
    line("the explorer's payload", f"{len(payload) / 1e6:.2f} MB", f"packed in {milliseconds:.0f} ms")
    for count in (600, len(table)):
        choice = {"message": {"content": table[:count].text_content}, "logprobs": {"content": entries[:count]}}
        completion = ChatCompletion.from_wire({"choices": [choice]})
        assert completion.logprobs  # the table is there before it is shown
        milliseconds, static = timed(lambda shown=completion: shown._repr_mimebundle_()["text/html"], runs)
        name = f"an answer of {count:,} tokens, static"
        line(name, f"{len(static.encode()) / 1e3:.0f} KB", f"made in {milliseconds:.0f} ms")
    path = folder / "ours.html"
    milliseconds, _ = timed(lambda: table.to_html(path), runs)
    line("the exported page", f"{path.stat().st_size / 1e6:.2f} MB", f"written in {milliseconds:.0f} ms")
    return path


def inspectus_page(table, folder):
    """Inspectus' view of the tokens' surprisal and its rank, as a page; None where it is not installed."""
    try:
        import inspectus
    except ImportError as error:
        line("Inspectus", "—", f"not installed ({error})")
        return None
    from IPython.core.interactiveshell import InteractiveShell
    from IPython.utils.capture import capture_output

    InteractiveShell.instance()
    info = ["\n".join(f"{a.token} {a.prob:.3f}" for a in row.alternatives) for row in table]
    with capture_output(stdout=False, stderr=False) as captured:
        values = {"surprisal": table.surprisal.tolist(), "rank": table.rank.astype(float).tolist()}
        inspectus.tokens(table.token, values, token_info=info, remove_padding=False)
    html = "".join(output.data.get("text/html", "") for output in captured.outputs)
    return written(folder / "inspectus.html", html, "Inspectus")


def circuitsvis_page(table, folder):
    """CircuitsVis' token log-probabilities over the tokens that the answer has; None where it is not installed."""
    try:
        import torch
        from circuitsvis.logits import token_log_probs
    except ImportError as error:
        line("CircuitsVis", "—", f"not installed ({error})")
        return None
    names = [token for token, _ in table._vocabulary]
    full = torch.full((len(table) + 1, len(names)), -30.0)
    alternatives = table.alternatives()
    full[alternatives.position, table._alternative_codes.astype("int64")] = torch.tensor(alternatives.logprob).float()
    index = {token: code for code, token in enumerate(names)}
    tokens = torch.tensor([0, *(index[token] for token in table.token)])
    rendered = token_log_probs(tokens, full, lambda code: names[code], top_k=ALTERNATIVES)
    return written(folder / "circuitsvis.html", rendered.local_src, "CircuitsVis")


def written(path, html, name):
    path.write_text(f'<!doctype html><meta charset="utf-8"><body>{html}', encoding="utf-8")
    line(f"{name}'s page", f"{path.stat().st_size / 1e6:.2f} MB")
    return path


# A page is drawn when it holds this many elements with text and two frames have passed since.
DRAWN = """(least) => new Promise((done) => {
  const look = () => {
    const filled = document.querySelectorAll('body span, body div').length >= least;
    if (!filled) return setTimeout(look, 5);
    requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now())));
  };
  look();
})"""

RECOLOUR = """(name) => new Promise((done) => {
  const button = [...document.querySelectorAll('.dsx-metrics button')].find((one) => one.metric === name);
  const start = performance.now();
  button.click();
  void document.body.offsetHeight;
  const laid_out = performance.now() - start;
  requestAnimationFrame(() => setTimeout(() => done([laid_out, performance.now() - start])));
})"""


def in_browser(pages, tokens, runs):
    names = (os.environ.get("CHROMIUM"), "chromium", "chromium-browser", "google-chrome")
    browser_path = next((path for name in names if name and (path := shutil.which(name))), None)
    if browser_path is None:
        print("No browser found: name one in CHROMIUM to time the pages.")
        return
    from playwright.sync_api import sync_playwright

    print("In the browser, from opening the page")
    with sync_playwright() as playwright:
        flags = ["--no-sandbox", "--disable-gpu"]
        browser = playwright.chromium.launch(executable_path=browser_path, args=flags)
        for name, path in pages.items():
            if path is None:
                continue
            times, recoloured = [], []
            for _ in range(runs + 1):
                page = browser.new_page(viewport={"width": 1200, "height": 900})
                page.goto(path.as_uri(), wait_until="commit")
                times.append(page.evaluate(DRAWN, tokens))
                if name == "ours":
                    recoloured += [page.evaluate(RECOLOUR, metric) for metric in ("rank", "entropy", "surprisal")]
                page.close()
            line(f"{name}: drawn after", f"{min(times[1:]):.0f} ms", f"{times[0]:.0f} ms the first time")
            if name == "ours":
                laid_out, painted = (statistics.median(values) for values in zip(*recoloured, strict=True))
                line("ours: another metric", f"{laid_out:.0f} ms", f"{painted:.0f} ms to the next frame")
        browser.close()


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--tokens", type=int, default=8192)
    options.add_argument("--runs", type=int, default=5)
    options = options.parse_args()
    raw = json.dumps(answer(options.tokens))
    try:
        from pydantic_core import from_json as parse
    except ImportError:
        parse = json.loads
    print(f"{options.tokens:,} tokens with {ALTERNATIVES} alternatives, {len(raw) / 1e6:.1f} MB of JSON")
    print(f"Python {platform.python_version()}, {platform.machine()}, {os.cpu_count()} processors\n")
    milliseconds, entries = timed(lambda: parse(raw), 3)
    kept, _ = memory(lambda: parse(raw))
    line("parsing the JSON (for comparison)", f"{milliseconds:.0f} ms", f"{kept:.1f} MB kept\n")
    table = build(entries, options.runs)
    print()
    measures(table, options.runs)
    print()
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        pages = {"ours": sizes(table, entries, options.runs, folder)}
        pages["Inspectus"] = inspectus_page(table, folder)
        pages["CircuitsVis"] = circuitsvis_page(table, folder)
        print()
        in_browser(pages, options.tokens, min(3, options.runs))


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))
    main()
