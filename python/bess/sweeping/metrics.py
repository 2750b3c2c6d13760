"""What a sweep can tell of each scenario, and how it follows from what was found."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, get_args

import numpy as np
from numpy.typing import NDArray

from bess._arrays import Floats
from bess.errors import InputError
from bess.tariff.lines import Kind

__all__ = [
    "DEFAULT_METRICS",
    "METRICS",
    "Baseline",
    "Found",
    "checked_metrics",
    "columns_of",
    "names_of",
]

DEFAULT_METRICS: Final = ("cost", "bill", "import_kwh", "export_kwh", "peak_kw")


@dataclass(eq=False)
class Found:
    """What a chunk of scenarios came to, an array each (kWh AC unless said otherwise)."""

    import_kwh: Floats
    export_kwh: Floats
    peak_kw: Floats
    """Mean power imported in the step with most."""
    discharged_kwh: Floats
    """What the battery gave."""
    sent_kwh: Floats
    """The part of it that was exported."""
    from_grid_kwh: Floats
    """What the battery took from the grid."""
    curtailed_kwh: Floats
    """Sun that was not used."""
    stored_change_kwh_dc: Floats
    bill: Floats
    """Bill, or energy at prices by step; NaN without either."""
    capacity_kwh: Floats
    power_kw: Floats
    """The greater of both powers, kW DC."""
    dc_to_ac_efficiency: Floats
    degradation_cost_per_kwh: Floats
    bill_by_kind: dict[str, Floats] = field(default_factory=dict)
    monthly_peaks_kw: Floats | None = None
    """By billing period and scenario."""
    gap: Floats | None = None
    violations: Floats | None = None
    hours_full: Floats | None = None
    hours_empty: Floats | None = None
    error: NDArray[Any] | None = None
    """Why a scenario has no answer; None where every one has."""


@dataclass(frozen=True)
class Baseline:
    """What the site is without a battery."""

    load_kwh: float
    solar_kwh: float
    bill: float
    worth: Callable[[Floats, Floats, Floats], Any] | None = None
    """Net present value of what is saved in a year, by capacity and power; None without costs."""


def _discharged_dc(found: Found, _: Baseline) -> Floats:
    return found.discharged_kwh / found.dc_to_ac_efficiency


def _degradation(found: Found, site: Baseline) -> Floats:
    return found.degradation_cost_per_kwh * _discharged_dc(found, site)


def _self_consumption(found: Found, site: Baseline) -> Floats:
    unused = found.export_kwh - found.sent_kwh + found.curtailed_kwh
    return 1 - unused / site.solar_kwh if site.solar_kwh > 0 else np.full_like(unused, np.nan)


def _self_sufficiency(found: Found, site: Baseline) -> Floats:
    bought = found.import_kwh
    return 1 - bought / site.load_kwh if site.load_kwh > 0 else np.full_like(bought, np.nan)


def _savings(found: Found, site: Baseline) -> Floats:
    return site.bill - found.bill


def _net_present_value(found: Found, site: Baseline) -> Floats:
    assert site.worth is not None
    value: Floats = site.worth(_savings(found, site), found.capacity_kwh, found.power_kw)
    return value


METRICS: Final[dict[str, Callable[[Found, Baseline], Any]]] = {
    "cost": lambda found, site: found.bill + _degradation(found, site),
    "bill": lambda found, site: found.bill,
    "import_kwh": lambda found, site: found.import_kwh,
    "export_kwh": lambda found, site: found.export_kwh,
    "peak_kw": lambda found, site: found.peak_kw,
    "degradation_cost": _degradation,
    "savings": _savings,
    "net_present_value": _net_present_value,
    "bill_by_kind": lambda found, site: found.bill_by_kind,
    "monthly_peaks_kw": lambda found, site: found.monthly_peaks_kw,
    "self_consumption": _self_consumption,
    "self_sufficiency": _self_sufficiency,
    "throughput_kwh_dc": _discharged_dc,
    "equivalent_full_cycles": lambda found, site: _discharged_dc(found, site) / found.capacity_kwh,
    "solar_curtailed_kwh": lambda found, site: found.curtailed_kwh,
    "stored_energy_change_kwh": lambda found, site: found.stored_change_kwh_dc,
    "hours_full": lambda found, site: found.hours_full,
    "hours_empty": lambda found, site: found.hours_empty,
    "gap": lambda found, site: found.gap,
    "violations": lambda found, site: found.violations,
}
"""Every metric by its name: a column, or where it holds several, one for each."""

_KINDS: Final = get_args(Kind)
_OF_MONEY: Final = ("cost", "bill", "savings", "net_present_value", "bill_by_kind")


def checked_metrics(
    asked: Iterable[str] | None, *, priced: bool, with_costs: bool, bins: bool
) -> tuple[str, ...]:
    """The metrics of a sweep, in the order asked for.

    Raises
    ------
    InputError
        For a name that is none, or one that needs what is not given.
    """
    if asked is None:
        names: Sequence[str] = DEFAULT_METRICS
        if not priced:
            names = [name for name in names if name not in _OF_MONEY]
        return (*names, "net_present_value") if with_costs else tuple(names)
    if isinstance(asked, str):
        asked = [asked]
    names = tuple(dict.fromkeys(asked))
    for i, name in enumerate(names):
        path = f"metrics[{i}]"
        if name not in METRICS:
            raise InputError.at(path, f"must be one of {', '.join(METRICS)}", name)
        if name in _OF_MONEY and not priced:
            raise InputError.at(path, f"{name} needs a tariff or prices")
        if name == "net_present_value" and not with_costs:
            raise InputError.at(path, "net_present_value needs costs")
        if name == "bill_by_kind" and not bins:
            raise InputError.at(path, "bill_by_kind needs a tariff")
    return names


def names_of(metric: str, periods: int) -> list[str]:
    """The columns of a metric: one, or one for each kind of charge or billing period."""
    if metric == "bill_by_kind":
        return [f"bill_{kind}" for kind in _KINDS]
    if metric == "monthly_peaks_kw":
        return [f"peak_kw_{p + 1}" for p in range(periods)]
    return [metric]


def columns_of(
    found: Found, site: Baseline, metrics: Iterable[str], periods: int
) -> dict[str, NDArray[Any]]:
    """The columns of each metric, and ``error``: the same ones whatever was found."""
    columns: dict[str, NDArray[Any]] = {}
    unknown = np.full_like(found.bill, np.nan)
    for metric in metrics:
        value = METRICS[metric](found, site)
        names = names_of(metric, periods)
        if metric == "bill_by_kind":
            none = np.where(np.isnan(found.bill), np.nan, 0.0)
            values = [value[kind] + none if kind in value else none for kind in _KINDS]
        elif metric == "monthly_peaks_kw":
            values = [*value, *[unknown] * (periods - len(value))]
        else:
            values = [unknown if value is None else value]
        columns.update(zip(names, values, strict=True))
    failed = found.error
    columns["error"] = np.full(len(found.bill), "", object) if failed is None else failed
    return columns
