"""Random rules, policies, times of use and permissions, for the library and for its slow twin."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from reference import Wish, charge_wish, discharge_wish, follow_wish, shave_wish, surplus_wish
from reference_models import Step, Store
from reference_time import covered, step_starts
from strategies import SiteCase, fractions, series

import bess
from bess.policy import SchedulePolicy

few = settings(
    deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much]
)


@st.composite
def policies(draw: st.DrawFn, site: SiteCase, max_policies: int = 3) -> list[dict[str, Any]]:
    """Schedule policies on and between steps, at the start, the end and outside the horizon."""
    boundaries = step_starts(site.start, site.step_seconds, site.n + 1)
    found = []
    for _ in range(draw(st.integers(0, max_policies))):
        low, high = sorted(draw(st.tuples(fractions, fractions)))
        policy: dict[str, Any] = {
            "type": "schedule",
            "minimum_state_of_charge": 100 * low,
            "maximum_state_of_charge": 100 * high,
        }
        if draw(st.booleans()):
            chosen = draw(st.lists(st.sampled_from(boundaries), min_size=1, max_size=3))
            late = draw(st.sampled_from([0, 0, 1, -1, site.step_seconds // 2, -86400]))
            policy["schedule"] = {
                "frequency": "once",
                "date_times": [(b + timedelta(seconds=late)).isoformat() for b in chosen],
            }
        else:
            policy["schedule"] = {
                "frequency": "weekly",
                "day_of_week": draw(
                    st.sampled_from([["Sunday"], ["monday", "SUNDAY"], ["Friday"]])
                ),
                "time": draw(st.sampled_from(["02:30", "01:30", "03:00:00", "02:00", "04:10"])),
                "timezone": draw(st.sampled_from([site.time_zone, "UTC", "Australia/Lord_Howe"])),
            }
        found.append(policy)
    return found


@st.composite
def times_of_use(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Times of use whose periods wrap the day or the week, end at midnight, or last all day."""
    found = []
    for _ in range(draw(st.integers(0, 2))):
        period: dict[str, int] = {
            "fromHour": draw(st.sampled_from([0, 1, 2, 3, 6, 22])),
            "toHour": draw(st.sampled_from([0, 2, 3, 4, 6, 22, 24])),
        }
        if draw(st.booleans()):
            period |= {"fromMinute": draw(st.sampled_from([0, 15, 30])), "toMinute": 0}
        if draw(st.booleans()):
            period |= {
                "fromDayOfWeek": draw(st.integers(0, 6)),
                "toDayOfWeek": draw(st.integers(0, 6)),
            }
        found.append({"touPeriods": [period]})
    return found


@dataclass(frozen=True)
class RuleCase:
    """A rule as the library takes it, and per step as the twin does."""

    kind: str
    strategy: Any
    values: list[float]
    refused: bool = False

    def wishes(self, steps: Sequence[Step], store: Store) -> list[Wish]:
        found = []
        for step, value in zip([s.seen_by(store) for s in steps], self.values, strict=True):
            if self.kind == "surplus":
                wish = surplus_wish(step, store)
            elif self.kind == "follow":
                wish = follow_wish(step, store, value)
            elif self.kind == "shave":
                wish = shave_wish(step, store, value)
            elif value > 0:
                wish = charge_wish(step, store)
            else:
                wish = discharge_wish(step, store) if value < 0 else Wish(0.0)
            found.append(wish)
        return found


@st.composite
def rules(draw: st.DrawFn, site: SiteCase) -> RuleCase:
    kind = draw(st.sampled_from(["surplus", "schedule", "follow", "shave"]))
    if kind == "surplus":
        return RuleCase(kind, bess.Surplus(), [0.0] * site.n)
    if kind == "follow":
        powers = draw(series(st.sampled_from([-20.0, -2.0, -0.5, 0.0, 0.5, 2.0, 20.0]), site.n))
        follow = bess.Follow(power_kw=powers)
        return RuleCase(kind, follow, [kw * site.hours for kw in powers])
    if kind == "shave":
        target = draw(st.sampled_from([0.0, 0.5, 1.0, 3.0, 50.0]))
        return RuleCase(kind, bess.PeakShave(target_kw=target), [target * site.hours] * site.n)
    charge, discharge = draw(times_of_use()), draw(times_of_use())
    zone = draw(st.sampled_from([None, "UTC"]))
    starts = step_starts(site.start, site.step_seconds, site.n)
    taking = covered(charge, starts, zone or site.time_zone)
    giving = covered(discharge, starts, zone or site.time_zone)
    return RuleCase(
        kind,
        bess.FixedSchedule(charge=charge, discharge=discharge, time_zone=zone),
        [float(a) - float(b) for a, b in zip(taking, giving, strict=True)],
        refused=any(a and b for a, b in zip(taking, giving, strict=True)),
    )


def models(policies: Sequence[dict[str, Any]]) -> list[SchedulePolicy]:
    return [SchedulePolicy.model_validate(policy) for policy in policies]


permissions = st.fixed_dictionaries(
    {
        "allow_grid_to_battery": st.booleans(),
        "allow_battery_to_grid": st.booleans(),
        "allow_solar_to_battery": st.booleans(),
    }
)


def twin_permissions(allowed: dict[str, bool]) -> dict[str, bool]:
    return {name.removeprefix("allow_"): value for name, value in allowed.items()}
