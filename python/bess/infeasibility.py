"""What cannot be met: which windows are out of reach, what comes nearest, and how to say so."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from bess import _core
from bess._arrays import Floats
from bess.errors import InfeasibleError
from bess.highs import Clock, nearest_energies, solve
from bess.limits import Limit, coupling_of
from bess.site import Site
from bess.unit import Unit

__all__ = [
    "EnergyWindows",
    "jointly_attainable",
    "refused_limit",
    "stated_windows",
    "unservable",
    "wanted_windows",
]

# Part of a capacity.
_ROUNDING = 1e-9

EnergyWindows = list[tuple[int, float, float]]
"""Windows on stored energy: step at whose end it binds, low and high in kWh DC."""


def wanted_windows(site: Site, units: list[Unit], relax: bool) -> list[EnergyWindows]:
    """The windows each unit must meet under the optimum: the policies' and, last, the terminal one.

    What a unit that is alone can reach is known before anything is solved: see `_attainable`. What
    several can reach depends on all of them, and what one can with a free start on its end: there
    the windows are as wanted, and `jointly_attainable` is for those that cannot be met.
    """
    if len(units) == 1 and units[0].battery.terminal_state_of_charge != "cyclic":
        return [_attainable(site, units[0], relax)]
    return stated_windows(site, units)


def stated_windows(site: Site, units: list[Unit]) -> list[EnergyWindows]:
    """Each unit's windows as stated, attainable or not: the policies' and, last, the terminal one.

    The terminal one asks for the initial energy no more than self-discharge lets the unit keep it,
    and for its minimum not at all: that is in the unit's own limits.
    """
    found = []
    for unit in units:
        capacity = unit.battery.capacity_kwh
        least, most = unit.battery.terminal_window
        if unit.battery.self_discharge_per_hour and least <= unit.battery.min_state_of_charge:
            least = 0.0
        terminal = (site.steps - 1, capacity * least, capacity * most)
        found.append([*unit.core_windows(), terminal])
    if any(_sinks(unit) for unit in units):
        devices = [unit.core_device(site.step_hours, []) for unit in units]
        kept = _core.kept_at_end(site._core, devices)
        for unit, windows, energy in zip(units, found, kept, strict=True):
            step, low, high = windows.pop()
            if _sinks(unit) and energy < low:  # room for rounding: charging always may just keep it
                low = min(low, energy - _ROUNDING * unit.battery.capacity_kwh)
            windows.append((step, low, high))
    return found


def _sinks(unit: Unit) -> bool:
    """Whether the end asks for an initial energy that self-discharge takes from."""
    battery = unit.battery
    return battery.self_discharge_per_hour > 0 and battery.terminal_state_of_charge == "initial"


def _attainable(site: Site, unit: Unit, relax: bool) -> EnergyWindows:
    """A policy's window out of reach raises `InfeasibleError`, or with ``relax`` becomes the point
    nearest to it, the earlier of two having precedence; the terminal one always raises.
    """
    *wanted, terminal = stated_windows(site, [unit])[0]
    core_battery = unit.core_battery(site.step_hours)

    def corridor(asked: EnergyWindows) -> _core.Corridor:
        start = unit.initial_energy
        return _core.make_corridor(site._core, core_battery, asked, start, start)

    if relax and wanted:
        met = corridor(wanted)
        wanted = wanted if met.infeasible_step >= 0 else met.attained
    found = corridor([*wanted, terminal])
    if found.infeasible_step >= 0:
        raise unservable(site, found.infeasible_step, found.shortfall)
    if found.first_missed >= 0:
        raise _missed(site, unit, found.first_missed, found.shortfall)
    return [*wanted, terminal]


def jointly_attainable(
    site: Site,
    units: list[Unit],
    wanted: list[EnergyWindows],
    program: Callable[[list[EnergyWindows]], _core.LinearProgram],
    relax: bool,
    clock: Clock,
) -> list[EnergyWindows]:
    """The windows made attainable together: each comes as near as those before it allow.

    ``program`` builds the program of other windows. A unit's terminal window counts as the last.
    Raises `InfeasibleError` naming the first window that is missed, unless ``relax`` and it is a
    policy's; or the first step whose load is above the import limit.
    """
    places = [(i, k) for i, windows in enumerate(wanted) for k in range(len(windows))]
    places.sort(key=lambda place: (wanted[place[0]][place[1]][0], _is_terminal(wanted, place)))
    without = program([[] for _ in wanted])
    asked = [wanted[i][k] for i, k in places]
    columns = [
        without.energy_column(window[0], i) for (i, _), window in zip(places, asked, strict=True)
    ]
    low = np.array([window[1] for window in asked]) / without.energy_unit
    high = np.array([window[2] for window in asked]) / without.energy_unit
    try:
        energies = nearest_energies(without, np.array(columns, dtype=np.int32), low, high, clock)
    except InfeasibleError:
        raise _unservable_together(site, units, clock) from None
    slack = 1e-8 * without.energy_unit  # room for the solver's tolerance
    met = [list(windows) for windows in wanted]
    for (i, k), window, energy in zip(places, asked, energies * without.energy_unit, strict=True):
        missing = max(window[1] - energy, energy - window[2])
        if missing > 1e-9 * max(1.0, units[i].battery.capacity_kwh):
            if not relax or _is_terminal(wanted, (i, k)):
                raise _missed(site, units[i], k, float(missing))
            met[i][k] = (window[0], min(window[1], energy - slack), max(window[2], energy + slack))
        elif missing > 0:
            met[i][k] = (window[0], min(window[1], energy), max(window[2], energy))
    return met


def refused_limit(
    site: Site,
    units: list[Unit],
    windows: list[EnergyWindows],
    limits: Sequence[Limit],
    solar_metered_apart: bool,
    clock: Clock,
) -> InfeasibleError | None:
    """The error of the first limit that cannot be kept beside the windows and the limits before it.

    None where all can be kept, as far as the relaxation tells, or where the windows cannot.
    """
    cyclic = units[0].battery.terminal_state_of_charge == "cyclic"
    for i, limit in enumerate(limits):
        devices = [
            unit.unvalued.with_wear(drawn * unit.battery.dc_to_ac_efficiency).core_device(
                site.step_hours, asked
            )
            for unit, drawn, asked in zip(units, limit.drawn.tolist(), windows, strict=True)
        ]
        prices = limit.imported, -limit.exported
        problem = _core.Problem(site._core, devices, *prices, cyclic, solar_metered_apart)
        program = _core.build_linear_program(problem, None)
        if i > 0:
            program = _core.couple(program, coupling_of(limits[:i], units))
        try:
            least = solve(program, gap=0.0, clock=clock).lower_bound
        except InfeasibleError:
            return None
        if not limit.is_met(least):
            return limit.refused(least)
    return None


def _is_terminal(wanted: list[EnergyWindows], place: tuple[int, int]) -> bool:
    return place[1] == len(wanted[place[0]]) - 1


def _unservable_together(site: Site, units: list[Unit], clock: Clock) -> InfeasibleError:
    """The first step whose load the units cannot serve: by bisection over shorter horizons."""
    cyclic = units[0].battery.terminal_state_of_charge == "cyclic"
    if cyclic:  # at best they start full
        units = [
            replace(unit, battery=unit.battery.model_copy(update={"initial_state_of_charge": most}))
            for unit, most in ((unit, unit.battery.max_state_of_charge) for unit in units)
        ]
    devices = [unit.core_device(site.step_hours, []) for unit in units]
    free = np.zeros(site.steps)

    def servable(steps: int) -> bool:
        def cut(series: Floats | None) -> Floats | None:
            return None if series is None else series[:steps]

        shorter = _core.Site(
            site.load_kwh[:steps],
            site.solar_kwh[:steps],
            cut(site.export_limit_kwh),
            cut(site.import_limit_kwh),
            cut(site.inverter_limit_kwh),
            site.solar_dc_to_ac_efficiency,
            site.allow_solar_to_grid,
        )
        problem = _core.Problem(shorter, devices, free[:steps], free[:steps], False)
        try:
            solve(_core.build_linear_program(problem, None), gap=0.0, clock=clock)
        except InfeasibleError:
            return False
        return True

    if cyclic and servable(site.steps):
        at = site.timeline.instant(site.steps).isoformat()
        return InfeasibleError(
            f"{at}: no dispatch ends at the state of charge it starts from", site.steps - 1, at
        )
    first, last = 0, site.steps  # servable, not servable
    while last - first > 1:
        middle = (first + last) // 2
        first, last = (middle, last) if servable(middle) else (first, middle)
    return unservable(site, last - 1, 0.0)


def unservable(site: Site, step: int, shortfall: float) -> InfeasibleError:
    """Load above the import limit that neither solar nor battery can serve."""
    at = site.timeline.instant(step).isoformat()
    missing = f" ({shortfall:.6g} kWh of stored energy are missing)" if shortfall else ""
    if site.inverter_limit_kwh is not None and site.import_limit_kwh is not None:
        most = site.import_limit_kwh[step] + site.inverter_limit_kwh[step]
        if (over := site.load_kwh[step] - most) > 1e-9:
            missing = f" (it is {over:.6g} kWh above import and inverter limit together)"
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
