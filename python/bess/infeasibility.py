"""What cannot be met: which windows are out of reach, what comes nearest, and how to say so."""

from __future__ import annotations

import numpy as np

from bess import _core
from bess.errors import InfeasibleError
from bess.highs import Clock, nearest_energies
from bess.site import Site
from bess.unit import Unit

__all__ = ["EnergyWindows", "attainable", "jointly_attainable", "unservable"]

EnergyWindows = list[tuple[int, float, float]]
"""Windows on stored energy: step at whose end it binds, low and high in kWh DC."""


def attainable(site: Site, unit: Unit, relax: bool, alone: bool) -> EnergyWindows:
    """The windows the optimum must meet: the policies' and, last, the terminal one.

    With ``relax``, a policy's window out of reach becomes the point nearest to it, the earlier of
    two having precedence; else it raises `InfeasibleError`, and so does the terminal one always.
    """
    battery = unit.battery
    capacity = battery.capacity_kwh
    start = (battery.initial_state_of_charge, battery.initial_state_of_charge)
    if battery.terminal_state_of_charge == "cyclic":  # the start is free
        start = (battery.min_state_of_charge, battery.max_state_of_charge)
    least, most = battery.terminal_window
    terminal = (site.steps - 1, capacity * least, capacity * most)
    core_battery = unit.core_battery(site.step_hours)

    def corridor(asked: EnergyWindows) -> _core.Corridor:
        return _core.make_corridor(
            site._core, core_battery, asked, capacity * start[0], capacity * start[1]
        )

    wanted = unit.core_windows()
    if relax and wanted:
        met = corridor(wanted)
        wanted = wanted if met.infeasible_step >= 0 else met.attained
    found = corridor([*wanted, terminal])
    if found.infeasible_step >= 0 and alone:
        raise unservable(site, found.infeasible_step, found.shortfall)
    if found.infeasible_step < 0 and found.first_missed >= 0:
        raise _missed(site, unit, found.first_missed, found.shortfall)
    return [*wanted, terminal]


def jointly_attainable(
    site: Site,
    units: list[Unit],
    wanted: list[EnergyWindows],
    without: _core.LinearProgram,
    relax: bool,
    clock: Clock,
) -> list[EnergyWindows]:
    """The windows of several units made attainable together, with the least total shortfall.

    ``without`` is the program without the policies' windows. Raises `InfeasibleError` naming the
    first window that is missed, unless ``relax``.
    """
    places = [(i, k) for i, windows in enumerate(wanted) for k in range(len(windows) - 1)]
    places.sort(key=lambda place: wanted[place[0]][place[1]][0])
    asked = [wanted[i][k] for i, k in places]
    columns = [
        without.energy_column(window[0], i) for (i, _), window in zip(places, asked, strict=True)
    ]
    low = np.array([window[1] for window in asked]) / without.energy_unit
    high = np.array([window[2] for window in asked]) / without.energy_unit
    # Raises by itself where even this has no solution: the import limit, or the terminal states.
    energies = nearest_energies(without, np.array(columns, dtype=np.int32), low, high, clock)
    met = [list(windows) for windows in wanted]
    for (i, k), window, energy in zip(places, asked, energies * without.energy_unit, strict=True):
        missing = max(window[1] - energy, energy - window[2])
        if missing > 1e-9 * max(1.0, units[i].battery.capacity_kwh):
            if not relax:
                raise _missed(site, units[i], k, missing)
            met[i][k] = (window[0], min(window[1], energy), max(window[2], energy))
    return met


def unservable(site: Site, step: int, shortfall: float) -> InfeasibleError:
    """Load above the import limit that neither solar nor battery can serve."""
    at = site.timeline.instant(step).isoformat()
    missing = f" ({shortfall:.6g} kWh of stored energy are missing)" if shortfall else ""
    return InfeasibleError(
        f"step {step} ({at}): the load is above the import limit, and neither solar nor battery "
        f"can serve the rest{missing}",
        step,
        at,
        shortfall,
    )


def _missed(site: Site, unit: Unit, position: int, shortfall: float) -> InfeasibleError:
    """The window at a position among the policies' (the terminal one follows them) is missed."""
    whose = f"{unit.name}: " if unit.name else ""
    missing = f"{shortfall:.6g} kWh of stored energy are missing"
    binding = [window for window in unit.windows if window.step >= 0]
    if position == len(binding):
        at = site.timeline.instant(site.steps).isoformat()
        least, most = unit.battery.terminal_window
        wanted = f"the terminal state of charge ({100 * least:g} to {100 * most:g} %)"
        return InfeasibleError(
            f"{whose}{wanted} cannot be reached: {missing}", site.steps - 1, at, shortfall
        )
    window = binding[position]
    at = window.at.isoformat()
    return InfeasibleError(
        f"{whose}{at}: a state of charge of {100 * window.minimum:g} to {100 * window.maximum:g} % "
        f"cannot be reached ({missing}); relax_policies=True comes as near as possible",
        window.step,
        at,
        shortfall,
    )
