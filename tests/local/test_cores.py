"""The number of threads follows the container, not the machine."""

from __future__ import annotations

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


def test_cores_that_others_keep_busy_are_left_to_them(tmp_path):
    stat = tmp_path / "stat"
    stat.write_text("cpu  100 0 0 100 0 0 0 0 0 0\n")

    class Busy(type(stat)):
        """Each reading finds a hundred more ticks of work, and none idle."""

        work = 100

        def read_text(self) -> str:
            Busy.work += 100
            return f"cpu  {Busy.work} 0 0 100 0 0 0 0 0 0\n"

    assert free_cores(tmp_path, Busy(stat), watch=0) == 1
