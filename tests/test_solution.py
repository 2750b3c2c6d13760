"""From a solver's solution to flows: what the solution says is done, exactly."""

from __future__ import annotations

import pytest
from numpy.testing import assert_allclose
from test_optimize import best
from test_rules import site
from test_sharing import device


def test_devices_serve_a_load_above_the_import_limit_together_not_each_for_itself() -> None:
    """Wear costs twice the price: of a load of 2 the limit of 1 is bought, and 1 discharged."""
    result = best(
        site([2], import_limit_kwh=1),
        [device("a"), device("b")],
        1.0,
        terminal_state_of_charge="free",
        degradation_cost_per_kwh=2.0,
    )
    assert result.cost == pytest.approx(3.0)
    assert_allclose(result.grid_to_site_kwh_ac, [1])
    assert_allclose(result.battery_to_site_kwh_ac, [1])
    assert_allclose(result.stored_energy_change_kwh, -1)
