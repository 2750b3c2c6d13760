"""What a battery is: its size, power, efficiencies, limits and permissions."""

from __future__ import annotations

from numbers import Real
from typing import Annotated, Any, Final, Literal

from pydantic import BeforeValidator, Field, model_validator

from bess._validation import NOT_NUMBERS, Flag, Model, Number
from bess.errors import InputError

__all__ = ["Battery"]

Fraction = Annotated[Number, Field(ge=0, le=1)]
Efficiency = Annotated[Number, Field(gt=0, le=1)]
Positive = Annotated[Number, Field(gt=0)]

# Beyond these no battery is meant, and quotients and products lose their meaning.
SIZES: Final = {
    "capacity_kwh": (1e-6, 1e12),
    "charge_power_kw": (1e-6, 1e12),
    "discharge_power_kw": (1e-6, 1e12),
    "ac_to_dc_efficiency": (1e-6, 1.0),
    "dc_to_ac_efficiency": (1e-6, 1.0),
    "input_efficiency": (1e-6, 1.0),
    "degradation_cost_per_kwh": (0.0, 1e12),
}


def _terminal(value: Any) -> Any:
    wanted = tuple(value) if isinstance(value, list) else value
    if isinstance(wanted, str):
        valid = wanted in ("initial", "cyclic", "free")
    elif isinstance(wanted, tuple):
        valid = len(wanted) == 2 and all(map(_is_fraction, wanted))
    else:
        valid = _is_fraction(wanted)
    if not valid:
        raise InputError.at(
            "", 'must be a fraction, a pair [low, high], "initial", "cyclic" or "free"', value
        )
    return wanted


def _is_fraction(value: Any) -> bool:
    if isinstance(value, NOT_NUMBERS) or not isinstance(value, Real):
        return False
    low, high = value >= 0, value <= 1  # type: ignore[operator]
    return bool(low and high)


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

    Self-discharge takes its part of what is stored at the start of each step. Where neither sun nor
    grid can make it good, `min_state_of_charge` (and ``"initial"`` at the end) asks for no more
    than what would be left of it: it sinks as an idle battery does, and rises again as soon as the
    battery can be charged.

    >>> battery = Battery(capacity_kwh=13.5, charge_power_kw=5, discharge_power_kw=5)
    >>> round(battery.round_trip_efficiency, 5)
    0.89856

    Raises
    ------
    InputError
        Naming every field that is not valid.
    """

    capacity_kwh: Positive = 6.0
    """Nameplate capacity, kWh DC."""
    charge_power_kw: Positive = 3.0
    """Most power into the battery, kW DC at its terminals."""
    discharge_power_kw: Positive = 3.0
    """Most power out of the battery, kW DC at its terminals."""
    min_state_of_charge: Fraction = 0.1
    max_state_of_charge: Fraction = 1.0
    initial_state_of_charge: Fraction = 0.5
    terminal_state_of_charge: Terminal = "initial"
    dc_coupled: Flag = True
    """Whether solar reaches the battery without passing through AC."""
    ac_to_dc_efficiency: Efficiency = 0.96
    dc_to_ac_efficiency: Efficiency = 0.96
    input_efficiency: Efficiency = 0.975
    """Energy stored for each kWh DC that arrives at the battery."""
    self_discharge_per_hour: Annotated[Number, Field(ge=0, lt=1)] = 0.0
    """The part of the stored energy that is lost in an hour; compounded over a step."""
    degradation_cost_per_kwh: Annotated[Number, Field(ge=0)] = 0.0
    """Money for each kWh DC that leaves the cells."""
    allow_grid_to_battery: Flag = True
    allow_battery_to_grid: Flag = True
    allow_solar_to_battery: Flag = True

    @model_validator(mode="after")
    def _figures_of_a_battery(self) -> Battery:
        for name, (least, most) in SIZES.items():
            value = getattr(self, name)
            if not least <= value <= most:
                raise InputError.at(name, f"must be from {least:g} to {most:g}", value)
        return self

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
        if isinstance(self.terminal_state_of_charge, tuple) and least > most:
            raise InputError.at(
                "terminal_state_of_charge",
                "must be a pair [low, high] with low ≤ high",
                self.terminal_state_of_charge,
            )
        if most < low or least > high:
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
