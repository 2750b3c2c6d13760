"""A heat map of prices by month and hour, in characters and colours, for a terminal."""

from __future__ import annotations

import string
from collections.abc import Iterator
from typing import Any

import numpy as np
from rich.text import Text

from bess._arrays import Floats

__all__ = ["terminal_map"]

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_FEW = 20
"""Up to so many prices have a letter each; more are put into ten groups of as many hours."""


def terminal_map(prices: Floats, what: str) -> Iterator[Any]:
    """Prices by kind of day, month and hour, shape (2, 12, 24); a line where all are one.

    ``what`` is what a price is, such as "USD per kWh imported".
    """
    rounded = np.round(prices, 9)
    known = rounded[np.isfinite(rounded)]
    levels = np.unique(known)
    if not len(levels):
        return
    if len(levels) == 1:
        yield Text(f"{what}: {levels[0]:.5g} at all hours")
        return
    if len(levels) <= _FEW:
        level = np.searchsorted(levels, np.nan_to_num(rounded, nan=levels[0]))
        marks = string.ascii_letters[: len(levels)]
        key = ", ".join(f"{mark} {price:.5g}" for mark, price in zip(marks, levels, strict=True))
    else:
        edges = np.unique(np.quantile(known, np.arange(1, 10) / 10))
        level = np.searchsorted(edges, np.nan_to_num(rounded, nan=levels[0]), side="right")
        marks = string.digits[: len(edges) + 1]
        starts = zip(marks, [levels[0], *edges], strict=True)
        key = ", ".join(f"{mark} from {price:.3g}" for mark, price in starts)
        key = f"{key}, up to {levels[-1]:.3g}"
    halves: list[tuple[str, int]] = [("Monday to Friday", 0), ("Saturday and Sunday", 1)]
    if np.array_equal(rounded[0], rounded[1], equal_nan=True):
        halves = [("every day", 0)]
    for name, half in halves:
        yield _picture(name, level[half], marks, np.isfinite(rounded[half]))
    yield Text(f"{what}: {key}")


def _picture(name: str, level: Any, marks: str, known: Any) -> Text:
    hours = "".join(f"{hour:<6}" for hour in range(0, 24, 3)).rstrip()
    picture = Text(f"{name}, hour by hour\n", style="bold")
    picture.append(f"    {hours}\n", style="default")
    for month, own, there in zip(_MONTHS, level.tolist(), known.tolist(), strict=True):
        picture.append(f"{month} ", style="default")
        for mark, is_there in zip(own, there, strict=True):
            heat = int(255 * mark / max(len(marks) - 1, 1))
            style = f"black on rgb({heat},{200 - heat // 2},{255 - heat})"
            picture.append(marks[mark] * 2 if is_there else "  ", style=style if is_there else "")
        picture.append("\n")
    return picture
