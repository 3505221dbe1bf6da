"""Several answers while they come: what is drawn of those that run and of those that are done."""

import re

import pytest

from ds_magic.api.delta import Delta
from ds_magic.api.request import ChatRequest
from ds_magic.api.response import ChatCompletion
from ds_magic.many.growing import Growing
from ds_magic.many.row import Row
from ds_magic.many.runner import Runner
from ds_magic.views.many.beside import CELL, FEW, LISTED, LONGEST, body_html, groups_of
from tests.many.scripted_answers import answer, body, entry
from tests.servers.scripted import ScriptedServer, said
from tests.views.making import HOSTILE, Page


class Drawing(Growing):
    """What draws, and how often it was told that there is more to see."""

    def __init__(self, **known):
        self.changes = 0
        super().__init__(self._count, **known)

    def _count(self):
        self.changes += 1

    def begin(self, number, **factors):
        """The observer of the answer to a row's request."""
        (observer,) = self.begun(number, factors).observers()
        observer.start(ChatRequest.build("q"), "scripted")
        return observer

    def end(self, number, text="Done.", **factors):
        row = Row(factors, answer(entry(text, 0.5)))
        self.ended(number, row)
        return row


def piece(text, *entries, **fields):
    logprobs = {"content": list(entries)} if entries else None
    return Delta.of({}, {"index": 0, "delta": {"content": text, **fields}, "logprobs": logprobs})


def text_of(html):
    return " ".join(re.sub(r"<[^>]*>", " ", html).split())


def test_what_has_come_stands_under_its_factors_formatted_and_tinted():
    growing = Drawing()
    first, second = growing.begin(0, temperature=0), growing.begin(1, temperature=1)
    first.delta(piece("Hello", entry("Hello", 0.9)))
    first.delta(piece(" **world**", entry(" **world**", 0.1)))
    second.delta(piece(None, reasoning_content="Hm."))
    html = growing.html()
    assert text_of(html).startswith("temperature 0 Hello world temperature 1 thinking …")
    assert "background-color" in html and "surprise" in html and growing.changes == 5


def test_columns_keep_their_places_whichever_answer_ends_first():
    growing = Drawing()
    for number in range(3):
        growing.begin(number, n=number).delta(piece(f"says {number}"))
    growing.end(2, n=2)
    assert text_of(growing.html()).startswith("n 0 says 0 n 1 says 1 n 2 Done.")


def test_the_last_picture_is_the_final_one():
    for n, many in ((3, False), (12, True)):
        growing = Drawing(are_many=many)
        for number in range(n):
            growing.begin(number, n=number)
        rows = [growing.end(number, f"Says {number}.", n=number) for number in range(n)]
        assert growing.html() == body_html(groups_of(rows))


def test_samples_that_say_the_same_are_one_with_their_number():
    growing = Drawing()
    rows = [growing.end(number, "red" if number % 3 else "blue", sample=number) for number in range(9)]
    assert growing.html() == body_html(groups_of(rows)) and "× 6" in growing.html()


def test_of_many_the_newest_that_are_done_and_the_oldest_that_run_are_shown():
    growing = Drawing(are_many=True)
    for number in range(100):
        growing.begin(number, n=number).delta(piece(f"says {number}"))
    for number in range(50):
        growing.end(number, f"Done {number}.", n=number)
    shown = text_of(growing.html())
    assert re.findall(r"Done (\d+)", shown) == [str(n) for n in range(50 - LISTED + FEW, 50)]
    assert re.findall(r"says (\d+)", shown) == [str(n) for n in range(50, 50 + FEW)]
    assert "and 30 more" in shown


def test_a_picture_is_no_longer_for_more_rows_or_longer_answers():
    lengths = []
    for n in (100, 1000, 4000):
        growing = Drawing(are_many=True)
        for number in range(n):
            growing.end(number, f"{number:04}", n=f"{number:04}")
        observer = growing.begin(n, n=f"{n:04}")
        for _ in range(n):
            observer.delta(piece("word "))
        lengths.append(len(growing.html()))
    assert max(lengths) - min(lengths) < 10


@pytest.mark.parametrize(("many", "most"), [(False, LONGEST), (True, CELL)])
def test_of_a_long_answer_no_more_is_kept_than_is_shown(many, most):
    growing = Drawing(are_many=many)
    observer = growing.begin(0, n=0)
    for _ in range(most + 100):
        observer.delta(piece("a"))
    before = growing.changes, growing.html()
    assert f"{'a' * most}…" in before[1] and before[0] < most + 5
    observer.delta(piece("the end"))
    assert (growing.changes, growing.html()) == before


def test_what_is_done_is_formatted_once_for_all_pictures():
    read = []

    class Read(ChatCompletion):
        """An answer that tells when it is read."""

        @property
        def content(self):
            read.append(self)
            return super().content

    growing = Drawing()
    growing.ended(0, Row({"n": 0}, Read.from_wire(body(entry("**Done.**", 0.5)))))
    observer = growing.begin(1, n=1)
    growing.html()
    read.clear()
    observer.delta(piece("more"))
    assert {"Done.", "more"} <= set(text_of(growing.html()).split()) and not read


def test_another_try_and_another_round_begin_anew():
    growing = Drawing()
    growing.begin(0, n=0).delta(piece("lost"))
    observer = growing.begin(0, n=0)
    observer.delta(piece("a call"))
    observer.start(ChatRequest.build("q"), "scripted")
    observer.delta(piece("kept"))
    assert text_of(growing.html()) == "n 0 kept"


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("many", [False, True])
def test_nothing_that_comes_becomes_markup(text, many):
    growing = Drawing(are_many=many)
    growing.begin(0, **{text: text}).delta(piece(text, *([entry(text, 0.1)] if text.isprintable() else [])))
    page = Page(growing.html())
    assert not {"script", "img"} & set(page.tags)


def test_a_runner_shows_what_runs_to_whoever_watches(connect):
    growing = Drawing()
    with ScriptedServer(said("Hel", "lo")) as server:
        from ds_magic.conversation.turn import turn_for
        from ds_magic.many.task import Asking

        client = connect(server)
        asked = [Asking({"n": n}, turn_for(client, "Go.")) for n in range(2)]
        rows = list(Runner(client, watcher=growing).run(asked))
    # Two began, and each of their answers came in two pieces; empty ones are none.
    assert growing.changes == 2 + 4 and growing.html() == body_html(groups_of(rows)) and growing.n_running == 0
