"""The slider in JupyterLab in Chromium: a place at the temperature and cuts that its reader sets."""

import pytest

from ds_magic.logprobs.table import LogprobTable
from ds_magic.views.scripts import joined
from ds_magic.views.tokens.slider import widget

from .accessible import troubles
from .tables import HOSTILE, entry

SHARES = [(" Canberra", 0.57), (" Sydney", 0.38), (" Perth", 0.02), (" Hobart", 0.01)]
TABLE = f"""from tests.browser.tables import HOSTILE, LogprobTable, entry
row = LogprobTable.from_wire([entry(" Canberra", 0.57, {SHARES})], vocabulary_size=50_000)[0]
"""
SLIDER = TABLE + "slider = row.tempered([0, 1, 2]).explore(); slider"


@pytest.fixture
def show(lab):
    """Run cells in a new notebook and wait for the slider."""

    def show(*cells):
        notebook = lab(*cells)
        notebook.run_all()
        notebook.page.wait_for_selector(".dst")
        return notebook

    return show


def slider(page, name):
    return page.locator(".dst-slider", has_text=name).locator("input")


def shares(page):
    """By token, what is said of it."""
    row = "row => [row.querySelector('bdi').innerText, row.lastChild.innerText]"
    rows = page.eval_on_selector_all(".dst .dsx-alternative", f"all => all.map({row})")
    return {name: text.replace("\u00a0", " ").replace("\n", " ").strip() for name, text in rows}


def press(page, name, key, times):
    slider(page, name).focus()
    for _ in range(times):
        page.keyboard.press(key)


def test_the_keyboard_moves_temperature_and_cuts_and_what_is_pruned_stays(show):
    notebook = show(SLIDER, "print(slider.temperature, slider.top_p, slider.top_k)")
    page = notebook.page
    assert shares(page) == {
        "·Canberra": "57.0 %", "·Sydney": "38.0 %", "·Perth": "2.0 %", "·Hobart": "1.0 %", "49,996 others": "2.0 %",
    }
    cells = page.locator(".jp-Notebook .jp-Cell").count()
    press(page, "top-p", "ArrowLeft", 3)
    assert shares(page)["·Canberra"] == "60.0 %" and shares(page)["·Perth"] == "2.0 % pruned"
    assert page.inner_text(".dst-left") == "2 tokens may be drawn"
    press(page, "temperature", "ArrowLeft", 10)
    assert shares(page)["·Canberra"] == "69.2 %"
    told = page.inner_text(".dst [role=status]")
    assert told.startswith("At 0.5: ·Canberra 69.2 %, ·Sydney 30.8 %, ·Perth pruned") and "2 tokens" in told
    press(page, "top-p", "End", 1)
    press(page, "top-k", "Home", 1)
    assert shares(page)["·Canberra"] == "100 %" and page.inner_text(".dst-left") == "1 token may be drawn"
    assert page.locator(".jp-Notebook .jp-Cell").count() == cells
    assert troubles(page, ".dst") == []
    notebook.theme("JupyterLab Dark")
    assert troubles(page, ".dst") == []
    page.evaluate("jupyterapp.shell.currentWidget.content.activeCellIndex = 1")
    page.evaluate("jupyterapp.commands.execute('notebook:run-cell')")
    page.wait_for_function("document.querySelector('.jp-OutputArea-output pre')?.innerText.trim() === '0.5 1.0 1'")


def test_it_follows_the_kernel_and_a_notebook_keeps_the_table(show, jupyter):
    notebook = show(SLIDER, "slider.temperature = 0", "print('done')")
    page = notebook.page
    page.wait_for_function("document.querySelector('.dst-value').textContent === '0'")
    assert shares(page)["·Sydney"] == "0 %"
    notebook.save()
    page.wait_for_function("!jupyterapp.shell.currentWidget.context.model.dirty")
    kept = jupyter.saved(notebook.notebook)["cells"][0]["outputs"][0]["data"]
    assert set(kept) == {"text/html", "text/plain"} and "at 2" in "".join(kept["text/html"])


def test_tokens_of_anybody_stay_text(show):
    code = TABLE + """
hostile = [(each, 0.1) for each in HOSTILE]
LogprobTable.from_wire([entry(HOSTILE[0], 0.1, hostile)])[0].tempered(1).explore()"""
    page = show(code).page
    assert HOSTILE[0].startswith("</script>") and page.title() != "pwned"
    assert page.locator(".dst b, .dst img, .dst script").count() == 0
    press(page, "temperature", "ArrowRight", 5)
    assert shares(page)["all others"] == "at least 20.0 %"


@pytest.mark.parametrize("row", [
    entry(" Canberra", 0.57, SHARES), {**entry(" odd", 0.5, SHARES), "logprob": -9999.0}, entry(" x", 0.004, SHARES),
], ids=["listed", "censored", "outside"])
@pytest.mark.parametrize("size", [None, 5, 50_000])
def test_the_page_computes_what_python_does(page, row, size):
    table = LogprobTable.from_wire([row], vocabulary_size=size)
    place = table[0].tempered([0, 0.05, 0.5, 1, 1.3, 2, 5], top_p=[None, 0.9, 0.3, 0.99], top_k=[None, 1, 3, 40])
    settings = [{"temperature": each.temperature, "topP": 1 if each.top_p is None else each.top_p,
                 "topK": each.top_k or 0} for each in place.settings]
    script = joined(widget._HERE, "shares.js").replace("export ", "")
    made = widget.TemperatureSlider(place)
    found = page.evaluate(
        f"""([bytes, told, settings]) => {{ {script}
        const drawn = placeOf(new DataView(Uint8Array.from(bytes).buffer), told);
        return settings.map((each) => {{
          const found = tempered(drawn, each);
          return [found.low, found.high, found.uncutLow, found.uncutHigh, found.kept, found.rest, found.uncutRest]
            .map((values) => [...values]);
        }}); }}""",
        [list(made.payload), made.place, settings],
    )
    for column, numbers in zip(place.columns, found, strict=True):
        ours = [column.low, column.high, column.uncut_low, column.uncut_high, column.kept, column.rest,
                column.uncut_rest]  # fmt: skip
        for mine, theirs in zip(ours, numbers, strict=True):
            assert list(mine) == pytest.approx(theirs, abs=1e-6), column.setting
