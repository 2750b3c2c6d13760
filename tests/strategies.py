"""Random but plausible sites, batteries, devices, prices and policies, and the nasty among them.

A drawn case is plain data that builds both the library's objects and the slow twin's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st
from reference_devices import Ranked
from reference_models import INF, Step, Store, Window
from reference_time import policy_windows

import bess

# Midnight before a clock change, a leap day, an ordinary day, a half-hour zone, a half-hour change.
STARTS = [
    ("2025-03-09T00:00:00-08:00", "America/Los_Angeles"),
    ("2025-11-02T00:00:00-07:00", "America/Los_Angeles"),
    ("2025-03-30T00:00:00+01:00", "Europe/Berlin"),
    ("2025-10-26T00:00:00+02:00", "Europe/Berlin"),
    ("2025-10-05T00:00:00+10:30", "Australia/Lord_Howe"),
    ("2024-02-29T20:00:00+00:00", "Europe/London"),
    ("2025-07-01T06:00:00+05:30", "Asia/Kolkata"),
    ("2025-12-31T22:00:00-05:00", "America/New_York"),
]

# Few values, so that ties are common; zeros, so that limits touch.
energies = st.one_of(
    st.floats(0.0, 9.0, allow_subnormal=False),
    st.sampled_from([0.0, 0.0, 0.5, 1.0, 1.0, 2.0, 3.0, 7.5]),
    st.integers(0, 8000).map(lambda wh: wh / 1000),
)
efficiencies = st.sampled_from([1.0, 0.975, 0.96, 0.9, 0.5, 0.05])
fractions = st.one_of(
    st.sampled_from([0.0, 0.1, 0.25, 0.5, 1.0]), st.integers(0, 100).map(lambda p: p / 100)
)
export_limits = st.one_of(st.none(), st.sampled_from([0.0, 0.25, 1.0]))
prices = st.one_of(
    st.sampled_from([-0.2, -0.05, 0.0, 0.0, 0.1, 0.1, 0.3]),
    st.integers(-200, 500).map(lambda mills: mills / 1000),
)


def series(values: st.SearchStrategy[float], steps: int) -> st.SearchStrategy[list[float]]:
    """A value per step: all alike, all zero, or each its own."""
    alike = values.map(lambda v: [v] * steps)
    return st.one_of(st.lists(values, min_size=steps, max_size=steps), alike)


@dataclass(frozen=True)
class SiteCase:
    """A site in plain numbers."""

    start: str
    time_zone: str
    step_seconds: int
    load: list[float]
    solar: list[float]
    solar_side: str = "AC"
    solar_efficiency: float = 0.96
    solar_to_grid: bool = True
    export_limit: float | list[float] | None = None
    import_limit: float | list[float] | None = None
    inverter_limit: float | list[float] | None = None

    @property
    def n(self) -> int:
        return len(self.load)

    @property
    def hours(self) -> float:
        return self.step_seconds / 3600

    def build(self) -> bess.Site:
        return bess.Site(
            load_kwh=self.load,
            solar_kwh=self.solar,
            start=self.start,
            step_hours=self.hours,
            time_zone=self.time_zone,
            solar_side=self.solar_side,
            solar_dc_to_ac_efficiency=self.solar_efficiency,
            allow_solar_to_grid=self.solar_to_grid,
            export_limit_kwh=self.export_limit,
            import_limit_kwh=self.import_limit,
            inverter_limit_kw=self.inverter_limit,
        )

    def steps(self) -> list[Step]:
        ac = self.solar_efficiency if self.solar_side == "DC" else 1.0
        return [
            Step(
                self.load[t],
                self.solar[t] * ac,
                _at(self.export_limit, t),
                _at(self.import_limit, t),
                self.solar_to_grid,
                _at(self.inverter_limit, t) * self.hours,
            )
            for t in range(self.n)
        ]

    def windows(
        self, policies: Sequence[dict[str, Any]], store: Store, capacity: float
    ) -> list[Window] | None:
        """The policies as windows on stored energy; None if they contradict each other."""
        found = policy_windows(
            policies,
            self.start,
            self.step_seconds,
            self.n,
            store.lowest / capacity,
            store.highest / capacity,
        )
        if found is None:
            return None
        least = store.lowest / capacity if store.retention < 1 else -1.0
        return [
            Window(step, 0.0 if low <= least else low * capacity, high * capacity)
            for _, step, low, high in found
        ]


def _at(limit: float | list[float] | None, t: int) -> float:
    if limit is None:
        return INF
    return limit[t] if isinstance(limit, list) else limit


@st.composite
def sites(draw: st.DrawFn, max_steps: int = 12, import_limits: bool = True) -> SiteCase:
    """Sites of a few steps; an import limit is one the load keeps to, or not, or only just."""
    start, zone = draw(st.sampled_from(STARTS))
    n = draw(st.integers(1, max_steps))
    load, solar = draw(series(energies, n)), draw(series(energies, n))
    kind = draw(st.sampled_from(["none", "none", "none", "loose", "tie", "tight"]))
    import_limit: float | list[float] | None = None
    if import_limits and kind == "loose":
        import_limit = max(load) + draw(st.sampled_from([0.0, 0.5, 2.0]))
    elif import_limits and kind == "tie":
        import_limit = load
    elif import_limits and kind == "tight":
        import_limit = [max(0.0, kwh - draw(st.sampled_from([0.0, 0.0, 0.1, 0.5]))) for kwh in load]
    return SiteCase(
        start=start,
        time_zone=zone,
        step_seconds=draw(st.sampled_from([3600, 3600, 1800, 900, 300])),
        load=load,
        solar=solar,
        solar_side=draw(st.sampled_from(["AC", "AC", "DC"])),
        solar_efficiency=draw(st.sampled_from([1.0, 0.96, 0.8])),
        solar_to_grid=draw(st.sampled_from([True, True, False])),
        export_limit=draw(st.one_of(export_limits, series(st.sampled_from([0.0, 0.5, 5.0]), n))),
        import_limit=import_limit,
        inverter_limit=draw(st.one_of(export_limits, series(st.sampled_from([0.0, 1.0, 5.0]), n))),
    )


@dataclass(frozen=True)
class BatteryCase:
    """A battery in plain numbers, under the names of `bess.Battery`."""

    fields: dict[str, Any] = field(default_factory=dict)

    def build(self, **changes: Any) -> bess.Battery:
        return bess.Battery(**(self.fields | changes))

    @property
    def capacity(self) -> float:
        return float(self.fields["capacity_kwh"])

    def store(self, site: SiteCase) -> Store:
        f = self.fields
        return Store(
            lowest=f["min_state_of_charge"] * self.capacity,
            highest=f["max_state_of_charge"] * self.capacity,
            initial=f["initial_state_of_charge"] * self.capacity,
            charge_limit=f["charge_power_kw"] * site.hours,
            discharge_limit=f["discharge_power_kw"] * site.hours,
            ac_to_dc=f["ac_to_dc_efficiency"],
            dc_to_ac=f["dc_to_ac_efficiency"],
            input_efficiency=f["input_efficiency"],
            solar_efficiency=site.solar_efficiency,
            dc_coupled=f["dc_coupled"],
            grid_to_battery=f["allow_grid_to_battery"],
            battery_to_grid=f["allow_battery_to_grid"],
            solar_to_battery=f["allow_solar_to_battery"],
            wear=f["degradation_cost_per_kwh"],
            retention=(1 - f["self_discharge_per_hour"]) ** site.hours,
        )


@st.composite
def batteries(draw: st.DrawFn, lossy: bool = False) -> BatteryCase:
    """Batteries of both couplings and all permissions, full and empty ones among them.

    ``lossy`` ones may lose energy by themselves.
    """
    lost = [0.0, 0.001, 0.3, 0.99]
    low, high = draw(st.sampled_from([(0.0, 1.0), (0.1, 1.0), (0.2, 0.8), (0.5, 0.55)]))
    initial = draw(st.sampled_from([low, high, (low + high) / 2]))
    permissions = draw(st.tuples(st.booleans(), st.booleans(), st.booleans()))
    return BatteryCase(
        {
            "capacity_kwh": draw(st.sampled_from([0.5, 4.0, 6.0, 13.5, 100.0])),
            "charge_power_kw": draw(st.sampled_from([0.1, 1.0, 3.0, 20.0])),
            "discharge_power_kw": draw(st.sampled_from([0.1, 1.0, 3.0, 20.0])),
            "min_state_of_charge": low,
            "max_state_of_charge": high,
            "initial_state_of_charge": initial,
            "dc_coupled": draw(st.booleans()),
            "ac_to_dc_efficiency": draw(efficiencies),
            "dc_to_ac_efficiency": draw(efficiencies),
            "input_efficiency": draw(efficiencies),
            "degradation_cost_per_kwh": draw(st.sampled_from([0.0, 0.0, 0.04])),
            "self_discharge_per_hour": draw(st.sampled_from(lost if lossy else [0.0])),
            "allow_grid_to_battery": permissions[0],
            "allow_battery_to_grid": permissions[1],
            "allow_solar_to_battery": permissions[2],
        }
    )


@dataclass(frozen=True)
class DeviceCase:
    """A registry's device in plain numbers, under its own names."""

    fields: dict[str, Any]

    def build(self) -> bess.BessDevice:
        return bess.BessDevice.model_validate(self.fields)

    @property
    def capacity(self) -> float:
        return float(self.fields["operational_battery_capacity"]) / 1000

    def ranked(self, site: SiteCase, initial: float = 0.5, **permissions: Any) -> Ranked:
        f = self.fields
        into, out = f.get("charging_efficiency", 0.95), f.get("discharging_efficiency", 0.95)
        store = Store(
            lowest=0.0,
            highest=self.capacity,
            initial=initial * self.capacity,
            charge_limit=f["maximum_charging_power"] / 1000 * into * site.hours,
            discharge_limit=f["maximum_discharging_power"] / 1000 / out * site.hours,
            ac_to_dc=into,
            dc_to_ac=out,
            solar_efficiency=site.solar_efficiency,
            **permissions,
        )
        return Ranked(store, f.get("charging_priority", 10), f.get("discharging_priority", 10))


@st.composite
def devices(draw: st.DrawFn, max_devices: int = 3) -> list[DeviceCase]:
    """One to a few devices with equal and unequal priorities."""
    found = []
    for i in range(draw(st.integers(1, max_devices))):
        fields = {
            "name": f"unit {i}",
            "collector": "main",
            "charging_efficiency": draw(st.sampled_from([1.0, 0.95, 0.5])),
            "discharging_efficiency": draw(st.sampled_from([1.0, 0.95, 0.5])),
            "maximum_charging_power": draw(st.sampled_from([100.0, 1000.0, 5000.0])),
            "maximum_discharging_power": draw(st.sampled_from([100.0, 1000.0, 5000.0])),
            "operational_battery_capacity": draw(st.sampled_from([500.0, 4000.0, 10000.0])),
            "charging_priority": draw(st.sampled_from([1, 2, 10])),
            "discharging_priority": draw(st.sampled_from([1, 2, 10])),
        }
        found.append(DeviceCase(fields))
    return found
