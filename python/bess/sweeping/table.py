"""The answer of a sweep: a row for each scenario, a column for each parameter and metric."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bess.errors import InputError, MissingExtraError

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

__all__ = ["SweepTable"]


class SweepTable(Mapping[str, NDArray[Any]]):
    """Columns by name, as read-only NumPy arrays of one length: parameters, then metrics.

    ``error`` says why a scenario has no answer; it is empty where there is one.

    >>> table = SweepTable({"capacity_kwh": np.array([5.0, 10.0]), "cost": np.array([90.0, 70.0])})
    >>> table.scenarios, table["cost"].tolist(), table.best(1)
    (2, [90.0, 70.0], [{'capacity_kwh': 10.0, 'cost': 70.0}])
    """

    def __init__(self, columns: Mapping[str, NDArray[Any]]) -> None:
        self._columns = dict(columns)
        for column in self._columns.values():
            column.flags.writeable = False

    def __getitem__(self, name: str) -> NDArray[Any]:
        return self._columns[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)

    def __len__(self) -> int:
        """How many columns there are; see `scenarios`."""
        return len(self._columns)

    @property
    def scenarios(self) -> int:
        """How many rows there are."""
        return len(next(iter(self._columns.values()), ()))

    def __repr__(self) -> str:
        return f"SweepTable({self.scenarios} scenarios: {', '.join(self._columns)})"

    def row(self, index: int) -> dict[str, Any]:
        """One scenario as plain values."""
        cells = {name: column[index] for name, column in self._columns.items()}
        return {n: c.item() if isinstance(c, np.generic) else c for n, c in cells.items()}

    def best(
        self, count: int = 10, by: str | None = None, *, largest: bool | None = None
    ) -> list[dict[str, Any]]:
        """The scenarios with the least of a column, or the most, best first.

        ``by`` is by default ``net_present_value`` (the most is best), else ``cost``. Of equal ones
        the first comes first; scenarios without an answer are left out.

        Raises
        ------
        InputError
            Where there is no such column.
        """
        if by is None:
            by = next((n for n in ("net_present_value", "cost", "import_kwh") if n in self), "cost")
        if by not in self or self[by].dtype == object:
            raise InputError.at("by", f"must be a column of numbers ({', '.join(self)})", by)
        if largest is None:
            largest = by in ("net_present_value", "savings", "self_consumption", "self_sufficiency")
        values = -self[by] if largest else self[by]
        order = np.argsort(values, kind="stable")[: max(count, 0)]
        return [self.row(int(i)) for i in order if not np.isnan(values[i])]

    def to_pandas(self) -> pd.DataFrame:
        """The table as a data frame.

        Raises
        ------
        MissingExtraError
            Without the extra ``pandas``.
        """
        try:
            import pandas
        except ImportError:
            raise MissingExtraError("to_pandas()", "pandas") from None
        return pandas.DataFrame({name: column.copy() for name, column in self._columns.items()})

    def to_arrow(self) -> pa.Table:
        """The table as Arrow columns; ``error`` is null where there is none.

        Raises
        ------
        MissingExtraError
            Without the extra ``parquet``.
        """
        try:
            import pyarrow
        except ImportError:
            raise MissingExtraError("to_arrow()", "parquet") from None
        return pyarrow.table(
            {name: _arrow(pyarrow, name, column) for name, column in self._columns.items()}
        )


def _arrow(pyarrow: Any, name: str, column: NDArray[Any]) -> Any:
    if column.dtype != object:
        return pyarrow.array(column)
    values = [value or None for value in column] if name == "error" else map(_plain, column)
    return pyarrow.array(list(values), pyarrow.string())


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else str(value)
