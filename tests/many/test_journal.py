"""The file: on disk before it counts, one writer, nothing lost but what is damaged itself."""

import json
import random
import subprocess
import sys
import threading

import pytest

from ds_magic.many import journal as journals
from ds_magic.many.canonical import key_of
from ds_magic.many.entry import HEADER
from ds_magic.many.journal import Journal, journal_at
from ds_magic.many.journal_errors import JournalError, JournalInUseError
from tests.many.making import entry

PATIENCE = 60

WRITER = """
import sys
from ds_magic.many.journal import Journal
from tests.many.making import entry
with Journal(sys.argv[1]).writing() as journal:
    for number in range(int(sys.argv[2]), 1_000_000_000):
        each = entry(number, text="word " * 2_000)
        journal.append(each)
        journal.sync()
        print(each.key, flush=True)
"""


def is_done(journal, key):
    """Whether a whole exchange of this key is on disk."""
    return journal.find(key, is_whole=True) is not None


@pytest.fixture
def path(tmp_path):
    return tmp_path / "run.jsonl"


def written(path, *entries):
    with Journal(path).writing() as journal:
        for each in entries:
            journal.append(each)
    return path


def read(path):
    return [each.key for each in Journal(path).entries()]


def test_what_was_written_is_found_by_another_journal_of_the_file(path):
    first, second = entry(1), entry(2)
    written(path, first, second)
    found = Journal(path)
    found.refresh()
    assert found.find(second.key).line() == second.line()
    assert is_done(found, first.key) and not is_done(found, entry(3).key)
    assert found.backends == ["golden"] and found.damaged == []


def test_an_exchange_is_done_when_it_is_on_disk_and_not_before(path):
    each = entry(1)
    with Journal(path).writing() as journal:
        journal.append(each)
        assert not is_done(journal, each.key) and journal.find(each.key) is None
        journal.sync()
        assert is_done(journal, each.key) and journal.find(each.key).key == each.key


def test_rows_are_put_on_disk_in_groups(path, monkeypatch):
    monkeypatch.setattr(journals, "LONGEST_WAIT", 1e9)
    rows = [entry(number) for number in range(journals.MOST_ROWS)]
    with Journal(path).writing() as journal:
        for each in rows[:-1]:
            journal.append(each)
        assert not is_done(journal, rows[0].key)
        journal.append(rows[-1])
        assert all(is_done(journal, each.key) for each in rows)


def test_a_row_waits_no_longer_than_until_the_next_after_its_time(path, monkeypatch):
    monkeypatch.setattr(journals, "LONGEST_WAIT", 0.0)
    with Journal(path).writing() as journal:
        journal.append(entry(1))
        assert is_done(journal, entry(1).key)


def test_threads_write_whole_lines(path):
    def write(number):
        with journal.writing():
            for each in range(20):
                journal.append(entry(1000 * number + each))
                journal.sync()

    journal = Journal(path)
    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert len(set(read(path))) == 160 and Journal(path).damaged == []


@pytest.mark.slow
def test_killed_a_dozen_times_nothing_is_lost_that_was_done(path):
    chance, done = random.Random(15), []
    for time in range(12):
        command = [sys.executable, "-c", WRITER, str(path), str(1_000_000 * time)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        done += [process.stdout.readline().strip() for _ in range(chance.randrange(1, 40))]
        process.kill()
        done += [line.strip() for line in process.stdout if line.endswith("\n")]
        process.wait(PATIENCE)
    with Journal(path).writing() as journal:
        assert len(set(done)) == len(done) > 12
        assert all(is_done(journal, key) for key in done)
        assert journal.damaged == []


def test_a_torn_last_line_is_cut_off_by_the_next_writer_and_by_nobody_else(path):
    written(path, entry(1), entry(2))
    whole = path.read_bytes()
    path.write_bytes(whole[:-30])
    assert read(path) == [entry(1).key] and Journal(path).torn
    assert path.read_bytes() == whole[:-30]
    written(path, entry(3))
    assert read(path) == [entry(1).key, entry(3).key]


def test_a_last_line_that_lacks_only_its_end_is_kept(path):
    written(path, entry(1))
    path.write_bytes(path.read_bytes().removesuffix(b"\n"))
    written(path, entry(2))
    assert read(path) == [entry(1).key, entry(2).key] and Journal(path).damaged == []


@pytest.mark.parametrize("left", [b"", HEADER[:1], HEADER[:-1]])
def test_a_torn_first_line_is_begun_anew(path, left):
    path.write_bytes(left)
    written(path, entry(1))
    assert path.read_bytes() == HEADER + entry(1).line()


@pytest.mark.parametrize("damage", [
    lambda line: b"garbage\n", lambda line: b"\n", lambda line: line[:40] + b"\n", lambda line: line[20:],
    lambda line: line.replace(b'"deltas":[', b'"deltas":(', 1), lambda line: b"\xff" * 90 + b"\n",
])  # fmt: skip
def test_a_damaged_line_is_named_and_passed_over(path, damage):
    written(path, entry(1), entry(2), entry(3))
    lines = path.read_bytes().splitlines(keepends=True)
    lines[2] = damage(lines[2])
    path.write_bytes(b"".join(lines))
    journal = Journal(path)
    assert [each.key for each in journal.entries()] == [entry(1).key, entry(3).key]
    assert journal.damaged == [3]
    assert journal.warnings() == ["run.jsonl: damaged line 3 passed over."] and journal.warnings() == []
    assert journal.find(entry(2).key) is None


def test_a_second_process_is_told_who_writes(path):
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER.replace("for number", "sys.stdin.read()\n    for number"), str(path), "0"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )
    try:
        lock = path.with_name("run.jsonl.lock")
        while not lock.exists() or not lock.read_text():
            assert process.poll() is None
        with pytest.raises(JournalInUseError, match=f"process {process.pid} on "):
            Journal(path).acquire()
    finally:
        process.kill()
        process.communicate()
    written(path, entry(1))


def test_a_second_journal_of_a_file_in_this_process_is_told_so(path):
    with Journal(path).writing(), pytest.raises(JournalInUseError, match="this process, through another Journal"):
        Journal(path).acquire()


def test_within_a_process_the_same_file_is_the_same_journal(path, tmp_path):
    link = tmp_path / "link.jsonl"
    path.touch()
    link.symlink_to(path)
    journal = journal_at(path)
    assert journal_at(str(link)) is journal is journal_at(journal)


FULL = """
import resource, sys
from ds_magic.many.journal_errors import JournalError
from ds_magic.many.journal import Journal
from tests.many.making import entry
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
done = 0
with Journal(sys.argv[1]).writing() as journal:
    try:
        while True:
            journal.append(entry(done, text="word " * 200))
            journal.sync()
            done += 1
    except JournalError as error:
        print(done, error, error.remedy)
"""


def test_a_full_disk_loses_nothing_that_was_done_and_says_so(path):
    said = subprocess.run([sys.executable, "-c", FULL, str(path)], capture_output=True, text=True, check=True).stdout
    count, _, message = said.partition(" ")
    assert "run.jsonl cannot be written" in message and "What was recorded before is whole" in message
    assert int(count) == len(read(path)) > 5
    assert Journal(path).torn == 0
    written(path, entry(1_000))
    assert len(read(path)) == int(count) + 1


def test_rows_that_a_disk_did_not_take_are_done_for_nobody_who_waits_for_them(path, monkeypatch):
    def refuses(file):
        raise OSError(5, "Input/output error")

    journal = Journal(path)
    with pytest.raises(JournalError), journal.writing():
        journal.append(entry(1))
        with monkeypatch.context() as broken:
            broken.setattr(journals.os, "fdatasync", refuses, raising=False)
            with pytest.raises(JournalError, match="Input/output error"):
                journal.sync()
        with pytest.raises(JournalError, match="Input/output error"):
            journal.sync()
        assert not is_done(journal, entry(1).key)
        journal.append(entry(2))
        journal.sync()
        assert is_done(journal, entry(2).key) and not is_done(journal, entry(1).key)
        journal.append(entry(3))
        monkeypatch.setattr(journals.os, "fdatasync", refuses, raising=False)


@pytest.mark.parametrize(("text", "says"), [
    ("My notes\nof today\n", "is not a journal"), ("My notes", "is not a journal"), ('{"a": 1}\n', "is not a journal"),
    (json.dumps({"format": "ds_magic journal", "version": 2}) + "\n", "a later version"),
])  # fmt: skip
def test_a_file_that_is_no_journal_is_not_touched(path, text, says):
    path.write_text(text)
    with pytest.raises(JournalError, match=says):
        written(path, entry(1))
    assert path.read_text() == text


def test_a_folder_that_is_not_there_is_not_made(path):
    with pytest.raises(JournalError, match="there is no folder"):
        written(path.parent / "new" / "run.jsonl", entry(1))
    assert not (path.parent / "new").exists()
    with pytest.raises(JournalError, match="cannot be read"):
        Journal(path).refresh()


def test_a_journal_stays_where_it_was_when_the_folder_changes(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    journal = Journal(path.name)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir("elsewhere")
    with journal.writing():
        journal.append(entry(1))
    assert read(path) == [entry(1).key]


def test_of_several_exchanges_of_a_key_the_last_whole_one_is_read(path):
    rows = [entry(ended=ended, text=text) for ended, text in [
        ("failed", "a"), ("whole", "b"), ("whole", "c"), ("interrupted", "d"), ("failed", "e")]]  # fmt: skip
    for count, expected in [(1, "a"), (3, "c"), (5, "c")]:
        path.unlink(missing_ok=True)
        written(path, *rows[:count])
        journal = Journal(path)
        journal.refresh()
        assert journal.find(rows[0].key).line() == rows["abcde".index(expected)].line()
    path.unlink()
    written(path, rows[0], rows[3], rows[4])
    journal = Journal(path)
    journal.refresh()
    assert journal.find(rows[0].key).ended == "interrupted" and journal.find(rows[0].key, is_whole=True) is None


def test_what_another_process_wrote_meanwhile_is_seen(path):
    mine = Journal(path)
    with mine.writing():
        mine.append(entry(1))
    written(path, entry(2))
    with mine.writing():
        assert is_done(mine, entry(1).key) and is_done(mine, entry(2).key)


def test_an_index_asks_for_no_more_than_the_beginnings_of_lines(path):
    keys = [key_of({"messages": []}, "golden", number) for number in range(2_000)]
    rest = b'","ended":"whole","backend":"b","model":null,"sample":0,"not parsed": [[[[}\n'
    lines = [b'{"key":"' + key.encode() + rest for key in keys]
    path.write_bytes(HEADER + b"".join(lines))
    journal = Journal(path)
    journal.refresh()
    assert all(map(journal.holds, keys))
