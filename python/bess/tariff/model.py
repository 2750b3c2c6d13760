"""A tariff: what a supplier charges for energy, demand and service, and pays for exports."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from bess._arrays import number
from bess._json import read_json
from bess.errors import InputError
from bess.prices import Prices
from bess.tariff.export_rates import ExportRates
from bess.tariff.holiday_calendars import Calendar, days_in
from bess.tariff.hours import HourMatrix
from bess.tariff.pricing import prices_of
from bess.tariff.rates import (
    DemandRate,
    EnergyRate,
    FixedCharge,
    MinimumCharge,
    PercentageRate,
)
from bess.tariff.series import PriceSeries
from bess.time_of_use import boundary_inside_step
from bess.timeline import LocalClock, Timeline, zone

__all__ = ["EnergyRate", "Tariff"]

_METERING: Final = ("net_billing", "net_metering", "buy_all_sell_all")


@dataclass(frozen=True, eq=False)
class Tariff:
    """What energy costs and earns, as a supplier publishes it. Made by `bess.load_tariff`.

    Immutable, safe to use from many threads, and picklable.

    Parameters
    ----------
    name
        The tariff's name.
    identifiers
        Everything it may be asked for by: its ids and, from a file, the file's stem.
    currency
        The currency of its prices (ISO 4217), where it says.
    time_zone
        The IANA zone of its times of use and seasons; None: the site's.
    assumptions
        What was assumed in reading it, a sentence each.
    ignored
        What it holds that changes no dispatch or says nothing known, and is not billed.
    rates, series
        Its energy prices: by time of use and season, and step by step; both add up.
    demand_rates, fixed_charges, minimum_charges, percentages
        What else it charges.
    metering
        "net_billing": every interval's imports and exports are priced. "net_metering": each time
        of use nets over the billing period, surplus kWh carry to later ones. "buy_all_sell_all":
        solar has a meter of its own and is sold whole.
    true_up_price_per_kwh
        What surplus kWh left over under net metering earn after twelve billing periods.
    demand_interval_minutes
        Demand is mean power over so many minutes, from the full hour on.
    calendars
        The days of each calendar of holidays, or its name, by its id.
    effective
        The instants (seconds since the epoch) between which it is published; None: no bound.
    """

    name: str
    identifiers: frozenset[str] = frozenset()
    currency: str | None = None
    time_zone: str | None = None
    assumptions: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    rates: tuple[EnergyRate, ...] = field(default=(), repr=False)
    series: PriceSeries | ExportRates | None = field(default=None, repr=False)
    calendars: tuple[tuple[str, Calendar], ...] = field(default=(), repr=False)
    effective: tuple[int | None, int | None] = field(default=(None, None), repr=False)
    demand_rates: tuple[DemandRate, ...] = field(default=(), repr=False)
    fixed_charges: tuple[FixedCharge, ...] = field(default=(), repr=False)
    minimum_charges: tuple[MinimumCharge, ...] = field(default=(), repr=False)
    percentages: tuple[PercentageRate, ...] = field(default=(), repr=False)
    metering: Literal["net_billing", "net_metering", "buy_all_sell_all"] = "net_billing"
    true_up_price_per_kwh: float = 0.0
    demand_interval_minutes: int = 15

    def __post_init__(self) -> None:
        path = f"tariff {self.name}"
        if self.metering not in _METERING:
            valid = ", ".join(f'"{word}"' for word in _METERING)
            raise InputError.at(f"{path}: metering", f"must be one of {valid}", self.metering)
        price = number(self.true_up_price_per_kwh, f"{path}: true_up_price_per_kwh")
        object.__setattr__(self, "true_up_price_per_kwh", price)
        minutes = self.demand_interval_minutes
        whole = isinstance(minutes, int) and not isinstance(minutes, bool)
        if not whole or not 1 <= minutes <= 1440 or 1440 % minutes:
            reason = "must be a whole number of minutes that divides a day"
            raise InputError.at(f"{path}: demand_interval_minutes", reason, minutes)
        for rate in self.rates:
            if rate.prices is not None and self.metering == "net_metering":
                reason = f"cannot be net_metering: {rate.name} has prices by step"
                raise InputError.at(f"{path}: metering", reason, self.metering)

    @classmethod
    def from_urdb(
        cls,
        record: Mapping[str, Any] | str | Path,
        *,
        metering: Literal["net_billing", "net_metering", "buy_all_sell_all"] | None = None,
        coincident_hours: Sequence[Any] | None = None,
    ) -> Tariff:
        """The tariff of an OpenEI URDB record, or of a JSON file of one.

        ``metering`` None follows the record's ``dgrules`` (or ``usenetmetering``), else
        "net_billing". ``coincident_hours`` are the starts (aware) of the hours at which coincident
        demand is measured; without them it is not billed, and ``ignored`` says so.

        Raises
        ------
        InputError
            Naming the field that is not valid or not understood.
        """
        from bess.tariff.urdb import read_urdb

        if isinstance(record, (str, Path)):
            record = read_json(Path(record))
        return read_urdb(record, metering=metering, coincident_hours=coincident_hours)

    @classmethod
    def from_genability(
        cls,
        tariff: Any,
        *,
        property_inputs: Any = None,
        variable_rates: Mapping[str, Any] | None = None,
        calendars: Mapping[Any, Any] | None = None,
        missing: Literal["error", "zero"] = "error",
    ) -> Tariff:
        """The tariff of an Arcadia/Genability object or JSON file; arguments as `load_tariff`'s."""
        from bess.tariff.loading import load_tariff

        return load_tariff(
            tariff,
            property_inputs=property_inputs,
            variable_rates=variable_rates,
            calendars=calendars,
            missing=missing,
        )

    @classmethod
    def from_toml(cls, source: str | Path) -> Tariff:
        """The tariff of a file in our own TOML (see `bess.tariff.toml_form`), or of its text."""
        from bess.tariff.loading import load_tariff
        from bess.tariff.toml_form import read_toml

        if isinstance(source, str) and "\n" in source:
            return read_toml(source)
        return load_tariff(source)

    def to_toml(self) -> str:
        """The tariff as TOML, from which `from_toml` makes one that bills alike."""
        from bess.tariff.toml_writing import write_toml

        return write_toml(self)

    def with_export_rates(self, rates: ExportRates) -> Tariff:
        """The tariff with exports paid by avoided-cost rates (`load_export_rates`) as well."""
        if not isinstance(rates, ExportRates):
            raise InputError.at("rates", "must be export rates (see load_export_rates)", rates)
        if self.series is not None:
            raise InputError.at("rates", f"cannot be added: {self.name} has prices by step")
        known = tuple(text for text in self.assumptions if "export earns 0" not in text)
        return replace(self, series=rates, assumptions=known)

    def scaled(self, factor: float) -> Tariff:
        """The tariff with all money (prices, amounts, credits, true-up) multiplied by ``factor``.

        Percentages, limits and everything that is no money stay, so any bill is multiplied too.

        >>> Tariff("T", rates=(EnergyRate("energy", price=0.2),)).scaled(1.5).rates[0].price
        0.30000000000000004

        Raises
        ------
        InputError
            Where the factor is not a number of at least 0.
        """
        from bess.tariff.scaling import scaled

        return scaled(self, factor)

    def prices(self, timeline: Timeline) -> Prices:
        """The import and export price of every step, in money per kWh; kept for the next call.

        A step belongs to the period in which it starts. Rates that hold at once add up; export
        earns 0 where no rate pays for it.

        Raises
        ------
        InputError
            Where an instant has no import price, or two rates of one group, or none of a group of
            several; for a series, where it does not fit the horizon.
        """
        if reason := self.not_by_step("energy"):
            raise InputError.at(f"tariff {self.name}", f"has no price by step: {reason}")
        return prices_of(self, timeline)

    def not_by_step(self, part: Literal["energy", "bill"] = "bill") -> str:
        """Why prices by step do not make up its energy charges, or its whole bill; empty if so."""
        if self.metering != "net_billing":
            return f"it is metered as {self.metering}"
        for rate in self.rates:
            if rate.bands:
                return f"{rate.name} has bands"
            if rate.nets:
                over = rate.settlement.replace("_", " ")
                return f"{rate.name} nets imports and exports over a {over}"
        charges = [
            *(rate.name for rate in self.demand_rates),
            *(charge.name for charge in self.minimum_charges if self._may_bind(charge)),
            *(
                rate.name
                for rate in self.percentages
                if rate.percent and (rate.seasons or rate.valid_from or rate.valid_to)
            ),
        ]
        if part == "bill" and charges:
            return f"it charges {charges[0]}, which depends on more than a step"
        return ""

    def _may_bind(self, least: MinimumCharge) -> bool:
        """Whether a minimum charge is above the fixed charges that are due anyway."""
        due = sum(
            charge.amount * charge.quantity
            for charge in self.fixed_charges
            if charge.period == least.period
            and not (charge.seasons or charge.valid_from or charge.valid_to)
        )
        owed = any(charge.amount < 0 for charge in self.fixed_charges)
        return bool(least.charge_class) or owed or least.amount > due

    def notes(self, timeline: Timeline) -> tuple[str, ...]:
        """What pricing this horizon assumes beyond `assumptions`, a sentence each."""
        notes = []
        times = {time for rate in self.rates for time in rate.times}
        times |= {time for demand in self.demand_rates for time in demand.window}
        clock = timeline.clock(self.time_zone)
        calendars = days_in(self.calendars, int(clock.year[0]), int(clock.year[-1]) + 1)
        cut = np.zeros(timeline.steps, np.bool_)
        for time in times:
            if not isinstance(time, HourMatrix):
                cut |= boundary_inside_step([time], clock, calendars)
            else:
                cut |= _changes_inside_step(time, clock)
        if count := int(np.count_nonzero(cut)):
            first = timeline.instant(int(np.argmax(cut))).isoformat()
            notes.append(
                f"tariff {self.name}: times of use begin or end inside steps ({count} of "
                f"{timeline.steps}, the first at {first}); each step has the price at its start"
            )
        start, end = self.effective
        if (start is not None and timeline.start_seconds < start) or (
            end is not None and timeline.end_seconds > end
        ):
            notes.append(
                f"tariff {self.name}: published for {self._day(start)} to {self._day(end)}; its "
                f"prices are used for the whole horizon"
            )
        if self.time_zone is None and times:
            notes.append(f"tariff {self.name}: names no time zone; the site's clock is used")
        return tuple(notes)

    def _day(self, seconds: int | None) -> str:
        if seconds is None:
            return "any time"
        clock = UTC if self.time_zone is None else zone(self.time_zone)
        return f"{datetime.fromtimestamp(seconds, clock):%Y-%m-%d}"


def _changes_inside_step(time: HourMatrix, clock: LocalClock) -> NDArray[np.bool_]:
    """True for each step in which the hours of a matrix begin or end."""
    cut = np.zeros(clock.steps, np.bool_)
    at_start = time.includes(clock)
    until = np.unique(-clock.second_of_day % 3600)
    for first in until[until < clock.step_seconds]:
        for seconds in range(int(first) or 3600, clock.step_seconds, 3600):
            cut |= time.includes(clock.later(seconds)) != at_start
    return cut
