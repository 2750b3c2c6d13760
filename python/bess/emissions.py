"""What a kWh at the meter emits."""

from __future__ import annotations

from typing import Any

from bess._arrays import Floats, broadcast
from bess._unchanging import Unchanging
from bess.prices import one_or_each

__all__ = ["Emissions"]


class Emissions(Unchanging):
    """Emission factors of the grid, kg CO2 per kWh AC; each a scalar or one for each step.

    ``export_kg_per_kwh`` is what an exported kWh is credited with, by default nothing; give it the
    import factors where exports displace what the grid emits. Average factors account for what is
    consumed, marginal ones for what a change of consumption brings about: a dispatch asks for the
    marginal. Immutable; pickles.

    >>> from bess import Battery, Optimize, Prices, Site, dispatch
    >>> site = Site(load_kwh=[0, 0, 3], start="2025-06-01T00:00Z")
    >>> battery = Battery(initial_state_of_charge=0.1)
    >>> prices = Prices(import_price=[0.10, 0.12, 0.30])
    >>> emissions = Emissions(import_kg_per_kwh=[0.60, 0.20, 0.40])
    >>> for strategy in (
    ...     Optimize(),
    ...     Optimize(emissions_price_per_kg=0.1),
    ...     Optimize(max_emissions_kg=1.0),
    ...     Optimize(objective="emissions"),
    ... ):
    ...     found = dispatch(site, battery, strategy, prices=prices, emissions=emissions)
    ...     print(f"cost {found.cost:.3f}, {found.emissions_kg:.3f} kg, {found.objective:.3f}")
    cost 0.358, 1.939 kg, 0.358
    cost 0.419, 0.721 kg, 0.491
    cost 0.405, 1.000 kg, 0.405
    cost 0.433, 0.702 kg, 0.702

    Raises
    ------
    InputError
        At ``import_kg_per_kwh`` or ``export_kg_per_kwh``, where a value is not a finite number.
    """

    __slots__ = ("export_kg_per_kwh", "import_kg_per_kwh")

    import_kg_per_kwh: float | Floats
    """What an imported kWh emits: a number, or a read-only array of one for each step."""
    export_kg_per_kwh: float | Floats
    """What an exported kWh is credited with."""

    def __init__(self, import_kg_per_kwh: Any, export_kg_per_kwh: Any = 0.0) -> None:
        for name, value in (
            ("import_kg_per_kwh", import_kg_per_kwh),
            ("export_kg_per_kwh", export_kg_per_kwh),
        ):
            object.__setattr__(self, name, one_or_each(value, name))

    def __reduce__(self) -> tuple[Any, ...]:
        return Emissions, (self.import_kg_per_kwh, self.export_kg_per_kwh)

    def series(self, steps: int) -> tuple[Floats, Floats]:
        """Both factors as series of ``steps`` values; an `InputError` where a length differs."""
        return (
            broadcast(self.import_kg_per_kwh, "import_kg_per_kwh", steps),
            broadcast(self.export_kg_per_kwh, "export_kg_per_kwh", steps),
        )
