"""Demand charges of an OpenEI URDB record: by time of use, flat by month, coincident."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bess.errors import InputError
from bess.tariff.hours import HourMatrix, Time, month_seasons
from bess.tariff.rates import DemandBand, DemandRate, Ratchet
from bess.tariff.urdb_fields import (
    check_limits,
    limit_of,
    matrix,
    optional_number,
    price_of,
    structure,
    twelve,
)
from bess.timeline import EPOCH, SECOND, parse_instant

__all__ = ["demand_rates", "period_times"]


def demand_rates(
    record: Mapping[str, Any], coincident_hours: Sequence[Any] | None, ignored: list[str]
) -> tuple[DemandRate, ...]:
    """Every demand rate with a price; coincident ones only where their hours are given."""
    coincident = _coincident(record, coincident_hours, ignored)
    return (*_demand(record), *_flat_demand(record), *coincident)


def period_times(record: Mapping[str, Any], kind: str, periods: int) -> list[tuple[Time, ...]]:
    """When each period of the schedules of a kind (``energy``, ``demand``) holds."""
    weekday = matrix(record, f"{kind}weekdayschedule", periods)
    weekend = matrix(record, f"{kind}weekendschedule", periods)
    if periods == 1:
        return [()]
    return [(HourMatrix(weekday, weekend, p),) for p in range(periods)]


def _demand(record: Mapping[str, Any]) -> list[DemandRate]:
    periods = structure(record, "demandratestructure")
    if not periods:
        return []
    times = period_times(record, "demand", len(periods))
    priced = [_demand_bands(tiers, "demand", p) for p, tiers in enumerate(periods)]
    daily = _demand_unit(record, "demandrateunit")
    ratchet = _ratchet(record) if "flatdemandstructure" not in record else None
    return [
        DemandRate(
            f"demand period {p}",
            period="day" if daily else "billing_period",
            window=times[p],
            ratchet=None if daily else ratchet,
            time_of_use=f"period {p}",
            **_demand_price(bands),
        )
        for p, bands in enumerate(priced)
        if any(band.price for band in bands)
    ]


def _flat_demand(record: Mapping[str, Any]) -> list[DemandRate]:
    periods = structure(record, "flatdemandstructure")
    if not periods:
        return []
    daily = _demand_unit(record, "flatdemandunit")
    months = twelve(record, "flatdemandmonths")
    if months is None:
        if len(periods) > 1:
            reason = f"is required where there are {len(periods)} periods"
            raise InputError.at("flatdemandmonths", reason)
        months = [0.0] * 12
    for m, period in enumerate(months):
        if period not in range(len(periods)):
            reason = f"must be a period from 0 to {len(periods) - 1}"
            raise InputError.at(f"flatdemandmonths[{m}]", reason, period)
    ratchet = _ratchet(record)
    rates = []
    for p, tiers in enumerate(periods):
        bands = _demand_bands(tiers, "flatdemand", p)
        own = [m for m, period in enumerate(months, 1) if period == p]
        if own and any(band.price for band in bands):
            rates.append(
                DemandRate(
                    f"flat demand period {p}",
                    period="day" if daily else "billing_period",
                    seasons=month_seasons(own),
                    ratchet=None if daily else ratchet,
                    **_demand_price(bands),
                )
            )
    return rates


def _demand_unit(record: Mapping[str, Any], key: str) -> bool:
    """Whether demand is charged by day; units other than kW are refused."""
    unit = str(record.get(key, record.get("demandunits", "kW")))
    if unit not in ("kW", "kW daily", "kW/day"):
        raise InputError.at(key, "must be kW or kW daily: other units are not supported", unit)
    return unit != "kW"


def _ratchet(record: Mapping[str, Any]) -> Ratchet | None:
    percents = twelve(record, "demandratchetpercentage")
    if percents is not None and any(percents):
        return Ratchet(tuple(_percent(p) for p in percents))
    percent = _percent(optional_number(record, "lookbackpercent"))
    if not percent:
        return None
    months = twelve(record, "lookbackmonths") or []
    designated = tuple(m for m, on in enumerate(months, 1) if on)
    back = int(optional_number(record, "lookbackrange"))
    if not designated and not back:
        reason = "needs lookbackmonths or lookbackrange to say which months count"
        raise InputError.at("lookbackpercent", reason, record["lookbackpercent"])
    return Ratchet((percent,), lookback_months=back or 11, months=designated)


def _coincident(
    record: Mapping[str, Any], given: Sequence[Any] | None, ignored: list[str]
) -> list[DemandRate]:
    periods = structure(record, "coincidentratestructure")
    name = "coincidentratestructure"
    prices = [
        [price_of(tier, f"{name}[{p}][{t}]") for t, tier in enumerate(tiers)]
        for p, tiers in enumerate(periods)
    ]
    if not any(price for tiers in prices for price in tiers):
        return []
    if given is None:
        ignored.append("coincidentratestructure: needs coincident_hours, not billed")
        return []
    schedule = matrix(record, "coincidentschedule", len(periods))
    hours = [parse_instant(h, f"coincident_hours[{i}]") for i, h in enumerate(given)]
    return [
        DemandRate(
            f"coincident demand period {p}",
            price=tiers[0],
            coincident_hours=tuple(
                (hour - EPOCH) // SECOND
                for hour in hours
                if schedule[hour.month - 1][hour.hour] == p
            ),
        )
        for p, tiers in enumerate(prices)
        if tiers[0]
    ]


def _demand_bands(
    tiers: Sequence[Mapping[str, Any]], kind: str, period: int
) -> tuple[DemandBand, ...]:
    path = f"{kind}{'' if kind == 'flatdemand' else 'rate'}structure[{period}]"
    last = len(tiers) - 1
    check_limits(tiers, ["kW"] * len(tiers), path)
    return tuple(
        DemandBand(
            price_of(tier, f"{path}[{t}]"), None if t == last else limit_of(tier, f"{path}[{t}]")
        )
        for t, tier in enumerate(tiers)
    )


def _demand_price(bands: tuple[DemandBand, ...]) -> dict[str, Any]:
    return {"price": bands[0].price} if len(bands) == 1 else {"bands": bands}


def _percent(value: float) -> float:
    """A percentage, which records write as a fraction."""
    return value * 100 if value <= 1 else value
