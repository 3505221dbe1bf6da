"""HTML that others wrote, as it may stand in a page."""

import re
from html.parser import HTMLParser

import pytest

from ds_magic.teaching.pages.clean_html import cleaned
from tests.views.making import HOSTILE

PIXEL = "data:image/png;base64,iVBORw0KGgo="


class Tags(HTMLParser):
    """The elements of a page as a parser of the standard library sees them, and whether each is closed."""

    def __init__(self, html):
        super().__init__(convert_charrefs=False)
        self.tags, self.open = [], []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in ("br", "hr", "img", "wbr", "col"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.mark.parametrize("html", [
    *HOSTILE, "<a href='java\tscript:alert(1)'>x</a>", "<a href=//evil.example/x>x</a>", "<a href='\\\\evil\\x'>x</a>",
    "<a href='https://a.example/\\..'>x</a>", "<p style='background:url(https://evil.example)'>x", "<p onclick=x()>y",
    "<p style='background:url(//evil.example/x)'>x", "<p style='background:image-set(x)'>x",
    "<p style='width:expression(alert(1))'>x", "<p style='color:red;position:fixed;z-index:9'>x", "<base href=//x>",
    "<math><mtext><style><img src=x onerror=alert(1)></style></mtext></math>", "<noscript><p title='</noscript><img "
    "src=x onerror=alert(1)>'></noscript>", "<svg><style><a title='</style><img src=x onerror=alert(1)>'>",
    "<table><td><form action=//x><input formaction=javascript:x>", "<iframe srcdoc='<script>x</script>'></iframe>",
    "<meta http-equiv=refresh content='0;url=//x'>", "<link rel=stylesheet href=//x>", "<script", "<p title='",
    "<img src='data:text/html;base64,PHNjcmlwdD4='>", "<scr<script>ipt>alert(1)</scr</script>ipt>", "<p/onclick=x>",
    "<div id=forms name=x><h1 id='\"><script>'>x", "<!--><script>alert(1)</script>-->", "&#" + "9" * 5000 + ";",
    "<a title='&#" + "9" * 5000 + ";'>x</a>", "<textarea><script>x</script></textarea>", "<b" * 300, "<p>" * 300,
])  # fmt: skip
def test_nothing_runs_is_fetched_or_stays_open(html):
    for name, attributes in Tags(cleaned(html).html).tags:
        assert name not in ("script", "style", "svg", "math", "iframe", "form", "input", "meta", "link", "base")
        assert not [each for each in attributes if each.startswith("on")]
        assert not re.search(r"url\(|expression|image-set|position", attributes.get("style", ""))
        assert re.match(r"(https?://|mailto:|#|(\./)?\w[\w./-]*\.html|$)", attributes.get("href", ""))
        assert "\\" not in attributes.get("href", "") and attributes.get("src", PIXEL).startswith("data:image/")


def test_what_is_plain_stays_as_it_is():
    html = '<details open=""><summary>a &amp; b &lt;</summary><p style="color:red;margin:0 1em">x<br>y</p></details>'
    assert cleaned(html).html == html and cleaned(html).left_out == []


def test_an_element_cannot_close_what_is_around_it():
    assert cleaned("</div></main>a<b>b</p></i>").html == "a<b>b</b>"


def test_a_reader_is_told_what_is_missing():
    found = cleaned("<div id=x></div><script>draw()</script><svg></svg><script>more()</script>")
    assert found.left_out == ["a script", "a drawing (SVG)"] and found.is_blank


def test_a_picture_from_the_web_is_a_link_and_one_that_can_be_had_is_there():
    assert cleaned("<img src='https://a.example/b.png' alt='a map'>").html == (
        '<a href="https://a.example/b.png" rel="noopener noreferrer nofollow" target="_blank">[image: a map]</a>'
    )
    assert cleaned("<img src=b.png alt=map>", {"b.png": PIXEL}.get).html == f'<img src="{PIXEL}" alt="map">'


def test_a_link_to_a_notebook_leads_to_its_page():
    assert 'href="./02-chance.html#Part-2"' in cleaned("<a href='./02-chance.ipynb#Part-2'>x</a>").html
    assert "href" not in cleaned("<a href='../02-chance.ipynb'>x</a><a href='file:///etc/a.ipynb'>y</a>").html


def test_outputs_of_ours_lose_no_style_but_their_own_scrolling(completion):
    html = completion._repr_mimebundle_()["text/html"]

    def styles(text):
        return [re.findall(r"[\w-]+:[^;]+", style) for style in re.findall(r'style="([^"]*)"', text)]

    kept = [[each for each in style if not each.startswith("overflow-x")] for style in styles(html)]
    assert kept == styles(cleaned(html).html)
