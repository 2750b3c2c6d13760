"""The table of a sweep that is in a folder: read when it is asked for, partition by partition."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from bess.sweeping.folder import Folder, parquet
from bess.sweeping.table import SweepTable

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["StoredTable", "read_sweep"]

_DTYPES: Final = {"text": object, "flag": np.bool_, "number": np.float64, "metric": np.float64}


def read_sweep(folder: str | os.PathLike[str]) -> SweepTable:
    """The table of a sweep that was written to a folder with ``out``, be it finished or not.

    Columns are read each time they are asked for, `SweepTable.best` and `SweepTable.row` read no
    more than they need: a sweep may be larger than the memory. Of an unfinished sweep the table has
    the scenarios that are there, and `SweepTable.missing` says how many are not.

    Raises
    ------
    InputError
        At ``folder``, where it is no folder of a sweep; of the table, where a partition is damaged.
    MissingExtraError
        Without the extra ``parquet``.
    """
    parquet("read_sweep()")
    return StoredTable(Folder.open(folder, "folder"))


class StoredTable(SweepTable):
    """A `SweepTable` whose rows stay in a folder."""

    def __init__(self, folder: Folder) -> None:
        super().__init__({})
        self._folder = folder
        held = folder.held()
        self._places = list(held)
        rows = [block.last - block.first for block in held.values()]
        self._starts = np.concatenate([[0], np.cumsum(rows, dtype=np.intp)])

    def __getitem__(self, name: str) -> NDArray[Any]:
        if name not in self:
            raise KeyError(name)
        column: NDArray[Any] = np.empty(
            self.scenarios, _DTYPES[self._folder.manifest.columns[name]]
        )
        for start, piece in zip(self._starts, self._pieces(name), strict=False):
            column[start : start + len(piece)] = piece
        column.flags.writeable = False
        return column

    def __iter__(self) -> Iterator[str]:
        return iter(self._folder.manifest.columns)

    def __len__(self) -> int:
        return len(self._folder.manifest.columns)

    def __contains__(self, name: object) -> bool:
        return name in self._folder.manifest.columns

    @property
    def scenarios(self) -> int:
        return int(self._starts[-1])

    @property
    def missing(self) -> int:
        manifest = self._folder.manifest
        return len(manifest.labels) * manifest.batteries - self.scenarios

    def to_arrow(self) -> pa.Table:
        import pyarrow

        if not self._places:
            return super().to_arrow()
        return pyarrow.concat_tables(self._folder.read(place) for place in self._places)

    def _numbers(self) -> list[str]:
        columns = self._folder.manifest.columns.items()
        return [name for name, kind in columns if _DTYPES[kind] is np.float64]

    def _pieces(self, name: str) -> Iterator[NDArray[Any]]:
        for place in self._places:
            piece = self._folder.read(place, [name])[name].to_numpy()
            if name == "error":
                piece = np.where(piece == None, "", piece)  # noqa: E711
            yield piece

    def _rows(self, indices: Sequence[int]) -> list[dict[str, Any]]:
        at = np.searchsorted(self._starts, indices, side="right") - 1
        found: dict[int, dict[str, Any]] = {}
        for i in np.unique(at).tolist():
            table = self._folder.read(self._places[i])
            for index in (n for n, own in zip(indices, at, strict=True) if own == i):
                [row] = table.slice(index - int(self._starts[i]), 1).to_pylist()
                found[index] = row | {"error": row["error"] or ""}
        return [found[index] for index in indices]
