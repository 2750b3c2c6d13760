"""Green Button files: the ESPI XML of NAESB REQ.21, an Atom feed of interval readings and bills.

Times are instants (seconds since 1970 UTC), whatever the file says of local time. A file that
defines a document type is refused before anything else of it is read: entities can hide any size.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, timedelta, timezone, tzinfo
from functools import cache
from pathlib import Path
from typing import Final
from xml.etree import ElementTree
from xml.parsers import expat

import numpy as np

from bess.errors import InputError
from bess.profile.lengths import side_by_side
from bess.profile.readings import MOST_ENERGY, Bills, GappedSeries, series_of
from bess.timeline import zone

__all__ = ["read_green_button"]

_ESPI: Final = "{http://naesb.org/espi}"
_ATOM: Final = "{http://www.w3.org/2005/Atom}"
_UNITS: Final = {"72": 1e-3, "38": 1e-3}
"""Wh, and W as the mean power of an interval: in kWh, kW."""
_WATT: Final = "38"
_FORWARD, _REVERSE, _NET = "1", "19", "4"
_ESTIMATED: Final = ("8", "9")
_NO_ELECTRICITY: Final = ("7", "8", "9", "10")
_SUMMARIES: Final = ("UsageSummary", "ElectricPowerUsageSummary")
_TOTALS: Final = ("overallConsumptionLastPeriod", "currentBillingPeriodOverAllConsumption")
_TOP_LEVEL: Final = {
    _ESPI + name
    for name in ("IntervalBlock", "LocalTimeParameters", "MeterReading", "ReadingType", *_SUMMARIES)
}
_LATEST: Final = 4_102_444_800  # the year 2100


@dataclass
class _Meter:
    """What a reading type says of the interval readings that refer to it."""

    factor: float
    flow: str
    is_power: bool


@dataclass(frozen=True)
class _Entry:
    """An entry of the feed: its content, and where its links lead."""

    content: ElementTree.Element
    own: str
    up: str
    related: tuple[str, ...]


def read_green_button(path: Path, time_zone: str | None, name: str) -> Bills | GappedSeries:
    """The electricity a Green Button file counts: its intervals, else the bills it summarises.

    Forward energy (ESPI flow direction 1) is the site's import, reverse (19) its export, net (4)
    either by its sign. Of intervals of several lengths the shortest count.

    Raises
    ------
    InputError
        For a file that is not such XML, holds several usage points or no electricity, or a value
        that is not valid.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError.at(name, f"cannot be read: {error.strerror}") from None
    root = _parsed(data, name)
    entries = list(_entries(root))
    points = {entry.own for entry in entries if entry.content.tag == f"{_ESPI}UsagePoint"}
    if len(points) > 1:
        raise InputError.at(name, f"holds {len(points)} usage points: give a file for each")
    clock = _clock(entries, time_zone)
    found = _intervals(entries, name, clock)
    return found if found is not None else _bills(entries, name)


class _BegunError(Exception):
    """The root element begins: no document type can follow."""


def _parsed(data: bytes, name: str) -> ElementTree.Element:
    def refuse(*_: object) -> None:
        raise InputError.at(name, "defines a document type, which no Green Button file needs")

    def begin(*_: object) -> None:
        raise _BegunError

    probe = expat.ParserCreate()
    probe.StartDoctypeDeclHandler = refuse
    probe.StartElementHandler = begin
    try:
        with suppress(_BegunError):
            probe.Parse(data, True)
        return ElementTree.fromstring(data)
    except (ElementTree.ParseError, expat.ExpatError) as error:
        raise InputError.at(name, f"is not XML: {error}") from None
    except (LookupError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError.at(name, f"is not XML that can be decoded: {error}") from None


def _entries(root: ElementTree.Element) -> Iterator[_Entry]:
    """The feed's entries; a file without Atom around it has the ESPI elements themselves."""
    atoms = list(root.iter(f"{_ATOM}entry"))
    for entry in atoms:
        content = entry.find(f"{_ATOM}content")
        links: dict[str, list[str]] = {}
        for link in entry.iter(f"{_ATOM}link"):
            links.setdefault(link.get("rel", ""), []).append(link.get("href", "").rstrip("/"))
        own, up = (links.get(rel, [""])[0] for rel in ("self", "up"))
        for child in content if content is not None else ():
            yield _Entry(child, own, up, tuple(links.get("related", ())))
    if not atoms:
        for child in root.iter():
            if child.tag in _TOP_LEVEL:
                yield _Entry(child, "", "", ())


def _named(entries: list[_Entry], *names: str) -> list[_Entry]:
    return [entry for entry in entries if entry.content.tag in {_ESPI + name for name in names}]


@cache
def _address(path: str) -> str:
    """The path of ESPI elements by their full names."""
    return "/".join(_ESPI + part for part in path.split("/"))


def _text(element: ElementTree.Element | None, path: str, default: str = "") -> str:
    if element is None:
        return default
    found = element.findtext(_address(path))
    return default if found is None else found.strip()


def _integer(text: str, place: str, most: int = _LATEST, least: int = 0) -> int:
    try:
        number = int(text)
    except ValueError:
        raise InputError.at(place, "must be a whole number", text) from None
    if not least <= number <= most:
        raise InputError.at(place, f"must be from {least} to {most}", text)
    return number


def _factor(element: ElementTree.Element, place: str) -> float:
    """What turns a value beside ``powerOfTenMultiplier`` and ``uom`` Wh or W into kWh or kW."""
    power = _text(element, "powerOfTenMultiplier") or "0"
    return float(10.0 ** _integer(power, f"{place}.powerOfTenMultiplier", 12, -12) * 1e-3)


def _clock(entries: list[_Entry], time_zone: str | None) -> tzinfo:
    """The site's clock; without a zone, the standard offset that the file gives."""
    if time_zone is not None:
        return zone(time_zone)
    for entry in _named(entries, "LocalTimeParameters"):
        offset = _integer(_text(entry.content, "tzOffset", "0"), "tzOffset", 86_000, -86_000)
        return timezone(timedelta(seconds=offset))
    return UTC


def _meters(entries: list[_Entry], name: str) -> dict[str, _Meter | None]:
    """By the address of a reading type: what it counts, None for what is no electric energy."""
    found: dict[str, _Meter | None] = {}
    for i, entry in enumerate(_named(entries, "ReadingType")):
        kind = entry.content
        uom = _text(kind, "uom")
        electric = uom in _UNITS and _text(kind, "commodity") not in _NO_ELECTRICITY
        place = f"{name}: ReadingType {i + 1}"
        flow = _text(kind, "flowDirection") or _FORWARD
        meter = _Meter(_factor(kind, place), flow, uom == _WATT) if electric else None
        if meter is not None and flow not in (_FORWARD, _REVERSE, _NET, "0"):
            meter = None
        found[entry.own or f"#{i}"] = meter
    return found


def _meter_of(
    block: _Entry, entries: list[_Entry], meters: dict[str, _Meter | None], place: str
) -> _Meter | None:
    """What a block of readings counts: by its links, or as the file's only reading type."""
    if len(meters) == 1:
        return next(iter(meters.values()))
    parent = block.up.removesuffix("/IntervalBlock")
    for reading in _named(entries, "MeterReading"):
        if reading.own and (reading.own == parent or block.up.startswith(f"{reading.own}/")):
            for link in reading.related:
                if link in meters:
                    return meters[link]
    raise InputError.at(place, "has no link to a ReadingType: what it counts is not known")


def _intervals(entries: list[_Entry], name: str, clock: tzinfo) -> GappedSeries | None:
    meters = _meters(entries, name)
    rows: dict[tuple[str, int], dict[int, float]] = {}
    passed, estimated = 0, 0
    for i, block in enumerate(_named(entries, "IntervalBlock")):
        place = f"{name}: IntervalBlock {i + 1}"
        meter = _meter_of(block, entries, meters, place)
        for k, reading in enumerate(block.content.iter(f"{_ESPI}IntervalReading")):
            if meter is None:
                passed += 1
                continue
            where = f"{place}, IntervalReading {k + 1}"
            start = _integer(_text(reading, "timePeriod/start"), f"{where}.start")
            length = _integer(_text(reading, "timePeriod/duration"), f"{where}.duration", 10**8, 1)
            value = _integer(_text(reading, "value"), f"{where}.value", 10**15, -(10**15))
            energy = value * meter.factor * (length / 3600 if meter.is_power else 1.0)
            if abs(energy) > MOST_ENERGY or (energy < 0 and meter.flow != _NET):
                raise InputError.at(f"{where}.value", "must be an energy ≥ 0", value)
            quality = _text(reading, "ReadingQuality/quality")
            estimated += quality in _ESTIMATED
            times = rows.setdefault((meter.flow, length), {})
            if times.get(start, energy) != energy:
                raise InputError.at(where, "differs from another reading of the same time", value)
            times[start] = energy
    imports = {length: found for (flow, length), found in rows.items() if flow != _REVERSE}
    if not imports:
        return None
    kept, passed_over = side_by_side(imports)
    starts = np.array(sorted(kept), np.int64)
    lengths = np.array([kept[int(start)] for start in starts], np.int64)
    values = np.array([imports[kept[int(start)]][int(start)] for start in starts])
    export = np.maximum(-values, 0.0)
    back = {
        start: energy
        for (flow, length), found in rows.items()
        for start, energy in found.items()
        if flow == _REVERSE and (length == kept.get(start) or length == min(imports))
    }
    alone = sum(start not in kept for start in back)
    export += np.array([back.get(int(start), 0.0) for start in starts])
    kinds = " and ".join(f"{length / 60:g}" for length in np.unique(lengths))
    notes = [f"{name}: {len(starts):,} Green Button readings of {kinds} min"]
    if passed_over:
        notes.append(f"{name}: readings longer than {lengths.min() / 60:g} min are left out")
    if alone:
        notes.append(f"{name}: {alone:,} exports without an import beside them are left out")
    if passed:
        notes.append(f"{name}: {passed:,} readings of other quantities are left out")
    if estimated:
        notes.append(f"{name}: {estimated:,} readings were estimated by the utility")
    return series_of(
        starts,
        np.maximum(values, 0.0),
        lambda row: f"{name}: the reading of {int(starts[row])} s",
        lengths=lengths,
        name=name,
        tzinfo=clock,
        notes=tuple(notes),
        export=export,
    )


def _bills(entries: list[_Entry], name: str) -> Bills:
    starts, ends, energy, places = [], [], [], []
    for i, entry in enumerate(_named(entries, *_SUMMARIES)):
        place = f"{name}: UsageSummary {i + 1}"
        totals = [entry.content.find(_ESPI + total) for total in _TOTALS]
        total = next((found for found in totals if found is not None), None)
        if total is None or _text(total, "uom") != "72":
            continue
        start = _integer(_text(entry.content, "billingPeriod/start"), f"{place}.start")
        length = _text(entry.content, "billingPeriod/duration")
        starts.append(start)
        ends.append(start + _integer(length, f"{place}.duration", 10**8, 1))
        value = _integer(_text(total, "value"), f"{place}.value", 10**15)
        energy.append(value * _factor(total, place))
        places.append(place)
    if not energy:
        raise InputError.at(name, "holds no electricity: neither interval readings nor bills in Wh")
    said = f"{name}: {len(energy)} bills of a Green Button file"
    return Bills(
        np.array(starts, np.int64),
        np.array(ends, np.int64),
        np.array(energy),
        tuple(places),
        name,
        notes=(said,),
    )
