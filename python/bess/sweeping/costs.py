"""What batteries cost and how long they last: from a year's savings to net present value."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from bess._arrays import Floats
from bess._validation import Model, Number

__all__ = ["Costs"]

_AtLeastZero = Annotated[Number, Field(ge=0)]
_Percent = Annotated[Number, Field(gt=-100, le=100)]


class Costs(Model):
    """What a battery costs to buy and to keep, and how its savings go on. Immutable.

    The savings of a year come at its end. Those of year ``y`` are the first year's, times
    ``(1 + rate_inflation_percent / 100) ** (y - 1)``, times
    ``(1 - savings_fade_percent / 100) ** (y - 1)``, which stands for the capacity that fades
    (`bess.savings` dispatches each year instead); yearly costs stay as they are.

    >>> costs = Costs(per_kwh=300, per_kw=100, years=10, discount_rate_percent=5)
    >>> costs.capital(10, 5)
    3500.0
    >>> round(costs.net_present_value(500.0, 10, 5), 2)
    360.87
    """

    per_kwh: _AtLeastZero = 0.0
    """Money for each kWh DC of nameplate capacity."""
    per_kw: _AtLeastZero = 0.0
    """Money for each kW DC of power, the greater of charging and discharging."""
    fixed: _AtLeastZero = 0.0
    """Money for any battery."""
    yearly_per_kwh: _AtLeastZero = 0.0
    yearly_per_kw: _AtLeastZero = 0.0
    yearly_fixed: _AtLeastZero = 0.0
    years: Annotated[int, Field(ge=1, le=100, strict=True)] = 10
    discount_rate_percent: _Percent = 0.0
    rate_inflation_percent: _Percent = 0.0
    savings_fade_percent: Annotated[Number, Field(ge=0, lt=100)] = 0.0

    def capital(self, capacity_kwh: Floats | float, power_kw: Floats | float) -> Floats | float:
        """What batteries cost to buy."""
        return self.fixed + self.per_kwh * capacity_kwh + self.per_kw * power_kw

    def net_present_value(
        self, savings: Floats | float, capacity_kwh: Floats | float, power_kw: Floats | float
    ) -> Floats | float:
        """The value at the start of year 1 of batteries that save ``savings`` in the first year."""
        discount = 1 / (1 + self.discount_rate_percent / 100)
        growth = (1 + self.rate_inflation_percent / 100) * (1 - self.savings_fade_percent / 100)
        gained = sum(growth ** (y - 1) * discount**y for y in range(1, self.years + 1))
        kept = sum(discount**y for y in range(1, self.years + 1))
        yearly = self.yearly_fixed + self.yearly_per_kwh * capacity_kwh
        yearly = yearly + self.yearly_per_kw * power_kw
        return gained * savings - kept * yearly - self.capital(capacity_kwh, power_kw)
