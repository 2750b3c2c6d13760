"""What a savings analysis assumes, in sentences."""

from __future__ import annotations

import numpy as np

from bess.economics.lifetime import Lifetime, later_start
from bess.result import Result
from bess.tariff.bill import meter_without_storage

__all__ = ["lifetime_notes"]


def lifetime_notes(lifetime: Lifetime, first: Result, missed: dict[int, int]) -> list[str]:
    """What a lifetime assumes, a sentence each."""
    site, years = lifetime.site, lifetime.years
    notes = []
    if years > 1:
        left = 100 * lifetime.capacity_left[-1]
        notes.append(
            f"savings: every year repeats the load, weather and calendar of the first; in year "
            f"{years} the battery has {left:.1f} % of its capacity and all of its power"
        )
        if site.solar_kwh.any():
            notes[-1] += f", solar {100 * lifetime.solar_left[-1]:.1f} % of its yield"
        if lifetime.price_level[-1] != 1:
            notes[-1] += f"; prices are {100 * lifetime.price_level[-1]:.1f} % of the first year's"
        starts_at = later_start(lifetime, first)
        if starts_at is None:
            notes.append("savings: every year starts at the devices' initial state of charge")
        elif abs(starts_at - lifetime.initial_state_of_charge) > 1e-9:
            notes.append(
                f"savings: years after the first start at the state of charge at which it ends, "
                f"{100 * starts_at:.1f} %"
            )
    if len(asked := lifetime.dispatched_years) < years:
        listed = ", ".join(map(str, asked))
        notes.append(
            f"savings: years {listed} are dispatched and billed, those between interpolated"
        )
    if lifetime.wear_steers:
        notes.append(
            "savings: the degradation cost steers the dispatch and is not escalated; it is no cash "
            "and not in the savings"
        )
    if site.import_limit_kwh is not None:
        for name, imports in (
            ("the load alone", site.load_kwh),
            ("load and solar", meter_without_storage(site, lifetime.solar_tariff)[0]),
        ):
            if over := int(np.count_nonzero(imports > site.import_limit_kwh)):
                notes.append(
                    f"savings: {name} would be above the import limit in {over} steps; it is "
                    "billed all the same"
                )
    later = {year: count for year, count in missed.items() if count > missed[1]}
    if later:
        year = min(later)
        notes.append(
            f"savings: policies are missed more often as the battery fades: {missed[1]} windows in "
            f"year 1, {later[year]} in year {year}"
        )
    return notes
