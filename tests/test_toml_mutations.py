"""Any change to a tariff's TOML gives a tariff that bills, or an `InputError`."""

from __future__ import annotations

import contextlib
import copy
import json
import tomllib
from collections.abc import Mapping
from datetime import date
from typing import Any

import numpy as np
from bills import site
from hypothesis import given, settings
from hypothesis import strategies as st

from bess import bill
from bess.errors import InputError
from bess.tariff import Tariff
from bess.tariff.sheet import rate_sheet

WHOLE = tomllib.loads(
    """
name = "Whole"
currency = "USD"
time_zone = "America/Denver"
metering = "net_billing"
true_up_price_per_kwh = 0.1
demand_interval_minutes = 30
effective = {from = 2025-01-01T00:00:00Z}
[calendars]
days = [2025-07-04]
named = {of = "US", names = ["Labor Day"], observed = "no"}
[[energy]]
name = "peak"
group = ["e"]
price = 0.3
[[energy.times]]
touPeriods = [{fromHour = 16, toHour = 21, calendar = "days"}]
season = {seasonFromMonth = 6, seasonToMonth = 9}
[[energy]]
name = "tiers"
bands = [{price = 0.1, limit_kwh = 5}, {price = 0.2}]
settlement = "billing_period"
[[energy]]
name = "live"
[energy.prices]
import_price = [0.1, 0.2]
export_price = [0.1, 0.2]
step_seconds = 43200
start_seconds = 1751328000
[[demand]]
name = "d"
price = 3
window = [{touPeriods = [{fromHour = 8, toHour = 20, exceptCalendar = "named"}]}]
ratchet = {percent = [50], lookback_months = 3}
[[fixed]]
name = "f"
amount = 3
[[minimum]]
name = "m"
amount = 30
[[percentage]]
name = "tax"
percent = 8
charge_class = ["TAX"]
"""
)
ODD = st.sampled_from(
    [
        *(True, False, -1, 0, 1.5, 7, 99, 1e300, float("nan"), float("inf"), 2**62, "", "x", "US"),
        *([], [[]], {}, [{}], {"a": 1}, [1, "x"], date(2025, 2, 3), [date(2025, 2, 3)], "days"),
    ]
)


def places(node: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path of everything inside a value."""
    inside = node.items() if isinstance(node, dict) else ()
    inside = enumerate(node) if isinstance(node, list) else inside
    return [p for key, value in inside for p in [(*path, key), *places(value, (*path, key))]]


def written(value: Any) -> str:
    """A value in TOML."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return json.dumps(value)
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{json.dumps(k)} = {written(v)}' for k, v in value.items())}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(written, value))}]"
    return value.isoformat() if isinstance(value, date) else repr(value)


def text(tariff: Mapping[str, Any]) -> str:
    return "".join(f"{json.dumps(key)} = {written(value)}\n" for key, value in tariff.items())


def check(tariff: Mapping[str, Any]) -> None:
    loaded = Tariff.from_toml(text(tariff))
    home = site(np.ones(24), start="2025-07-01T00:00Z", solar_kwh=np.tile([0.0, 3.0], 12))
    assert np.isfinite(bill(home, loaded).total)
    list(rate_sheet(loaded))
    again = Tariff.from_toml(loaded.to_toml())
    assert bill(home, again).lines == bill(home, loaded).lines


def test_the_whole_bills() -> None:
    check(WHOLE)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_mutated_toml_raises_nothing_but_an_input_error(data: st.DataObject) -> None:
    mutated = copy.deepcopy(WHOLE)
    for path in data.draw(st.lists(st.sampled_from(places(WHOLE)), min_size=1, max_size=2)):
        node: Any = mutated
        with contextlib.suppress(KeyError, IndexError, TypeError):
            for key in path[:-1]:
                node = node[key]
            if data.draw(st.booleans()):
                del node[path[-1]]
            else:
                node[path[-1]] = data.draw(ODD)
    with contextlib.suppress(InputError):
        check(mutated)
