"""An answer and its probabilities as they are drawn: nothing is cut, bars compare, colours stand out."""

import json

import pytest

from tests.browser.accessible import troubles

SETUP = """
import math
from ds_magic.api.request import ChatRequest
from ds_magic.api.response import ChatCompletion


def entry(token, p, *rivals):
    tops = [{"token": t, "logprob": math.log(q), "bytes": list(t.encode())} for t, q in [(token, p), *rivals]]
    return tops[0] | {"top_logprobs": tops}


def answer(*entries, model="smollm2-135m-instruct", **fields):
    content = "".join(each["token"] for each in entries if each["bytes"] != [])
    choice = {"message": {"content": content}, "logprobs": {"content": list(entries)}, "finish_reason": "stop"}
    body = {"model": model, "choices": [choice], "usage": {"prompt_tokens": 40,
            "completion_tokens": len(entries)}}
    return ChatCompletion.from_wire(body, request=ChatRequest.build("q", **fields), backend="embedded model")
"""
SHORT = """
answer(entry(" Paris", 0.92, (" indeed", 0.03), (" London", 0.02)),
       entry(" antidisestablishmentarianism", 0.3, (" antidisestablishmentarian", 0.28), (" x", 0.1)),
       entry(".", 0.73, (",", 0.23), ("!", 0.01)), entry("", 0.76, (" It", 0.02)), prefix="The capital of France is")
"""
LONG = """
answer(*(entry(f" word{n}" if n % 9 else ". **Word**", 0.05 + 0.9 * (n * 7 % 11) / 11, (" another", 0.02),
               (" antidisestablishmentarianism", 0.01), (" third", 0.005)) for n in range(60)))
"""
ARABIC = """
answer(*(entry(token, p, (" نعم", 0.04), (" لا", 0.03)) for token, p in
         [("عاصمة", 0.9), (" فرنسا", 0.2), (" هي", 0.6), (" باريس", 0.05)] * 4))
"""
BOUND = """
answer(entry(" Paris", 0.5, (" a", 0.3)) | {"logprob": -9999.0, "top_logprobs": entry(" a", 0.9)["top_logprobs"]},
       entry("<|im_end|>", 0.9, (" a", 0.05)) | {"bytes": []}, model="deepseek-flash")
"""
PLACE = "answer(entry('a', 0.5, ('b', 0.4))).logprobs[0]"
PICTURES = {"short": SHORT, "long": LONG, "arabic": ARABIC, "bound": BOUND, "place": PLACE}

CUT = """() => {
  const wrong = [];
  for (const output of document.querySelectorAll('.jp-OutputArea-output')) {
    const edge = output.getBoundingClientRect().right + 1;
    for (const element of output.querySelectorAll('*')) {
      const box = element.getBoundingClientRect();
      const style = getComputedStyle(element);
      const cue = style.textOverflow === 'ellipsis' || /auto|scroll/.test(style.overflowX);
      const isCutWithACue = element.parentElement.closest('[style*="text-overflow:ellipsis"]');
      if (box.width && box.right > edge && !isCutWithACue)
        wrong.push(`over the edge: ${element.outerHTML.slice(0, 120)}`);
      if (style.overflowX === 'hidden' && !cue && element.scrollWidth > element.clientWidth + 1)
        wrong.push(`cut: ${element.outerHTML.slice(0, 120)}`);
      if (cue && style.textOverflow !== 'ellipsis' && element.scrollWidth > element.clientWidth + 1)
        wrong.push(`scrolls: ${element.outerHTML.slice(0, 120)}`);
    }
  }
  return wrong;
}"""
# Names and shares that are cut, with a cue or without one; a token may be too long for its column.
UNREAD = """() => [...document.querySelectorAll('.jp-OutputArea-output tr')].flatMap((row) => [...row.cells])
  .filter((cell) => cell.style.whiteSpace === 'nowrap' && cell.scrollWidth > cell.clientWidth)
  .map((cell) => cell.textContent).filter((text) => !text.includes('antidisestablish'))"""
# An empty track has nothing whose width was set.
TRACKS = """() => [...document.querySelectorAll('.jp-OutputArea-output td > div')].filter((track) =>
  track.firstElementChild.style.width).map((track) => {
  const { left, width } = track.getBoundingClientRect();
  const bar = track.firstElementChild.getBoundingClientRect();
  const share = parseFloat(track.closest('tr').lastElementChild.textContent.replace('< ', ''));
  return { left: Math.round(left), width, bar: bar.width, offset: bar.left - left, share };
})"""
# What an element's ink is on what is drawn beneath it, as a ratio of luminances (WCAG 2).
CONTRASTS = """(selectors) => {
  const parse = (colour) => { const [r, g, b, a = 1] = colour.match(/[\\d.]+/g).map(Number); return [r, g, b, a]; };
  const over = ([r, g, b, a], below) => [r, g, b].map((c, i) => c * a + below[i] * (1 - a));
  const beneath = (element) => {
    const layers = [];
    for (let at = element; at; at = at.parentElement) layers.push(parse(getComputedStyle(at).backgroundColor));
    return layers.reverse().reduce((below, layer) => over(layer, below), [255, 255, 255]);
  };
  const light = (colour) => {
    const [r, g, b] = colour.map((c) => ((c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ratio = (a, b) => (Math.max(light(a), light(b)) + 0.05) / (Math.min(light(a), light(b)) + 0.05);
  const opacity = (element) => {
    let whole = 1;
    for (let at = element; at; at = at.parentElement) whole *= getComputedStyle(at).opacity;
    return whole;
  };
  return selectors.map((selector) => [...document.querySelectorAll(selector)].map((element) => {
    const style = getComputedStyle(element);
    const below = beneath(element.parentElement);
    if (selector.includes('div')) {
      const ink = parseFloat(style.borderTopWidth) > 0 ? style.borderTopColor : style.backgroundColor;
      const [r, g, b, a] = parse(ink);
      const page = beneath(element.closest('.jp-OutputArea-output'));
      return ratio(over([r, g, b, a * opacity(element)], beneath(element.parentElement)), page);
    }
    const [r, g, b, a] = parse(style.color);
    const own = beneath(element);
    return ratio(over([r, g, b, a * opacity(element)], own), own);
  }));
}"""


@pytest.fixture(scope="module")
def opened(pictures):
    """A notebook with each picture, and the page that it is open in."""
    return pictures("pictures.ipynb", [SETUP, *PICTURES.values()])


@pytest.mark.parametrize("size", [100, 150])
@pytest.mark.parametrize("width", [1400, 1000, 600])
def test_nothing_is_cut_at_any_width_and_size(look, width, size):
    assert look(width, size=size).evaluate(CUT) == []


@pytest.mark.parametrize("width", [1400, 1000, 600])
def test_how_many_others_there_are_a_bound_and_the_end_are_read_whole(look, width):
    page = look(width)
    assert page.locator("text=129,278 others").count() and page.locator("text=⟨end: im_end⟩").count()
    assert page.evaluate(UNREAD) == []


@pytest.mark.parametrize("size", [100, 150])
@pytest.mark.parametrize(("width", "columns"), [(1400, 3), (1000, 2), (600, 1)])
def test_bars_begin_at_one_edge_and_are_on_one_scale(look, width, columns, size):
    tracks = look(width, size=size).evaluate(TRACKS)
    in_grid = tracks[:-3]  # the place that was asked for alone is wider
    assert len({track["left"] for track in in_grid}) == (columns if size == 100 else max(1, columns - 1))
    assert max(track["width"] for track in in_grid) - min(track["width"] for track in in_grid) < 1
    for track in tracks:
        assert abs(track["offset"]) < 1
        assert track["bar"] == pytest.approx(max(2, track["width"] * track["share"] / 100), abs=1.5)


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark", "JupyterLab Dark High Contrast"])
def test_bars_and_words_stand_out_from_the_page(look, theme):
    page = look(theme=theme)
    bars, words = page.evaluate(
        CONTRASTS,
        [
            ".jp-OutputArea-output td > div > div[style*=width]",
            ".jp-OutputArea-output bdi, .jp-OutputArea-output p span",
        ],
    )
    assert len(bars) >= 18 and min(bars) >= 3
    assert len(words) > 40 and min(words) >= 4.5


def test_the_text_and_all_beside_it_grow_with_the_notebooks_font_size(look):
    drawn = "[...document.querySelectorAll('.jp-OutputArea-output td, .jp-OutputArea-output p')]"
    heights = f"{drawn}.map(element => parseFloat(getComputedStyle(element).fontSize))"
    normal = look(size=100).evaluate(heights)
    large = look(size=150).evaluate(heights)
    assert [round(b / a, 2) for a, b in zip(normal, large, strict=True)] == [1.5] * len(normal)


def test_an_arabic_answer_keeps_its_side(look):
    place = look().evaluate("""() => {
      const paragraphs = [...document.querySelectorAll('.jp-OutputArea-output p')];
      const paragraph = paragraphs.find(p => p.textContent.includes('عاصمة'));
      const range = document.createRange();
      range.selectNodeContents(paragraph);
      const text = range.getBoundingClientRect(), box = paragraph.getBoundingClientRect();
      return { right: box.right - text.right, left: text.left - box.left };
    }""")
    assert place["right"] < 2 < place["left"]


def test_a_page_without_styles_reads_well(opened):
    text = opened.page.evaluate("""() => {
      const output = document.querySelectorAll('.jp-OutputArea-output')[0].cloneNode(true);
      output.querySelectorAll('*').forEach((element) => element.removeAttribute('style'));
      const frame = document.createElement('iframe');
      document.body.append(frame);
      frame.contentDocument.body.append(frame.contentDocument.importNode(output, true));
      const read = frame.contentDocument.body.innerText;
      frame.remove();
      return read;
    }""")
    read = " ".join(text.split())
    assert read.startswith("The capital of France is Paris antidisestablishmentarianism.")
    assert "▸ . 73.0 % , 23.0 % ! 1.0 % 49,149 others 3.0 %" in read
    assert "smollm2-135m-instruct · embedded model · 40 tokens in · 4 out · stop" in read.partition("others")[2]


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_nothing_of_the_pictures_hinders_a_reader(look, theme):
    assert troubles(look(theme=theme), ".jp-OutputArea-output .mathjax_ignore") == []


def test_tints_and_bars_are_printed(opened):
    drawn = ".jp-OutputArea-output td > div > div, .jp-OutputArea-output p span"
    printed = opened.page.evaluate(
        "drawn => [...document.querySelectorAll(drawn)].map(e => getComputedStyle(e).printColorAdjust)", drawn
    )
    assert len(printed) > 40 and set(printed) == {"exact"}


def test_what_is_saved_has_no_script_and_no_widget(opened, jupyter):
    opened.save()
    opened.page.wait_for_function("!jupyterapp.shell.currentWidget.context.model.dirty")
    saved = jupyter.saved("pictures.ipynb")
    html = "".join(saved["cells"][1]["outputs"][0]["data"]["text/html"])
    assert "<script" not in html and "▸" in html
    assert json.dumps(saved).count("widget-view") == 0
