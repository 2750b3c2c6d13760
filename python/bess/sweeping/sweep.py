"""`sweep`: many batteries on sites, by strategies, at tariffs; one call."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Final

from numpy.typing import NDArray

from bess._arrays import whole_number
from bess.errors import InputError
from bess.policy import SchedulePolicy
from bess.prices import Prices
from bess.site import Site
from bess.strategy import Strategy
from bess.sweeping.case import Case
from bess.sweeping.cases import cases_of
from bess.sweeping.cluster import checked_client, even, run_on_cluster
from bess.sweeping.costs import Costs
from bess.sweeping.fingerprint import fingerprint, fingerprint_of_batteries
from bess.sweeping.folder import Folder, Manifest, Partitions
from bess.sweeping.metrics import checked_metrics, names_of
from bess.sweeping.parameters import Parameters, parameters_of
from bess.sweeping.running import (
    Chunk,
    Columns,
    blocks_of,
    chunks_of,
    progress_bar,
    rows_of_blocks,
    run_on_threads,
)
from bess.sweeping.stored import StoredTable
from bess.sweeping.table import SweepTable
from bess.tariff import Tariff

if TYPE_CHECKING:
    from distributed import Client

__all__ = ["sweep"]

_BLOCKS: Final = 512
"""About as many partitions has a folder, and tasks a cluster: fewer where a chunk is larger, more
where a block would be too large. They do not depend on who works them."""
_KINDS: Final = {"b": "flag", "f": "number"}
"""What a column of parameters holds, by its dtype's kind."""


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
    out: str | os.PathLike[str] | None = None,
    workers: int | None = None,
    client: Client | None = None,
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
    out
        A folder for the table, so that it may be larger than the memory: Parquet partitions, each
        of which appears whole or not at all. The same call again works only what is missing, and a
        folder of another sweep is refused. See `bess.read_sweep`. Needs the extra ``parquet``.
    workers
        Threads; by default one for each processor. Answers do not depend on it.
    client
        A Dask client: the sweep runs on its cluster instead, to the same answers. With ``out`` its
        workers write the partitions, to a file system they share. Needs the extra ``distributed``.
    progress
        Whether to show a bar on standard error; by default where that is a terminal.

    Surplus and fixed schedule are worked for many batteries at once, straight to the energies and
    peaks that a bill is made of, unless the site has an inverter limit, or the battery
    discharges by itself; everything else battery by battery.

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
        Before anything runs, naming what is not valid: of a parameter the column and the row. At
        ``out`` also when the disk is full.
    ClusterError
        Where a cluster is lost.
    MissingExtraError
        With ``out`` or ``client``, without what they need.
    """
    if costs is not None and not isinstance(costs, Costs):
        raise InputError.at("costs", "must be bess.Costs", costs)
    names = checked_metrics(
        metrics,
        priced=tariff is not None or prices is not None,
        with_costs=costs is not None,
        bins=tariff is not None,
    )
    options = {"policies": policies, "past_peaks_kw": past_peaks_kw}
    cases = cases_of(site, strategy, tariff, prices, options, names, costs)
    parameters = parameters_of(batteries, "batteries")
    threads = os.cpu_count() or 1 if workers is None else whole_number(workers, "workers", 1024)
    if client is not None:
        checked_client(client, workers)
    scenarios = len(cases) * len(parameters)
    with progress_bar(scenarios, progress) as advance:

        def run(
            blocks: Iterable[Chunk],
            folder: Folder | None,
            take: Callable[[Chunk, dict[str, NDArray[Any]]], None],
        ) -> None:
            if client is not None:
                run_on_cluster(client, cases, parameters, blocks, folder, take, advance)
            else:
                chunks = chunks_of(cases, blocks)
                run_on_threads(cases, parameters, chunks, threads, take, advance)

        sizes = rows_of_blocks(cases, -(-scenarios // _BLOCKS))
        if out is None:
            if client is not None:
                sizes = even(sizes, cases, len(parameters), client)
            columns = Columns(cases, len(parameters))
            run(blocks_of(sizes, len(parameters)), None, columns.write)
            return SweepTable(columns.in_order())
        given = {"site": site, "strategy": strategy, "tariff": tariff, "prices": prices}
        manifest = _manifest({**given, "costs": costs, **options}, cases, parameters, sizes)
        folder = Folder.claim(out, manifest)
        held = folder.held()
        missing = [block for place, block in enumerate(manifest.partitions()) if place not in held]
        advance(scenarios - sum(block.last - block.first for block in missing))
        run(missing, folder, Partitions(folder).write)
    table = StoredTable(folder)
    if table.missing:
        reason = f"lacks {table.missing} scenarios that were written: do all workers share it?"
        raise InputError.at("out", reason, str(folder.path))
    folder.clear()
    return table


def _manifest(
    given: Mapping[str, Any], cases: list[Case], parameters: Parameters, sizes: list[int]
) -> Manifest:
    columns = dict.fromkeys(cases[0].labels, "text")
    for name, values in parameters.rows(0, 1).items():
        columns[name] = _KINDS.get(values.dtype.kind, "text")
    for metric in cases[0].metrics:
        columns.update(dict.fromkeys(names_of(metric, cases[0].periods), "metric"))
    return Manifest(
        arguments={
            "version of bess-dispatch": version("bess-dispatch"),
            "batteries": fingerprint_of_batteries(parameters),
            "metrics": fingerprint(cases[0].metrics),
            **{name: fingerprint(value) for name, value in given.items()},
        },
        batteries=len(parameters),
        labels=[case.labels for case in cases],
        rows=sizes,
        columns={**columns, "error": "text"},
    )
