from ds_magic.api.nearest import LONGEST, nearest


def test_a_mistyped_word_is_found_and_another_one_is_not():
    assert nearest("temprature", ["top_p", "temperature"]) == "temperature"
    assert nearest("xyz", ["top_p", "temperature"]) is None and nearest("a", []) is None


def test_a_word_that_nobody_types_is_compared_with_nothing_and_with_nobody():
    long = "a" * (LONGEST + 1)
    assert nearest(long, [long]) is None and nearest("a" * LONGEST, [long]) is None
    assert nearest("a" * LONGEST, ["a" * LONGEST]) == "a" * LONGEST
