"""The number of threads follows the container, not the machine."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ds_magic.local.cores import allowed_cores, free_cores


def test_a_quota_of_version_2_is_rounded_down(tmp_path):
    (tmp_path / "cpu.max").write_text("190000 100000\n")
    assert allowed_cores(tmp_path) == 1


def test_a_quota_of_version_1_is_rounded_down(tmp_path):
    (tmp_path / "cpu").mkdir()
    (tmp_path / "cpu/cpu.cfs_quota_us").write_text("150000\n")
    (tmp_path / "cpu/cpu.cfs_period_us").write_text("100000\n")
    assert allowed_cores(tmp_path) == 1


def test_a_quota_below_one_core_still_gives_a_thread(tmp_path):
    (tmp_path / "cpu.max").write_text("20000 100000\n")
    assert free_cores(tmp_path, watch=0) == 1


def test_no_limit_gives_what_the_scheduler_allows(tmp_path):
    (tmp_path / "cpu.max").write_text("max 100000\n")
    assert allowed_cores(tmp_path) == allowed_cores(tmp_path / "missing") >= 1


class Stat(type(Path())):
    """A file whose every reading finds as many more ticks of work and of idleness."""

    work, idle = 0, 100
    seen = 0

    def read_text(self) -> str:
        self.seen += 1
        return f"cpu  {self.seen * self.work} 0 0 {self.seen * self.idle} 0 0 0 0 0 0\n"


@pytest.fixture
def four_cores(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1, 2, 3}, raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 4)


def test_one_idle_core_is_left_to_the_notebook(tmp_path, four_cores):
    assert free_cores(tmp_path, Stat(tmp_path), watch=0) == 3


def test_cores_that_others_keep_busy_are_left_to_them(tmp_path, four_cores, monkeypatch):
    monkeypatch.setattr(Stat, "work", 100)
    assert free_cores(tmp_path, Stat(tmp_path), watch=0) == 1


def test_on_two_cores_one_thread_computes(tmp_path):
    (tmp_path / "cpu.max").write_text("200000 100000\n")
    assert free_cores(tmp_path, watch=0) == 1
