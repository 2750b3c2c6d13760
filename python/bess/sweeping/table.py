"""The answer of a sweep: a row for each scenario, a column for each parameter and metric."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bess.errors import InputError, needs_extra

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

__all__ = ["SweepTable", "arrow_column"]


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

    def __contains__(self, name: object) -> bool:
        return name in self._columns

    @property
    def scenarios(self) -> int:
        """How many rows there are."""
        return len(next(iter(self._columns.values()), ()))

    @property
    def missing(self) -> int:
        """How many scenarios of the sweep have no row yet: none but in an unfinished folder."""
        return 0

    def __repr__(self) -> str:
        missing = f" and {self.missing} missing" if self.missing else ""
        return f"SweepTable({self.scenarios} scenarios{missing}: {', '.join(self)})"

    def row(self, index: int) -> dict[str, Any]:
        """One scenario as plain values."""
        return self._rows([range(self.scenarios)[index]])[0]

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
        numbers = self._numbers()
        if by is None:
            usual = ("net_present_value", "cost", "import_kwh")
            by = next((name for name in usual if name in numbers), "cost")
        if by not in numbers:
            raise InputError.at("by", f"must be a column of numbers ({', '.join(numbers)})", by)
        if largest is None:
            largest = by in ("net_present_value", "savings", "self_consumption", "self_sufficiency")
        values, rows = np.empty(0), np.empty(0, np.intp)
        first = 0
        for piece in self._pieces(by):
            values = np.concatenate([values, -piece if largest else piece])
            rows = np.concatenate([rows, np.arange(first, first + len(piece))])
            order = np.argsort(values, kind="stable")[: max(count, 0)]
            values, rows = values[order], rows[order]
            first += len(piece)
        return self._rows(rows[~np.isnan(values)].tolist())

    def _numbers(self) -> list[str]:
        """The columns of numbers."""
        return [name for name, column in self._columns.items() if column.dtype == np.float64]

    def _pieces(self, name: str) -> Iterator[NDArray[Any]]:
        """A column in pieces that are in memory one at a time."""
        yield self[name]

    def _rows(self, indices: Sequence[int]) -> list[dict[str, Any]]:
        return [
            {name: _plain(column[index]) for name, column in self._columns.items()}
            for index in indices
        ]

    def to_pandas(self) -> pd.DataFrame:
        """The table as a data frame.

        Raises
        ------
        MissingExtraError
            Without the extra ``pandas``.
        """
        with needs_extra("to_pandas()", "pandas"):
            import pandas
        return pandas.DataFrame({name: self[name].copy() for name in self})

    def to_arrow(self) -> pa.Table:
        """The table as Arrow columns; ``error`` is null where there is none.

        Raises
        ------
        MissingExtraError
            Without the extra ``parquet``.
        """
        with needs_extra("to_arrow()", "parquet"):
            import pyarrow
        return pyarrow.table(
            {name: arrow_column(pyarrow, name, column) for name, column in self._columns.items()}
        )


def arrow_column(pyarrow: Any, name: str, column: NDArray[Any]) -> Any:
    """A column as Arrow has it: what is no number or flag is text, and no error is null."""
    if column.dtype != object:
        return pyarrow.array(column)
    if name == "error" and not column.any():
        return pyarrow.nulls(len(column), pyarrow.string())
    if name == "error":
        return pyarrow.array([value or None for value in column], pyarrow.string())
    return pyarrow.array([str(value) for value in column], pyarrow.string())


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value
