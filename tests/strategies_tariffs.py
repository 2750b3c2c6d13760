"""Random tariffs, plausible and nasty, on horizons of a few steps that reach over many bills."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st
from reference_tariff import Clock, clock_of
from strategies import SiteCase, prices, series
from strategies_charges import FEATURES, classes, hours, milliwatt_hours

from bess.tariff import EnergyRate, Tariff

HOUR, DAY = 3600, 86_400

# Start, zone, step and the most steps: hours and quarters of hours, nights of clock changes, a leap
# day, weeks that cut months, anniversaries on the 31st, a year of twelve months.
HORIZONS = [
    ("2025-07-01T15:00:00-07:00", "America/Los_Angeles", HOUR, 8),
    ("2025-07-01T15:00:00-07:00", "America/Los_Angeles", HOUR, 8),
    ("2025-03-30T00:00:00+01:00", "Europe/Berlin", HOUR, 6),
    ("2025-10-26T00:00:00+02:00", "Europe/Berlin", HOUR, 6),
    ("2025-11-02T00:00:00-07:00", "America/Los_Angeles", 900, 8),
    ("2025-07-01T00:05:00+00:00", "UTC", 300, 8),
    ("2025-10-25T00:00:00+02:00", "Europe/Berlin", 6 * HOUR, 8),
    ("2024-02-28T00:00:00+00:00", "Europe/London", 12 * HOUR, 6),
    ("2025-01-01T00:00:00+00:00", "UTC", 10 * DAY, 8),
    ("2025-01-31T00:00:00+01:00", "Europe/Berlin", 12 * DAY, 8),
    ("2024-01-15T00:00:00+00:00", "UTC", 15 * DAY, 6),
    ("2025-02-01T00:00:00+00:00", "UTC", 730 * HOUR, 12),
]


@dataclass(frozen=True)
class TariffCase:
    """A site of a few steps and a tariff of one to three features."""

    site: SiteCase
    tariff: Tariff
    features: tuple[str, ...]

    @property
    def clock(self) -> Clock:
        minutes = self.tariff.demand_interval_minutes
        site = self.site
        return clock_of(site.start, site.step_seconds, site.n, site.time_zone, minutes)


USUAL = tuple(name for name in FEATURES if name != "own meter")


@st.composite
def tariff_cases(
    draw: st.DrawFn,
    names: Sequence[str] = USUAL,
    most: int = 3,
    max_steps: int = 12,
    horizons: Sequence[tuple[str, str, int, int]] = tuple(HORIZONS),
) -> TariffCase:
    """A tariff of energy prices by time of use with one to `most` of the named features."""
    start, zone, step, count = draw(st.sampled_from(list(horizons)))
    n = draw(st.integers(1, min(count, max_steps))) if count < 12 else min(12, max_steps)
    site = SiteCase(
        start,
        zone,
        step,
        draw(series(milliwatt_hours, n)),
        draw(series(milliwatt_hours, n)),
        solar_efficiency=draw(st.sampled_from([1.0, 0.96])),
        solar_to_grid=draw(st.sampled_from([True, True, True, False])),
        export_limit=draw(st.sampled_from([None, None, None, 0.0, 1.0])),
        inverter_limit=draw(st.sampled_from([None, None, None, HOUR / step, 2 * HOUR / step])),
    )
    chosen = draw(st.lists(st.sampled_from(list(names)), min_size=1, max_size=most, unique=True))
    bare = Tariff("T", rates=_energy_rates(draw))
    clock = TariffCase(site, bare, ()).clock
    scale = 1 / clock.periods[0].share
    for name in sorted(chosen, key=list(FEATURES).index):  # metering first: it rules out others
        bare = FEATURES[name](draw, site, scale, clock, bare)
    return TariffCase(site, bare, tuple(chosen))


def _energy_rates(draw: st.DrawFn) -> tuple[EnergyRate, ...]:
    """A flat rate, perhaps one on top at some hours, and perhaps prices for exports."""
    rates: list[Any] = [EnergyRate("flat", price=draw(prices), charge_class=draw(classes))]
    if draw(st.booleans()):
        at = (draw(hours()),)
        rates.append(EnergyRate("peak", price=draw(prices), times=at, charge_class=draw(classes)))
    if draw(st.booleans()):
        at = draw(st.sampled_from([(), (draw(hours()),)]))
        rates.append(
            EnergyRate("sold", price=draw(prices), on_import=False, on_export=True, times=at)
        )
    return tuple(rates)
