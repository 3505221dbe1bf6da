"""The table of options that the page's editor has."""

from ds_magic.magics.options_module import FILE, options_module


def test_the_editors_table_of_options_is_current():
    assert FILE.read_text(encoding="utf-8") == options_module(), "`python -m ds_magic.magics.options_module` renews it"
