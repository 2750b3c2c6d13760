"""Runs a sweep's blocks as tasks of a Dask cluster."""

from __future__ import annotations

import queue
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import CancelledError
from contextlib import suppress
from functools import cache
from importlib.metadata import version
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from bess.errors import ClusterError, InputError, MissingExtraError
from bess.sweeping.case import Case
from bess.sweeping.folder import Folder
from bess.sweeping.parameters import Parameters
from bess.sweeping.running import Chunk

__all__ = ["checked_client", "even", "run_on_cluster"]

_HEARD: Final = 0.5
"""Seconds between two looks at whether the cluster is still there."""
_COUNTED: Final = 2.0
"""Seconds between two counts of its threads, which may come and go."""
_FETCHED: Final = 60.0
"""Seconds that an answer may take from its worker."""
_PATIENCE: Final = 300.0
"""Seconds that a cluster which had workers may be without."""
_FEWEST: Final = 16
"""Tasks that wait or run at once, at least, for workers that come later."""


def checked_client(client: Any, workers: Any) -> Any:
    """The client of a cluster.

    Raises
    ------
    InputError
        Where it is none that can be used.
    MissingExtraError
        Without the extra ``distributed``.
    """
    try:
        from distributed import Client
    except ImportError:
        raise MissingExtraError("client=", "distributed") from None
    if not isinstance(client, Client):
        raise InputError.at("client", "must be a dask.distributed.Client", client)
    if client.asynchronous or client.status != "running":
        state = "asynchronous" if client.asynchronous else client.status
        raise InputError.at("client", f"must be running and synchronous; it is {state}")
    if workers is not None:
        reason = "are for one machine: a cluster has its own; leave them out with client"
        raise InputError.at("workers", reason, workers)
    return client


def even(sizes: list[int], cases: list[Case], batteries: int, client: Any) -> list[int]:
    """Rows in blocks of each case, in whole chunks, as many for one thread as for another."""
    threads = max(1, _Threads(client).count())
    chunks = [-(-batteries // case.chunk) for case in cases]
    rounds = [-(-batteries // (size * threads)) for size in sizes]
    return [
        case.chunk * -(-count // (threads * times))
        for case, count, times in zip(cases, chunks, rounds, strict=True)
    ]


def run_on_cluster(
    client: Any,
    cases: list[Case],
    parameters: Parameters,
    blocks: Iterable[Chunk],
    folder: Folder | None,
    take: Callable[[Chunk, dict[str, NDArray[Any]]], None],
    advance: Callable[[int], None],
) -> None:
    """Work every block as a task; into the folder from the workers, or else given to ``take``.

    A case of a few blocks goes with each of them. One of many goes to the cluster once, as the
    answer of a task that they depend on: a worker asks for it and keeps it, and where it is lost
    with its workers it is made again. What a lost worker was at, or had and nobody had taken, is
    done again by another; a block is taken once.

    Raises
    ------
    ClusterError
        Where the cluster is lost, or a task's workers die time and again.
    """
    from distributed import KilledWorker

    name = f"bess-sweep-{uuid.uuid4().hex[:8]}"
    done: queue.SimpleQueue[Any] = queue.SimpleQueue()
    waiting: dict[Any, tuple[Chunk, Parameters]] = {}
    blocks = list(blocks)
    tasks = Counter(block.case for block in blocks)
    held: list[Any] = []
    given, case = None, -1

    def take_one() -> None:
        future = _first_of(done, client, threads)
        block, part = waiting[future]
        if folder is None:
            take(block, part.rows(0, len(part)) | _answer(future, threads))
        elif future.status in ("error", "cancelled"):
            future.result()
        del waiting[future]
        advance(block.last - block.first)

    threads = _Threads(client)
    try:
        for block in blocks:
            # Dask gives tasks that depend on one to any thread that is free only where they are
            # more than two a thread and of a group of their own; fewer go where that one's answer
            # is. A key's first item names the group.
            if block.case != case:
                given, held, case = cases[block.case], [], block.case
                if tasks[case] > 2 * threads.count():
                    given = client.submit(_hold, given, key=(f"{name}-case-{case}", 0))
                    held = [given]
            part = parameters.part(block.first, block.last)
            key = (f"{name}-{case}", block.first)
            future = client.submit(_work, given, part, block, folder, _version(), key=key)
            waiting[future] = block, part
            future.add_done_callback(done.put)
            while len(waiting) >= max(2 * threads.count(), _FEWEST):
                take_one()
        while waiting:
            take_one()
    except (CancelledError, KilledWorker, OSError) as error:
        raise ClusterError(f"the cluster was lost, or gave up: {error}") from error
    finally:
        if waiting:
            with suppress(Exception):  # a cluster that is lost has nothing to cancel
                client.cancel([*waiting, *held], force=True)


def _first_of(done: queue.SimpleQueue[Any], client: Any, threads: _Threads) -> Any:
    while True:
        try:
            return done.get(timeout=_HEARD)
        except queue.Empty:
            if client.status not in ("running", "connecting"):
                raise ClusterError(f"the client of the cluster is {client.status}") from None
            threads.count()


def _answer(future: Any, threads: _Threads) -> Any:
    """What a task gave; where that was lost with its worker, when it has been worked again."""
    while True:
        try:
            return future.result(timeout=_FETCHED)
        except TimeoutError:
            if future.status == "error":
                raise
            threads.count()


class _Threads:
    """The threads of a cluster, which may come and go, counted now and then."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._count = 0
        self._counted = self._seen = 0.0

    def count(self) -> int:
        """How many tasks run at once."""
        now = time.monotonic()
        if now > self._counted + _COUNTED:
            try:
                self._count, self._counted = sum(self._client.nthreads().values()), now
            except OSError as error:
                raise ClusterError(f"the cluster was lost: {error}") from error
            self._seen = now if self._count else self._seen
            if self._seen and now > self._seen + _PATIENCE:
                raise ClusterError(f"the cluster has had no worker for {_PATIENCE:g} s")
        return self._count


def _hold(case: Case) -> Case:
    return case


def _work(
    case: Case, part: Parameters, block: Chunk, folder: Folder | None, wanted: str
) -> dict[str, NDArray[Any]] | None:
    """A block on a worker: its metrics, or nothing where they are written to a folder."""
    if wanted != _version():
        reason = f"a worker has version {_version()} of bess-dispatch, this is {wanted}"
        raise ClusterError(reason)
    count, size = len(part), case.chunk
    stopped = _stopped()
    parts = [case.columns(part, i, min(i + size, count), stopped) for i in range(0, count, size)]
    if folder is not None:
        folder.write(block, parts)
        return None
    columns = {
        name: np.concatenate([columns[name] for columns in parts])
        for name in parts[0]
        if name not in part.names
    }
    if not columns["error"].any():
        del columns["error"]
    return columns


def _stopped() -> Callable[[], bool]:
    """What tells whether the task that asks was cancelled."""
    from distributed import get_worker

    worker = get_worker()
    key, tasks = worker.get_current_task(), worker.state.tasks
    return lambda: key not in tasks or tasks[key].state == "cancelled"


@cache
def _version() -> str:
    return version("bess-dispatch")
