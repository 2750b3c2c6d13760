"""Sweeps that are killed, interrupted or fail: nothing is lost or worked twice, on any thread."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from small_sweeps import GRID, HOME, PRICES, rows_worked, same

import bess
from bess.sweeping import case, lanes, one_by_one
from bess.sweeping.case import Case


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lanes, "_NUMBERS_AT_ONCE", 64)
    monkeypatch.setattr(case, "_CHUNKS", 1)


KILLED = """
import os, signal, sys
import bess
from small_sweeps import GRID, HOME, PRICES, small_chunks
small_chunks()
written, sync = [], os.fsync
def fsync(file):
    sync(file)
    written.append(file)
    if len(written) == 4:  # the manifest, two partitions, and one that has no name yet
        os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))
os.fsync = fsync
bess.sweep(HOME, GRID, bess.Surplus(), prices=PRICES, out=sys.argv[1], workers=2)
"""


def test_a_killed_process_leaves_whole_partitions_and_the_next_works_the_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "sweep"
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parent)}
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(folder)], env=environment, capture_output=True
    )
    assert done.returncode not in (0, 1), done.stderr
    files = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    assert [path for path in files if path.name.startswith(".tmp-")]
    unfinished = bess.read_sweep(folder)
    there, missing = unfinished.scenarios, unfinished.missing
    assert there == 64 * len(list(folder.glob("part-*"))) > 0
    assert there + missing == 377
    assert f"{unfinished!r}".startswith(f"SweepTable({there} scenarios and {missing} missing: cap")
    worked = rows_worked(monkeypatch)
    table = bess.sweep(HOME, GRID, bess.Surplus(), prices=PRICES, out=folder, workers=2)
    assert len(worked) == len(set(worked)) == missing
    same(table, bess.sweep(HOME, GRID, bess.Surplus(), prices=PRICES))
    left = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    assert {path for path in left if path.name.startswith(".")} == set()
    assert all(left[path] == at for path, at in files.items() if path in left)


@contextmanager
def raising(error: BaseException, after: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Fails when so many scenarios have been done."""
    done = 0

    @contextmanager
    def bar(total: int, shown: bool | None) -> Iterator[Any]:
        def advance(count: int) -> None:
            nonlocal done
            done += count
            if done > after:
                raise error

        yield advance

    with monkeypatch.context() as patched:
        patched.setattr("bess.sweeping.sweep.progress_bar", bar)
        yield


@pytest.mark.parametrize("workers", [1, 2])
def test_an_interrupt_is_raised_once_and_what_is_written_stays(
    workers: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads = threading.active_count()
    with raising(KeyboardInterrupt(), 100, monkeypatch), pytest.raises(KeyboardInterrupt):
        bess.sweep(HOME, GRID, bess.Surplus(), out=tmp_path, workers=workers)
    assert threading.active_count() == threads
    assert not list(tmp_path.glob(".tmp-*"))
    part = bess.read_sweep(tmp_path)
    assert 0 < part.scenarios < 377
    assert part.scenarios + part.missing == 377
    same(
        bess.sweep(HOME, GRID, bess.Surplus(), out=tmp_path), bess.sweep(HOME, GRID, bess.Surplus())
    )


def test_an_interrupt_from_the_keyboard_starts_no_other_battery(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    begun = []
    stopping = threading.Event()
    dispatch, shutdown = one_by_one.dispatch, ThreadPoolExecutor.shutdown

    def interrupted(*given: Any, **options: Any) -> Any:
        begun.append(given)
        if len(begun) == 5:
            signal.raise_signal(signal.SIGINT)
        if len(begun) >= 5:
            stopping.wait(20)
        return dispatch(*given, **options)

    def shut(self: Any, **options: Any) -> None:
        stopping.set()
        shutdown(self, **options)

    monkeypatch.setattr(one_by_one, "dispatch", interrupted)
    monkeypatch.setattr(ThreadPoolExecutor, "shutdown", shut)
    with pytest.raises(KeyboardInterrupt):
        bess.sweep(HOME, GRID, bess.PeakShave(target_kw=1), workers=2)
    assert len(begun) <= 6


def test_an_exception_in_a_thread_ends_the_sweep(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    columns = Case.columns

    def wrong(self: Case, parameters: Any, first: int, *more: Any) -> Any:
        if first >= 128:
            raise RuntimeError("a mistake")
        return columns(self, parameters, first, *more)

    monkeypatch.setattr(Case, "columns", wrong)
    for workers in (1, 3):
        with pytest.raises(RuntimeError, match="a mistake"):
            bess.sweep(HOME, GRID, bess.Surplus(), out=tmp_path, workers=workers)
    assert bess.read_sweep(tmp_path).scenarios == 128


def test_one_worker_is_the_thread_that_called(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = set()
    columns = Case.columns

    def noted(self: Case, *given: Any) -> Any:
        seen.add(threading.current_thread())
        return columns(self, *given)

    monkeypatch.setattr(Case, "columns", noted)
    bess.sweep(HOME, GRID, bess.Surplus(), workers=1)
    assert seen == {threading.current_thread()}
