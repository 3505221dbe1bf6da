"""Answers that come while other cells run."""

import threading

from tests.browser.test_live import shows
from tests.servers.scripted import ScriptedServer, chunk, event, head, text_chunk


class Slow:
    """A script that sends a word each time the test lets it, and remembers whether it was hung up on."""

    def __init__(self, name):
        self.name = name
        self.go_on = threading.Event()
        self.was_closed = None

    def __call__(self, connection):
        connection.send(head())
        connection.send(chunk(event(text_chunk(f"{self.name} one"))))
        connection.wait(self.go_on)
        connection.send(chunk(event(text_chunk(f" {self.name} two"))))
        connection.send(chunk(event(text_chunk(None, finish="stop"))))
        connection.send(chunk(b"data: [DONE]\n\n") + chunk(b""))


def endless(connection):
    connection.send(head())
    connection.send(chunk(event(text_chunk("without end"))))
    connection.wait_until_closed()


def begin(server):
    return (
        f"import os; os.environ['DEEPSEEK_API_KEY'] = 'k'; os.environ['DEEPSEEK_BASE_URL'] = {server.url!r}\n"
        "%load_ext ds_magic"
    )


def test_two_answers_in_the_background_do_not_mix(lab):
    first, second = Slow("alpha"), Slow("beta")

    def script(connection):
        asked = connection.request.json["messages"][0]["content"]
        return (second if "more" in asked else first)(connection)

    with ScriptedServer(script) as server:
        notebook = lab(
            begin(server),
            "one = %deepseek --bg -o a Tell me.",
            "two = %deepseek --bg -o b Tell me more.",
            "print('the cells went on')",
        )
        notebook.run_all()
        shows(notebook.page, "the cells went on", ".jp-OutputArea-output")
        shows(notebook.page, "alpha one", ".jp-Cell:nth-child(2) .ds-answer")
        shows(notebook.page, "beta one", ".jp-Cell:nth-child(3) .ds-answer")
        second.go_on.set()
        shows(notebook.page, "beta one beta two", ".jp-Cell:nth-child(3) .jp-RenderedHTML")
        first.go_on.set()
        shows(notebook.page, "alpha one alpha two", ".jp-Cell:nth-child(2) .jp-RenderedHTML")
        assert "alpha" not in notebook.page.inner_text(".jp-Cell:nth-child(3) .jp-OutputArea")


def test_stop_ends_an_answer_in_the_background(lab):
    with ScriptedServer(endless) as server:
        notebook = lab(begin(server), "handle = %deepseek --bg Go on for ever.", "print('went on')")
        notebook.run_all()
        shows(notebook.page, "without end", ".ds-answer")
        shows(notebook.page, "went on", ".jp-OutputArea-output")
        notebook.page.click(".ds-stop")
        shows(notebook.page, "stopped: this answer is partial", ".jp-Cell:nth-child(2) .jp-RenderedHTML")


def test_an_error_in_the_background_is_shown_where_the_answer_would_be(lab):
    def refuse(connection):
        from tests.servers.scripted import refused

        refused(400, "the model is on holiday")(connection)

    with ScriptedServer(refuse) as server:
        notebook = lab(begin(server), "handle = %deepseek --bg Hello.", "print('went on')")
        notebook.run_all()
        shows(notebook.page, "the model is on holiday", ".jp-Cell:nth-child(2) .jp-OutputArea")
