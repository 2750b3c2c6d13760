"""Runs a sweep's chunks on threads, and tells how far it is."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bess.sweeping.cases import Case
from bess.sweeping.parameters import Parameters

__all__ = ["Chunk", "Columns", "chunks_of", "progress_bar", "run_on_threads"]


class Chunk(NamedTuple):
    """Some rows of one case."""

    case: int
    first: int
    """Batteries, from this"""
    last: int
    """to before this."""


def chunks_of(cases: Sequence[Case], batteries: int, rows: int | None = None) -> Iterator[Chunk]:
    """All chunks in order, each as large as suits its case, or of ``rows`` at most."""
    for index, case in enumerate(cases):
        size = min(case.chunk, rows or case.chunk)
        for first in range(0, batteries, size):
            yield Chunk(index, first, min(first + size, batteries))


class Columns:
    """Whole columns that chunks are written into, from any thread."""

    def __init__(self, cases: Sequence[Case], batteries: int) -> None:
        self._cases = cases
        self._batteries = batteries
        self._lock = threading.Lock()
        self._columns: dict[str, NDArray[Any]] = {}

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
    chunks: Iterator[Chunk],
    workers: int,
    take: Callable[[Chunk, dict[str, NDArray[Any]]], None],
    advance: Callable[[int], None],
) -> None:
    """Work every chunk; ``take`` is called from the threads, ``advance`` from here.

    An interrupt lets the chunks at work end and starts no more.
    """

    def work(chunk: Chunk) -> int:
        take(chunk, cases[chunk.case].columns(parameters, chunk.first, chunk.last))
        return chunk.last - chunk.first

    waiting: set[Future[int]] = set()
    with ThreadPoolExecutor(workers, thread_name_prefix="bess-sweep") as pool:
        try:
            for chunk in chunks:
                waiting.add(pool.submit(work, chunk))
                if len(waiting) >= 2 * workers:
                    done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                    for future in done:
                        advance(future.result())
            for future in waiting:
                advance(future.result())
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise


@contextmanager
def progress_bar(total: int, shown: bool | None) -> Iterator[Callable[[int], None]]:
    """A bar with rate and time left on standard error; by default only where that is a terminal."""
    if shown is False or (shown is None and not sys.stderr.isatty()):
        yield lambda count: None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    rate = TextColumn("{task.fields[rate]}")
    console = Console(stderr=True)
    with Progress(
        TextColumn("scenarios"),
        BarColumn(),
        MofNCompleteColumn(),
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
