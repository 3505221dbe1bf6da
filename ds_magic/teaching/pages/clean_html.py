"""HTML that others wrote, made fit for a page of its own: nothing in it runs, is fetched or leaves its frame.

It is read as a row of tags and texts and written anew: only the elements, attributes and styles that are listed here,
each closed. Where it is read otherwise than a browser would, a text is shown that was none, and never the reverse.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from html import escape, unescape

from ...api.clean_text import for_page


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_ELEMENTS = _words(
    "a abbr b bdi bdo blockquote br caption center cite code col colgroup dd del details dfn div dl dt em figcaption "
    "figure h1 h2 h3 h4 h5 h6 hr i img ins kbd li mark ol p pre q rp rt ruby s samp small span strong sub summary sup "
    "table tbody td tfoot th thead time tr tt u ul var wbr"
)
_EMPTY = _words("br col hr img wbr")
_WITHOUT_CONTENT = {
    "script": "a script", "svg": "a drawing (SVG)", "iframe": "a frame", "object": "an object", "math": "a formula",
    "audio": "a sound", "video": "a film", "canvas": "a canvas", "style": "", "template": "", "textarea": "",
    "title": "", "select": "", "noembed": "", "noframes": "", "xmp": "",
}  # fmt: skip
"""Elements that go with all that is in them, and what a reader is told of it."""
_NAMED = {"form": "a form", "input": "a form", "button": "a form", "embed": "an object"}
"""Elements that go, of which a reader is told; what is in them stays."""

_DIRECTIONS = frozenset(("ltr", "rtl", "auto"))
_SHORT_NUMBER = re.compile(r"-?\d{1,3}")
_ATTRIBUTES: dict[str, Callable[[str], bool]] = {
    "title": lambda value: True,
    "lang": lambda value: len(value) < 40,
    "aria-label": lambda value: True,
    "dir": lambda value: value in _DIRECTIONS,
    "open": lambda value: True,
    "start": lambda value: _SHORT_NUMBER.fullmatch(value) is not None,
    "colspan": lambda value: _SHORT_NUMBER.fullmatch(value) is not None,
    "rowspan": lambda value: _SHORT_NUMBER.fullmatch(value) is not None,
    "scope": lambda value: value in ("row", "col", "rowgroup", "colgroup"),
}
_CLASSES = frozenset(("dataframe", "mathjax_process"))

_PROPERTY = re.compile(
    r"(?:-webkit-)?print-color-adjust|color|background(?:-color)?|opacity|direction|unicode-bidi|white-space|word-break"
    r"|(?:min-|max-)?(?:width|height)|(?:padding|margin|border)(?:-[a-z]+){0,3}|box-sizing|display|flex(?:-[a-z]+)?"
    r"|(?:align|justify)-[a-z]+|grid-[a-z-]+|(?:row-|column-)?gap|font(?:-[a-z]+)?|text-[a-z-]+|line-height"
    r"|letter-spacing|cursor|vertical-align|overflow|overflow-wrap|table-layout|list-style-type"
)
_VALUE = re.compile(r"[^\\<>{}@:\"']{0,300}")
_FUNCTION = re.compile(r"([\w-]*)\(")
_FUNCTIONS = _words("rgb rgba hsl hsla color-mix light-dark min max minmax repeat clamp calc")

_TAG = re.compile(r"""<(/?)([A-Za-z][A-Za-z0-9:-]*+)((?:[^>"']++|"[^"]*+"|'[^']*+')*+)>""")
_ATTRIBUTE = re.compile(r"""([A-Za-z_][\w:-]*+)(?:\s*+=\s*+(?:"([^"]*+)"|'([^']*+)'|([^\s"'>]++)))?""")
_BEGINS = re.compile(r"<(?=[A-Za-z/!?])")
_WEB = re.compile(r"(?:https?://|mailto:)[^\s\\]+", re.IGNORECASE)
_HERE = re.compile(r"#[^\s\\]*")
_NOTEBOOK = re.compile(r"((?:\./)?(?:(?!\.\.?/)[^\s\\/:?#]++/)*+[^\s\\/:?#]+)\.ipynb(#[^\s\\]*)?")
_PICTURE = re.compile(r"data:image/(?:png|jpe?g|gif|webp|svg\+xml);base64,[A-Za-z0-9+/=\s]+", re.IGNORECASE)
_FORMULA = re.compile(r'(<span class="mathjax_process">)\\[(\[]([^<]*)\\[)\]](</span>)')
_DEEPEST = 100
_LONGEST_ADDRESS = 2_000


class Cleaned:
    """HTML that is clean; `left_out` says what it has lost that a reader might miss: "a script"."""

    def __init__(self, html: str, left_out: list[str]) -> None:
        self.html, self.left_out = html, left_out

    @property
    def note(self) -> str:
        """A line on what was left out, empty where nothing was."""
        return f'<p class="left-out">Left out of this page: {", ".join(self.left_out)}.</p>\n' if self.left_out else ""

    @property
    def is_blank(self) -> bool:
        """Whether there is nothing to see."""
        return "<img" not in self.html and not re.sub(r"<[^>]*>", "", self.html).strip()


def cleaned(html: str, picture: Callable[[str], str | None] = lambda address: None) -> Cleaned:
    """`html` as it may stand in a page.

    `picture`: what an address of an image stands for, as a `data:` address, or None where it would have to be fetched:
    then a link is there instead. Links lead to the web, into the page, and from notebook to notebook as their pages.
    """
    cleaner = _Cleaner(picture)
    written = "".join(cleaner.pieces(for_page(html)))
    # An empty corner of a table is no heading, and what tells a typesetter of a formula tells a reader nothing.
    written = _FORMULA.sub(r"\1\2\3", re.sub(r"<th([^>]*)></th>", r"<td\1></td>", written))
    return Cleaned(written, list(dict.fromkeys(cleaner.left_out)))


class _Cleaner:
    def __init__(self, picture: Callable[[str], str | None]) -> None:
        self._picture = picture
        self._open: list[str] = []
        self._counts: Counter[str] = Counter()
        self.left_out: list[str] = []

    def pieces(self, html: str) -> Iterator[str]:
        at = 0
        while (begins := _BEGINS.search(html, at)) is not None:
            start = begins.start()
            yield _text(html[at:start])
            tag = _TAG.match(html, start)
            if tag is None:
                at = self._past_other(html, start)
                if at < 0:  # a browser would take the rest for a part of this tag
                    yield _text(html[start:])
                    at = len(html)
                continue
            at = tag.end()
            name, is_end = tag[2].lower(), bool(tag[1])
            if name in _WITHOUT_CONTENT and not is_end:
                self._miss(_WITHOUT_CONTENT[name])
                at = _past_end(name, html, at)
            elif name not in _ELEMENTS:
                self._miss(_NAMED.get(name, ""))
            else:
                yield from self._closed(name) if is_end else self._opened(name, tag[3])
        yield _text(html[at:])
        yield from (f"</{name}>" for name in reversed(self._open))

    @staticmethod
    def _past_other(html: str, start: int) -> int:
        """Behind a comment, a declaration or an end tag without a name; -1 where it has no end."""
        if html.startswith("<!--", start):
            end = html.find("-->", start + 2)
            return end + 3 if end >= 0 else -1
        if html[start + 1] in "!?/":
            return html.find(">", start) + 1 or -1
        return -1

    def _miss(self, what: str) -> None:
        if what:
            self.left_out.append(what)

    def _opened(self, name: str, attributes: str) -> Iterator[str]:
        given = {match[1].lower(): _value(match) for match in _ATTRIBUTE.finditer(attributes)}
        if name == "img":
            yield self._image(given)
        elif name in _EMPTY:
            yield f"<{name}{_kept(given)}>"
        elif len(self._open) < _DEEPEST:
            self._open.append(name)
            self._counts[name] += 1
            extra = _link(given.get("href", "")) if name == "a" else ""
            if name[0] == "h" and given.get("id", "").strip():
                extra = f' id="{escape(given["id"][:200])}"'
            yield f"<{name}{_kept(given)}{extra}>"

    def _closed(self, name: str) -> Iterator[str]:
        if not self._counts[name]:
            return
        while self._counts[name]:
            last = self._open.pop()
            self._counts[last] -= 1
            yield f"</{last}>"
            if last == name:
                return

    def _image(self, given: dict[str, str]) -> str:
        address, words = given.get("src", "").strip(), given.get("alt", "").strip()
        found: str | None = address if _PICTURE.fullmatch(address) else self._picture(address)
        if found is None or not _PICTURE.fullmatch(found):
            shown = escape(f"[image: {words or address[:200]}]")
            return f"<a{_link(address)}>{shown}</a>" if _WEB.fullmatch(address) else f"<span>{shown}</span>"
        size = "".join(
            f' {name}="{given[name]}"' for name in ("width", "height") if re.fullmatch(r"\d{1,4}", given.get(name, ""))
        )
        return f'<img src="{escape(found)}" alt="{escape(words or "picture")}"{size}{_kept(given)}>'


def _past_end(name: str, html: str, at: int) -> int:
    """Behind the end tag of an element that is left out with all that is in it."""
    end = re.compile(rf"</{name}(?=[\s/>])", re.IGNORECASE).search(html, at)
    return html.find(">", end.end()) + 1 or len(html) if end is not None else len(html)


def _text(text: str) -> str:
    """A text between tags: its character references mean no markup, and stay."""
    return text.replace("<", "&lt;").replace(">", "&gt;")


def _value(match: re.Match[str]) -> str:
    value = next((each for each in match.groups()[1:] if each is not None), "")
    if "&" not in value:
        return value
    try:
        return unescape(value)
    except ValueError:  # a reference with thousands of digits
        return ""


def _kept(given: dict[str, str]) -> str:
    kept = [(name, value) for name, value in given.items() if name in _ATTRIBUTES and _ATTRIBUTES[name](value)]
    if style := ";".join(_declarations(given.get("style", ""))):
        kept.append(("style", style))
    if classes := _CLASSES.intersection(given.get("class", "").split()):
        kept.append(("class", " ".join(sorted(classes))))
    return "".join(f' {name}="{escape(value)}"' for name, value in kept)


def _declarations(style: str) -> Iterator[str]:
    for declaration in style.split(";"):
        name, _, value = (each.strip() for each in declaration.partition(":"))
        name = name.lower()
        if not _PROPERTY.fullmatch(name) or not _VALUE.fullmatch(value):
            continue
        # What is wide scrolls in the frame around it, which can be reached by keyboard.
        if name == "overflow" and value != "hidden":
            continue
        if all(function.lower() in _FUNCTIONS for function in _FUNCTION.findall(value) if function):
            yield f"{name}:{value}"


def _link(address: str) -> str:
    address = address.strip()
    if len(address) > _LONGEST_ADDRESS:
        return ""
    if _WEB.fullmatch(address):
        return f' href="{escape(address)}" rel="noopener noreferrer nofollow" target="_blank"'
    if _HERE.fullmatch(address):
        return f' href="{escape(address)}"'
    if (notebook := _NOTEBOOK.fullmatch(address)) is not None:
        return f' href="{escape(notebook[1])}.html{escape(notebook[2] or "")}"'
    return ""
