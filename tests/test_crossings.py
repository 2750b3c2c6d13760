"""Other imports and exports of the same battery: as near as can be, balanced, one way at a time."""

from __future__ import annotations

from typing import Any

import numpy as np
import strategies as cases
from hypothesis import given
from hypothesis import strategies as st
from reference_balances import check_balances
from strategies_rules import few

import bess
from bess.crossings import with_crossings


class Flows:
    """A result whose site flows are others."""

    def __init__(self, result: Any, series: Any) -> None:
        names = list(result.flows)
        for name, row in zip(names, series, strict=True):
            setattr(self, name, row)
        self.devices: dict[str, Any] = {}


@few
@given(st.data())
def test_balances_close_whatever_is_wanted(data: st.DataObject) -> None:
    site = data.draw(cases.sites(max_steps=6))
    battery = data.draw(cases.batteries())
    steps, store = site.steps(), battery.store(site)
    place = site.build()
    try:
        result = bess.dispatch(place, battery.build(), bess.Surplus())
    except bess.InfeasibleError:
        return
    wanted = [np.array(data.draw(cases.series(cases.energies, site.n))) for _ in "io"]
    other = with_crossings(place, result.series, *wanted)
    check_balances(steps, [store], [battery.capacity], Flows(result, other))


def test_what_is_wanted_is_had_where_the_sun_allows() -> None:
    place = bess.Site(
        load_kwh=[2, 2, 2, 2],
        solar_kwh=[3, 3, 3, 1],
        start="2025-06-01T00:00Z",
        solar_dc_to_ac_efficiency=1.0,
    )
    idle = bess.dispatch(place, bess.Battery(), bess.FixedSchedule())
    other = with_crossings(place, idle.series, np.array([1.5, 0, 0, 0]), np.array([0, 0.25, 9, 1]))
    assert (other[0] + other[1]).tolist() == [1.5, 0, 0, 1]  # the last cannot sell: it stays
    assert (other[4] + other[7]).tolist() == [0, 0.25, 1, 0]
    assert other[5].tolist() == [2.5, 0.75, 0, 0]
