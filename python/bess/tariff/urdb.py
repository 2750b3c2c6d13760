"""Tariffs as the OpenEI Utility Rate Database (URDB) publishes them, versions 3 to 8.

Periods are matrices of months by hours for weekdays and weekends; there are no holidays and no
time zone: the hours are the site's. A price is ``rate`` plus ``adj``, an export earns ``sell``. A
tier's ``max`` counts the kWh (or kW) of its own period in a billing period: in ``kWh/kW``, per kW
of the billing period's peak, in ``kWh daily`` per day. A tier in ``kWh/kW`` of price 0 before tiers
in ``kWh`` is the block that these share out, as hours-use tariffs are entered. Where a period's
first tier is in ``kWh``, limits in ``kWh/kW`` are kWh, as the System Advisor Model takes them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

from bess.errors import InputError
from bess.tariff.hours import HourMatrix, Time
from bess.tariff.model import Tariff
from bess.tariff.rates import (
    Band,
    EnergyRate,
    FixedCharge,
    MinimumCharge,
)
from bess.tariff.urdb_demand import demand_rates, period_times
from bess.tariff.urdb_fields import (
    check_limits,
    limit_of,
    number_at,
    optional_number,
    price_of,
    structure,
    twelve,
    unread_fields,
)
from bess.time_of_use import Season, TimeOfUse, TouPeriod

__all__ = ["Metering", "read_urdb"]

Metering = Literal["net_billing", "net_metering", "buy_all_sell_all"]

_RULES: Final[dict[str, Metering]] = {
    "Net Metering": "net_metering",
    "Net Billing Instantaneous": "net_billing",
    "Net Billing Hourly": "net_billing",
    "Buy All Sell All": "buy_all_sell_all",
}
_LATEST: Final = 1e10
"""Seconds since 1970, some three centuries."""
_UNITS: Final = {
    "kWh": "limit_kwh",
    "kWh daily": "limit_kwh_per_day",
    "kWh/day": "limit_kwh_per_day",
    "kWh/kW": "limit_kwh_per_kw",
}


def read_urdb(
    record: Any, *, metering: Metering | None = None, coincident_hours: Sequence[Any] | None = None
) -> Tariff:
    """The tariff of a URDB record, or of a response whose ``items`` hold one.

    ``metering`` None follows the record's ``dgrules``; ``coincident_hours`` are the starts (aware)
    of the hours at which coincident demand is measured.
    """
    if isinstance(record, Mapping) and "items" in record and "energyratestructure" not in record:
        items = record["items"]
        if not isinstance(items, Sequence) or len(items) != 1:
            raise InputError.at("items", "must hold one record")
        record = items[0]
    if not isinstance(record, Mapping):
        raise InputError.at("", "must be a URDB record: a JSON object", record)
    found = {str(key): value for key, value in record.items() if value is not None}
    return _Reader(found, metering, coincident_hours).read()


class _Reader:
    """Reads one record; notes what it assumes and what it leaves aside."""

    def __init__(
        self,
        record: Mapping[str, Any],
        metering: Metering | None,
        coincident_hours: Sequence[Any] | None,
    ) -> None:
        self.record = record
        self.hours = coincident_hours
        self.assumptions: list[str] = []
        self.ignored = list(unread_fields(record))
        self.metering = self._metering() if metering is None else metering

    def read(self) -> Tariff:
        record = self.record
        rates = self._energy()
        demand = demand_rates(record, self.hours, self.ignored)
        interval = 15
        if "demandwindow" in record and demand:
            minutes = number_at(record, "demandwindow", "demandwindow")
            if not minutes.is_integer() or minutes < 1 or 1440 % minutes:
                reason = "must be a whole number of minutes that divides a day"
                raise InputError.at("demandwindow", reason, record["demandwindow"])
            interval = int(minutes)
        if not any(rate.on_export for rate in rates) and self.metering == "net_billing":
            self.assumptions.append("no rate pays for exports: export earns 0")
        label = record.get("label")
        name = " ".join(str(record[key]) for key in ("utility", "name") if key in record)
        return Tariff(
            name=name or str(label or "tariff"),
            identifiers=frozenset({str(label)} if label else ()),
            currency=str(record.get("currency", "USD")),
            assumptions=tuple(self.assumptions),
            ignored=tuple(self.ignored),
            rates=(*rates, *self._fuel_adjustments()),
            effective=(self._date("startdate"), self._date("enddate")),
            demand_rates=demand,
            fixed_charges=self._fixed(),
            minimum_charges=self._minimum(),
            metering=self.metering,
            demand_interval_minutes=interval,
        )

    def _metering(self) -> Metering:
        rules = self.record.get("dgrules")
        if rules is None:
            uses = str(self.record.get("usenetmetering", "")).lower() == "true"
            return "net_metering" if uses else "net_billing"
        if not isinstance(rules, str) or rules not in _RULES:
            raise InputError.at("dgrules", f"must be one of {', '.join(_RULES)}", rules)
        return _RULES[rules]

    def _date(self, key: str) -> int | None:
        if key not in self.record:
            return None
        seconds = number_at(self.record, key, key)
        if abs(seconds) > _LATEST:
            raise InputError.at(key, "must be seconds since 1970", self.record[key])
        return int(seconds)

    def _energy(self) -> list[EnergyRate]:
        periods = structure(self.record, "energyratestructure")
        if not periods:
            raise InputError.at("energyratestructure", "is required, with at least one period")
        times = period_times(self.record, "energy", len(periods))
        rates = []
        for p, tiers in enumerate(periods):
            name = f"energy period {p}"
            path = f"energyratestructure[{p}]"
            common: dict[str, Any] = {"times": times[p], "time_of_use": f"period {p}"}
            bands = energy_bands(tiers, path)
            if tier_units(tiers, path) != [tier.get("unit", "kWh") for tier in tiers]:
                self.assumptions.append(f"{path}: limits in kWh/kW after one in kWh are kWh")
            priced = {"price": bands[0].price} if len(bands) == 1 else {"bands": bands}
            rates.append(EnergyRate(name, ("energy",), **priced, **common))
            sells = {optional_number(t, "sell", f"{path}.sell") for t in tiers}
            if len(sells) > 1:
                raise InputError.at(path, "has a different sell rate in each tier: not supported")
            if sell := sells.pop():
                rates.append(
                    EnergyRate(
                        f"sell period {p}", (), sell, on_import=False, on_export=True, **common
                    )
                )
        if any(rate.bands for rate in rates) and self._mixes_periods(times):
            self.assumptions.append("tiers count the kWh of their own period")
        return rates

    def _mixes_periods(self, times: Sequence[tuple[Time, ...]]) -> bool:
        """Whether several energy periods share a month."""
        months = [m for own in times for t in own if isinstance(t, HourMatrix) for m in t.months]
        return len(months) > len(set(months))

    def _fuel_adjustments(self) -> list[EnergyRate]:
        months = twelve(self.record, "fueladjustmentsmonthly") or []
        day = (TouPeriod(from_hour=0, to_hour=0),)
        return [
            EnergyRate(
                f"fueladjustmentsmonthly[{m}]",
                price=price,
                times=(
                    TimeOfUse(
                        tou_periods=day,
                        season=Season(season_from_month=m + 1, season_to_month=m + 1),
                    ),
                ),
            )
            for m, price in enumerate(months)
            if price
        ]

    def _fixed(self) -> tuple[FixedCharge, ...]:
        record = self.record
        if "fixedchargefirstmeter" in record:
            amount = number_at(record, "fixedchargefirstmeter", "fixedchargefirstmeter")
            unit = record.get("fixedchargeunits", "$/month")
            if "fixedmonthlycharge" in record:
                self.ignored.append("fixedmonthlycharge: fixedchargefirstmeter is billed instead")
            period = _per(unit, "fixedchargeunits")
            if period == "day":  # as the database's own tools take it
                self.assumptions.append("the fixed charge per day is billed evenly, 365/12 a month")
                return (FixedCharge("fixed charge", amount * 365 / 12),)
            return (FixedCharge("fixed charge", amount, period),)
        amount = optional_number(record, "fixedmonthlycharge")
        return (FixedCharge("fixed charge", amount),) if amount else ()

    def _minimum(self) -> tuple[MinimumCharge, ...]:
        record = self.record
        found = []
        for key, name, period in (
            ("minmonthlycharge", "minimum charge", "$/month"),
            ("annualmincharge", "annual minimum charge", "$/year"),
            ("mincharge", "minimum charge", record.get("minchargeunits", "$/month")),
        ):
            if amount := optional_number(record, key):
                if amount < 0:
                    raise InputError.at(key, "must be at least 0", amount)
                found.append(MinimumCharge(name, amount, _per(period, "minchargeunits")))
        return tuple(found)


def energy_bands(tiers: Sequence[Mapping[str, Any]], path: str) -> tuple[Band, ...]:
    """The tiers of a period as bands.

    >>> tiers = [{"max": 200, "rate": 0, "unit": "kWh/kW"}, {"max": 3000, "rate": 0.1},
    ...          {"max": 9999, "rate": 0.08}, {"rate": 0.01, "unit": "kWh/kW"}]
    >>> for band in energy_bands(tiers, "tiers"): print(band.price, band.limits)
    0.1 (3000.0, None, 200.0)
    0.08 (None, None, 200.0)
    0.01 (None, None, None)
    """
    bands: list[Band] = []
    block: float | None = None
    units = tier_units(tiers, path)
    check_limits(tiers, units, path)
    for t, (tier, unit) in enumerate(zip(tiers, units, strict=True)):
        place = f"{path}[{t}]"
        following = units[t + 1] if t + 1 < len(tiers) else None
        limit, price = limit_of(tier, place), price_of(tier, place)
        if unit == "kWh/kW" and following == "kWh" and limit is not None and price == 0:
            block = limit
            continue
        given: dict[str, float | None] = {_UNITS[unit]: limit}
        if block is not None and unit == "kWh":
            given["limit_kwh_per_kw"] = block
            if following != "kWh":  # the rest of the block, whatever its own limit says
                given, block = {"limit_kwh_per_kw": block if following else None}, None
        bands.append(Band(price, **(given if t + 1 < len(tiers) else {})))
    return tuple(bands)


def tier_units(tiers: Sequence[Mapping[str, Any]], path: str) -> list[str]:
    """The unit of each tier's limit; kWh/kW counts where a period's first tier has it."""
    units = [str(tier.get("unit", "kWh")) for tier in tiers]
    for t, unit in enumerate(units):
        if unit not in _UNITS:
            raise InputError.at(f"{path}[{t}].unit", f"must be one of {', '.join(_UNITS)}", unit)
    if units[0] == "kWh":
        units = ["kWh" if unit == "kWh/kW" else unit for unit in units]
    return units


def _per(unit: Any, path: str) -> Literal["month", "day", "year"]:
    units: dict[Any, Literal["month", "day", "year"]] = {
        "$/month": "month",
        "$/day": "day",
        "$/year": "year",
    }
    if not isinstance(unit, str) or unit not in units:
        raise InputError.at(path, f"must be one of {', '.join(units)}", unit)
    return units[unit]
