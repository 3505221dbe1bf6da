import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ds_magic.api.errors import InvalidRequestError
from ds_magic.magics.help import about, page
from ds_magic.magics.line import parse
from ds_magic.magics.options import OPTIONS, options_table_markdown


def values(line):
    return parse(line).values()


def refusal(line):
    with pytest.raises(InvalidRequestError) as caught:
        parse(line).values()
    return f"{caught.value} {caught.value.remedy}"


def test_options_end_at_the_first_word_of_the_prompt():
    parsed = parse("-t 0 What is -t 1 in Python?")
    assert parsed.values() == {"temperature": 0}
    assert parsed.prompt == "What is -t 1 in Python?"


def test_apostrophes_and_quotes_in_a_prompt_are_only_that():
    prompt = """What's "the matter' with 'it?"""
    assert parse(f"-o x {prompt}").prompt == prompt


@pytest.mark.parametrize("line", ["--temperature 0.5 x", "--temperature=0.5 x", "-t 0.5 x", "-t0.5 x", "-t=0.5 x"])
def test_a_value_follows_its_option_in_each_of_the_usual_ways(line):
    assert values(line) == {"temperature": 0.5}
    assert parse(line).prompt == "x"


def test_a_value_can_be_negative():
    assert values("--frequency-penalty -1.5 --presence-penalty=-2") == {
        "frequency_penalty": -1.5,
        "presence_penalty": -2,
    }


def test_a_quoted_value_keeps_its_blanks_and_loses_its_quotes():
    assert values("""-s "Be brief, don't ramble." """)["system"] == "Be brief, don't ramble."
    assert values("""--system='Say "hi".' x""")["system"] == 'Say "hi".'
    assert values(r"""-s "Say \"hi\"." x""")["system"] == 'Say "hi".'


def test_stop_is_repeatable():
    assert values(r'--stop "\n" --stop END')["stop"] == ["\n", "END"]


@pytest.mark.parametrize("option", ["stop", "prefix", "system"])
def test_every_option_that_is_text_knows_the_same_escapes(option):
    value = values(rf'--{option} "a\tb\n\\n\frac"')[option]
    assert value == (["a\tb\n\\n\\frac"] if option == "stop" else "a\tb\n\\n\\frac")


def test_a_backslash_that_was_filled_in_is_no_escape():
    filled = parse("--prefix {{ latex }}").values(lambda text: text.replace("{{ latex }}", r"\nabla"))
    assert filled["prefix"] == r"\nabla"


def test_the_word_after_l_is_its_number_only_if_it_is_a_number():
    assert (values("-l 5 apples"), parse("-l 5 apples").prompt) == ({"top_logprobs": 5}, "apples")
    assert (values("-l five"), parse("-l five").prompt) == ({"top_logprobs": 20}, "five")
    assert (values("-l 5th"), parse("-l 5th").prompt) == ({"top_logprobs": 20}, "5th")
    assert values("-l -t 0") == {"top_logprobs": 20, "temperature": 0}
    assert values("-l") == {"top_logprobs": 20}
    assert values("-l5 x") == {"top_logprobs": 5}


def test_json_is_a_value_with_or_without_quotes():
    expected = {"seed": 1, "x": {"y": [1, 2]}}
    assert values('--extra {"seed": 1, "x": {"y": [1, 2]}} go')["extra"] == expected
    assert values("""--extra '{"seed": 1, "x": {"y": [1, 2]}}' go""")["extra"] == expected


def test_flags_have_their_opposites():
    assert values("--no-stream --thinking") == {"stream": False, "thinking": True}
    assert values("--no-thinking --stream") == {"stream": True, "thinking": False}


def test_a_place_to_fill_is_one_word_of_a_value():
    parsed = parse("-s {{ persona }} -t 0 go")
    assert parsed.values(lambda text: text.replace("{{ persona }}", "a -t 1 b"))["system"] == "a -t 1 b"
    assert parsed.prompt == "go"


@pytest.mark.parametrize("prompt", ["-5 + 3 = ?", "- a list", "---", "--> see", "-", "→ x", "-1"])
def test_a_prompt_may_begin_with_a_dash_that_is_no_option(prompt):
    assert parse(prompt).prompt == prompt


def test_two_dashes_end_the_options():
    assert parse("-t 0 -- -t is an option").prompt == "-t is an option"


@pytest.mark.parametrize(
    ("line", "near"),
    [("--temprature 1", "--temperature"), ("--top_p 1", "--top-p"), ("--max-token 3", "--max-tokens"),
     ("--no-streem", "--no-stream")],
)  # fmt: skip
def test_an_unknown_option_names_the_nearest(line, near):
    assert f"`{near}`" in refusal(line)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("-t hot", "a number from 0 to 2"),
        ("--max-tokens many", "a whole number, 1 or more"),
        pytest.param(f"--max-tokens {'9' * 5000}", "a whole number, 1 or more", id="more digits than Python reads"),
        ("--top-logprobs=1.5", "a whole number from 0 to 20"),
        ("--reasoning-effort hi", 'none, minimal, low, medium, high, xhigh, max or ultra'),
        ("-o 1x", "the name of a variable"),
        ("-o class", "the name of a variable"),
        ("--extra [1]", "a JSON object"),
        ("--extra {1}", "not JSON"),
        ("--timeout soon", "a number of seconds"),
        ("--timeout 0", "a number of seconds above 0"),
        ("-t", "a number from 0 to 2"),
        ("--model=", "the name of a model"),
        ("--quiet=1", "takes no value"),
        ('-s "never', "never ends"),
        ("--tools ,", "names of Python functions"),
    ],
)
def test_a_wrong_value_says_what_it_may_be(line, says):
    assert says in refusal(line)


@given(st.text())
def test_any_line_is_taken_apart_or_refused(line):
    try:
        parsed = parse(line)
    except InvalidRequestError:
        return
    assert line.endswith(parsed.prompt)


@given(st.text(st.characters(blacklist_characters="-\x1c\x1d\x1e\x1f\x85", blacklist_categories=["Zs", "Zl", "Zp"]),
               min_size=1))  # fmt: skip
def test_every_prompt_that_does_not_begin_with_a_dash_stays_as_it_is(prompt):
    prompt = prompt.strip()
    assert parse(f"-t 0 {prompt}").prompt == prompt


@pytest.mark.parametrize(("line", "read"), [
    ("—max-tokens 5 x", {"max_tokens": 5}),
    ("–max–tokens=5 x", {"max_tokens": 5}),
    ("–t 0 x", {"temperature": 0}),
    ("–l5 x", {"top_logprobs": 5}),
    ("‐‐no‑stream x", {"stream": False}),
    ("--presence-penalty −1.5 x", {"presence_penalty": -1.5}),
    ("--prefix “The capital of ‘it’ …” x", {"prefix": "The capital of ‘it’ …"}),
    ("--prefix=„Ja“ x", {"prefix": "Ja"}),
    ("-s ‘Don’t ramble.’ x", {"system": "Don’t ramble."}),
    ("--extra {“min_p”: 0.1} x", {"extra": {"min_p": 0.1}}),
    ("--extra ‘{“min_p”: 0.1}’ x", {"extra": {"min_p": 0.1}}),
    ("--prefix «\u00a0La capitale\u00a0» x", {"prefix": "La capitale"}),
    ("--prefix »Ja« x", {"prefix": "Ja"}),
    ("－－prefix ＂はい＂ x", {"prefix": "はい"}),
    ("-s “Be “very” brief” x", {"system": "Be “very” brief"}),
    ("-s „Sag „ja“ und „nein““ x", {"system": "Sag „ja“ und „nein“"}),
    ("-s ‘Say ‘hi’ and don’t stop’ x", {"system": "Say ‘hi’ and don’t stop"}),
])
def test_dashes_and_quotes_of_a_slide_are_what_they_stand_for_and_that_is_said(line, read):
    parsed = parse(line)
    assert (parsed.values(), parsed.prompt) == (read, "x")
    (note,) = parsed.notes
    assert "plain" in note


@pytest.mark.parametrize("prompt", [
    "—max-tokens 5?", "“What” is –t 0?", "—Hola, ‘amigo’", "— and then?", "—o que é isso?", "–5 + 3", "‘Why’?",
    "«\u00a0Quoi\u00a0» ?",
])
def test_dashes_and_quotes_of_a_prompt_are_its_own(prompt):
    for line in (f"-t 0 -- {prompt}", *([prompt] if "max" not in prompt else [])):
        assert parse(line).prompt == prompt and parse(line).notes == []


def test_an_option_that_is_misspelt_behind_a_long_dash_names_the_nearest():
    assert "`--max-tokens`" in refusal("—max-token 5 x")
    assert "never ends" in refusal("--prefix “The capital x")


@pytest.mark.parametrize(("line", "typed"), [
    ("-l 300000", "`-l`"), ("-t 9", "`-t`"), ("-t hot", "`-t`"), ("--temperature 9", "`--temperature`"),
    ("--max-tokens 0", "`--max-tokens`"), ("--repair -1", "`--repair`"), ("-o 1x", "`-o`"),
    ('-s "x', "`-s`"), ("-m", "`-m`"),
])
def test_what_is_refused_is_named_as_it_was_typed(line, typed):
    said = refusal(line)
    assert typed in said and "_" not in said.replace("reasoning_effort", "")


def test_help_and_the_table_name_every_option():
    for option in OPTIONS:
        for spelling in option.spellings:
            assert re.search(rf"{re.escape(spelling)}\b", about("options"))
            assert f"`{spelling}`" in options_table_markdown()


def test_the_page_of_help_names_every_option_and_fits_a_screen():
    for option in OPTIONS:
        assert re.search(rf"(-{option.short}|--(\[no-\])?{option.name})\b", page())
    lines = page().splitlines()
    assert len(lines) <= 36 and max(map(len, lines)) <= 100


def test_every_option_that_takes_a_value_says_its_range():
    assert [option.name for option in OPTIONS if option.kind not in ("flag", "text") and not option.range] == []


def test_the_size_is_for_all_that_is_drawn_from_then_on(shell):
    from ds_magic.views.size import is_projected

    shell.run_cell('%config DeepSeekMagics.size = "projector"').raise_error()
    assert is_projected()
    shell.run_cell('%config DeepSeekMagics.size = "normal"').raise_error()
    assert not is_projected()
