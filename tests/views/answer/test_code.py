import re

import pytest

from ds_magic.views.answer.code import COLOURS, code_to_html
from tests.views.making import Page

# JupyterLab's backgrounds and text colours, light and dark; code stands on a tint of grey over them.
THEMES = {"light": ((255, 255, 255), (33, 33, 33)), "dark": ((17, 17, 17), (255, 255, 255))}


def luminance(colour):
    parts = [value / 255 for value in colour]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def mixed(first, second, share):
    return tuple(share * one + (1 - share) * other for one, other in zip(first, second, strict=True))


def contrast(one, other):
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("kind", COLOURS)
def test_colours_of_code_have_enough_contrast_in_both_themes(theme, kind):
    background, text = THEMES[theme]
    behind = mixed((128, 128, 128), background, 0.1)
    colour = tuple(int(digit * 2, 16) for digit in COLOURS[kind][1:])
    assert contrast(mixed(text, colour, 0.5), behind) >= 4.5


def test_code_keeps_every_character():
    code = 'def f(x):\n\treturn "<b>" + x  # &amp;\n\n'
    assert Page(code_to_html(code, "python")).text == code[:-1] + "\n"


def test_known_languages_are_coloured_and_unknown_ones_are_not():
    assert "color-mix" in code_to_html("x = 1", "python")
    assert "color-mix" not in code_to_html("x = 1", "klingon")


def test_a_long_line_is_not_given_to_the_lexer():
    assert "<span" not in code_to_html("x = '" + "a" * 50_000, "python")


def test_colours_do_not_swell_code_by_more_than_seven_times():
    code = "for name, value in sorted(items.items()):\n    print(f'{name}: {value}')  # shown\n" * 50
    assert len(code_to_html(code, "python")) < 7 * len(code)
    assert not re.search(r"<(\w+) style[^>]*>\s+</\1>", code_to_html(code, "python"))
