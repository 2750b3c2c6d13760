"""Prices by step: what energy costs at the meter and what it earns."""

from __future__ import annotations

from typing import Any

from bess._arrays import Floats, broadcast, is_single, number, series
from bess._unchanging import Unchanging

__all__ = ["Prices", "one_or_each"]


class Prices(Unchanging):
    """Import and export prices, money per kWh AC, any sign; each a scalar or one for each step.

    A series goes by position, whatever its index; an array of float64 is not copied. Immutable;
    pickles.

    >>> importing, exporting = Prices(import_price=[0.1, 0.3], export_price=0.05).series(2)
    >>> importing.tolist(), exporting.tolist()
    ([0.1, 0.3], [0.05, 0.05])

    Raises
    ------
    InputError
        At ``import_price`` or ``export_price``, where a value is not a finite number.
    """

    __slots__ = ("export_price", "import_price")

    import_price: float | Floats
    """What an imported kWh costs: a number, or a read-only array of one for each step."""
    export_price: float | Floats
    """What an exported kWh earns."""

    def __init__(self, import_price: Any, export_price: Any = 0.0) -> None:
        object.__setattr__(self, "import_price", one_or_each(import_price, "import_price"))
        object.__setattr__(self, "export_price", one_or_each(export_price, "export_price"))

    def __reduce__(self) -> tuple[Any, ...]:
        return Prices, (self.import_price, self.export_price)

    def __repr__(self) -> str:
        shown = (
            f"{name}={value:g}" if isinstance(value, float) else f"{name}=<{len(value)} values>"
            for name, value in (
                ("import_price", self.import_price),
                ("export_price", self.export_price),
            )
        )
        return f"Prices({', '.join(shown)})"

    def series(self, steps: int) -> tuple[Floats, Floats]:
        """Both prices as series of ``steps`` values; an `InputError` where a length differs."""
        return (
            broadcast(self.import_price, "import_price", steps),
            broadcast(self.export_price, "export_price", steps),
        )


def one_or_each(value: Any, path: str) -> float | Floats:
    """A number, or a read-only series of one for each step."""
    if is_single(value):
        return number(value, path, wanted="a number or a series of numbers")
    return series(value, path)
