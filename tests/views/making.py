"""Completions, and what a page may hold, for the tests of views."""

import re
from html.parser import HTMLParser

from ds_magic.api.delta import Delta
from ds_magic.api.request import ChatRequest
from ds_magic.api.response import ChatCompletion
from ds_magic.api.usage import Timing

HOSTILE = [
    "<script>alert(1)</script>",
    '<img src=x onerror="alert(1)">',
    "</div></div></details></pre></code><b>out",
    "[click](javascript:alert(1)) [c2](JaVaScRiPt&colon;alert(1)) <javascript:alert(1)>",
    "![x](javascript:alert(1)) ![y](https://example.org/track.png) ![z](data:image/png;base64,AAAA)",
    '[t](https://example.org "x\\" onmouseover=\\"alert(1)")',
    "```html\n</code></pre><script>alert(1)</script>",
    '```"><script>alert(1)</script>\nx\n```',
    "`</code><script>alert(1)</script>`",
    "\u202eevil\u202d \u2066x\u2069 \x00 \x1b]0;t\x07 \ud83d lone",
    "| <b>a</b> | [x](vbscript:x) |\n|---|---|\n| </td></table> | \x00 |",
    "$\\href{javascript:alert(1)}{x}$ \\(\\style{color:red}{x}\\) $$\\def\\a{b}$$ \\[\\html{x}\\]",
    "$</span><script>alert(1)</script>$",
    "<!-- comment --><style>*{display:none}</style><svg onload=alert(1)>",
    "[ref]: javascript:alert(1)\n\n[ref]",
    "*" * 3000 + "<b>" + "_" * 3000,
]

# What JupyterLab's sanitizer leaves in an untrusted notebook, as far as we use it.
TAGS = {
    *("div", "span", "p", "br", "hr", "h3", "h4", "h5", "h6", "ul", "ol", "li", "blockquote", "pre", "code"),
    *("em", "strong", "b", "i", "s", "a", "bdi", "details", "summary"),
    *("table", "thead", "tbody", "tr", "th", "td"),
}
ATTRIBUTES = {"*": {"class", "dir", "style", "title"}, "a": {"href", "rel", "target"}, "ol": {"start"}}
PROPERTIES = {
    *("background", "background-color", "border", "border-bottom", "border-collapse", "border-left", "border-radius"),
    *("color", "cursor", "display", "font-family", "font-size", "font-style", "font-weight", "height"),
    *("line-height", "margin", "margin-bottom", "margin-right", "margin-top", "max-width", "min-width", "opacity"),
    *("border-top", "box-sizing", "flex", "flex-wrap", "grid-template-columns", "column-gap", "row-gap"),
    *("overflow", "text-overflow", "padding-left", "-webkit-print-color-adjust", "print-color-adjust"),
    *("overflow-wrap", "overflow-x", "padding", "table-layout", "text-align", "text-decoration", "unicode-bidi"),
    *("vertical-align", "white-space", "width", "align-items", "word-break"),
}
VOID = {"br", "hr"}


class Page(HTMLParser):
    """A page as it is parsed: raises AssertionError at what must not be in it."""

    def __init__(self, html):
        super().__init__(convert_charrefs=True)
        self.open, self.text, self.links, self.tags, self.formulas = [], "", [], [], []
        self.feed(html)
        self.close()
        assert not self.open, f"left open: {self.open}"

    def handle_starttag(self, tag, attributes):
        assert tag in TAGS, f"<{tag}> is not allowed"
        self.tags.append(tag)
        for name, value in attributes:
            assert name in ATTRIBUTES["*"] | ATTRIBUTES.get(tag, set()), f"{name} on <{tag}>"
            if name == "style":
                for declaration in filter(None, value.split(";")):
                    assert declaration.split(":")[0].strip() in PROPERTIES, declaration
                    assert "url(" not in declaration
            if name == "href":
                assert re.match(r"https?://|mailto:", value), value
                self.links.append(value)
        if tag not in VOID:
            self.open.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open and self.open[-1][0] == tag, f"</{tag}> closes {self.open[-1:]}"
        self.open.pop()

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_data(self, data):
        self.text += data
        classes = self.open[-1][1].get("class", "") if self.open else ""
        if "mathjax_process" in classes:
            self.formulas.append(data)

    def handle_comment(self, data):
        raise AssertionError(f"a comment: {data}")

    def handle_decl(self, declaration):
        raise AssertionError(declaration)


def completion(content="Hello", *, reasoning=None, calls=None, finish="stop", usage=None, request=None, **known):
    """A completion as a server would send it; `known` goes to ChatCompletion.from_wire."""
    message = {"role": "assistant", "content": content}
    if reasoning is not None:
        message["reasoning_content"] = reasoning
    if calls:
        message["tool_calls"] = [
            {"id": f"c{at}", "type": "function", "function": {"name": name, "arguments": arguments}}
            for at, (name, arguments) in enumerate(calls)
        ]
    body = {
        "id": "1",
        "model": "tiny",
        "choices": [{"index": 0, "message": message, "finish_reason": finish}],
        "usage": usage or {"prompt_tokens": 1234, "completion_tokens": 56},
    }
    known.setdefault("backend", "embedded model")
    known.setdefault("timing", Timing(0.42, 1.5, 61.3))
    return ChatCompletion.from_wire(body, request=request or ChatRequest.build("hi"), **known)


def prefixed(prefix, **fields):
    """A request whose answer begins with `prefix`."""
    messages = [{"role": "user", "content": "q"}, {"role": "assistant", "content": prefix, "prefix": True}]
    return ChatRequest.build(messages, **fields)


def delta(**fields):
    """A chunk's first choice."""
    return Delta.of({"model": "tiny"}, {"index": 0, "delta": fields})
