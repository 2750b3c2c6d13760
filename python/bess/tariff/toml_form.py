"""Tariffs in a short TOML of our own: the rates of `bess.tariff.rates`, field by field.

Tables ``[[energy]]``, ``[[demand]]``, ``[[fixed]]``, ``[[minimum]]`` and ``[[percentage]]`` hold a
rate each, under the names of its fields; what is left out has its default. Times of use are written
as everywhere (``touPeriods``, ``season``), or as a matrix of months by hours. ``[calendars]`` has
the holidays of each id, as dates or by name (``"NERC"``, ``{of = "US", names = ["Labor Day"]}``).

>>> text = '''
... name = "Two prices"
... [[energy]]
... name = "base"
... price = 0.2
... [[energy]]
... name = "evening"
... price = 0.1
... times = [{touPeriods = [{fromHour = 17, toHour = 21}]}]
... '''
>>> [rate.price for rate in read_toml(text).rates]
[0.2, 0.1]
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, replace
from datetime import datetime
from typing import Any, Final

from bess._arrays import number
from bess.errors import InputError, Problem, nearest_name
from bess.tariff.holiday_calendars import Calendar, calendar_of
from bess.tariff.hours import HourMatrix
from bess.tariff.model import Tariff
from bess.tariff.rates import (
    Band,
    DemandBand,
    Ratchet,
)
from bess.tariff.series import PriceSeries
from bess.tariff.toml_writing import HEAD, TABLES
from bess.time_of_use import Season, TimeOfUse, missing_calendars
from bess.timeline import zone

__all__ = ["read_toml"]

_UNPAID: Final = "no rate pays for exports: export earns 0"
_LATEST: Final = 10**10
"""The largest whole number: seconds since 1970 to some three centuries on."""
_TEXTS: Final = ("name", "currency", "time_zone", "time_of_use", "path")
_LISTS_OF_TEXT: Final = ("group", "week", "charge_class", "assumptions", "ignored", "identifiers")
_FLAGS: Final = ("on_import", "on_export", "bypassable", "repeats")
_WHOLE: Final = (
    *("valid_from", "valid_to", "step_seconds", "start_seconds", "lookback_months", "number"),
    "demand_interval_minutes",
)
_LISTS_OF_WHOLE: Final = ("months", "coincident_hours", "walls", "lines")


def read_toml(text: str, path: str = "tariff") -> Tariff:
    """The tariff of a TOML text; ``path`` is what errors of its syntax call it."""
    try:
        found = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise InputError.at(path, f"is not TOML ({error})") from None
    known = (*HEAD, *TABLES, "calendars", "series")
    _refuse_unknown(found, known, "")
    if "name" not in found:
        raise InputError.at("name", "is required")
    given: dict[str, Any] = {
        key: _value(key, found[key], key) for key in HEAD if key in found and key != "effective"
    }
    for key, (attribute, kind) in TABLES.items():
        rows = found.get(key, [])
        if not isinstance(rows, list):
            raise InputError.at(key, f"must be a list of tables, written [[{key}]]", rows)
        given[attribute] = tuple(_rate(kind, row, f"{key}[{i}]") for i, row in enumerate(rows))
    if "identifiers" in given:
        given["identifiers"] = frozenset(given["identifiers"])
    if given.get("time_zone") is not None:
        given["time_zone"] = zone(given["time_zone"]).key
    if "effective" in found:
        given["effective"] = _effective(found["effective"])
    given["calendars"] = _calendars(found.get("calendars", {}))
    if "series" in found:
        given["series"] = _series(found["series"], "series")
    if not given["rates"] and "series" not in given:
        raise InputError.at("energy", "is required, with at least one rate (or a series)")
    _refuse_missing_calendars(given)
    unpaid = "series" not in given and not any(rate.on_export for rate in given["rates"])
    if unpaid and given.get("metering", "net_billing") == "net_billing":
        known = given.get("assumptions", ())
        given["assumptions"] = known if _UNPAID in known else (*known, _UNPAID)
    try:
        return Tariff(**given)
    except InputError as error:
        own = (f"tariff {given['name']}: ",)
        raise InputError(
            *(replace(p, path=_without(p.path, own)) for p in error.problems)
        ) from None


def _rate(kind: type, row: Any, path: str) -> Any:
    """A dataclass from a table, problems at the table's own path."""
    if not isinstance(row, Mapping):
        raise InputError.at(path, "must be a table", row)
    own = {field.name: field for field in fields(kind)}
    _refuse_unknown(row, tuple(own), path)
    for name, field in own.items():
        if name not in row and field.default is MISSING:
            raise InputError.at(f"{path}.{name}", "is required")
    given = {key: _value(key, value, f"{path}.{key}") for key, value in row.items()}
    try:
        return kind(**given)
    except InputError as error:
        name = str(given.get("name", ""))
        mine = ("ratchet.", f"{name}.")  # what errors of a rate begin with
        problems = [
            replace(p, path="" if p.path == name else _without(p.path, mine))
            for p in error.problems
        ]
        raise InputError(*(_at(p, path) for p in problems)) from None


def _series(value: Any, path: str) -> PriceSeries:
    series: PriceSeries = _rate(PriceSeries, value, path)
    if not len(series.import_price):
        raise InputError.at(f"{path}.import_price", "must hold at least one price")
    if len(series.export_price) != len(series.import_price):
        reason = f"must hold as many prices as import_price, {len(series.import_price)}"
        raise InputError.at(f"{path}.export_price", reason)
    count = len(series.import_price)
    for name in ("walls", "lines"):
        given = getattr(series, name)
        if given is not None and len(given) not in (0, count):
            reason = f"must have as many entries as there are prices, {count}"
            raise InputError.at(f"{path}.{name}", reason)
    if series.repeats and count > 1:
        raise InputError.at(f"{path}.repeats", f"is for one price, not {count}")
    stamped = [name for name in ("start_seconds", "walls") if getattr(series, name) is not None]
    if series.step_seconds is None and stamped:
        raise InputError.at(f"{path}.step_seconds", f"is required where {stamped[0]} is")
    if series.step_seconds is not None and (series.step_seconds < 1 or len(stamped) != 1):
        reason = "must be at least 1, and have one of start_seconds and walls beside it"
        raise InputError.at(f"{path}.step_seconds", reason, series.step_seconds)
    return series


def _without(path: str, names: tuple[str, ...]) -> str:
    """A path without the first of some names that begins it."""
    return next((path.removeprefix(name) for name in names if path.startswith(name)), path)


def _at(problem: Problem, path: str) -> Problem:
    return replace(problem, path=f"{path}.{problem.path}" if problem.path else path)


def _value(key: str, value: Any, path: str) -> Any:
    """A field's value as the model has it; numbers are checked by the model itself."""
    if key in _TEXTS:
        return _checked(value, str, "must be a string", path)
    if key in _FLAGS:
        return _checked(value, bool, "must be true or false", path)
    if key in _WHOLE:
        return _whole(value, path)
    if key in _LISTS_OF_TEXT:
        return _tuple(value, lambda v, p: _checked(v, str, "must be a string", p), path)
    if key in _LISTS_OF_WHOLE:
        return _tuple(value, _whole, path)
    if key in ("weekday", "weekend"):
        return _tuple(value, lambda row, p: _tuple(row, _whole, p), path)
    if key in ("times", "window"):
        return _tuple(value, _time, path)
    if key == "seasons":
        return _tuple(value, _season, path)
    if key == "bands":
        return _tuple(value, _band, path)
    if key == "prices":
        return _series(value, path)
    if key == "ratchet":
        return _rate(Ratchet, value, path)
    if key in ("import_price", "export_price") or (key == "percent" and isinstance(value, list)):
        return _tuple(value, number, path)
    return value


def _time(value: Any, path: str) -> TimeOfUse | HourMatrix:
    if isinstance(value, Mapping) and "weekday" in value:
        matrix: HourMatrix = _rate(HourMatrix, value, path)
        return matrix
    try:
        return TimeOfUse.model_validate(value)
    except InputError as error:
        raise error.under(path) from None


def _season(value: Any, path: str) -> Season:
    try:
        return Season.model_validate(value)
    except InputError as error:
        raise error.under(path) from None


def _band(value: Any, path: str) -> Any:
    of_demand = isinstance(value, Mapping) and path.startswith("demand")
    return _rate(DemandBand if of_demand else Band, value, path)


def _effective(value: Any) -> tuple[int | None, int | None]:
    if not isinstance(value, Mapping):
        raise InputError.at("effective", "must be a table with from and to", value)
    _refuse_unknown(value, ("from", "to"), "effective")
    start, end = (
        None if key not in value else _whole(value[key], f"effective.{key}")
        for key in ("from", "to")
    )
    return start, end


def _calendars(value: Any) -> tuple[tuple[str, Calendar], ...]:
    if not isinstance(value, Mapping):
        raise InputError.at("calendars", "must be a table of ids and their dates", value)
    return tuple(
        (key, calendar_of(days, f"calendars.{key}", strings=False)) for key, days in value.items()
    )


def _tuple(value: Any, item: Callable[[Any, str], Any], path: str) -> tuple[Any, ...]:
    if not isinstance(value, list):
        raise InputError.at(path, "must be a list", value)
    return tuple(item(v, f"{path}[{i}]") for i, v in enumerate(value))


def _whole(value: Any, path: str) -> int:
    """A whole number, or an instant as its seconds since the epoch."""
    if isinstance(value, datetime) and value.tzinfo is not None:
        return int(value.timestamp())
    found = int(_checked(value, int, "must be a whole number", path))
    if abs(found) > _LATEST:
        raise InputError.at(path, f"must be at most {_LATEST:g} in size", value)
    return found


def _checked(value: Any, kind: type, reason: str, path: str) -> Any:
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise InputError.at(path, reason, value)
    return value


def _refuse_missing_calendars(given: Mapping[str, Any]) -> None:
    """Every calendar that a time of use names has to be given."""
    known = dict(given["calendars"])
    for table, field in (("energy", "times"), ("demand", "window")):
        for i, rate in enumerate(given[TABLES[table][0]]):
            times = [time for time in getattr(rate, field) if isinstance(time, TimeOfUse)]
            if absent := missing_calendars(times, known):
                there = ", ".join(known) or "none"
                reason = f"names the calendar {absent[0]}, which [calendars] lacks (it has {there})"
                raise InputError.at(f"{table}[{i}].{field}", reason)


def _refuse_unknown(given: Mapping[str, Any], known: tuple[str, ...], path: str) -> None:
    for key in given:
        if key not in known:
            guess = nearest_name(key, known)
            hint = f"did you mean {guess}?" if guess else f"known fields: {', '.join(known)}"
            place = f"{path}.{key}" if path else key
            raise InputError.at(place, f"is not a known field; {hint}")
