"""Sweeps on a cluster: the same bits as on threads, whichever workers are lost on the way."""

from __future__ import annotations

import _thread
import itertools
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cluster_sweeps import SWEEP, soon
from small_sweeps import same, small_chunks
from typer.testing import CliRunner

import bess
from bess.cli import app
from bess.sweeping import case, lanes
from bess.sweeping import cluster as cluster_module
from bess.sweeping.case import Case

distributed = pytest.importorskip("distributed")
pytestmark = pytest.mark.cluster


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with distributed.LocalCluster(
        n_workers=2,
        threads_per_worker=1,
        dashboard_address=":0",
        local_directory=str(tmp_path_factory.mktemp("workers")),
    ) as cluster:
        yield cluster


@pytest.fixture
def client(cluster: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setattr(lanes, "_NUMBERS_AT_ONCE", 64)
    monkeypatch.setattr(case, "_CHUNKS", 1)
    with distributed.Client(cluster) as client:
        client.wait_for_workers(2, timeout=60)
        client.run(small_chunks)
        yield client


@pytest.fixture(scope="module")
def expected() -> bess.SweepTable:
    return bess.sweep(**SWEEP, workers=2)


def all_released(client: Any) -> bool:
    """Whether the cluster soon has nothing left to do or to keep."""
    scheduler = client.cluster.scheduler
    return soon(lambda: not client.futures and not scheduler.tasks)


@pytest.mark.parametrize("stored", [False, True])
def test_a_cluster_gives_the_bits_of_threads(
    stored: bool, client: Any, expected: bess.SweepTable, tmp_path: Path
) -> None:
    folder = {"out": tmp_path} if stored else {}
    found = bess.sweep(**SWEEP, client=client, **folder)
    same(found, expected)
    assert expected["error"].any()
    assert not expected["error"].all()
    assert all_released(client)


def test_a_folder_may_be_begun_on_threads_and_finished_on_a_cluster(
    client: Any, expected: bess.SweepTable, tmp_path: Path
) -> None:
    bess.sweep(**SWEEP, out=tmp_path / "threads")
    bess.sweep(**SWEEP, out=tmp_path / "cluster", client=client)
    names = sorted(os.listdir(tmp_path / "threads"))
    assert names == sorted(os.listdir(tmp_path / "cluster"))
    for name in names:
        whole = (tmp_path / "threads" / name).read_bytes()
        assert (tmp_path / "cluster" / name).read_bytes() == whole
    (tmp_path / "threads" / names[2]).unlink()
    same(bess.sweep(**SWEEP, out=tmp_path / "threads", client=client), expected)


def fail() -> None:
    def wrong(self: Case, *given: Any) -> Any:
        raise RuntimeError("a mistake")

    Case.whole = Case.columns  # type: ignore[attr-defined]
    Case.columns = wrong  # type: ignore[method-assign]


def mend() -> None:
    Case.columns = Case.whole  # type: ignore[attr-defined, method-assign]


def test_the_command_works_on_the_cluster_of_its_file(client: Any, tmp_path: Path) -> None:
    request = Path(__file__).parents[1] / "examples" / "optimize.json"
    batteries = f"request = '{request}'\nbatteries = {{ capacity_kwh = [5, 10], power_kw = 3 }}\n"
    file = tmp_path / "many.toml"
    tables = []
    for number, line in enumerate(("", f"cluster = '{client.cluster.scheduler_address}'\n")):
        file.write_text(line + batteries)
        out, page = tmp_path / f"{number}", tmp_path / "page.html"
        result = CliRunner().invoke(
            app, ["sweep", str(file), "--out", str(out), "--report", str(page)]
        )
        assert result.exit_code == 0, result.output
        tables.append(bess.read_sweep(out))
    same(*tables)


def test_a_mistake_on_a_worker_is_raised_here(client: Any, expected: bess.SweepTable) -> None:
    client.run(fail)
    with pytest.raises(RuntimeError, match="a mistake"):
        bess.sweep(**SWEEP, client=client)
    client.run(mend)
    same(bess.sweep(**SWEEP, client=client), expected)


def be_of_version(version: str) -> None:
    cluster_module._version = lambda: version  # type: ignore[assignment]


def test_workers_of_another_version_are_told_of(client: Any) -> None:
    own = cluster_module._version()
    client.run(be_of_version, "0.0.1")
    with pytest.raises(bess.ClusterError, match=rf"has version 0\.0\.1 .*, this is {own}"):
        bess.sweep(**SWEEP, client=client)
    client.run(be_of_version, own)
    assert all_released(client)


def wait_while(file: Path, free: int = 0) -> None:
    """Lets no later call of `Case.columns` begin as long as there is a file, and it is wanted."""
    calls = itertools.count(1)

    def waiting(self: Case, *given: Any) -> Any:
        *_, stopped = given
        if next(calls) > free:
            soon(lambda: stopped() or not file.exists())
            Case.told.append(stopped())  # type: ignore[attr-defined]
        return Case.whole(self, *given)  # type: ignore[attr-defined]

    Case.told = []  # type: ignore[attr-defined]
    Case.whole = Case.columns  # type: ignore[attr-defined]
    Case.columns = waiting  # type: ignore[method-assign]


def told() -> list[bool]:
    """Whether each call that had to wait was told that it is not wanted any more."""
    return list(Case.told)  # type: ignore[attr-defined]


def test_an_interrupt_from_the_keyboard_cancels_the_tasks(
    client: Any, expected: bess.SweepTable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "wait"
    file.touch()
    client.run(wait_while, file)
    wait = cluster_module._first_of

    def interrupted(*given: Any) -> Any:
        threading.Thread(target=_thread.interrupt_main).start()
        return wait(*given)

    with monkeypatch.context() as patched:
        patched.setattr(cluster_module, "_first_of", interrupted)
        with pytest.raises(KeyboardInterrupt):
            bess.sweep(**SWEEP, client=client)
    assert soon(lambda: all(client.run(told).values()))
    assert all(all(stopped) for stopped in client.run(told).values())
    client.run(mend)
    assert all_released(client)
    same(bess.sweep(**SWEEP, client=client), expected)


KILLED = """
import os, signal, sys
from contextlib import contextmanager
import bess.sweeping.sweep
from distributed import Client
from cluster_sweeps import SWEEP
from small_sweeps import small_chunks

@contextmanager
def bar(total, shown):
    def advance(count):
        if count:
            os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))
    yield advance

small_chunks()
bess.sweeping.sweep.progress_bar = bar
bess.sweep(**SWEEP, client=Client(sys.argv[1]), out=sys.argv[2])
"""


def test_a_process_that_is_killed_leaves_whole_partitions_and_the_next_works_the_rest(
    client: Any, expected: bess.SweepTable, tmp_path: Path
) -> None:
    file, folder = tmp_path / "wait", tmp_path / "sweep"
    file.touch()
    client.run(wait_while, file, 1)
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parent)}
    address = client.cluster.scheduler_address
    done = subprocess.run(
        [sys.executable, "-c", KILLED, address, str(folder)], env=environment, capture_output=True
    )
    assert done.returncode not in (0, 1), done.stderr
    file.unlink()
    client.run(mend)
    assert all_released(client)
    there = {path: path.stat().st_mtime_ns for path in folder.glob("part-*")}
    unfinished = bess.read_sweep(folder)
    assert 0 < unfinished.scenarios < expected.scenarios
    assert unfinished.scenarios + unfinished.missing == expected.scenarios
    same(bess.sweep(**SWEEP, client=client, out=folder), expected)
    assert all(path.stat().st_mtime_ns == at for path, at in there.items())


def die_at(call: int) -> None:
    """Kills the process in a later call of `Case.columns`; a process that follows is whole."""
    calls = 0
    columns = Case.columns

    def fatal(self: Case, *given: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == call:
            os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))
        return columns(self, *given)

    Case.columns = fatal  # type: ignore[method-assign]


def test_workers_that_are_killed_lose_nothing_and_double_nothing(
    client: Any, expected: bess.SweepTable, tmp_path: Path
) -> None:
    workers = list(client.nthreads())
    for worker, folder in zip(workers, [{}, {"out": tmp_path}], strict=True):
        client.run(die_at, 1, workers=[worker])
        same(bess.sweep(**SWEEP, client=client, **folder), expected)
        assert worker not in client.nthreads()
    assert not list(tmp_path.glob(".tmp-*"))


def test_a_task_that_kills_every_worker_is_given_up(client: Any, cluster: Any) -> None:
    client.run(die_at, 1)
    allowed, cluster.scheduler.allowed_failures = cluster.scheduler.allowed_failures, 0
    try:
        with pytest.raises(bess.ClusterError, match="gave up"):
            bess.sweep(**SWEEP, client=client)
    finally:
        cluster.scheduler.allowed_failures = allowed
