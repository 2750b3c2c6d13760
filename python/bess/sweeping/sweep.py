"""`sweep`: many batteries on sites, by strategies, at tariffs; one call."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bess._arrays import whole_number
from bess.errors import InputError
from bess.policy import SchedulePolicy
from bess.prices import Prices
from bess.site import Site
from bess.strategy import Strategy
from bess.sweeping.cases import cases_of
from bess.sweeping.costs import Costs
from bess.sweeping.metrics import checked_metrics
from bess.sweeping.parameters import parameters_of
from bess.sweeping.running import Columns, chunks_of, progress_bar, run_on_threads
from bess.sweeping.table import SweepTable
from bess.tariff import Tariff

__all__ = ["sweep"]


def sweep(
    site: Site | Sequence[Site] | Mapping[str, Site],
    batteries: Any,
    strategy: Strategy | Sequence[Strategy] | Mapping[str, Strategy],
    *,
    tariff: Tariff | Sequence[Tariff] | Mapping[str, Tariff] | None = None,
    prices: Prices | Sequence[Prices] | Mapping[str, Prices] | None = None,
    metrics: Iterable[str] | None = None,
    costs: Costs | None = None,
    policies: Sequence[SchedulePolicy | dict[str, Any]] = (),
    past_peaks_kw: Any = None,
    workers: int | None = None,
    progress: bool | None = None,
) -> SweepTable:
    """What each of many batteries does and costs.

    Parameters
    ----------
    site, strategy, tariff, prices
        Where, how, and what is paid, as for `bess.dispatch`: one, several in a list, or several by
        name. Every combination is tried, and of what there are several the table has a column.
    batteries
        A `BatteryGrid`, or a table of parameters by the names of `Battery`'s fields (and
        ``power_kw``, ``duration_hours``): a mapping of arrays, a data frame, an Arrow table. What
        is one value holds for all.
    metrics
        What to tell of each scenario, in this order; by default ``cost`` (bill and degradation),
        ``bill``, ``import_kwh``, ``export_kwh``, ``peak_kw``. All: see `bess.sweeping.metrics`.
    costs
        What batteries cost, for ``net_present_value``.
    policies, past_peaks_kw
        As for `bess.dispatch`.
    workers
        Threads; by default one for each processor. Answers do not depend on it.
    progress
        Whether to show a bar on standard error; by default where that is a terminal.

    Surplus and fixed schedule are worked for many batteries at once, straight to the energies and
    peaks that a bill is made of, unless the site has an import or inverter limit, the battery
    discharges by itself, or there are policies; everything else battery by battery.

    >>> import numpy as np
    >>> from bess import BatteryGrid, Prices, Site, Surplus
    >>> sun = np.tile([0] * 9 + [3] * 6 + [0] * 9, 365)
    >>> home = Site(load_kwh=np.ones(8760), solar_kwh=sun, start="2025-01-01T00:00Z")
    >>> table = sweep(home, BatteryGrid(capacity_kwh=[5, 10, 15], duration_hours=2.5), Surplus(),
    ...               prices=Prices(import_price=0.30, export_price=0.05))
    >>> table["cost"].round(2).tolist()
    [1359.25, 966.49, 688.93]
    >>> table.best(1)[0]["capacity_kwh"]
    15.0

    Raises
    ------
    InputError
        Before anything runs, naming what is not valid: of a parameter the column and the row.
    """
    if costs is not None and not isinstance(costs, Costs):
        raise InputError.at("costs", "must be bess.Costs", costs)
    names = checked_metrics(
        metrics,
        priced=tariff is not None or prices is not None,
        with_costs=costs is not None,
        bins=tariff is not None,
    )
    options = {"policies": tuple(policies), "past_peaks_kw": past_peaks_kw}
    cases = cases_of(site, strategy, tariff, prices, options, names, costs)
    parameters = parameters_of(batteries, "batteries")
    threads = os.cpu_count() or 1 if workers is None else whole_number(workers, "workers", 1024)
    columns = Columns(cases, len(parameters))
    with progress_bar(len(cases) * len(parameters), progress) as advance:
        run_on_threads(
            cases, parameters, chunks_of(cases, len(parameters)), threads, columns.write, advance
        )
    return SweepTable(columns.in_order())
