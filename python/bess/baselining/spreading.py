"""Bills spread over a year of steps, so that every bill's total is met.

The year is a ring: a bill that crosses its edge is in it with both its parts, and a bill of another
year lies on the same days of the month. The bills' edges cut the ring into segments; the energies
of the segments are what the bills leave to be chosen, and start from the typical's.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bess.baselining.meeting import Contradiction, meet
from bess.errors import InputError
from bess.profile.readings import Bills
from bess.timeline import Timeline

__all__ = ["Spread", "spread"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Booleans = NDArray[np.bool_]

DAY: Final = 86_400


@dataclass(frozen=True)
class Spread:
    """A year of steps that meets the bills."""

    energy_kwh: Floats
    billed: Booleans
    """Which steps lie in a bill, at least for the larger part."""
    notes: tuple[str, ...]


def spread(bills: Bills, year: Timeline, typical: Floats) -> Spread:
    """The bills' energies on the steps of a year, in the shape of the typical's (each ≥ 0).

    A bill in the year keeps its total, overlapping ones each theirs: of all series that meet them,
    one near the typical (`bess.baselining.meeting`); totals that contradict each other by rounding
    alone are met within it, and it is said. Of several years' bills on one day of the year, the one
    nearest to the year's own counts, the later of two; a farther one counts on the days that are
    left, with the share of its energy that the typical has there. Steps without a bill follow the
    typical, scaled as the bills scale it on the whole.

    Raises
    ------
    InputError
        For a bill shorter than a step, and for bills that contradict each other.
    """
    length = year.end_seconds - year.start_seconds
    short = np.flatnonzero(bills.end_seconds - bills.start_seconds < year.step_seconds)
    if len(short):
        minutes = year.step_seconds / 60
        raise InputError.at(bills.places[short[0]], f"is shorter than a step, {minutes:g} min")
    arcs = [_arcs(bills, i, year, length) for i in range(len(bills.places))]
    edges = np.unique([0, length, *(edge for arc in arcs for part in arc for edge in part)])
    cover = np.zeros((len(arcs), len(edges) - 1), bool)
    for i, arc in enumerate(arcs):
        for first, last in arc:
            cover[i, np.searchsorted(edges, first) : np.searchsorted(edges, last)] = True
    pieces = _Pieces.of(edges, year)
    typical, notes = _with_shape(typical, cover, bills, pieces)
    weights = pieces.by_segment(typical)
    totals, left_out = _choose(bills, year, cover, weights)
    energies, granted = _meet(bills, cover, totals, weights)

    billed: Booleans = np.any(cover, axis=0)
    known = float(weights[billed].sum())
    scale = float(energies[billed].sum()) / known if known > 0 else 0.0
    energies[~billed] = weights[~billed] * scale
    notes += [*left_out, *granted]
    return Spread(pieces.series(energies, typical), pieces.mostly(billed), tuple(notes))


@dataclass(frozen=True)
class _Pieces:
    """The ring cut at every step's and every segment's edge."""

    step: Integers
    segment: Integers
    share: Floats
    """How much of its step each piece is."""
    steps: int
    segments: int

    @classmethod
    def of(cls, edges: Integers, year: Timeline) -> _Pieces:
        all_steps = np.arange(year.steps + 1, dtype=np.int64) * year.step_seconds
        cuts = np.union1d(all_steps, edges)
        starts = cuts[:-1]
        return cls(
            starts // year.step_seconds,
            np.searchsorted(edges, starts, side="right") - 1,
            np.diff(cuts) / year.step_seconds,
            year.steps,
            len(edges) - 1,
        )

    def by_segment(self, series: Floats) -> Floats:
        weight = series[self.step] * self.share
        return np.bincount(self.segment, weight, self.segments).astype(np.float64)

    def series(self, energies: Floats, typical: Floats) -> Floats:
        """Segment energies by step, within each segment in the shape of the typical."""
        weight = typical[self.step] * self.share
        total = np.bincount(self.segment, weight, minlength=self.segments)
        scale = np.divide(energies, total, out=np.zeros_like(energies), where=total > 0)
        energy = weight * scale[self.segment]
        return np.bincount(self.step, energy, self.steps).astype(np.float64)

    def mostly(self, segments: Booleans) -> Booleans:
        """The steps of which the larger part lies in the segments."""
        share = np.bincount(self.step, self.share * segments[self.segment], minlength=self.steps)
        found: Booleans = share > 0.5
        return found


def _arcs(bills: Bills, i: int, year: Timeline, length: int) -> list[tuple[int, int]]:
    """Where on the ring a bill lies, in seconds after its start: nowhere, or on one or two arcs."""
    start, end = int(bills.start_seconds[i]), int(bills.end_seconds[i])
    first = _on_the_ring(start, year, length)
    last = _on_the_ring(end, year, length) or length
    arc = last - first + (length if last <= first else 0)
    if arc - (end - start) > length // 2:
        return []  # 29 February in a year without one, or the hour that autumn doubles
    if end - start - arc > length // 2:
        return [(0, length)]  # a day more than the year
    return [(first, last)] if first < last else [(first, length), (0, last)]


def _on_the_ring(instant: int, year: Timeline, length: int) -> int:
    """An instant's place in the year: its own, else that of the same local date and time."""
    after = instant - year.start_seconds
    if 0 <= after <= length:
        return after % length
    there = datetime.fromtimestamp(instant, UTC).astimezone(year.tzinfo)
    first = year.instant(0).year
    for candidate in (first, first + 1):
        try:
            moved = there.replace(year=candidate)
        except ValueError:  # 29 February: the day after the 28th
            moved = there.replace(year=candidate, month=3, day=1, hour=0, minute=0, second=0)
        after = int(moved.timestamp()) - year.start_seconds
        if 0 <= after < length:
            return after
    return 0  # within the hour by which the year's two ends differ on the clock


def _with_shape(
    typical: Floats, cover: Booleans, bills: Bills, pieces: _Pieces
) -> tuple[Floats, list[str]]:
    """The typical, made flat within bills over which it has no energy to scale."""
    notes = []
    for i, place in enumerate(bills.places):
        if cover[i].any() and bills.energy_kwh[i] > 0:
            inside = np.unique(pieces.step[cover[i][pieces.segment]])
            if pieces.by_segment(typical)[cover[i]].sum() <= 0:
                typical = typical.copy()
                typical[inside] = typical.mean() if typical.any() else 1.0
                notes.append(f"{place}: the typical profile is 0 throughout: spread evenly")
    return typical, notes


def _choose(
    bills: Bills, year: Timeline, cover: Booleans, weights: Floats
) -> tuple[Floats, list[str]]:
    """Each bill's energy on the segments it counts on; ``cover`` is narrowed to them."""
    starts, ends = bills.start_seconds, bills.end_seconds
    before, after = year.start_seconds - starts, ends - year.end_seconds
    years_away = np.ceil(np.maximum(np.maximum(before, after), 0) / (365.25 * DAY))
    order = np.lexsort((-ends, years_away))
    totals = bills.energy_kwh.copy()
    left_out, shared = 0, 0
    notes = []
    chosen: list[int] = []
    for i in order:
        others = [j for j in chosen if starts[i] >= ends[j] or ends[i] <= starts[j]]
        taken = cover[others].any(axis=0) if others else np.zeros(cover.shape[1], bool)
        whole, rest = cover[i].copy(), cover[i] & ~taken
        if not whole.any():
            notes.append(f"{bills.places[i]} lies on a day that the year has not: left out")
        elif not rest.any():
            left_out += 1
        elif not np.array_equal(whole, rest):
            shared += 1
            totals[i] *= weights[rest].sum() / weights[whole].sum() if totals[i] else 0.0
        cover[i] = rest
        chosen.append(int(i))
    if left_out:
        notes.append(f"bills left out, whose days nearer bills cover: {left_out}")
    if shared:
        notes.append(
            f"bills of other years that count on the days no nearer bill covers: {shared}, each "
            "with the share of its energy that is typical there"
        )
    return totals, notes


def _meet(
    bills: Bills, cover: Booleans, totals: Floats, weights: Floats
) -> tuple[Floats, list[str]]:
    """Energies of segments that have every bill's total, and what rounding had to be granted."""
    unit = _unit(bills.energy_kwh)
    try:
        met = meet(cover, totals, weights, unit)
    except Contradiction as found:
        worst = found.bill
    else:
        return met.energies, [
            f"{', '.join(bills.places[i] for i in group)} overlap, and their totals agree but for "
            f"the rounding of their figures to {unit:g} kWh: met within {off:.2g} kWh of each"
            for group, off in met.rounded
        ]
    real = (bills.start_seconds < bills.end_seconds[worst]) & (
        bills.end_seconds > bills.start_seconds[worst]
    )
    real[worst] = False
    names = ", ".join(bills.places[j] for j in np.flatnonzero(real))
    raise InputError.at(
        bills.places[worst],
        f"contradicts {names}, which it overlaps: no series has all their totals; leave out what "
        "was corrected later",
        float(totals[worst]),
    )


def _unit(energies: Floats) -> float:
    """What energies are rounded to: the largest of 1, 0.1, 0.01 and 0.001 kWh; 0 for none."""
    for unit in (1.0, 0.1, 0.01, 0.001):
        off = np.abs(energies / unit - np.round(energies / unit))
        if (off <= 1e-9 * np.maximum(energies / unit, 1.0)).all():
            return unit
    return 0.0
