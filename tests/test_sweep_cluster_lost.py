"""Clusters that cannot be used, or are lost in the middle of a sweep, and what is said of it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from cluster_sweeps import SWEEP

import bess
from bess.sweeping import case, lanes
from bess.sweeping import cluster as cluster_module

distributed = pytest.importorskip("distributed")
pytestmark = pytest.mark.cluster


@pytest.fixture
def client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Of a cluster in this process."""
    monkeypatch.setattr(lanes, "_NUMBERS_AT_ONCE", 64)
    monkeypatch.setattr(case, "_CHUNKS", 1)
    with distributed.Client(
        processes=False,
        n_workers=1,
        threads_per_worker=1,
        dashboard_address=":0",
        local_directory=str(tmp_path),
    ) as client:
        yield client


def after(count: int, then: Callable[[], None], monkeypatch: pytest.MonkeyPatch) -> None:
    """Does something when so many scenarios have been done."""
    done = 0

    @contextmanager
    def bar(total: int, shown: bool | None) -> Iterator[Any]:
        def advance(more: int) -> None:
            nonlocal done
            done += more
            if done >= count:
                then()

        yield advance

    monkeypatch.setattr("bess.sweeping.sweep.progress_bar", bar)


def test_clients_that_cannot_be_used_are_refused(
    client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(bess.InputError, match=r"client = 5: must be a dask\.distributed\.Client"):
        bess.sweep(**SWEEP, client=5)
    with pytest.raises(bess.InputError, match=r"workers = 2: are for one machine"):
        bess.sweep(**SWEEP, client=client, workers=2)
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(bess.MissingExtraError, match=r"client= needs an extra: .*\[distributed\]"):
        bess.sweep(**SWEEP, client=client)


def test_a_cluster_that_is_lost_is_told_of(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    after(1, client.cluster.close, monkeypatch)
    with pytest.raises(bess.ClusterError, match="the cl"):
        bess.sweep(**SWEEP, client=client)
    client.close()
    with pytest.raises(bess.InputError, match=r"client: must be running and synchronous; it is cl"):
        bess.sweep(**SWEEP, client=client)


def test_a_cluster_without_workers_is_given_up(
    client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster_module, "_HEARD", 0.01)
    monkeypatch.setattr(cluster_module, "_COUNTED", 0.0)
    monkeypatch.setattr(cluster_module, "_PATIENCE", 0.05)
    seen = [{"a": 1}, {"a": 1}]
    monkeypatch.setattr(client, "nthreads", lambda: seen.pop() if seen else {})
    monkeypatch.setattr(client, "submit", lambda *given, **options: never)
    never = distributed.Future("never", client)
    with pytest.raises(bess.ClusterError, match="has had no worker for"):
        bess.sweep(**SWEEP, client=client)


def test_an_answer_lost_with_its_worker_is_waited_for_while_there_are_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(cluster_module, "_COUNTED", -1.0)
    monkeypatch.setattr(cluster_module, "_PATIENCE", 0.0)
    workers = [{}, {"a": 1}, {"a": 1}, {"a": 1}]
    answers: list[Any] = [5, TimeoutError(), TimeoutError()]

    def result(timeout: float) -> Any:
        answer = answers.pop() if answers else TimeoutError()
        if isinstance(answer, TimeoutError):
            raise answer
        return answer

    future = SimpleNamespace(status="pending", result=result)
    threads = cluster_module._Threads(
        SimpleNamespace(nthreads=lambda: workers.pop() if workers else {})
    )
    assert cluster_module._answer(future, threads) == 5
    with pytest.raises(bess.ClusterError, match="has had no worker for"):
        cluster_module._answer(future, threads)
    assert not workers
