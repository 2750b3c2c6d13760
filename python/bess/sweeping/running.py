"""Runs a sweep's chunks on threads, and tells how far it is."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bess.sweeping.case import Case
from bess.sweeping.parameters import Parameters

__all__ = [
    "Chunk",
    "Columns",
    "blocks_of",
    "chunks_of",
    "progress_bar",
    "rows_of_blocks",
    "run_on_threads",
]

MOST_ROWS: Final = 65_536
"""What is worked, sent or written as one has no more rows than this."""


class Chunk(NamedTuple):
    """Some rows of one case."""

    case: int
    first: int
    """Batteries, from this"""
    last: int
    """to before this."""


def rows_of_blocks(cases: Sequence[Case], wanted: int) -> list[int]:
    """How many rows blocks of each case have: about as many as ``wanted``, in whole chunks."""
    return [
        case.chunk * max(1, min(-(-max(wanted, case.least) // case.chunk), MOST_ROWS // case.chunk))
        for case in cases
    ]


def blocks_of(sizes: Sequence[int], batteries: int) -> Iterator[Chunk]:
    """All rows in order, those of each case in blocks of its size."""
    for case, size in enumerate(sizes):
        for first in range(0, batteries, size):
            yield Chunk(case, first, min(first + size, batteries))


def chunks_of(
    cases: Sequence[Case], blocks: Iterable[Chunk], rows: int | None = None
) -> Iterator[Chunk]:
    """The rows of blocks in order, in chunks that suit their case, or of ``rows`` at most."""
    for case, start, end in blocks:
        size = min(cases[case].chunk, rows or MOST_ROWS)
        for first in range(start, end, size):
            yield Chunk(case, first, min(first + size, end))


class Columns:
    """Whole columns that chunks are written into, from any thread."""

    def __init__(self, cases: Sequence[Case], batteries: int) -> None:
        self._cases = cases
        self._batteries = batteries
        self._lock = threading.Lock()
        self._columns = {"error": np.full(len(cases) * batteries, "", object)}

    def write(self, chunk: Chunk, columns: dict[str, NDArray[Any]]) -> None:
        """Take the rows of a chunk; a column that is new holds nothing before."""
        first = chunk.case * self._batteries + chunk.first
        with self._lock:
            for name, values in columns.items():
                if name not in self._columns:
                    self._columns[name] = self._empty(name, values.dtype)
        for name, values in columns.items():
            self._columns[name][first : first + len(values)] = values

    def _empty(self, name: str, dtype: np.dtype[Any]) -> NDArray[Any]:
        rows = len(self._cases) * self._batteries
        if dtype.kind == "O":
            return np.full(rows, "", object)
        return np.zeros(rows, dtype) if dtype == np.bool_ else np.full(rows, np.nan)

    def in_order(self) -> dict[str, NDArray[Any]]:
        """Labels, parameters, metrics, and ``error`` last."""
        labels: dict[str, NDArray[Any]] = {}
        for name in self._cases[0].labels:
            values = np.array([case.labels[name] for case in self._cases], object)
            labels[name] = np.repeat(values, self._batteries)
        error = self._columns.pop("error")
        return {**labels, **self._columns, "error": error}


def run_on_threads(
    cases: Sequence[Case],
    parameters: Parameters,
    chunks: Iterable[Chunk],
    workers: int,
    take: Callable[[Chunk, dict[str, NDArray[Any]]], None],
    advance: Callable[[int], None],
) -> None:
    """Work every chunk; ``take`` is called from the threads, ``advance`` from here.

    One worker is the calling thread. An interrupt, or an exception in a thread, starts no more
    batteries and is raised when those at work are done.
    """
    stop = threading.Event()

    def work(chunk: Chunk) -> int:
        case, first, last = chunk
        if not stop.is_set():
            take(chunk, cases[case].columns(parameters, first, last, stop.is_set))
        return last - first

    if workers == 1:
        for chunk in chunks:
            advance(work(chunk))
        return
    waiting: set[Future[int]] = set()
    with ThreadPoolExecutor(workers, thread_name_prefix="bess-sweep") as pool:
        try:
            for chunk in chunks:
                waiting.add(pool.submit(work, chunk))
                while len(waiting) >= 2 * workers:
                    waiting = _first_done(waiting, advance)
            while waiting:
                waiting = _first_done(waiting, advance)
        except BaseException:
            stop.set()
            pool.shutdown(wait=True, cancel_futures=True)
            raise


def _first_done(waiting: set[Future[int]], advance: Callable[[int], None]) -> set[Future[int]]:
    """Wait for one to be done, but no longer than an interrupt may go unheard on any system."""
    done, waiting = wait(waiting, timeout=0.5, return_when=FIRST_COMPLETED)
    for future in done:
        advance(future.result())
    return waiting


@contextmanager
def progress_bar(total: int, shown: bool | None) -> Iterator[Callable[[int], None]]:
    """A bar with rate and time left on standard error; by default only where that is a terminal."""
    if shown is False or (shown is None and not sys.stderr.isatty()):
        yield lambda count: None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    rate = TextColumn("{task.fields[rate]}")
    console = Console(stderr=True)
    with Progress(
        TextColumn("scenarios"),
        BarColumn(),
        TextColumn("{task.completed:,.0f}/{task.total:,.0f}"),
        rate,
        TimeRemainingColumn(),
        console=console,
        transient=True,
    ) as progress:
        task = progress.add_task("", total=total, rate="")

        def advance(count: int) -> None:
            progress.advance(task, count)
            speed = progress.tasks[task].speed
            if speed:
                progress.update(task, rate=f"{speed:,.0f}/s")

        yield advance
