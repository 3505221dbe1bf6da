"""Notebooks that somebody edited by hand: whatever an output holds, its static form is there and the page lives."""

import base64
import copy
import json
import struct

import pytest

from ds_magic.views.tokens.explorer.living import TYPE

from .chromium import watched
from .jupyter import PATIENCE, Jupyter
from .tables import CONTEST, HOSTILE, entry
from .test_living import CARD, answered, kept, reopened

PWNED = "document.title='pwned'"
RUNS = ".dsx-living script, .dsx-living [onclick], .dsx-living [onerror]"


@pytest.fixture(scope="module")
def jupyter(tmp_path_factory):
    server = Jupyter(tmp_path_factory.mktemp("jupyter"), labextension=True)
    yield server
    server.end()


@pytest.fixture
def page(jupyter, browser):
    with watched(browser, PATIENCE) as page:
        yield page


def output(*entries, **more):
    """A sound output with one change: of what it holds, of its `metadata`, of its table's `header` or its `columns`."""
    (made,) = kept(answered(list(entries) or [entry(" static", 0.4, [(" static", 0.4), (" else", 0.3)]), entry(".")]))
    made = copy.deepcopy(made)
    return changed(made, **more)


def changed(made, held=None, metadata=None, header=None, columns=None, table=()):
    data = made["data"]
    if header or columns:
        packed = base64.b64decode(data[TYPE]["tables"]["0"]["packed"])
        table = {"packed": repacked(packed, header or {}, columns or {})}
    if table != ():
        data[TYPE]["tables"]["0"] = {**data[TYPE]["tables"]["0"], **table} if isinstance(table, dict) else table
    if isinstance(held, dict):
        data[TYPE].update(held)
    elif held is not None:
        data[TYPE] = held[0]
    if metadata is not None:
        made["metadata"]["ds_magic"] = metadata
    return made


def repacked(packed, header, columns):
    """A table with some fields of its header, and some columns, changed; a column is (type, list of numbers)."""
    (size,) = struct.unpack("<I", packed[:4])
    fields, body = json.loads(packed[4 : 4 + size]), packed[4 + size :]
    fields.update(header)
    for name, (kind, numbers) in columns.items():
        code = {"uint8": "B", "uint16": "H", "uint32": "I", "float32": "f", "int8": "b"}[kind]
        body += b"\0" * (-len(body) % 8)
        fields["arrays"] = [each for each in fields["arrays"] if each[0] != name]
        fields["arrays"].append([name, kind, len(body), len(numbers)])
        body += struct.pack(f"<{len(numbers)}{code}", *numbers)
    written = json.dumps(fields).encode()
    written += b" " * (-len(written) % 8 + 4)
    return base64.b64encode(struct.pack("<I", len(written)) + written + body).decode()


def head(text, size=None):
    """A table whose header is this text."""
    raw = text.encode()
    return {"packed": base64.b64encode(struct.pack("<I", len(raw) if size is None else size) + raw).decode()}


NO_OBJECT = [["text"], [5], [True], [[]], [[[[[]]]]], ["<script>" + PWNED + "</script>"], [{}], [{"version": "1"}]]
NO_TREE = [
    {"nodes": {}}, {"nodes": []}, {"nodes": None}, {"nodes": "nodes"}, {"nodes": [None]},
    {"nodes": [{"name": "answer", "parent": 0}]}, {"nodes": [{}, {"parent": 2}, {"parent": 1}]},
    {"nodes": [{"parent": -2}]}, {"nodes": [{"at": "0"}]}, {"nodes": [{"at": 0.5}]}, {"nodes": [{}] * 1_000_000},
]  # fmt: skip
NO_TABLE = [
    None, [], 5, {"packed": None}, {"packed": 5}, {"packed": ""}, {"packed": "%%%%"}, {"packed": "AAAA"},
    {"packed": "A" * 64}, head("", 2**32 - 1), head("{"), head("null"), head("[]"), head("{}"), head('{"arrays": 5}'),
    head('{"arrays": [["code", "uint8", 0, 1e9]]}'), head('{"arrays": [["code", "constructor", 0, 1]]}'),
    head('{"arrays": [["__proto__", "uint8", 0, 0]]}'), head("[" * 100_000),
]  # fmt: skip
NO_HEADER = [
    {"labels": None}, {"labels": [1, 2, 3]}, {"labels": []}, {"statuses": []}, {"statuses": 5}, {"metrics": []},
    {"metrics": None}, {"metrics": [{"name": '"><img src=x onerror=' + PWNED + ">", "title": "", "classes": []}]},
    {"measures": [5]}, {"notes": [{}]}, {"bytes": None}, {"bytes": {"0": 5}}, {"texts": {"0": {}}},
    {"uppers": {"0": "x"}}, {"uppers": {"0": -1e9}}, {"uppers": {"0": 1e9}}, {"arrays": []},
]  # fmt: skip
MANY = 300_000
NO_COLUMN = [
    {"code": ("uint32", [2**31, 0])}, {"code": ("uint8", [0])}, {"count": ("uint8", [1, 1, 1])},
    {"alternativeCode": ("uint32", [2**32 - 1, 0])}, {"alternativeStep": ("uint16", [])}, {"status": ("uint8", [9, 9])},
    {"group": ("uint32", [1])}, {"group": ("uint32", [0, 0])}, {"group": ("uint32", [0, 7])}, {"group": ("uint32", [])},
    {"count": ("uint32", [2**32 - 5, 7])}, {"low": ("float32", [])}, {"code": ("uint8", [])},
    # Which would take a square of it to read, or more memory than there is.
    {"code": ("uint8", [0] * MANY), "count": ("uint8", [0] * MANY), "group": ("uint32", [0, MANY] * (MANY // 2))},
]  # fmt: skip
STATIC = {
    f"{kind} {number}": output(**{kind: each})
    for kind, all_ in {
        "held": [*NO_OBJECT, *NO_TREE, {"tables": None}, {"tables": "AAAA"}, {"tables": [None]}],
        "table": NO_TABLE, "header": NO_HEADER, "columns": NO_COLUMN, "metadata": [{"said": [{"remarks": 5}]}],
    }.items()
    for number, each in enumerate(all_)
}  # fmt: skip
AT_ONCE = 40
"""Outputs of a cell: a page draws no more than fifty of them."""


@pytest.mark.parametrize("begin", range(0, len(STATIC), AT_ONCE))
def test_what_is_no_answer_stays_static(jupyter, page, begin):
    some = dict(list(STATIC.items())[begin : begin + AT_ONCE])
    reopened(jupyter, page, f"static-{begin}.ipynb", *some.values(), output(entry(" sound")))
    last = "number => document.querySelectorAll('.jp-OutputArea-child')[number]?.querySelector('.dsx-living')"
    page.wait_for_function(last, arg=len(some))
    shown = page.eval_on_selector_all(
        ".jp-OutputArea-child", "all => all.map((one) => Boolean(one.querySelector('.dsx-static-text')?.offsetHeight))"
    )
    assert [name for name, is_static in zip([*some, "sound"], shown, strict=True) if not is_static] == ["sound"]
    assert page.title() != "pwned"


def test_a_style_of_an_output_reaches_nothing_and_fetches_nothing(jupyter, page):
    look = "position:fixed;inset:0;z-index:9999;background:url(https://tracker.example/seen.png);--dsx-widest:0.60"
    reopened(jupyter, page, "look.ipynb", output(held={"look": look}))
    box = page.locator(".dsx-living")
    assert box.evaluate("one => getComputedStyle(one).position") == "static"
    assert box.get_attribute("style") in (None, "")


def test_a_text_that_is_numbered_otherwise_is_read_and_what_is_no_token_is_only_text(jupyter, page):
    numbered = "".join(f'<span class="dsx-g{n}">{word} </span>' for n, word in [
        ("0", "first"), ("-1", "below"), ("", "empty"), ("1e9", "beyond"), ("0.5", "between"), ("1", "second"),
        ("NaN", "none"), ("1", "again"), ("__proto__", "odd"),
    ])  # fmt: skip
    html = f"<p onclick=\"{PWNED}\">{numbered}<script>{PWNED}</script><img src=x onerror=\"{PWNED}\"></p>"
    reopened(jupyter, page, "numbered.ipynb", output(table={"html": html}))
    for word in ("first", "below", "empty", "beyond", "between", "second", "none", "again", "odd"):
        page.locator(f".dsx-formatted span:text-is('{word}')").click()
    page.keyboard.press("Escape")
    assert page.locator(".dsx-formatted .dsx-t").all_inner_texts() == ["first ", "empty ", "second ", "again "]
    assert page.title() != "pwned" and not page.locator(RUNS).count()


def test_branches_that_leave_nowhere_or_are_damaged_hinder_nothing(jupyter, page):
    made = output(held={"nodes": [
        {"name": "answer"}, *({"name": "b", "parent": 0, "at": at, "label": "x"} for at in (10**300, -5, 7)),
        {"name": "b", "parent": 0, "at": 0, "label": "damaged", "replaced": "static"},
        {"name": "b", "parent": 0, "at": 0, "label": "sound", "replaced": "static"},
        *({"name": f"{n}", "parent": n, "label": "deep"} for n in range(5, 1000)),
    ]})  # fmt: skip
    tables = made["data"][TYPE]["tables"]
    tables |= {"4": {"packed": "AAAA"}, "5": tables["0"]}
    reopened(jupyter, page, "branches.ipynb", made)
    page.locator(".dsx-way:has-text('damaged')").first.click()
    page.wait_for_selector(".dsx-notice:text('damaged')")
    page.locator(".dsx-way:has-text('sound')").first.click()
    page.wait_for_function("document.querySelector('.dsx-status').textContent.startsWith('This is the branch')")
    page.locator(".dsx-t").first.hover()
    page.wait_for_selector(CARD)


def test_what_is_said_of_a_text_is_only_text(jupyter, page):
    said = {"ending": HOSTILE[1], "remarks": [HOSTILE[0], [[5]], None], "line": HOSTILE[1], "cell": HOSTILE[0]}
    header = {"notes": HOSTILE, "measures": [HOSTILE[:2]], "given": HOSTILE[1], "vocabulary": HOSTILE[0]}
    numbers = {"first": HOSTILE[1], "step": 0, "vagueRest": None, "restError": "x", "noNumber": -1, "shared": [1]}
    reopened(jupyter, page, "said.ipynb", output(*CONTEST, metadata={"said": [said]}, header=header | numbers))
    page.click(".dsx-footer summary")
    for token in page.locator(".dsx-formatted .dsx-t:visible").all():
        token.hover()
        page.wait_for_selector(f"{CARD} .dsx-token")
        page.mouse.move(0, 0)
        page.wait_for_selector(CARD, state="detached")
    assert page.title() != "pwned" and not page.locator(f"{RUNS}, .dsx-living img").count()
    assert "<img" in page.inner_text(".dsx-remarks") and not page.locator(".dsx-actions").count()
