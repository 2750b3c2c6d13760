"""What a battery is: its size, power, efficiencies, limits and permissions."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from bess._validation import Model, Number
from bess.errors import InputError

__all__ = ["Battery"]

Fraction = Annotated[Number, Field(ge=0, le=1)]
Efficiency = Annotated[Number, Field(gt=0, le=1)]
Positive = Annotated[Number, Field(gt=0)]


def _terminal(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(value)
    if isinstance(value, str) and value not in ("initial", "cyclic", "free"):
        raise InputError.at(
            "", 'must be a fraction, a pair [low, high], "initial", "cyclic" or "free"', value
        )
    return value


Terminal = Annotated[
    Literal["initial", "cyclic", "free"] | Fraction | tuple[Fraction, Fraction],
    BeforeValidator(_terminal),
]


class Battery(Model):
    """A battery, its powers and its capacity seen on the DC side. Immutable.

    Losses fall where the energy passes: from the grid a stored kWh takes
    ``1 / (ac_to_dc_efficiency * input_efficiency)``, and a stored kWh gives ``dc_to_ac_efficiency``
    at the site. States of charge are fractions of nameplate capacity. The terminal state of charge
    counts under `Optimize` alone: a lower bound, a pair [low, high], ``"initial"`` (at least the
    initial one), ``"cyclic"`` (the end equals the start, which is free) or ``"free"``.

    >>> Battery(capacity_kwh=13.5, charge_power_kw=5, discharge_power_kw=5).round_trip_efficiency
    0.89856

    Raises
    ------
    InputError
        Naming every field that is not valid.
    """

    capacity_kwh: Positive = 6.0
    charge_power_kw: Positive = 3.0
    discharge_power_kw: Positive = 3.0
    min_state_of_charge: Fraction = 0.1
    max_state_of_charge: Fraction = 1.0
    initial_state_of_charge: Fraction = 0.5
    terminal_state_of_charge: Terminal = "initial"
    dc_coupled: bool = True
    ac_to_dc_efficiency: Efficiency = 0.96
    dc_to_ac_efficiency: Efficiency = 0.96
    input_efficiency: Efficiency = 0.975
    degradation_cost_per_kwh: Annotated[Number, Field(ge=0)] = 0.0
    allow_grid_to_battery: bool = True
    allow_battery_to_grid: bool = True
    allow_solar_to_battery: bool = True

    @model_validator(mode="after")
    def _limits_in_order(self) -> Battery:
        low, high = self.min_state_of_charge, self.max_state_of_charge
        if low >= high:
            raise InputError.at(
                "min_state_of_charge", f"must be below max_state_of_charge ({high:g})", low
            )
        if not low <= self.initial_state_of_charge <= high:
            raise InputError.at(
                "initial_state_of_charge",
                f"must lie between min_state_of_charge ({low:g}) and "
                f"max_state_of_charge ({high:g})",
                self.initial_state_of_charge,
            )
        least, most = self.terminal_window
        if least > most or most < low or least > high:
            raise InputError.at(
                "terminal_state_of_charge",
                f"must leave a state of charge between {low:g} and {high:g}",
                self.terminal_state_of_charge,
            )
        return self

    @property
    def terminal_window(self) -> tuple[float, float]:
        """The least and the most state of charge at the end of an optimised horizon."""
        wanted = self.terminal_state_of_charge
        if wanted == "initial":
            return self.initial_state_of_charge, self.max_state_of_charge
        if isinstance(wanted, str):
            return self.min_state_of_charge, self.max_state_of_charge
        return wanted if isinstance(wanted, tuple) else (wanted, self.max_state_of_charge)

    @property
    def round_trip_efficiency(self) -> float:
        """AC energy given back for each kWh of AC energy taken from the grid."""
        return self.ac_to_dc_efficiency * self.input_efficiency * self.dc_to_ac_efficiency
