"""The fields of an OpenEI URDB record: which are read, which say nothing, and their checks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from bess.errors import InputError, nearest_name
from bess.tariff.hours import Matrix

__all__ = [
    "check_limits",
    "limit_of",
    "matrix",
    "number_at",
    "optional_number",
    "price_of",
    "structure",
    "twelve",
    "unread_fields",
]

READ: Final = (
    *("name", "label", "utility", "startdate", "enddate", "currency", "dgrules", "usenetmetering"),
    *("energyratestructure", "energyweekdayschedule", "energyweekendschedule"),
    *("demandratestructure", "demandweekdayschedule", "demandweekendschedule", "demandrateunit"),
    *("flatdemandstructure", "flatdemandmonths", "flatdemandunit", "demandunits", "demandwindow"),
    *("demandratchetpercentage", "lookbackpercent", "lookbackmonths", "lookbackrange"),
    *("coincidentratestructure", "coincidentschedule", "coincidentrateunit"),
    *("fixedmonthlycharge", "fixedchargefirstmeter", "fixedchargeunits"),
    *("minmonthlycharge", "annualmincharge", "mincharge", "minchargeunits"),
    *("fueladjustmentsmonthly", "demandreactivepowercharge", "energyattrs", "demandattrs"),
)
_SAYS_NOTHING: Final = frozenset(
    {
        *("approved", "basicinformationcomments", "country", "demandcomments", "description"),
        *("eiaid", "energycomments", "is_default", "isdefault", "peakkwcapacityhistory"),
        *("peakkwcapacitymax", "peakkwcapacitymin", "peakkwhusagehistory", "peakkwhusagemax"),
        *("peakkwhusagemin", "phasewiring", "revisions", "sector", "servicetype", "source"),
        *("sourceparent", "supersedes", "uri", "voltagecategory", "voltagemaximum"),
        *("voltageminimum", "fixedattrs", "bundled", "eia", "fixedchargeeaaddl"),
    }
)
_ENDLESS: Final = 1e30
"""A limit that is written to mean none."""


def unread_fields(record: Mapping[str, Any]) -> Iterator[str]:
    """A sentence for every field that is not read and may have been meant to be."""
    for key in record:
        if key not in READ and key not in _SAYS_NOTHING:
            guess = nearest_name(str(key), READ)
            hint = f": did you mean {guess}?" if guess else ""
            yield f"{key} is not read{hint}"
    if (charge := record.get("demandreactivepowercharge")) is not None:
        yield f"demandreactivepowercharge ({charge}): reactive power, not billed"
    for name in ("energyattrs", "demandattrs"):
        items = record.get(name)
        for item in items if isinstance(items, Sequence) else ():
            pairs = item.items() if isinstance(item, Mapping) else ()
            for key, value in pairs:
                if not str(key).startswith("TOU"):
                    yield f"{name} {str(key).strip()!r} ({value}): not billed"


def number_at(record: Mapping[str, Any], key: str, path: str) -> float:
    """A field's number; also one written as a string."""
    value = record[key]
    try:
        found = float(value) if not isinstance(value, bool) else float("nan")
    except (OverflowError, TypeError, ValueError):
        found = float("nan")
    if not abs(found) < float("inf"):
        raise InputError.at(path, "must be a number", value)
    return found


def optional_number(record: Mapping[str, Any], key: str, path: str = "") -> float:
    """A field's number, 0 where it is absent or null."""
    return 0.0 if record.get(key) is None else number_at(record, key, path or key)


def limit_of(tier: Mapping[str, Any], path: str) -> float | None:
    """A tier's ``max``; None where it has none, or one that is written to mean none."""
    if tier.get("max") is None:
        return None
    limit = number_at(tier, "max", f"{path}.max")
    if limit < 0:
        raise InputError.at(f"{path}.max", "must be at least 0", limit)
    return None if limit >= _ENDLESS else limit


def check_limits(
    tiers: Sequence[Mapping[str, Any]], units: Sequence[str], path: str, last: str = "tier"
) -> None:
    """Every tier but the last has a limit, and those of one unit rise."""
    highest: dict[str, float] = {}
    for t, (tier, unit) in enumerate(zip(tiers[:-1], units, strict=False)):
        limit = limit_of(tier, f"{path}[{t}]")
        if limit is None:
            raise InputError.at(f"{path}[{t}].max", f"is required: it is not the last {last}")
        if limit < highest.get(unit, 0.0):
            reason = f"must be at least {highest[unit]:g}, that of a {last} before it"
            raise InputError.at(f"{path}[{t}].max", reason, limit)
        highest[unit] = limit


def structure(record: Mapping[str, Any], name: str) -> list[list[Mapping[str, Any]]]:
    """The periods of a rate structure, each with its tiers; empty where there is none."""
    given = record.get(name)
    if given is None:
        return []
    if not _is_list(given):
        raise InputError.at(name, "must be a list of periods, each a list of tiers", given)
    for p, tiers in enumerate(given):
        if not _is_list(tiers) or not tiers:
            raise InputError.at(f"{name}[{p}]", "must be a list of tiers", tiers)
        for t, tier in enumerate(tiers):
            path = f"{name}[{p}][{t}]"
            if not isinstance(tier, Mapping):
                raise InputError.at(path, "must be an object with a rate", tier)
            for key in tier:
                if key not in ("rate", "adj", "sell", "max", "unit"):
                    known = "rate, adj, sell, max, unit"
                    raise InputError.at(f"{path}.{key}", f"is not understood; known: {known}")
    return [list(tiers) for tiers in given]


def matrix(record: Mapping[str, Any], name: str, periods: int) -> Matrix:
    """A schedule of 12 months by 24 hours; one with a single period may do without."""
    given = record.get(name)
    if given is None:
        if periods == 1:
            return ((0,) * 24,) * 12
        raise InputError.at(name, f"is required where there are {periods} periods")
    if not _is_list(given) or len(given) != 12:
        raise InputError.at(name, "must have 12 rows, one for each month")
    for m, row in enumerate(given):
        if not _is_list(row) or len(row) != 24:
            raise InputError.at(f"{name}[{m}]", "must have 24 entries, one for each hour")
        for h, period in enumerate(row):
            if type(period) is not int or not 0 <= period < periods:
                reason = f"must be a period from 0 to {periods - 1}"
                raise InputError.at(f"{name}[{m}][{h}]", reason, period)
    return tuple(tuple(row) for row in given)


def twelve(record: Mapping[str, Any], name: str) -> list[float] | None:
    """A list of twelve numbers, January first; None where there is none."""
    given = record.get(name)
    if given is None:
        return None
    if not _is_list(given) or len(given) != 12:
        raise InputError.at(name, "must have 12 numbers, one for each month", given)
    pairs = ({name: value} for value in given)
    return [number_at(pair, name, f"{name}[{m}]") for m, pair in enumerate(pairs)]


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, (str, bytes))


def price_of(tier: Mapping[str, Any], path: str) -> float:
    """A tier's price: its rate and its adjustment."""
    return optional_number(tier, "rate", f"{path}.rate") + optional_number(
        tier, "adj", f"{path}.adj"
    )
