"""Calendars of holidays by name, worked out for the years of a horizon.

The days come from the package ``holidays`` (the extra of that name): public holidays of countries
and their subdivisions (``US``, ``US-CA``, ``DE-BY``) and of markets (``XNYS``). ``NERC`` is ours:
the six off-peak holidays of the North American Electric Reliability Corporation, of which one that
falls on a Sunday is kept on the Monday, and none moves from a Saturday.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import date, timedelta
from functools import cache, lru_cache
from typing import Any, Final, Literal, get_args

from bess.errors import InputError, nearest_name, needs_extra

__all__ = ["Calendar", "NamedCalendar", "calendar_of", "days_in"]

Observed = Literal["as published", "sunday to monday", "no"]

_NERC: Final = (
    *("New Year's Day", "Memorial Day", "Independence Day", "Labor Day", "Thanksgiving Day"),
    "Christmas Day",
)
_MARK: Final = " (observed)"
_SAMPLE: Final = range(2024, 2027)


@dataclass(frozen=True)
class NamedCalendar:
    """Holidays by name, of any year.

    >>> calendar = NamedCalendar("US", ("New Year's Day", "Labor Day"), "no")
    >>> sorted(day.isoformat() for day in calendar.days(2025, 2025))
    ['2025-01-01', '2025-09-01']

    Raises
    ------
    InputError
        For a calendar or a holiday that is not known, naming the nearest.
    MissingExtraError
        Without the extra ``holidays``.
    """

    of: str
    """``NERC``, a country (``US``), one of its subdivisions (``US-CA``), or a market (``XNYS``)."""
    names: tuple[str, ...] = ()
    """The holidays that count, by their names there; empty: all."""
    observed: Observed = "as published"
    """When one that falls on a weekend is kept as well: on the days that its calendar says, on the
    Monday after a Sunday alone, or on no other day."""
    also: frozenset[date] = frozenset()
    """Other days that count."""

    def __post_init__(self) -> None:
        if self.observed not in get_args(Observed):
            valid = ", ".join(f'"{word}"' for word in get_args(Observed))
            raise InputError.at("observed", f"must be one of {valid}", self.observed)
        if not isinstance(self.of, str):
            raise InputError.at("of", "must be the name of a calendar, a string", self.of)
        known = {name for year in _SAMPLE for _, name in _named(self.of, year, True)}
        for i, name in enumerate(self.names):
            if not isinstance(name, str) or name not in known:
                guess = nearest_name(str(name), known)
                hint = f"did you mean {guess}?" if guess else f"known: {', '.join(sorted(known))}"
                raise InputError.at(f"names[{i}]", f"is no holiday of {self.of}; {hint}", name)

    def days(self, first_year: int, last_year: int) -> frozenset[date]:
        """Its days in some years, both ends included."""
        found: set[date] = set(self.also)
        published = self.observed == "as published" and self.of != "NERC"
        for year in range(first_year, last_year + 1):
            for day, name in _named(self.of, year, published):
                if self.names and name not in self.names:
                    continue
                found.add(day)
                if day.weekday() == 6 and not published and self.observed != "no":
                    found.add(day + timedelta(days=1))
        return frozenset(found)

    def __str__(self) -> str:
        which = f": {', '.join(self.names)}" if self.names else ""
        return f"{self.of}{which}"


Calendar = frozenset[date] | NamedCalendar
"""The days of a calendar, or its name."""


def days_in(
    calendars: Iterable[tuple[str, Calendar]], first_year: int, last_year: int
) -> dict[str, frozenset[date]]:
    """The days of each calendar by its id; of those known by name, the days in some years."""
    return {
        key: days if isinstance(days, frozenset) else _days_of(days, first_year, last_year)
        for key, days in calendars
    }


def calendar_of(given: Any, path: str, *, strings: bool = True) -> Calendar:
    """A calendar as callers give it: dates, the name of one, or a table with ``of``.

    ``strings``: whether dates may be ISO 8601 texts.
    """
    if isinstance(given, NamedCalendar):
        return given
    try:
        if isinstance(given, str):
            return NamedCalendar(given)
        if isinstance(given, Mapping):
            return _from_table(given, strings)
    except InputError as error:
        alone = isinstance(given, str)
        raise (error if not alone else _without_field(error)).under(path) from None
    if isinstance(given, bytes) or not isinstance(given, Collection) or _is_scalar(given):
        raise InputError.at(path, "must be a list of dates, or the name of a calendar", given)
    return frozenset(_date(day, f"{path}[{i}]", strings) for i, day in enumerate(given))


def _is_scalar(given: Any) -> bool:
    """Whether it is an array of no dimension, which has no items."""
    return getattr(given, "ndim", 1) == 0


def _from_table(given: Mapping[Any, Any], strings: bool) -> NamedCalendar:
    known = [field.name for field in fields(NamedCalendar)]
    for key in given:
        if key not in known:
            guess = nearest_name(str(key), known)
            hint = f"did you mean {guess}?" if guess else f"known fields: {', '.join(known)}"
            raise InputError.at(str(key), f"is not a known field; {hint}")
    if "of" not in given:
        raise InputError.at("of", "is required: the name of a calendar, such as US or NERC")
    lists: dict[str, tuple[Any, ...]] = {}
    for key in ("names", "also"):
        values = given.get(key, ())
        text = isinstance(values, (str, bytes))
        if text or not isinstance(values, Collection) or _is_scalar(values):
            raise InputError.at(key, "must be a list", values)
        lists[key] = tuple(values)
    also = frozenset(_date(day, f"also[{i}]", strings) for i, day in enumerate(lists["also"]))
    observed = given.get("observed", "as published")
    return NamedCalendar(given["of"], lists["names"], observed, also)


def _without_field(error: InputError) -> InputError:
    """The problems of a calendar that is given by its name alone, at the name itself."""
    problem = error.problems[0]
    return InputError.at("", problem.reason, problem.value)


def _date(day: Any, path: str, strings: bool) -> date:
    try:
        if strings and isinstance(day, str):
            return date.fromisoformat(day)
        if type(day) is date:
            return day
    except ValueError:
        pass
    raise InputError.at(path, "must be a date, written as in 2025-07-04", day)


@lru_cache(maxsize=256)
def _days_of(calendar: NamedCalendar, first_year: int, last_year: int) -> frozenset[date]:
    return calendar.days(first_year, last_year)


@lru_cache(maxsize=256)
def _named(of: str, year: int, observed: bool) -> tuple[tuple[date, str], ...]:
    """The days of a year and the holiday of each, by its name without a mark of observance."""
    known = _known()
    name = "US" if of == "NERC" else of
    country, _, subdivision = name.partition("-")
    if name not in known:
        guess = nearest_name(of, known)
        hint = f"; did you mean {guess}?" if guess else ""
        reason = f"is not a known calendar{hint} (NERC, a country such as US, US-CA, XNYS)"
        raise InputError.at("of", reason, of)
    with needs_extra("a calendar by name", "holidays"):
        import holidays

        if known[name] == "market":
            found = holidays.financial_holidays(name, years=year, observed=observed)
        else:
            found = holidays.country_holidays(
                country, subdiv=subdivision or None, years=year, observed=observed
            )
    pairs = (
        (day, part.replace(_MARK, ""))
        for day, names in sorted(found.items())
        for part in names.split("; ")
    )
    return tuple((day, part) for day, part in pairs if of != "NERC" or part in _NERC)


@cache
def _known() -> dict[str, str]:
    """Every calendar by name, and whether it is a country's or a market's."""
    with needs_extra("a calendar by name", "holidays"):
        import holidays
    found = {"NERC": "country"}
    for country, parts in holidays.list_supported_countries().items():
        found |= {country: "country"} | {f"{country}-{part}": "country" for part in parts}
    return found | dict.fromkeys(holidays.list_supported_financial(), "market")
