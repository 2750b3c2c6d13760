"""What a tariff charges for: energy, demand, fixed and minimum amounts, percentages of others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal, get_args

from bess._arrays import number
from bess.errors import InputError
from bess.tariff.hours import Time
from bess.tariff.series import PriceSeries
from bess.time_of_use import Season

__all__ = [
    "Band",
    "DemandBand",
    "DemandRate",
    "EnergyRate",
    "FixedCharge",
    "MinimumCharge",
    "PercentageRate",
    "Ratchet",
    "Settlement",
]

Settlement = Literal["interval", "hour", "day", "billing_period", "quarter", "year"]

_LIMITS: Final = ("limit_kwh", "limit_kwh_per_day", "limit_kwh_per_kw")


@dataclass(frozen=True)
class Band:
    """A price up to a limit: the least of those that are given, none for the last band.

    >>> Band(0.1, limit_kwh=500).limits
    (500.0, None, None)
    """

    price: float
    """Money per kWh."""
    limit_kwh: float | None = None
    """kWh in a billing period at which the band ends, counted from 0."""
    limit_kwh_per_day: float | None = None
    """The same for each day of the billing period."""
    limit_kwh_per_kw: float | None = None
    """The same for each kW of the billing period's peak demand: hours of use."""

    def __post_init__(self) -> None:
        _settle(self, "price")
        for name in _LIMITS:
            if getattr(self, name) is not None:
                _settle(self, name, minimum=0.0)

    @property
    def limits(self) -> tuple[float | None, float | None, float | None]:
        """Its limits in kWh, kWh per day and kWh per kW."""
        return self.limit_kwh, self.limit_kwh_per_day, self.limit_kwh_per_kw


@dataclass(frozen=True)
class EnergyRate:
    """Prices per kWh, the times they hold at, and whether imports pay or exports earn them."""

    name: str
    """What errors call it, such as ``rates[3] 'Summer Peak'``."""
    group: tuple[str, ...] = ()
    """Rates of one group are alternatives; those of different groups add up."""
    price: float = 0.0
    """Money per kWh: what an import costs, what an export earns. Negative for a credit."""
    on_import: bool = True
    on_export: bool = False
    times: tuple[Time, ...] = ()
    """It holds where all of these do: a season, a time of use, both, or (empty) always."""
    week: tuple[str, ...] = ()
    """Times of use of one ``week`` share it out (empty: those of its group): a holiday that one of
    them takes whole, the others leave."""
    valid_from: int | None = None
    """The first instant at which it is in force, in seconds since the epoch; None: no bound."""
    valid_to: int | None = None
    """The instant at which it is no longer in force; None: no bound."""
    bands: tuple[Band, ...] = ()
    """Prices by quantity, instead of ``price``."""
    counts: Literal["own", "all"] = "own"
    """What bands count: the rate's own kWh, or the site's whole import, of which the rate then has
    its part of every band."""
    settlement: Settlement = "interval"
    """Over what imports and exports are netted before they are priced: nothing, the hours or days
    in which it holds, a billing period, or three or twelve of them."""
    charge_class: tuple[str, ...] = ()
    bypassable: bool = True
    """False: charged on imports, whatever is netted."""
    time_of_use: str | None = None
    """What its time of use is called in a bill."""
    prices: PriceSeries | None = None
    """Prices by step, instead of ``price``: what an import costs, what an export earns."""

    def __post_init__(self) -> None:
        _settle(self, "price", self.name)
        _check_bands(self, _LIMITS)
        if self.bands and self.price:
            raise InputError.at(f"{self.name}.price", "cannot be given together with bands")
        if self.bands and not self.on_import:
            raise InputError.at(f"{self.name}.bands", "are for imports: exports have one price")
        if not (self.on_import or self.on_export):
            raise InputError.at(self.name, "must price imports, exports or both")
        _one_of(self, "counts", ("own", "all"))
        _one_of(self, "settlement", get_args(Settlement))
        if self.bands and self.settlement not in ("interval", "billing_period"):
            reason = "must be interval or billing_period for a rate with bands"
            raise InputError.at(f"{self.name}.settlement", reason, self.settlement)
        if self.prices is not None:
            if self.bands or self.price:
                reason = "cannot be given together with a price or bands"
                raise InputError.at(f"{self.name}.prices", reason)
            if self.settlement not in ("interval", "hour"):
                reason = "must be interval or hour for a rate with prices by step"
                raise InputError.at(f"{self.name}.settlement", reason, self.settlement)

    @property
    def nets(self) -> bool:
        """Whether what it charges depends on what is netted: not where both sides have one price.

        >>> EnergyRate("net", price=0.2, on_export=True, settlement="billing_period").nets
        False
        """
        one_price = self.on_import and self.on_export and not self.bands
        return self.settlement != "interval" and self.bypassable and not one_price

    @property
    def by_step(self) -> bool:
        """Whether it is billed from steps, for neither its energy nor its price is one a bin."""
        return self.prices is not None or (self.nets and self.settlement in ("hour", "day"))


@dataclass(frozen=True)
class DemandBand:
    """A price per kW up to a limit in kW, none for the last band."""

    price: float
    limit_kw: float | None = None

    def __post_init__(self) -> None:
        _settle(self, "price")
        if self.limit_kw is not None:
            _settle(self, "limit_kw", minimum=0.0)


@dataclass(frozen=True)
class Ratchet:
    """The least demand that is billed: a part of the highest peak of earlier months.

    ``percent`` is one number or twelve, for the months January to December. It looks back over
    ``lookback_months``, or at the designated ``months`` of the calendar.
    """

    percent: tuple[float, ...]
    lookback_months: int = 11
    months: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        given = self.percent if isinstance(self.percent, (tuple, list)) else (self.percent,)
        if len(given) not in (1, 12):
            raise InputError.at("ratchet.percent", "must be one number or twelve", given)
        percents = tuple(number(p, "ratchet.percent", minimum=0.0) for p in given)
        object.__setattr__(self, "percent", percents * (12 // len(percents)))
        if not 1 <= self.lookback_months <= 120:
            raise InputError.at("ratchet.lookback_months", "must be 1 to 120", self.lookback_months)
        if any(month not in range(1, 13) for month in self.months):
            raise InputError.at("ratchet.months", "must be 1 to 12", self.months)


@dataclass(frozen=True)
class DemandRate:
    """A price per kW of peak import power.

    The peak is that of the window's hours in the billing period (or in each day, or in the year);
    it is charged where a season holds, for the part of the period's days on which it does.
    """

    name: str
    price: float = 0.0
    """Money per kW."""
    bands: tuple[DemandBand, ...] = ()
    """Prices by quantity, instead of ``price``."""
    period: Literal["billing_period", "day", "year"] = "billing_period"
    window: tuple[Time, ...] = ()
    """Its hours: where all of these hold; empty: any."""
    seasons: tuple[Season, ...] = ()
    """When it is charged: in any of these; empty: always."""
    coincident_hours: tuple[int, ...] | None = None
    """The starts of the hours that alone count, in seconds since the epoch; None: no such rate."""
    ratchet: Ratchet | None = None
    charge_class: tuple[str, ...] = ()
    time_of_use: str | None = None
    valid_from: int | None = None
    valid_to: int | None = None

    def __post_init__(self) -> None:
        _settle(self, "price", self.name)
        _check_bands(self, ("limit_kw",))
        if self.bands and self.price:
            raise InputError.at(f"{self.name}.price", "cannot be given together with bands")
        _one_of(self, "period", ("billing_period", "day", "year"))
        if self.ratchet is not None and self.period != "billing_period":
            raise InputError.at(f"{self.name}.ratchet", "is for demand by billing period")


@dataclass(frozen=True)
class FixedCharge:
    """An amount per month, day or year, whatever is used; negative for a credit."""

    name: str
    amount: float
    period: Literal["month", "day", "year"] = "month"
    charge_class: tuple[str, ...] = ()
    quantity: float = 1.0
    """How many of them: one, or the kW of a property it is charged on."""
    seasons: tuple[Season, ...] = ()
    valid_from: int | None = None
    valid_to: int | None = None

    def __post_init__(self) -> None:
        _settle(self, "amount", self.name)
        _settle(self, "quantity", self.name)
        _one_of(self, "period", ("month", "day", "year"))


@dataclass(frozen=True)
class MinimumCharge:
    """The least that a month, a day or a year comes to before taxes; credits do not count."""

    name: str
    amount: float
    period: Literal["month", "day", "year"] = "month"
    charge_class: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _settle(self, "amount", self.name, minimum=0.0)
        _one_of(self, "period", ("month", "day", "year"))


@dataclass(frozen=True)
class PercentageRate:
    """A part of the billing period's other amounts that share one of its charge classes.

    Without a class it is a part of all of them. Percentages do not compound; one of the class TAX
    comes after those that are none, one of AFTER_TAX last, on what came before.
    """

    name: str
    percent: float
    charge_class: tuple[str, ...] = ()
    seasons: tuple[Season, ...] = ()
    valid_from: int | None = None
    valid_to: int | None = None

    def __post_init__(self) -> None:
        _settle(self, "percent", self.name)

    @property
    def stage(self) -> int:
        """0: none of the taxes; 1: TAX; 2: AFTER_TAX."""
        return 2 if "AFTER_TAX" in self.charge_class else 1 if "TAX" in self.charge_class else 0


def _settle(rate: Any, name: str, prefix: str = "", minimum: float | None = None) -> None:
    path = f"{prefix}.{name}" if prefix else name
    object.__setattr__(rate, name, number(getattr(rate, name), path, minimum=minimum))


def _one_of(rate: Any, name: str, valid: tuple[str, ...]) -> None:
    value = getattr(rate, name)
    if value not in valid:
        shown = ", ".join(f'"{word}"' for word in valid)
        raise InputError.at(f"{rate.name}.{name}", f"must be one of {shown}", value)


def _check_bands(rate: Any, limits: tuple[str, ...]) -> None:
    """Limits rise within a unit, and the last band alone has none."""
    highest: dict[str, float] = {}
    for i, band in enumerate(rate.bands):
        path = f"{rate.name}.bands[{i}]"
        given = {name: v for name in limits if (v := getattr(band, name)) is not None}
        last = i == len(rate.bands) - 1
        if last and given:
            raise InputError.at(path, "is the last band and must have no limit")
        if not last and not given:
            raise InputError.at(path, "must have a limit: it is not the last band")
        for name, value in given.items():
            if value < highest.get(name, 0.0):
                reason = f"must be at least {highest[name]:g}, the limit of a band before it"
                raise InputError.at(f"{path}.{name}", reason, value)
            highest[name] = value
