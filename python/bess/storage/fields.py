"""The kinds of value a storage request holds: ids, instants, fractions, limits."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, Tag

from bess._validation import TextNumber
from bess.errors import InputError
from bess.profile.reading import energies
from bess.timeline import parse_instant, zone

__all__ = [
    "Calendars",
    "DataValue",
    "Efficiency",
    "Fraction",
    "Identifier",
    "Instant",
    "Limit",
    "NotNegative",
    "Positive",
    "SelfDischarge",
    "ServiceType",
    "Terminal",
    "ZoneName",
    "absent_if_false",
    "one_or_list",
]

_TERMINAL: Final = 'must be a fraction, a pair [low, high], "initial", "cyclic" or "free"'


def _instant(value: Any) -> datetime:
    return parse_instant(value, "")


def _zone_name(name: str) -> str:
    return zone(name, "").key


def _identifier(value: Any) -> Any:
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, str) and not value.strip():
        raise InputError.at("", "must not be empty", value)
    return value


def _service_type(value: Any) -> Any:
    if isinstance(value, str) and value.upper() == "ELECTRICITY":
        return "ELECTRICITY"
    raise InputError.at("", "must be ELECTRICITY", value)


def absent_if_false(value: Any) -> Any:
    """None for false, however it is written."""
    is_false = value is False or (isinstance(value, str) and value.strip().lower() == "false")
    return None if is_false else value


def _series(value: Any) -> Any:
    return tuple(energies(value, "").tolist()) if isinstance(value, list) else value


def _dates(value: Any) -> Any:
    if not isinstance(value, (list, tuple)):
        raise InputError.at("", "must be a list of dates such as 2025-07-04", value)
    for i, day in enumerate(value):
        try:
            date.fromisoformat(day)
        except (TypeError, ValueError):
            raise InputError.at(f"[{i}]", "must be a date such as 2025-07-04", day) from None
    return tuple(value)


def _terminal(value: Any) -> Any:
    ends = value if isinstance(value, (list, tuple)) else [value]
    if value in ("initial", "cyclic", "free"):
        return value
    try:
        numbers = tuple(energies(ends, "").tolist())
    except InputError:
        numbers = ()
    if not numbers or max(numbers) > 1 or (len(numbers) == 2) != isinstance(value, (list, tuple)):
        raise InputError.at("", _TERMINAL, value)
    return numbers if len(numbers) == 2 else numbers[0]


def _data_value(value: Any) -> Any:
    if not isinstance(value, (str, int, float, bool)):
        raise InputError.at("", "must be a string, a number or a boolean", value)
    return value


def one_or_list(value: Any) -> str:
    """The tag of a value that may be one or a list."""
    return "list" if isinstance(value, (list, tuple)) else "one"


Identifier = Annotated[str, BeforeValidator(_identifier)]
Instant = Annotated[datetime, BeforeValidator(_instant)]
ZoneName = Annotated[str, AfterValidator(_zone_name)]
Fraction = Annotated[TextNumber, Field(ge=0, le=1)]
Efficiency = Annotated[TextNumber, Field(gt=0, le=1)]
Positive = Annotated[TextNumber, Field(gt=0)]
SelfDischarge = Annotated[TextNumber, Field(ge=0, lt=1)]
NotNegative = Annotated[TextNumber, Field(ge=0)]
Limit = Annotated[
    Annotated[NotNegative, Tag("one")]
    | Annotated[tuple[float, ...], BeforeValidator(_series), Tag("list")],
    Discriminator(one_or_list),
]
"""kWh AC per step: one number, or one for every step."""
ServiceType = Annotated[Literal["ELECTRICITY"], BeforeValidator(_service_type)]
DataValue = Annotated[Any, BeforeValidator(_data_value)]
Terminal = Annotated[float | tuple[float, float] | str, BeforeValidator(_terminal)]
Calendars = dict[str, Annotated[tuple[str, ...], BeforeValidator(_dates)]]
"""The days of calendars by their ids."""
