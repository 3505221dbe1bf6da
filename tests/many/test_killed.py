"""A batch with a journal whose process is killed, and that is run again until it is whole."""

import subprocess
import sys
import threading
from collections import Counter

import pytest

from ds_magic.many.journal import Journal
from tests.many.scripted_answers import asked_of, echo
from tests.servers.scripted import PATIENCE, ScriptedServer

ROWS, IN_FLIGHT, KILLS = 16, 4, 2

BATCH = """
import sys
import ds_magic

class Told:
    def progress(self, progress):
        print(progress.done, flush=True)
    def close(self):
        pass

client = ds_magic.Client(sys.argv[1], "k", model="m", retries=0)
answers = ds_magic.map("Row {{ n }}", range(int(sys.argv[3])), client=client, concurrency=int(sys.argv[4]),
                       stream=False, journal=sys.argv[2], cache=True, listener=Told())
print(*answers.contents, sep="\\n", flush=True)
"""


class Ration:
    """A script that answers so many requests as it is given, whichever come, and holds the others."""

    def __init__(self):
        self.left = threading.Semaphore(0)

    def __call__(self, connection):
        assert self.left.acquire(timeout=PATIENCE)
        echo(connection)


@pytest.mark.slow
def test_a_batch_that_is_killed_loses_no_row_and_asks_again_only_for_those_in_flight(tmp_path):
    path = tmp_path / "run.jsonl"
    rations, wanted = [], [f"Row {number}" for number in range(ROWS)]

    def started():
        rations.append(Ration())
        command = [sys.executable, "-c", BATCH, server.url, str(path), str(ROWS), str(IN_FLIGHT)]
        return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)

    with ScriptedServer(lambda connection: rations[-1](connection)) as server:
        for time in range(1, KILLS + 1):
            process = started()
            rations[-1].left.release(5)
            while int(process.stdout.readline()) < 5 * time:
                pass
            process.kill()
            process.communicate(timeout=PATIENCE)
            on_disk = [entry.asked["messages"][-1]["content"] for entry in Journal(path).entries()]
            assert len(set(on_disk)) == len(on_disk) == 5 * time
            before = Counter(asked_of(server))
            assert sum(before.values()) <= 5 * time + IN_FLIGHT * time
        last = started()
        rations[-1].left.release(ROWS)
        said, _ = last.communicate(timeout=PATIENCE)
        for ration in rations:  # those that waited for who was killed
            ration.left.release(ROWS)
        asked = Counter(asked_of(server))
    assert said.splitlines()[-ROWS:] == wanted and last.returncode == 0
    assert set(asked) == set(wanted) and all(asked[row] == before[row] for row in on_disk)
    assert sum(asked.values()) - ROWS <= KILLS * IN_FLIGHT
