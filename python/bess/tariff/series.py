"""Prices given step by step, and how they are laid on the steps of a horizon."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from bess.errors import InputError
from bess.timeline import Timeline, zone

__all__ = ["PriceSeries"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_WALL_EPOCH: Final = datetime(1970, 1, 1)


@dataclass(frozen=True, eq=False)
class PriceSeries:
    """What a kWh costs and earns in each step of a series, in money per kWh.

    ``import_price`` and ``export_price`` have one length. Where they lie in time is said in one of
    four ways: by nothing (``repeats``: one price for ever; else they are the steps of the horizon
    they are asked for), by ``start_seconds`` (an instant, in seconds since the epoch), or by
    ``walls`` (what a local clock without an offset showed at each start, in seconds since
    1970-01-01T00:00 on that clock; the doubled hour of autumn twice, in order).
    """

    import_price: Floats
    export_price: Floats
    path: str = "prices"
    """What the prices are called in errors."""
    step_seconds: int | None = None
    start_seconds: int | None = None
    walls: Integers | None = None
    repeats: bool = False
    lines: tuple[int, ...] = field(default=(), repr=False)
    """The line of the file that holds each price."""

    def __post_init__(self) -> None:
        for name in ("import_price", "export_price", "walls"):
            if (array := getattr(self, name)) is not None:
                kind = np.int64 if name == "walls" else np.float64
                owned = np.array(array, kind)
                owned.setflags(write=False)
                object.__setattr__(self, name, owned)

    def __reduce__(self) -> tuple[Any, ...]:
        fields = self.__dataclass_fields__
        return PriceSeries, tuple(getattr(self, name) for name in fields)

    def times(self, factor: float) -> PriceSeries:
        """The same prices times a number."""
        return replace(
            self, import_price=self.import_price * factor, export_price=self.export_price * factor
        )

    def on(self, timeline: Timeline, time_zone: str | None) -> tuple[Floats, Floats]:
        """Import and export prices of every step of a horizon, each of length ``steps``.

        ``time_zone`` is the clock of stamps without an offset (None: the site's). A price holds for
        its whole step, so the horizon's steps may be shorter, never longer.

        Raises
        ------
        InputError
            For another number of prices than the horizon has steps, steps that do not fit into
            those of the prices, a horizon that is not covered, or stamps that are no even series.
        """
        count = len(self.import_price)
        if self.step_seconds is None:
            if not self.repeats and count != timeline.steps:
                reason = f"there are {count} prices for a horizon of {timeline.steps} steps"
                raise InputError.at(self.path, reason)
            shape = (timeline.steps,)
            both = (self.import_price, self.export_price)
            return np.broadcast_to(both[0], shape), np.broadcast_to(both[1], shape)
        step = self.step_seconds
        start = self._start(timeline, time_zone)
        ahead = timeline.start_seconds - start
        if step % timeline.step_seconds or ahead % timeline.step_seconds:
            raise InputError.at(
                self.path,
                f"its steps ({step} s from {_utc(start)}) must hold whole steps of the horizon "
                f"({timeline.step_seconds} s from {_utc(timeline.start_seconds)})",
            )
        if ahead < 0 or timeline.end_seconds > start + count * step:
            raise InputError.at(
                self.path,
                f"its prices run from {_utc(start)} to {_utc(start + count * step)}; the horizon "
                f"is {_utc(timeline.start_seconds)} to {_utc(timeline.end_seconds)}",
            )
        at = (ahead + timeline.step_seconds * np.arange(timeline.steps, dtype=np.int64)) // step
        return self.import_price[at], self.export_price[at]

    def _start(self, timeline: Timeline, time_zone: str | None) -> int:
        """The instant of the first price, in seconds since the epoch."""
        if self.start_seconds is not None:
            return self.start_seconds
        assert self.walls is not None
        assert self.step_seconds is not None
        name = time_zone or timeline.time_zone
        if name is None:
            raise InputError.at(
                self.path, "its time stamps have no UTC offset: give a time_zone for them"
            )
        first = _WALL_EPOCH + timedelta(seconds=int(self.walls[0]))
        differs = 0
        for fold in (0, 1):
            moment = first.replace(tzinfo=zone(name), fold=fold)
            if moment.astimezone(UTC).astimezone(zone(name)).replace(tzinfo=None) != first:
                raise InputError.at(
                    self._line(0),
                    f"does not exist in {name}, where clocks go forward",
                    first.isoformat(),
                )
            try:
                own = Timeline(moment, self.step_seconds, len(self.walls), name)
            except InputError as error:
                raise error.under(self._line(0)) from None
            clock = own.clock()
            shown = clock.day_number * 86_400 + clock.second_of_day
            wrong = np.flatnonzero(shown != self.walls)
            if not len(wrong):
                return own.start_seconds
            if int(wrong[0]) >= differs:
                differs = int(wrong[0])
                expected = _WALL_EPOCH + timedelta(seconds=int(shown[differs]))
        given = _WALL_EPOCH + timedelta(seconds=int(self.walls[differs]))
        raise InputError.at(
            self._line(differs),
            f"must be {expected.isoformat()}: one step ({self.step_seconds} s) on, on the clock of "
            f"{name}",
            given.isoformat(),
        )

    def _line(self, row: int) -> str:
        return f"{self.path}: line {self.lines[row]}" if self.lines else self.path


def _utc(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%MZ")
