"""Small tariffs in Arcadia/Genability JSON, built for tests, and what they come to in a day."""

from __future__ import annotations

from typing import Any

import pytest

from bess.errors import InputError
from bess.tariff import Tariff, load_tariff
from bess.timeline import Timeline, parse_instant

SUMMER = {"seasonFromMonth": 6, "seasonFromDay": 1, "seasonToMonth": 9, "seasonToDay": 30}
WINTER = {"seasonFromMonth": 10, "seasonFromDay": 1, "seasonToMonth": 5, "seasonToDay": 31}
DAY = Timeline(parse_instant("2025-07-01T00:00Z", "start"), 3600, 24)


def rate(name: str, amount: Any = 0.1, **other: Any) -> dict[str, Any]:
    base = {
        "rateName": name,
        "rateGroupName": name,
        "chargeType": "CONSUMPTION_BASED",
        "transactionType": "BUY_IMPORT",
        "rateBands": [{"rateAmount": amount}],
    }
    return base | other


def tou(from_hour: int, to_hour: int, **other: Any) -> dict[str, Any]:
    return {"touPeriods": [{"fromHour": from_hour, "toHour": to_hour}], **other}


def tariff(*rates: dict[str, Any], **other: Any) -> dict[str, Any]:
    return {"tariffId": 1, "tariffName": "T", "rates": list(rates), **other}


def load(*rates: dict[str, Any], head: dict[str, Any] | None = None, **options: Any) -> Tariff:
    return load_tariff(tariff(*rates, **(head or {})), **options)


def message(*rates: dict[str, Any], head: dict[str, Any] | None = None, **options: Any) -> str:
    with pytest.raises(InputError) as caught:
        load(*rates, head=head, **options)
    return str(caught.value)


def series(loaded: Tariff, timeline: Timeline = DAY) -> tuple[list[float], list[float]]:
    imports, exports = loaded.prices(timeline).series(timeline.steps)
    return imports.tolist(), exports.tolist()


def no_price(loaded: Tariff, timeline: Timeline = DAY) -> str:
    with pytest.raises(InputError) as caught:
        loaded.prices(timeline)
    return str(caught.value)


def horizon(
    start: str, steps: int, step_seconds: int = 3600, time_zone: str | None = None
) -> Timeline:
    return Timeline(parse_instant(start, "start"), step_seconds, steps, time_zone)
