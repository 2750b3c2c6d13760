"""What a savings analysis gives: three scenarios by month and year, the parts between them, and
what the investment is worth."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from bess._arrays import Floats, freeze
from bess.economics.finance import (
    internal_rate_of_return,
    net_present_value,
    payback_years,
)
from bess.errors import needs_extra
from bess.result import Result
from bess.tariff.bill import Bill

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Parts", "Savings", "Scenario"]


@dataclass(frozen=True, eq=False)
class Scenario:
    """What one scenario costs: its first bill, and each year's by billing period."""

    name: Literal["before", "solar", "after"]
    bill: Bill
    """The first year's bill."""
    monthly: Floats = field(repr=False)
    """The bills of every year by billing period, shape (years, billing periods)."""
    operating_cost: Floats = field(repr=False)
    """What it costs beside its bills, by year: 0 but for ``after``."""

    @cached_property
    def yearly(self) -> Floats:
        """Bills and operating cost of every year, shape (years,)."""
        total: Floats = self.monthly.sum(axis=1) + self.operating_cost
        return total

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(freeze(state))


@dataclass(frozen=True, eq=False)
class Parts:
    """What makes up the saving of each year, shape (years,); together ``before`` less ``after``.

    With load L, solar S and storage B on the tariffs named: ``rate_change`` is the load's bill
    ``before`` less that on the solar tariff, and that of L and S on the solar tariff less that on
    the storage tariff; ``solar`` is L less L and S on the solar tariff; ``storage`` L and S less L,
    S and B on the storage tariff; ``operating_cost`` is negative.
    """

    rate_change: Floats
    solar: Floats
    storage: Floats
    operating_cost: Floats

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(freeze(state))


@dataclass(frozen=True, eq=False)
class Savings:
    """The result of `bess.savings`. Immutable; pickles; printed by ``rich`` as tables.

    Arrays have a value for each year, 1 to ``years``, unless they say otherwise. Cash flows fall at
    the ends of years, the capital cost at the start of year 1 (year 0). All money is nominal: of
    the year in which it is paid.
    """

    before: Scenario
    """The load alone."""
    solar: Scenario
    """Load and solar without a battery."""
    after: Scenario
    """With storage."""
    parts: Parts
    result: Result = field(repr=False)
    """The first year's dispatch."""
    capacity_kwh: Floats
    """Capacity of the battery, or of all devices together, kWh DC."""
    solar_kwh: Floats
    """What the array yields in a year without a battery, kWh AC."""
    dispatched_years: tuple[int, ...]
    """The years that were dispatched and billed; the others lie between."""
    capital_cost: float
    discount_rate_percent: float
    compared_with: Literal["before", "solar"]
    """What cash flows are measured against."""
    currency: str | None
    assumptions: tuple[str, ...]

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(freeze(state))

    @property
    def years(self) -> int:
        """The number of years."""
        return len(self.capacity_kwh)

    @cached_property
    def saved(self) -> Floats:
        """What each year costs less than before: ``before.yearly - after.yearly``."""
        return self.before.yearly - self.after.yearly

    @cached_property
    def cash_flows(self) -> Floats:
        """Year 0 (the capital cost, negative) to the last, shape (years + 1,)."""
        other = self.before if self.compared_with == "before" else self.solar
        return np.concatenate(([0.0 - self.capital_cost], other.yearly - self.after.yearly))

    @property
    def npv(self) -> float:
        """The cash flows' value at the start of year 1, at the (nominal) discount rate."""
        return net_present_value(self.cash_flows, self.discount_rate_percent / 100)

    @property
    def payback_years(self) -> float | None:
        """Years until the cumulative cash flow is 0 or more for good; None if it never is.

        The flow of a year counts evenly within it, so the answer has a fraction.
        """
        return payback_years(self.cash_flows)

    @property
    def discounted_payback_years(self) -> float | None:
        """The same for the cash flows discounted to the start of year 1."""
        return payback_years(self.cash_flows, self.discount_rate_percent / 100)

    @property
    def irr(self) -> float | None:
        """The internal rate of return, a fraction; None where no rate, or no single one, is it.

        Raises
        ------
        MissingExtraError
            Without the extra ``finance``.
        """
        return internal_rate_of_return(self.cash_flows)

    def to_pandas(self) -> pd.DataFrame:
        """A row for each year from 0: scenarios, parts, cash flow and its sum, sizes.

        Raises
        ------
        MissingExtraError
            Without the extra ``pandas``.
        """
        with needs_extra("to_pandas()", "pandas"):
            import pandas
        columns = {
            name: np.concatenate(([np.nan], values)) for name, values in self.by_year().items()
        }
        columns["cash_flow"] = self.cash_flows
        columns["cumulative_cash_flow"] = np.cumsum(self.cash_flows)
        index = pandas.RangeIndex(self.years + 1, name="year")
        return pandas.DataFrame(columns, index=index)

    def by_year(self) -> dict[str, Floats]:
        """Every series by year under one name each: costs, parts of the saving, sizes."""
        return {
            "before": self.before.yearly,
            "solar": self.solar.yearly,
            "after": self.after.yearly,
            "saved": self.saved,
            "saved_by_rate_change": self.parts.rate_change,
            "saved_by_solar": self.parts.solar,
            "saved_by_storage": self.parts.storage,
            "saved_by_operating_cost": self.parts.operating_cost,
            "capacity_kwh": self.capacity_kwh,
            "solar_kwh": self.solar_kwh,
        }

    def __rich_console__(self, console: Any, options: Any) -> Iterator[Any]:
        from bess.economics.tables import savings_tables

        yield from savings_tables(self)
