"""Cells of ours in the notebook's editor: drawn as prompts, completed, and cells of others left alone."""

import ast
import re
from pathlib import Path

import pytest

from ds_magic.api.errors import InvalidRequestError
from ds_magic.magics.line import convert, parse
from ds_magic.magics.prompt import ATTRIBUTE, ATTRIBUTES, PLACEHOLDER, ROLE, begins_message, is_role
from ds_magic.magics.typeset import plain_roles
from tests.browser.jupyter import PATIENCE, Jupyter, Lab, Notebook7
from tests.growing import TEXTS
from tests.test_growth import LONGEST, STEEPEST, cells, growth, surely_measured

OPTION_TESTS = Path(__file__).parents[1] / "magics/test_options.py"

PYTHON = "class A:\n    '''It's {{ x }}, @system.'''\n    x = {'a': [1, None]}  # **no** `%deepseek`"
CELLS = {
    "setup": "%load_ext ds_magic\ncountry = 'Peru'",
    "options": "%%deepseek -l5 --temperature 0.3 --no-stream --prefix \"In {{ country }} \"\nHello",
    "wrong": "%%deepseek --temprature 1 -t hot --quiet=1 -o class --prefix “never",
    "prose": "%%deepseek\n# Title\nSo *this* and **that**, `code` and it's\n- item\n\n```python\nreturn None\n```",
    "roles": "\n  %%deepseek\n  @system\n  Be brief.\n  @assistant prefix name=a foo=1\n  \\@user\n  @user, you",
    "places": "%%deepseek\n{{ country }} {{ nobody.name }} {{country}} \\{{ nobody }} {{ country[0] }}",
    "magics": "x = 1\ncolour = %deepseek -t 9 A class for {{ country }}, None?\n%ds_usage --reste\nprint(x)",
    "string": "s = '''\n%deepseek -t 9 {{ nobody }}\n'''",
    "python": PYTHON,
    "time": "%%time\n# Title **bold** {{ nobody }}",
    "free": "%%deepseek\nHello",
}
NUMBER = {name: number for number, name in enumerate(CELLS)}

DRAWN = """number => {
  const cell = [...document.querySelectorAll(".jp-Notebook .jp-CodeCell")][number];
  const ours = (element) => element.className.split(" ").filter((name) => name.startsWith("dsp-")).join(" ");
  return [...cell.querySelectorAll(".cm-line")].map((line) => [
    ours(line),
    [...line.querySelectorAll("span")].filter(ours).map((span) => [ours(span), span.textContent, span.title]),
  ]);
}"""
LOOKS = """number => [...document.querySelectorAll(".jp-Notebook .jp-Cell")].slice(number, number + 1).flatMap((cell) =>
  [cell.querySelector(".cm-content"), ...cell.querySelectorAll(".cm-line, .cm-line span")].map((element) => {
    const { color, font, textDecoration, whiteSpace, background, padding } = getComputedStyle(element);
    return [element.textContent, color, font, textDecoration, whiteSpace, background, padding];
  }))"""

CONTRASTS = """() => {
  const parts = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const laid = (above, below) => {
    const [red, green, blue, alpha = 1] = parts(above);
    return [red, green, blue].map((each, at) => each * alpha + below[at] * (1 - alpha));
  };
  const background = (element) => {
    if (!element) return [255, 255, 255];
    return laid(getComputedStyle(element).backgroundColor, background(element.parentElement));
  };
  const light = (colour) => colour.map((each) => each / 255)
    .map((each) => each <= 0.04045 ? each / 12.92 : ((each + 0.055) / 1.055) ** 2.4)
    .reduce((sum, each, at) => sum + each * [0.2126, 0.7152, 0.0722][at], 0.05);
  const found = {};
  for (const element of document.querySelectorAll(".cm-line [class*='dsp-']")) {
    const below = background(element);
    const [one, other] = [light(laid(getComputedStyle(element).color, below)), light(below)];
    const contrast = Math.max(one, other) / Math.min(one, other);
    const name = element.className.replace(/[^ -~]\\S* ?/g, "");
    found[name] = Math.min(found[name] ?? Infinity, contrast);
  }
  return found;
}"""
"""The least contrast of each of our classes with what is behind it."""


class Page:
    """A notebook whose cells are named."""

    def __init__(self, notebook, jupyter):
        self.notebook, self.page, self.jupyter = notebook, notebook.page, jupyter

    def drawn(self, name):
        """The classes of each line of a cell, and of the ranges in it: [(line, [(class, text, title), …]), …]."""
        return self.page.evaluate(DRAWN, NUMBER[name])

    def ranges(self, name, kind):
        """The texts of the ranges of a class in a cell."""
        return [text for _, ranges in self.drawn(name) for classes, text, _ in ranges if kind in classes.split()]

    def wait(self, name, kind, texts):
        """Until these are the ranges of a class."""
        self.page.wait_for_function(
            f"([number, kind, texts]) => `${{({DRAWN})(number).flatMap(([, ranges]) => ranges)"
            ".filter(([classes]) => classes.split(' ').includes(kind)).map(([, text]) => text)}` === `${texts}`",
            arg=[NUMBER[name], kind, texts],
        )

    def write(self, name, text):
        """Put a text into a cell, with the cursor behind it."""
        self.page.evaluate(
            """([number, text]) => {
              const cell = jupyterapp.shell.currentWidget.content.widgets[number];
              jupyterapp.shell.currentWidget.content.activeCellIndex = number;
              cell.model.sharedModel.setSource(text);
              cell.editor.focus();
              cell.editor.setCursorPosition(cell.editor.getPositionAt(text.length));
            }""",
            [NUMBER[name], text],
        )

    def text(self, name):
        at = NUMBER[name]
        return self.page.evaluate(
            "at => jupyterapp.shell.currentWidget.content.widgets[at].model.sharedModel.getSource()", at
        )

    def run(self, name):
        self.page.evaluate(
            "at => { jupyterapp.shell.currentWidget.content.activeCellIndex = at;"
            " void jupyterapp.commands.execute('notebook:run-cell') }", NUMBER[name],
        )


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A Jupyter server whose pages load the extension."""
    server = Jupyter(tmp_path_factory.mktemp("extended"), labextension=True)
    yield server
    server.end()


def opened_in(kind, server, browser, name):
    page = browser.new_page()
    page.set_default_timeout(PATIENCE * 1000)
    server.write(name, CELLS.values())
    notebook = Page(kind(page, server, name), server)
    page.wait_for_selector(".dsp-prompt .dsp-magic")
    return notebook


@pytest.fixture(scope="module")
def opened(server, browser):
    """The cells in JupyterLab, the first of them run."""
    notebook = opened_in(Lab, server, browser, "prompts.ipynb")
    notebook.notebook.wait_for_kernel()
    notebook.run("setup")
    notebook.page.wait_for_function("document.querySelector('.jp-InputPrompt').textContent === '[1]:'")
    yield notebook
    notebook.page.close()


def corpus():
    """The texts of the tests of options, and more that a magic line may be."""
    written = ast.walk(ast.parse(OPTION_TESTS.read_text()))
    texts = [node.value for node in written if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    more = [
        "-t inf", "-t nan", "--timeout inf", "-t 1_0", "-t ٠", "--max-tokens ٣", "--max-tokens 1e3", "-t -0.5", "-l −5",
        "-l=3 x", "-l= x", "-l 21", "-o é1", "-o 1é", "-o {{ name }}", "-t {{ t }}", "-t {{t}}", "--tools a,,b",
        "--tools \ufeff", '--extra {"a": NaN}', '--extra {"a": 1,}', '--extra {"a": "\\u12"} x', "--extra null",
        "--extra name", "--extra 'a b'", '--extra {{ body }}', '--extra "{{ a }}', "--response-format text",
        "--response-format {}", "-s 'a\\'b' c", "-s 'a'b c", "--prefix «\u00a0a\u00a0» b", "–-t 0", "-—t 0",
        "--\u00a0x", "-t\u00a01\u00a0x", "-t\x1c1 x", "-t\ufeff1", "-", "--", "", "  -t 1  ", "👩 -t 1", "--👩",
        "-👩 x", "--te", "-tt 1", "-t1.2.3", "-t1..", "--json --no-json", "--repair -1", "--repair 0",
        "--tool-choice anything", "--reasoning-effort ultra", "-o {{ x }}y", "-l\t5\tx", "-l5x", "--stop= x",
        "--stop -t", "-t0,0.5,1 x", "-l5,20", "-t 0,9", "-t 0, 1", "--top-p=−1,٠.5", "-t '0, 1'", "-t {{ a }},1",
        "-t ,", "--frequency-penalty −1,−0.5 x", "--timeout 1,2", "-m a,b", "-l 5,20 x", "-t0,",
        "--seed 1,1e3",
    ]  # fmt: skip
    return [text for text in [*texts, *more] if "\n" not in text]


def as_python_reads(line):
    """What `parse` makes of a line; or what it refuses it for."""
    try:
        parsed = parse(line)
    except InvalidRequestError as error:
        return {"refused": said(error)}
    return {
        "given": [[each.option.name, each.typed, wrong_value(each)] for each in parsed.given],
        "values": [str(each.raw) for each in parsed.given if each.option.kind != "flag"],
        "prompt": parsed.prompt,
    }


def wrong_value(given):
    if given.option.kind == "flag" or PLACEHOLDER.search(str(given.raw)):
        return None
    try:
        for value in given.listed or [str(given.raw)]:
            convert(given.option, value, given.typed)
    except InvalidRequestError as error:
        return said(error)
    return None


def said(error):
    """An error's words, without what Python's decoder found wrong with JSON."""
    return f"{re.sub(r' It is not JSON: .*', '', str(error))} {error.remedy}"


IMPORTED = "import(new URL('/lab/extensions/ds_magic/labextension/js/prompts/' + name, location))"


def test_the_page_reads_a_magic_line_as_python_does(opened):
    lines = corpus()
    read = opened.page.evaluate(
        f"""async ([name, lines]) => {{
          const {{ parse }} = await {IMPORTED};
          return lines.map((line) => {{
            const {{ given, refused, promptFrom }} = parse(line);
            if (refused !== null) return {{ refused }};
            return {{
              given: given.map(({{ option, typed, wrong }}) => [option.name, typed, wrong]),
              values: given.filter(({{ option }}) => option.kind !== "flag").map(({{ raw }}) => String(raw)),
              prompt: line.slice(promptFrom),
            }};
          }});
        }}""",
        ["line.js", lines],
    )
    assert {line: each for line, each in zip(lines, read, strict=True) if each != as_python_reads(line)} == {}, [
        as_python_reads(line) for line, each in zip(lines, read, strict=True) if each != as_python_reads(line)
    ]
    assert sum("refused" in each for each in read) > 20


def test_the_page_finds_an_option_and_its_value_where_they_stand(opened):
    line = '  —max-tokens 5 -l7 --prefix="a b" -l --no-stream -t −1 x'
    places = opened.page.evaluate(
        f"""async ([name, line]) => (await {IMPORTED}).parse(line).given.map(
          ({{ from, to, valueFrom, valueTo }}) => [line.slice(from, to), line.slice(valueFrom ?? 0, valueTo ?? 0)])""",
        ["line.js", line],
    )
    names, values = zip(*places, strict=True)
    assert names == ("—max-tokens", "-l", "--prefix", "-l", "--no-stream", "-t")
    assert values == ("5", "7", '"a b"', "", "", "−1")


ROLE_LINES = [
    "@user", "@user ", " @user", "@users", "@user name=ada", "@user name='a b'", '@user name="a b" x=1',
    "@user name=“a b”", "@user name=‘don’t’", "@user name=ada is here", "@assistant prefix",
    "@assistant prefix prefix name=a", "@tool call_id=1", "@tool call_id={{ id }}", "@tool name=a",
    "@system: be brief", "\\@user", "\\@user name=a", "\\\\@user", "@user\tname=a", "@user name=", "@user name='a",
    "\\@user name=“a b”", "\\\\\\@tool call_id=‘it’s “1”’", "\\@users", "\\",
    "@user =a", "@user prefixed", "@user prefix", "@User", "@", "@user\u00a0name=a", "@user é=1",
]  # fmt: skip


def test_the_page_reads_lines_of_roles_as_python_does(opened):
    read = opened.page.evaluate(
        f"""async ([name, lines]) => {{
          const {{ roleOf }} = await {IMPORTED};
          return lines.map(roleOf).map((found) => !found?.role ? found && "text"
            : [found.role, ...found.attributes.map(({{ name, wrong }}) => [name, wrong === null])]);
        }}""",
        ["roles.js", ROLE_LINES],
    )

    def as_python_reads(line):
        if line.startswith("\\"):
            return "text" if begins_message(line.lstrip("\\")) else None
        match = ROLE.fullmatch(plain_roles(line, is_role)[0])
        if match is None:
            return None
        known = {*ATTRIBUTES[match[1]], *(["prefix"] if match[1] == "assistant" else [])}
        names = [flag or name for flag, name, *_ in ATTRIBUTE.findall(match[2])]
        return [match[1], *([name, name in known] for name in names)]

    assert dict(zip(ROLE_LINES, read, strict=True)) == {line: as_python_reads(line) for line in ROLE_LINES}


PLACES = [
    "{{ a }}", "{{a}}", "{{ a}}", "{{\ta\t}}", "\\{{ a }}", "\\\\{{ a }}", "{{ a.b[0].c }}", "{{ a['x y'] }}",
    '{{ a["}}"] }}', "{{ a[ -1 ] }}", "{{ a[b] }}", "{{ a() }}", "{{ é }}", "{{ 1a }}", "{{ a1 }}", "{{ ٣a }}",
    "{{{ a }}}", "{{ a }}{{ b }}", "{{ {{ a }} }}", "{{ a. }}", "{{ a .b }}", "{{\u00a0a\u00a0}}", "{{ a",
    "{{ a\u0301 }}", "{{ _ }}", "{{ a\n}}",
]  # fmt: skip


def test_the_page_reads_places_to_fill_as_python_does(opened):
    read = opened.page.evaluate(
        f"""async ([name, texts]) => {{
          const {{ placesIn }} = await {IMPORTED};
          return texts.map((text) => [...placesIn(text)].map(({{ from, to, name }}) => [text.slice(from, to), name]));
        }}""",
        ["places.js", PLACES],
    )

    def as_python_reads(text):
        found = PLACEHOLDER.finditer(text)
        return [[match[0], re.split(r"[.\[]", match[2])[0]] for match in found if not match[1]]

    assert dict(zip(PLACES, read, strict=True)) == {text: as_python_reads(text) for text in PLACES}


def test_options_are_drawn_as_options_and_their_values_as_values(opened):
    (line, ranges), *_ = opened.drawn("options")
    assert line == "dsp-magic"
    assert opened.ranges("options", "dsp-option") == ["-l", "--temperature", "--no-stream", "--prefix"]
    assert opened.ranges("options", "dsp-value") == ["5", "0.3", '"In {{ country }} "']
    assert ("dsp-value", "0.3", "a number from 0 to 2") in map(tuple, ranges)


def test_what_is_wrong_in_the_line_is_marked_with_what_is_possible(opened):
    (_, ranges), *_ = opened.drawn("wrong")
    wrong = {text: title for kind, text, title in ranges if "dsp-wrong" in kind}
    assert list(wrong) == ["--temprature", "hot", "--quiet=1", "class", "“never"]
    assert "`--temperature`" in wrong["--temprature"] and "a number from 0 to 2" in wrong["hot"]


def test_what_is_being_typed_is_not_marked_before_it_is_left(opened):
    opened.write("free", "%%deepseek --temper")
    assert opened.ranges("free", "dsp-option") == ["--temper"] and opened.ranges("free", "dsp-wrong") == []
    opened.page.keyboard.type(" x")
    assert opened.ranges("free", "dsp-wrong") == ["--temper"]
    opened.page.keyboard.press("ArrowLeft")
    opened.page.keyboard.press("ArrowLeft")
    assert opened.ranges("free", "dsp-wrong") == []


def test_a_prompt_is_prose_with_what_its_marks_mean_and_code_in_its_own_language(opened):
    lines = opened.drawn("prose")
    kinds = ["dsp-magic", "dsp-said", "dsp-said", "dsp-said dsp-item", "dsp-said", "dsp-code", "dsp-code", "dsp-code"]
    assert [line for line, _ in lines] == kinds
    assert opened.ranges("prose", "dsp-heading")[-1] == " Title" and opened.ranges("prose", "dsp-mono")[-1] == "code"
    styles = opened.page.evaluate(
        """number => {
          const cell = document.querySelectorAll(".jp-Notebook .jp-CodeCell")[number];
          const style = (element) => getComputedStyle(element);
          const lines = [...cell.querySelectorAll(".cm-line")];
          const word = (text) => [...cell.querySelectorAll("span")].find((span) => span.textContent === text);
          return [style(lines[2]).fontFamily, style(lines[6]).fontFamily, style(lines[2]).whiteSpace,
            style(word("this")).fontStyle, style(word("that")).fontWeight,
            style(word("return")).color !== style(lines[6]).color];
        }""",
        NUMBER["prose"],
    )
    prose, code, *others = styles
    assert "sans-serif" in prose and "monospace" in code and others == ["break-spaces", "italic", "700", True]


@pytest.mark.parametrize("start", ["%%deepseek\n", "%%deepseek -t 0 ", "x = 1\nx = %deepseek -t 0 "])
def test_a_long_line_of_a_prompt_is_wrapped(start, opened):
    opened.write("free", start + "word " * 200 + "x" * 400)
    assert opened.page.evaluate(
        """number => {
          const scroller = document.querySelectorAll(".jp-CodeCell .cm-scroller")[number];
          return scroller.scrollWidth - scroller.clientWidth;
        }""",
        NUMBER["free"],
    ) <= 0


def test_lines_of_roles_are_headings_as_python_reads_them(opened):
    lines = opened.drawn("roles")
    assert [line for line, _ in lines] == ["", "dsp-magic", "dsp-role", "dsp-said", "dsp-role", "dsp-said", "dsp-said"]
    assert opened.ranges("roles", "dsp-role-name") == ["@system", "@assistant"]
    assert opened.ranges("roles", "dsp-attribute") == ["prefix", "name=a", "foo=1"]
    assert opened.ranges("roles", "dsp-wrong") == ["foo=1"]


def test_a_role_may_stand_in_the_magic_line(opened):
    opened.write("free", "%%deepseek -t 0 @system name=a x=1\nBe brief.")
    assert opened.ranges("free", "dsp-role-name") == ["@system"] and opened.ranges("free", "dsp-wrong") == ["x=1"]


@pytest.mark.parametrize("before", ["```python\nreturn", "- item", "> quoted", "text"])
def test_a_line_of_a_role_ends_whatever_is_open(before, opened):
    opened.write("free", f"%%deepseek\n{before}\n@user\n*said*\n```\ncode\n@assistant\nnot *code*")
    lines = [line for line, _ in opened.drawn("free")]
    assert lines[-6:] == ["dsp-role", "dsp-said", "dsp-code", "dsp-code", "dsp-role", "dsp-said"]
    assert opened.ranges("free", "dsp-em")[-6:] == ["*", "said", "*", "*", "code", "*"]
    opened.write("free", f"%%deepseek\n{before}\n@user\n*said*")
    for letter in "\n@user\n*so*":
        opened.page.keyboard.type(letter)
    assert opened.drawn("free")[-2][0] == "dsp-role" and opened.ranges("free", "dsp-em")[-3:] == ["*", "so", "*"]


def test_places_to_fill_are_drawn_and_marked_where_no_such_variable_exists(opened):
    opened.wait("places", "dsp-missing", ["{{ nobody.name }}"])
    assert opened.ranges("places", "dsp-place") == ["{{ country }}", "{{ nobody.name }}", "{{ country[0] }}"]
    opened.wait("options", "dsp-place", ["{{ country }}"])


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_everybody_can_read_a_prompt(theme, opened):
    opened.notebook.theme(theme)
    contrasts = opened.page.evaluate(CONTRASTS)
    opened.notebook.theme("JupyterLab Light")
    assert len(contrasts) >= 8 and {name: each for name, each in contrasts.items() if each < 4.5} == {}


def test_our_magics_between_lines_of_python_are_drawn_and_text_is_not(opened):
    lines = opened.drawn("magics")
    assert [line for line, _ in lines] == ["", "dsp-line", "dsp-line", ""]
    assert opened.ranges("magics", "dsp-wrong") == ["9", "--reste"]
    assert opened.ranges("magics", "dsp-prose") == ["A class for {{ country }}, None?"]
    assert opened.drawn("string") == [["", []]] * 3


def test_a_magic_that_goes_on_behind_a_backslash_is_one_line(opened):
    opened.write("free", "x = %deepseek -t 0 \\\n  --max-tokens many \\\n  Why {{ country }}?\ny = None")
    assert [line for line, _ in opened.drawn("free")] == ["dsp-line", "dsp-line", "dsp-line", ""]
    assert opened.ranges("free", "dsp-option") == ["-t", "--max-tokens"]
    assert opened.ranges("free", "dsp-wrong") == ["many"]
    assert opened.ranges("free", "dsp-prose") == ["Why {{ country }}?"]


def test_cells_of_others_are_left_as_they_are(opened, jupyter, browser):
    page = browser.new_page()
    page.set_default_timeout(PATIENCE * 1000)
    jupyter.write("without.ipynb", CELLS.values())
    Lab(page, jupyter, "without.ipynb")
    coloured = "document.querySelectorAll('.jp-Notebook .cm-line span').length > 20"
    page.wait_for_function(coloured)
    for name in ("python", "time", "string", "setup"):
        assert opened.page.evaluate(LOOKS, NUMBER[name]) == page.evaluate(LOOKS, NUMBER[name]), name
        assert not any(line or ranges for line, ranges in opened.drawn(name))
    page.close()


def test_a_cell_that_is_no_prompt_any_more_is_python_at_once_and_the_other_way_round(opened):
    as_python = opened.page.evaluate(LOOKS, NUMBER["python"])
    opened.write("free", "%%deepseek\n" + PYTHON)
    assert opened.drawn("free")[1][0] == "dsp-said"
    opened.write("free", PYTHON)
    assert opened.page.evaluate(LOOKS, NUMBER["free"]) == as_python
    opened.page.evaluate("number => { const { editor } = jupyterapp.shell.currentWidget.content.widgets[number];"
                         " editor.setCursorPosition({line: 0, column: 0}) }", NUMBER["free"])
    opened.page.keyboard.type("%%deepseek ")
    assert opened.drawn("free")[0][0] == "dsp-magic"


def test_an_apostrophe_in_a_prompt_is_one_and_no_line_is_set_in(opened):
    close_brackets(opened.page, True)
    opened.write("free", "%%deepseek\n")
    opened.page.keyboard.type("'tis so: \"a\" (b", delay=1)
    opened.page.keyboard.press("End")
    opened.page.keyboard.type(", thus:\nnext", delay=1)
    close_brackets(opened.page, False)
    assert opened.text("free") == "%%deepseek\n'tis so: \"a\" (b), thus:\nnext"


def test_what_is_no_mark_in_a_prompt_has_no_colour_of_its_own(opened):
    opened.write("free", '%%deepseek\nFrom $5 to $10, AT&amp;T :smile:\n- [x] done\n[a](http://b "title") and $x^2$.')
    found = opened.page.evaluate(
        """number => {
          const cell = document.querySelectorAll(".jp-Notebook .jp-CodeCell")[number];
          const [text, soft] = [cell.querySelector(".dsp-said"), cell.querySelector(".dsp-mark")];
          const usual = [text, soft].map((element) => getComputedStyle(element).color);
          const spans = [...cell.querySelectorAll(".dsp-said span")];
          return spans.filter((span) => !usual.includes(getComputedStyle(span).color)).map((span) => span.textContent);
        }""",
        NUMBER["free"],
    )
    assert "".join(found) == "x^2"  # in the page's colours of formulas


def close_brackets(page, are_closed):
    """The setting whether brackets that are typed are closed."""
    page.evaluate("jupyterapp.commands.execute('notebook:toggle-autoclosing-brackets')")
    page.wait_for_function(
        "wanted => jupyterapp.shell.currentWidget.content.widgets.every("
        "  ({ editor }) => editor.getOption('autoClosingBrackets') === wanted)",
        arg=are_closed,
    )


def test_the_kernel_is_asked_for_names_when_it_is_idle_and_never_while_it_runs(opened, gate):
    opened.page.evaluate(
        """() => {
          window.asked = [];
          const { kernel } = jupyterapp.shell.currentWidget.sessionContext.session;
          kernel.anyMessage.connect((_, { msg, direction }) => {
            if (msg.content.silent) window.asked.push([direction, kernel.status, msg.content.user_expressions]);
          });
        }"""
    )
    opened.write("setup", f"{gate.code}\nlater = 1")
    opened.run("setup")
    opened.page.wait_for_function("jupyterapp.shell.currentWidget.sessionContext.session.kernel.status === 'busy'")
    opened.write("free", "%%deepseek\n{{ later }} {{ never }}")
    opened.page.wait_for_timeout(600)  # four times what the page waits for more names
    assert opened.ranges("free", "dsp-missing") == [] and opened.page.evaluate("asked") == []
    gate.open()
    opened.wait("free", "dsp-missing", ["{{ never }}"])
    (_, status, expressions), *more = opened.page.evaluate("asked")
    assert status == "idle" and more == [] and "later" in str(expressions)


def test_a_variable_that_the_same_cell_makes_is_not_missing(opened):
    opened.write("free", "made = 1\n%deepseek {{ made }} {{ mad }} {{ after }}\nafter = 1")
    opened.wait("free", "dsp-missing", ["{{ mad }}", "{{ after }}"])


def test_what_comes_from_rows_is_not_missing(opened):
    opened.write("free", "%%deepseek --map rows -t 0\n{{ column }}")
    opened.wait("free", "dsp-place", ["{{ column }}"])
    opened.wait("free", "dsp-missing", [])
    opened.write("free", "%%deepseek -t 0\n{{ column }}")
    opened.wait("free", "dsp-missing", ["{{ column }}"])


def test_the_kernel_is_asked_again_when_a_cell_has_ended(opened):
    opened.write("free", "%%deepseek\n{{ soon }}")
    opened.wait("free", "dsp-missing", ["{{ soon }}"])
    opened.write("setup", "soon = 1")
    opened.run("setup")
    opened.wait("free", "dsp-missing", [])


def test_nothing_is_marked_without_a_kernel(opened):
    opened.wait("places", "dsp-missing", ["{{ nobody.name }}"])
    opened.page.evaluate("jupyterapp.shell.currentWidget.sessionContext.shutdown()")
    opened.wait("places", "dsp-missing", [])
    opened.page.evaluate("jupyterapp.shell.currentWidget.sessionContext.changeKernel({name: 'python3'})")
    opened.notebook.wait_for_kernel()
    opened.write("setup", CELLS["setup"])
    opened.run("setup")
    opened.wait("places", "dsp-missing", ["{{ nobody.name }}"])


@pytest.mark.parametrize(("before", "after"), [
    ("%%deepseek\nIn {{ coun", "%%deepseek\nIn {{ country"),
    ("%%deepseek\nHello\n@us", "%%deepseek\nHello\n@user"),
    ("%%deepseek --tempe", "%%deepseek --temperature"),
    ("%%deepseek --reasoning-effort ul", "%%deepseek --reasoning-effort ultra"),
])  # fmt: skip
def test_tab_completes_names_roles_options_and_values(before, after, opened):
    opened.write("free", before)
    completed(opened.page)
    assert opened.text("free") == after


def completed(page):
    """Press Tab, and take what is offered."""
    page.keyboard.press("Tab")
    page.wait_for_selector(".jp-Completer-item")
    page.keyboard.press("Enter")
    page.wait_for_selector(".jp-Completer-item", state="hidden")


def test_tab_offers_nothing_in_prose(opened):
    opened.write("free", "%%deepseek\n{{ country }} pri")
    opened.page.evaluate(
        """() => {
          const { kernel } = jupyterapp.shell.currentWidget.sessionContext.session;
          window.replied = false;
          kernel.anyMessage.connect((_, { msg }) => { window.replied ||= msg.header.msg_type === "complete_reply" });
        }"""
    )
    opened.page.keyboard.press("Tab")
    opened.page.wait_for_function("replied")
    assert opened.page.query_selector(".jp-Completer:not(.lm-mod-hidden) .jp-Completer-item") is None
    assert opened.text("free") == "%%deepseek\n{{ country }} pri"


def test_prompts_look_like_prompts_in_notebook_7(server, browser):
    notebook = opened_in(Notebook7, server, browser, "seven.ipynb")
    server.wait_for_a_client("seven.ipynb")
    notebook.wait("places", "dsp-missing", ["{{ country }}", "{{ nobody.name }}", "{{ country[0] }}"])
    assert notebook.ranges("roles", "dsp-role-name") == ["@system", "@assistant"]
    cells = notebook.page.locator(".jp-CodeCell .cm-content")
    cells.nth(NUMBER["setup"]).click()
    notebook.page.keyboard.press("Shift+Enter")
    notebook.wait("places", "dsp-missing", ["{{ nobody.name }}"])
    cells.nth(NUMBER["free"]).click()
    notebook.page.keyboard.press("Control+End")
    notebook.page.keyboard.type(", {{ coun")
    completed(notebook.page)
    assert cells.nth(NUMBER["free"]).inner_text() == "%%deepseek\nHello, {{ country"
    notebook.page.close()


READERS = f"""async ([unit, length]) => {{
  const [line, roles, places, cell] = await Promise.all(
    ["line.js", "roles.js", "places.js", "cell.js"].map((name) => {IMPORTED}));
  const text = unit.repeat(Math.ceil(length / unit.length)).slice(0, length);
  const began = performance.now();
  const starts = ["", "-s ", "-s '", "-s “", "--extra ", '--extra {{"', "-t ", "-l ", "—", "--", "-- "];
  for (const start of starts) line.parse(start + text);
  for (const start of ["@user ", "@user name=", "@tool call_id=“", "\\\\@"]) roles.roleOf(start + text);
  for (const start of ["", "{{{{ a", "{{{{ ", '{{{{ a["']) [...places.placesIn(start + text)];
  for (const start of ["", "x", "x = ", "%deepseek "]) cell.lineMagic(start + text);
  return performance.now() - began;
}}"""
HOSTILE = {
    "places": "{{ ", "indexes": '{{ a["', "steps": "{{ a.a", "unknown options": "--x ", "options": "-s x -l ",
    "never ends": "-s “a ", "nested quotes": "“a ", "attributes": "a=b ", "quoted attributes": "a='b' ",
    "list": "[1, ", "object": '{"a": ', "escapes": "\\", "dashes": "—", "typeset options": "–t ", "digits": "٣",
    "names": "a, ",
}  # fmt: skip


def test_what_the_page_reads_of_a_line_four_times_as_long_takes_some_four_times_as_long(opened, row):
    class Taken:
        seconds = 0.0

        def use(self, asked):
            self.seconds += opened.page.evaluate(READERS, asked) / 1000

    found = {}
    for name, unit in {**TEXTS, **HOSTILE}.items():
        taken = Taken()
        found[name] = surely_measured(
            taken.use, lambda length, unit=unit: [unit, length], LONGEST, clock=lambda taken=taken: taken.seconds
        )
    steepest = max(found, key=lambda name: growth(found[name]))
    row("Growth with the length of a text", where="a line in the page", slowest=steepest, **cells(found[steepest]))
    assert growth(found[steepest]) < STEEPEST, f"{steepest}: {found[steepest]}"
