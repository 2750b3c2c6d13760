"""Tariffs written as TOML (`bess.tariff.toml_form`): the fields that are not as by default."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import MISSING, fields
from datetime import date
from typing import Any, Final

from bess.errors import InputError
from bess.tariff.export_rates import ExportRates
from bess.tariff.holiday_calendars import NamedCalendar
from bess.tariff.hours import HourMatrix
from bess.tariff.model import Tariff
from bess.tariff.rates import (
    Band,
    DemandBand,
    DemandRate,
    EnergyRate,
    FixedCharge,
    MinimumCharge,
    PercentageRate,
    Ratchet,
)
from bess.tariff.series import PriceSeries
from bess.time_of_use import Season, TimeOfUse

__all__ = ["HEAD", "TABLES", "write_toml"]

TABLES: Final[dict[str, tuple[str, type]]] = {
    "energy": ("rates", EnergyRate),
    "demand": ("demand_rates", DemandRate),
    "fixed": ("fixed_charges", FixedCharge),
    "minimum": ("minimum_charges", MinimumCharge),
    "percentage": ("percentages", PercentageRate),
}
"""For each kind of table, the tariff's field and what a table makes."""
HEAD: Final = (
    *("name", "identifiers", "currency", "time_zone", "assumptions", "ignored", "metering"),
    *("true_up_price_per_kwh", "demand_interval_minutes", "effective"),
)


def write_toml(tariff: Tariff) -> str:
    """A tariff as TOML, from which `read_toml` makes one that bills alike."""
    if isinstance(tariff.series, ExportRates):
        raise InputError.at(f"tariff {tariff.name}", "export rates of a file have no TOML")
    lines = []
    for key in HEAD:
        value = getattr(tariff, key)
        if key == "effective":
            value = {k: v for k, v in zip(("from", "to"), value, strict=True) if v is not None}
        elif key == "identifiers":
            value = sorted(value)
        if value not in (None, (), [], {}):
            lines.append(f"{key} = {_toml(value)}")
    if tariff.calendars:
        lines.append("\n[calendars]")
        lines += [f"{_toml(key)} = {_toml(days)}" for key, days in tariff.calendars]
    if tariff.series is not None:
        lines.append("\n[series]")
        lines += [f"{key} = {_toml(value)}" for key, value in _fields(tariff.series).items()]
    for table, (attribute, _) in TABLES.items():
        for rate in getattr(tariff, attribute):
            lines.append(f"\n[[{table}]]")
            lines += [f"{key} = {_toml(value)}" for key, value in _fields(rate).items()]
    return "\n".join(lines) + "\n"


def _fields(rate: Any) -> dict[str, Any]:
    """The fields of a rate that are not as by default."""
    found = {}
    for own in fields(rate):
        value = getattr(rate, own.name)
        value = value.tolist() if hasattr(value, "tolist") else value
        if value is not None and (own.default is MISSING or value != own.default):
            found[own.name] = value
    return found


def _toml(value: Any) -> str:
    if isinstance(value, frozenset):
        value = sorted(value)
    elif isinstance(value, (Band, DemandBand, Ratchet, HourMatrix, NamedCalendar, PriceSeries)):
        value = _fields(value)
    elif isinstance(value, (TimeOfUse, Season)):
        own = TimeOfUse if isinstance(value, TimeOfUse) else Season
        value = value.model_dump(by_alias=True, exclude_none=True, include=set(own.model_fields))
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping):
        inside = ", ".join(f"{_toml(str(k))} = {_toml(v)}" for k, v in value.items())
        return f"{{{inside}}}"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(_toml, value))}]"
    return value.isoformat() if isinstance(value, date) else repr(value)
