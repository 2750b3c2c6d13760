"""What a sweep's batteries are tried on: every combination of site, strategy, and what is paid."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bess.dispatch import STRATEGIES
from bess.errors import InputError
from bess.prices import Prices
from bess.site import Site
from bess.strategy import FixedSchedule, Follow, Optimize, PeakShave, Surplus
from bess.sweeping.case import Case
from bess.sweeping.costs import Costs
from bess.tariff import Tariff
from bess.tariff.periods import billing_periods

__all__ = ["cases_of"]


def cases_of(
    site: Any,
    strategy: Any,
    tariff: Any,
    prices: Any,
    options: Mapping[str, Any],
    metrics: tuple[str, ...],
    costs: Costs | None,
) -> list[Case]:
    """Every combination, sites outermost.

    Raises
    ------
    InputError
        Where one is not valid, at the path where the caller gave it.
    """
    kinds = ", ".join(f"{kind.__name__}()" for kind in STRATEGIES)
    sites = _several(site, "site", (Site,), "a bess.Site")
    strategies = _several(strategy, "strategy", STRATEGIES, f"one of {kinds}")
    if tariff is not None and prices is not None:
        raise InputError.at("prices", "cannot be given together with a tariff")
    paid: list[tuple[str, dict[str, Any], dict[str, str]]]
    paid = [("", {"tariff": None, "prices": None}, {})]
    if tariff is not None:
        found = _several(tariff, "tariff", (Tariff,), "a bess.Tariff (see load_tariff)")
        paid = [(path, {"tariff": value, "prices": None}, label) for path, value, label in found]
    elif prices is not None:
        found = _several(prices, "prices", (Prices,), "bess.Prices")
        paid = [(path, {"tariff": None, "prices": value}, label) for path, value, label in found]
    zones = {None if what["tariff"] is None else what["tariff"].time_zone for _, what, _ in paid}
    periods = max(len(billing_periods(place.timeline, z)) for _, place, _ in sites for z in zones)
    shared: dict[str, Any]
    shared = {"options": options, "metrics": metrics, "costs": costs, "periods": periods}
    cases = []
    for _, place, place_label in sites:
        for path, how, how_label in strategies:
            for paid_path, what, paid_label in paid:
                if isinstance(how, Optimize) and what["tariff"] is what["prices"]:
                    raise InputError.at(path, "Optimize needs a tariff or prices")
                if what["prices"] is not None:
                    try:
                        what["prices"].series(place.steps)
                    except InputError as error:
                        raise error.under(paid_path) from None
                labels = {**place_label, **how_label, **paid_label}
                case = Case(labels, place, how, **what, **shared)
                case.check(path)
                cases.append(case)
    return cases


def _several(
    given: Any, path: str, kinds: tuple[type, ...], wanted: str
) -> list[tuple[str, Any, dict[str, str]]]:
    """Each of one or several things: where the caller gave it, itself, and its label."""
    if isinstance(given, kinds):
        return [(path, given, {})]
    if isinstance(given, Mapping):
        items = [(f"{path}.{name}", value, {path: str(name)}) for name, value in given.items()]
    elif isinstance(given, Sequence) and not isinstance(given, (str, bytes)):
        items = [(f"{path}[{i}]", value, {path: _label(value, i)}) for i, value in enumerate(given)]
    else:
        raise InputError.at(path, f"must be {wanted}, or several", given)
    if not items:
        raise InputError.at(path, f"must be {wanted}, or at least one of several", given)
    for where, value, _ in items:
        if not isinstance(value, kinds):
            raise InputError.at(where, f"must be {wanted}", value)
    names = [next(iter(label.values())) for _, _, label in items]
    if len(set(names)) < len(names):
        items = [
            (where, value, {path: f"{i}: {name}"})
            for i, ((where, value, _), name) in enumerate(zip(items, names, strict=True))
        ]
    return items


def _label(value: Any, index: int) -> str:
    if isinstance(value, Tariff):
        return value.name
    if isinstance(value, (Surplus, FixedSchedule, Follow, PeakShave, Optimize)):
        return type(value).__name__
    return str(index)
