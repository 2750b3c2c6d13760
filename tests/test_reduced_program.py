"""The program of one row a step: the same optimum as the one with a column for each flow."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_rules import battery, site

from bess import Optimize, Prices, dispatch, solver_search


@pytest.mark.highs
@given(data=st.data())
def test_both_programs_have_one_optimum(data: st.DataObject) -> None:
    steps = data.draw(st.integers(1, 12))
    energies = st.lists(st.sampled_from([0.0, 0.4, 1.0, 3.0]), min_size=steps, max_size=steps)
    export = data.draw(st.lists(st.sampled_from([0.0, 0.1, 0.2]), min_size=steps, max_size=steps))
    above = data.draw(st.lists(st.sampled_from([0.0, 0.05, 0.3]), min_size=steps, max_size=steps))
    home = site(
        data.draw(energies),
        solar_kwh=data.draw(energies),
        export_limit_kwh=data.draw(st.sampled_from([None, 0.0, 0.5])),
        inverter_limit_kw=data.draw(st.sampled_from([None, 0.5, 1.0, 2.0])),
    )
    store = battery(
        initial_state_of_charge=data.draw(st.sampled_from([0.0, 0.5, 1.0])),
        terminal_state_of_charge=data.draw(st.sampled_from(["initial", "free", "cyclic"])),
        dc_coupled=data.draw(st.booleans()),
        allow_grid_to_battery=data.draw(st.booleans()),
        allow_battery_to_grid=data.draw(st.booleans()),
        degradation_cost_per_kwh=data.draw(st.sampled_from([0.0, 0.02])),
    )
    prices = Prices(import_price=list(np.add(export, above)), export_price=export)
    result = dispatch(home, store, Optimize(engine="highs"), prices=prices)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(solver_search._core, "build_reduced_program", lambda problem: None)
        full = dispatch(home, store, Optimize(engine="highs"), prices=prices)
    assert result.cost == pytest.approx(full.cost, rel=1e-9, abs=1e-9)
    assert result.gap is not None
    assert result.gap <= 1e-9
