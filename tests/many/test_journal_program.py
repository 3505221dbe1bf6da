"""`ds-magic journal FILE`, as a program in a terminal."""

import pytest

from ds_magic.__main__ import main
from ds_magic.many.journal import Journal
from tests.many.making import entry


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "run.jsonl"
    with Journal(path).writing() as journal:
        journal.append(entry(1, text="first " * 20))
        journal.append(entry(2, ended="interrupted", text="Half"))
        journal.append(entry(1, text="second"))
    return path


@pytest.fixture
def program(path, capsys):
    """Its exit status, and what it wrote."""

    def run(*arguments):
        status = main(["journal", str(path), *arguments])
        written = capsys.readouterr()
        return status, written.out, written.err

    return run


def damage(path):
    lines = path.read_bytes().splitlines(keepends=True)
    lines[2] = b"garbage\n"
    path.write_bytes(b"".join(lines) + b'{"key":')


def test_it_lists_one_line_an_exchange(program):
    status, out, _ = program()
    assert status == 0 and out.splitlines() == [
        "2026-11-30 12:00:00  scripted                      1  stop            "
        "question 1 → first first first first first f…",
        "2026-11-30 12:00:00  scripted                      1  interrupted     question 2 → Half",
        "2026-11-30 12:00:00  scripted                      1  stop            question 1 → second",
    ]


def test_what_a_model_said_cannot_write_to_the_terminal(path, program):
    with Journal(path).writing() as journal:
        journal.append(entry(3, text="\x1b[2J\nand more"))
    assert "\x1b" not in program()[1] and len(program()[1].splitlines()) == 4


def test_check_is_silent_about_what_is_well(program):
    assert program("--check") == (0, "3 exchanges, all well.\n", "")


def test_check_names_what_is_damaged_and_fails(path, program):
    damage(path)
    status, out, err = program("--check")
    assert status == 1 and "Line 3 is damaged." in err and "torn (7 bytes)" in out and "2 exchanges.\n" in out


def test_check_sees_a_request_that_was_changed(path, program):
    path.write_bytes(path.read_bytes().replace(b"question 2", b"question 3"))
    status, out, _ = program("--check")
    assert status == 1 and "its request is not that of its key" in out


def test_compact_writes_a_file_beside_with_what_is_read(path, program):
    damage(path)
    before = path.read_bytes()
    assert program("--compact")[0] == 0 and path.read_bytes() == before
    compact = path.with_name("run.compact.jsonl")
    assert compact.read_bytes() == before.splitlines(keepends=True)[0] + entry(1, text="second").line()
    status, _, err = program("--compact")
    assert status == 1 and "is there already" in err
    assert {each.name for each in path.parent.iterdir()} <= {path.name, compact.name, "run.jsonl.lock"}


def test_compact_keeps_what_broke_off_where_there_is_nothing_better(path, program):
    program("--compact")
    assert [each.ended for each in Journal(path.with_name("run.compact.jsonl")).entries()] == ["interrupted", "whole"]


def test_parquet_has_a_row_an_exchange(path, program):
    parquet = pytest.importorskip("pyarrow.parquet")
    out = path.with_name("run.parquet")
    assert program("--parquet", str(out))[0] == 0
    rows = parquet.read_table(out).to_pylist()
    assert [(row["question"], row["content"].split()[0], row["ended"], row["completion_tokens"]) for row in rows] == [
        ("question 1", "first", "whole", 1),
        ("question 2", "Half", "interrupted", 1),
        ("question 1", "second", "whole", 1),
    ]


def test_without_pyarrow_it_says_how_to_install_it(path, program, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "pyarrow", None)
    status, _, err = program("--parquet", str(path.with_name("out.parquet")))
    assert status == 1 and "pip install 'ds-magic[many]'" in err
    assert not path.with_name("out.parquet").exists()


def test_a_file_that_is_not_there_is_said_in_a_line(tmp_path, capsys):
    assert main(["journal", str(tmp_path / "missing.jsonl")]) == 1
    assert capsys.readouterr().err.count("\n") == 1


def test_the_other_programs_are_still_there(capsys):
    with pytest.raises(SystemExit):
        main(["--help"])
    said = capsys.readouterr().out
    assert "serve" in said and "journal FILE" in said
