"""A tariff: in this version, what a kWh costs at the meter and what it earns, at every instant."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from bess.errors import InputError
from bess.prices import Prices
from bess.tariff.series import PriceSeries
from bess.time_of_use import TimeOfUse, boundary_inside_step, covers, holidays
from bess.timeline import LocalClock, Timeline, zone

__all__ = ["EnergyRate", "Tariff"]

Steps = NDArray[np.bool_]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class EnergyRate:
    """One price per kWh, the times it holds at, and whether imports pay it or exports earn it."""

    name: str
    """What errors call it, such as ``rates[3] 'Summer Peak'``."""
    group: tuple[str, ...]
    """Rates of one group are alternatives; those of different groups add up."""
    price: float
    """Money per kWh: what an import costs, what an export earns. Negative for a credit."""
    on_import: bool = True
    on_export: bool = False
    times: tuple[TimeOfUse, ...] = ()
    """It holds where all of these do: a season, a time of use, both, or (empty) always."""
    week: tuple[str, ...] = ()
    """Times of use of one ``week`` share it out (empty: those of its group): a holiday that one of
    them takes whole, the others leave."""
    valid_from: int | None = None
    """The first instant at which it is in force, in seconds since the epoch; None: no bound."""
    valid_to: int | None = None
    """The instant at which it is no longer in force; None: no bound."""


@dataclass(frozen=True, eq=False)
class Tariff:
    """What energy costs and earns, as a supplier publishes it. Made by `bess.load_tariff`.

    Immutable, safe to use from many threads, and picklable.

    Parameters
    ----------
    name
        The tariff's name.
    identifiers
        Everything it may be asked for by: its ids and, from a file, the file's stem.
    currency
        The currency of its prices (ISO 4217), where it says.
    time_zone
        The IANA zone of its times of use and seasons; None: the site's.
    assumptions
        What was assumed in reading it, a sentence each.
    ignored
        What it holds that changes no dispatch or says nothing known, and is not billed.
    rates, series
        Its prices: by time of use and season, or step by step.
    calendars
        The days of each calendar of holidays, by its id.
    effective
        The instants (seconds since the epoch) between which it is published; None: no bound.
    """

    name: str
    identifiers: frozenset[str] = frozenset()
    currency: str | None = None
    time_zone: str | None = None
    assumptions: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    rates: tuple[EnergyRate, ...] = field(default=(), repr=False)
    series: PriceSeries | None = field(default=None, repr=False)
    calendars: tuple[tuple[str, frozenset[date]], ...] = field(default=(), repr=False)
    effective: tuple[int | None, int | None] = field(default=(None, None), repr=False)

    def prices(self, timeline: Timeline) -> Prices:
        """The import and export price of every step, in money per kWh; kept for the next call.

        A step belongs to the period in which it starts. Rates that hold at once add up; export
        earns 0 where no rate pays for it.

        Raises
        ------
        InputError
            Where an instant has no import price, or two rates of one group, or none of a group of
            several; for a series, where it does not fit the horizon.
        """
        return _prices(self, timeline)

    def notes(self, timeline: Timeline) -> tuple[str, ...]:
        """What pricing this horizon assumes beyond `assumptions`, a sentence each."""
        notes = []
        times = {time for rate in self.rates for time in rate.times}
        clock = timeline.clock(self.time_zone)
        calendars = dict(self.calendars)
        cut = np.zeros(timeline.steps, np.bool_)
        for time in times:
            cut |= boundary_inside_step([time], clock, calendars)
        if count := int(np.count_nonzero(cut)):
            first = timeline.instant(int(np.argmax(cut))).isoformat()
            notes.append(
                f"tariff {self.name}: times of use begin or end inside steps ({count} of "
                f"{timeline.steps}, the first at {first}); each step has the price at its start"
            )
        start, end = self.effective
        if (start is not None and timeline.start_seconds < start) or (
            end is not None and timeline.end_seconds > end
        ):
            notes.append(
                f"tariff {self.name}: published for {self._day(start)} to {self._day(end)}; its "
                f"prices are used for the whole horizon"
            )
        if self.time_zone is None and times:
            notes.append(f"tariff {self.name}: names no time zone; the site's clock is used")
        return tuple(notes)

    def _day(self, seconds: int | None) -> str:
        if seconds is None:
            return "any time"
        clock = UTC if self.time_zone is None else zone(self.time_zone)
        return f"{datetime.fromtimestamp(seconds, clock):%Y-%m-%d}"


@lru_cache(maxsize=32)
def _prices(tariff: Tariff, timeline: Timeline) -> Prices:
    if tariff.series is not None:
        imports, exports = tariff.series.on(timeline, tariff.time_zone)
    else:
        holds = _holds(tariff, timeline)
        imports = _sum(tariff, timeline, holds, [r.on_import for r in tariff.rates])
        exports = _sum(tariff, timeline, holds, [r.on_export for r in tariff.rates])
        priced = np.zeros(timeline.steps, np.bool_)
        for rate, at in zip(tariff.rates, holds, strict=True):
            if rate.on_import:
                priced |= at
        _refuse_gap(tariff, timeline, priced, "no rate prices an import")
    prices = []
    for series in (imports, exports):
        owned = np.array(series, np.float64)
        owned.setflags(write=False)
        prices.append(owned)
    return Prices(import_price=prices[0], export_price=prices[1])


def _sum(tariff: Tariff, timeline: Timeline, holds: list[Steps], counted: list[bool]) -> Floats:
    """The rates that hold in each step, added up; the alternatives of a group checked."""
    total = np.zeros(timeline.steps)
    groups: dict[tuple[str, ...], list[int]] = {}
    for i, rate in enumerate(tariff.rates):
        if counted[i]:
            total += rate.price * holds[i]
            groups.setdefault(rate.group, []).append(i)
    for group in groups.values():
        if len(group) < 2:
            continue
        number = np.add.reduce([holds[i] for i in group], dtype=np.int64)
        if (number > 1).any():
            k = int(np.argmax(number > 1))
            both = " and ".join(tariff.rates[i].name for i in group if holds[i][k])
            raise InputError.at(
                f"tariff {tariff.name}",
                f"{both} are of one group and both hold at {timeline.instant(k).isoformat()}",
            )
        names = ", ".join(tariff.rates[i].name for i in group)
        _refuse_gap(tariff, timeline, number > 0, f"none of {names} holds")
    return total


def _refuse_gap(tariff: Tariff, timeline: Timeline, priced: Steps, what: str) -> None:
    if not priced.all():
        instant = timeline.instant(int(np.argmin(priced))).isoformat()
        raise InputError.at(f"tariff {tariff.name}", f"{what} at {instant}")


def _holds(tariff: Tariff, timeline: Timeline) -> list[Steps]:
    """For each rate, the steps in which it holds."""
    clock = timeline.clock(tariff.time_zone)
    calendars = dict(tariff.calendars)
    taken: dict[tuple[str, ...], Steps] = {}
    sharing = [rate.week or rate.group for rate in tariff.rates]
    for week, rate in zip(sharing, tariff.rates, strict=True):
        if not _has_calendar(rate):
            continue
        times = rate.times
        days = _all_of((holidays([t], clock, calendars) for t in times if t.calendar), clock)
        days &= _all_of((covers([t], clock, calendars) for t in times), clock)
        taken[week] = taken[week] | days if week in taken else days
    starts = timeline.start_seconds + timeline.step_seconds * np.arange(timeline.steps)
    found: dict[tuple[TimeOfUse, ...], Steps] = {}
    holds = []
    for week, rate in zip(sharing, tariff.rates, strict=True):
        if rate.times not in found:
            found[rate.times] = _all_of((covers([t], clock, calendars) for t in rate.times), clock)
        at = found[rate.times]
        if rate.times and week in taken and not _has_calendar(rate):
            at = at & ~taken[week]
        if rate.valid_from is not None:
            at = at & (starts >= rate.valid_from)
        if rate.valid_to is not None:
            at = at & (starts < rate.valid_to)
        holds.append(at)
    return holds


def _has_calendar(rate: EnergyRate) -> bool:
    return any(time.calendar for time in rate.times)


def _all_of(masks: Iterable[Steps], clock: LocalClock) -> Steps:
    everything = np.ones(clock.steps, np.bool_)
    for mask in masks:
        everything &= mask
    return everything
