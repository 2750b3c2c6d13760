"""Runs a sweep's blocks as tasks of a Dask cluster."""

from __future__ import annotations

import queue
import time
import uuid
from collections.abc import Callable, Iterable
from concurrent.futures import CancelledError
from contextlib import suppress
from importlib.metadata import version
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from bess.errors import ClusterError, InputError, MissingExtraError
from bess.sweeping.cases import Case
from bess.sweeping.folder import Folder
from bess.sweeping.parameters import Parameters
from bess.sweeping.running import Chunk

__all__ = ["checked_client", "run_on_cluster"]

_HEARD: Final = 0.5
"""Seconds between two looks at whether the cluster is still there."""
_COUNTED: Final = 2.0
"""Seconds between two counts of its threads, which may come and go."""
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

    A case goes to the cluster as the answer of a task: a worker asks for it once and keeps it, and
    one that is lost with its workers is made again. What a lost worker was at, or had and nobody
    had taken, is done again by another; a block is taken once.

    Raises
    ------
    ClusterError
        Where the cluster is lost, or a task's workers die time and again.
    """
    from distributed import KilledWorker

    name = f"bess-sweep-{uuid.uuid4().hex[:8]}"
    done: queue.SimpleQueue[Any] = queue.SimpleQueue()
    waiting: dict[Any, tuple[Chunk, dict[str, NDArray[Any]]]] = {}
    held, case = None, -1

    def take_one() -> None:
        future = _first_of(done, client, threads)
        columns = future.result()
        block, rows = waiting.pop(future)
        if columns is not None:
            take(block, rows | columns)
        advance(block.last - block.first)

    threads = _Threads(client)
    try:
        for i, block in enumerate(blocks):
            if block.case != case:
                case = block.case
                key = f"{name}-case-{case}"
                held = client.submit(_hold, cases[case], version("bess-dispatch"), key=key)
            part = parameters.part(block.first, block.last)
            future = client.submit(_work, held, part, block, folder, key=f"{name}-{i}")
            future.add_done_callback(done.put)
            waiting[future] = block, {} if folder else part.rows(0, len(part))
            while len(waiting) >= max(2 * threads.count(), _FEWEST):
                take_one()
        while waiting:
            take_one()
    except (CancelledError, KilledWorker, OSError) as error:
        raise ClusterError(f"the cluster was lost, or gave up: {error}") from error
    finally:
        if waiting:
            with suppress(Exception):  # a cluster that is lost has nothing to cancel
                client.cancel(list(waiting), force=True)


def _first_of(done: queue.SimpleQueue[Any], client: Any, threads: _Threads) -> Any:
    while True:
        try:
            return done.get(timeout=_HEARD)
        except queue.Empty:
            if client.status not in ("running", "connecting"):
                raise ClusterError(f"the client of the cluster is {client.status}") from None
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
            self._count, self._counted = sum(self._client.nthreads().values()), now
            self._seen = now if self._count else self._seen
            if self._seen and now > self._seen + _PATIENCE:
                raise ClusterError(f"the cluster has had no worker for {_PATIENCE:g} s")
        return self._count


def _hold(case: Case, wanted: str) -> Case:
    found = version("bess-dispatch")
    if found != wanted:
        raise ClusterError(f"a worker has version {found} of bess-dispatch, this is {wanted}")
    return case


def _work(
    case: Case, part: Parameters, block: Chunk, folder: Folder | None
) -> dict[str, NDArray[Any]] | None:
    """A block on a worker: its metrics, or nothing where they are written to a folder."""
    count, size = len(part), case.chunk
    parts = [case.columns(part, i, min(i + size, count)) for i in range(0, count, size)]
    if folder is not None:
        folder.write(block, parts)
        return None
    return {
        name: np.concatenate([columns[name] for columns in parts])
        for name in parts[0]
        if name not in part.names
    }
