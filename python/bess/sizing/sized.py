"""The answer of `size`: a battery, what it is worth, and how that falls off around it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pydantic.alias_generators import to_camel

from bess.battery import Battery
from bess.sizing.sizes import Sizes
from bess.sweeping.costs import Costs
from bess.sweeping.table import SweepTable

if TYPE_CHECKING:
    from rich.table import Table

__all__ = ["Sizing"]

_NEAR_END = 1e-6
"""Of a range: nearer than this to its end is at it."""


@dataclass(frozen=True, eq=False)
class Sizing:
    """The battery of greatest net present value among sizes, and none at all."""

    battery: Battery | None
    """None where no battery in the ranges is worth more than none."""
    net_present_value: float
    """Of that battery; 0 without one."""
    bound: float | None
    """No size in the ranges has a greater value: proven by duality. None: it is not known."""
    not_proven: str
    """Why there is no bound, or none that is near; empty where there is."""
    figures: Mapping[str, float]
    """The battery's bill and savings of a year, energies and peak, as in a sweep."""
    surface: SweepTable
    """A grid of sizes: ``capacity_kwh`` and ``power_kw``, ``net_present_value``, ``bill``, …"""
    sizes: Sizes
    """The ranges."""
    spacing: tuple[float, ...] | None
    """Where there is no near bound: how near, in capacity and power, others were tried."""
    tried: int
    """How many sizes were."""
    costs: Costs = field(repr=False)
    currency: str | None = None

    @property
    def gap(self) -> float | None:
        """What another size could be worth more at most; None: it is not known."""
        return None if self.bound is None else self.bound - self.net_present_value

    @property
    def capacity_kwh(self) -> float:
        """Capacity, kWh DC; 0 without a battery."""
        return 0.0 if self.battery is None else self.battery.capacity_kwh

    @property
    def power_kw(self) -> float:
        """Power, kW DC; 0 without a battery."""
        return 0.0 if self.battery is None else self.battery.charge_power_kw

    @property
    def capital(self) -> float:
        """What the battery costs to buy."""
        if self.battery is None:
            return 0.0
        return float(self.costs.capital(self.capacity_kwh, self.power_kw))

    @property
    def at_end(self) -> tuple[str, ...]:
        """The ends of ranges at which the best battery lies: others beyond may be worth more."""
        if self.battery is None:
            return ()
        found = []
        ranges = {"capacity_kwh": (self.sizes.capacity_kwh, self.capacity_kwh)}
        if self.sizes.duration_hours is None:
            ranges["power_kw"] = self.sizes.power_kw, self.power_kw
        for name, ((low, high), value) in ranges.items():
            if low < high and value >= high - _NEAR_END * (high - low):
                found.append(f"the greatest {name}")
            elif low < high and value <= low + _NEAR_END * (high - low):
                found.append(f"the least {name}")
        return tuple(found)

    def plot(self) -> Any:
        """The value surface, or curve, with the best size marked, as a plotly figure.

        Raises
        ------
        MissingExtraError
            Without the extra ``plots``.
        """
        from bess.plots.sizes import value_of_size

        return value_of_size(self)

    def to_json(self) -> dict[str, Any]:
        """The answer in plain lists and numbers, names in camel case; what is NaN is null."""
        surface = {
            to_camel(name): [None if value != value else value for value in column.tolist()]
            for name, column in self.surface.items()
            if name != "error" and column.dtype != object
        }
        return {
            "capacityKwh": self.capacity_kwh,
            "powerKw": self.power_kw,
            "netPresentValue": self.net_present_value,
            "bound": self.bound,
            "notProven": self.not_proven or None,
            "capital": self.capital,
            "currency": self.currency,
            "figures": {to_camel(name): value for name, value in self.figures.items()},
            "battery": None if self.battery is None else self.battery.model_dump(mode="json"),
            "costs": self.costs.model_dump(mode="json"),
            "spacing": None if self.spacing is None else list(self.spacing),
            "tried": self.tried,
            "surface": surface,
        }

    def rows(self) -> Iterator[tuple[str, str]]:
        """What a person asks for first, in words and as text."""
        money = self.currency or "money"
        if self.battery is None:
            yield "best", "no battery"
            if self.bound is not None:
                yield f"no battery in the ranges is worth more than ({money})", f"{self.bound:,.2f}"
        else:
            yield "capacity (kWh)", f"{self.capacity_kwh:,.2f}"
            yield "power (kW)", f"{self.power_kw:,.2f}"
            yield "duration (hours)", f"{self.capacity_kwh / self.power_kw:,.2f}"
            yield f"capital ({money})", f"{self.capital:,.2f}"
            yield f"saved in year 1 ({money})", f"{self.figures['savings']:,.2f}"
            yield f"bill of year 1 ({money})", f"{self.figures['bill']:,.2f}"
            years, rate = self.costs.years, self.costs.discount_rate_percent
            name = f"net present value, {years} years at {rate:g} % ({money})"
            yield name, f"{self.net_present_value:,.2f}"
            if self.gap is not None:
                yield f"proven: none is worth more by ({money})", self._gap_in_words
        if self.not_proven:
            yield "not proven" if self.bound is None else "not nearer, since", self.not_proven
        if self.spacing is not None:
            near = " by ".join(f"{step:.2g}" for step in self.spacing)
            yield "tried around the best, in steps of", near
        for end in self.at_end:
            yield "at an end of the ranges", end

    @property
    def _gap_in_words(self) -> str:
        assert self.gap is not None
        return f"{self.gap:,.2f}" if self.gap >= 0.01 else "less than 0.01"

    def brief(self) -> dict[str, str]:
        """What a person asks for first of several of these, by short headings."""
        if self.battery is None:
            size = ["-", "-", "no battery"]
        else:
            size = [f"{self.capacity_kwh:,.2f}", f"{self.power_kw:,.2f}"]
            size.append(f"{self.net_present_value:,.2f}")
        left = "not proven" if self.gap is None else self._gap_in_words
        headings = ("capacity (kWh)", "power (kW)", "net present value", "none is worth more by")
        return dict(zip(headings, [*size, left], strict=True))

    def __rich__(self) -> Table:
        from rich.table import Table
        from rich.text import Text

        table = Table(title="The best size", title_justify="left", show_header=False)
        table.add_column("", overflow="fold")
        table.add_column("", justify="right", overflow="fold")
        for name, value in self.rows():
            bold = name.startswith(("capacity", "power", "net present", "best"))
            table.add_row(Text(name), Text(value), style="bold" if bold else None)
        return table

    def __repr__(self) -> str:
        value = f"net_present_value={self.net_present_value:.6g}"
        if self.battery is None:
            return f"Sizing(no battery, {value})"
        sized = f"capacity_kwh={self.capacity_kwh:.6g}, power_kw={self.power_kw:.6g}"
        bound = "not proven" if self.bound is None else f"bound={self.bound:.6g}"
        return f"Sizing({sized}, {value}, {bound})"
