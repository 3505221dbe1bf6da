"""Error panels as a reader sees them, with whatever a server may have said in them."""

from tests.browser.test_live import shows
from tests.views.making import HOSTILE


def test_what_a_server_says_in_an_error_is_text_and_runs_nothing(lab):
    texts = [*HOSTILE, "\x1b[31mred\x1b[0m \x1b]8;;https://example.org\x07link\x1b]8;;\x07", "*" * 1_000_000]
    notebook = lab(
        f"texts = {texts!r}\n" + """
from ds_magic import InvalidRequestError

for text in texts:
    try:
        raise InvalidRequestError(text, field=text, code=text, remedy=text)
    except InvalidRequestError:
        get_ipython().showtraceback()
""",
        "print('untouched')",
    )
    asked = []
    notebook.page.on("request", lambda request: asked.append(request.url))
    notebook.run_all()
    shows(notebook.page, "untouched", ".jp-OutputArea-output")
    panels = ".jp-OutputArea-output pre"
    notebook.page.wait_for_function(f"document.querySelectorAll('{panels}').length > {len(texts)}")
    found = notebook.page.eval_on_selector_all(
        panels, "all => all.flatMap(one => [...one.querySelectorAll('*')].map(inner => inner.tagName))"
    )
    assert not {"SCRIPT", "STYLE", "IMG", "SVG", "IFRAME", "FORM", "INPUT"} & set(found)
    links = notebook.page.eval_on_selector_all(f"{panels} a", "all => all.map(one => one.protocol)")
    assert set(links) <= {"http:", "https:", "data:", ":"}  # JupyterLab's own; browsers open no page of `data:`
    assert "Traceback" not in notebook.page.inner_text(".jp-Notebook")
    assert not [url for url in asked if "example.org" in url]
    heights = notebook.page.eval_on_selector_all(panels, "all => all.map(one => one.getBoundingClientRect().height)")
    assert max(heights) < 1000, "a panel is short, however much was said"
