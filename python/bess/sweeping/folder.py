"""The folder of a sweep: partitions that appear whole or not at all, and what sweep they are of."""

from __future__ import annotations

import json
import os
import threading
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from bess.errors import InputError, needs_extra
from bess.sweeping.fingerprint import fingerprint
from bess.sweeping.running import Chunk, blocks_of
from bess.sweeping.table import arrow_column

__all__ = ["Folder", "Manifest", "Partitions", "parquet"]

FORMAT: Final = 1
_MANIFEST: Final = "_sweep.json"
"""Readers of Parquet folders leave out what begins with an underscore or a dot."""


@dataclass(frozen=True)
class Manifest:
    """What a folder holds, or will: the sweep, its columns and its partitions."""

    arguments: dict[str, str]
    """A fingerprint of each."""
    batteries: int
    labels: list[dict[str, str]]
    """Of each case."""
    rows: list[int]
    """In each partition of each case, but for the last."""
    columns: dict[str, str]
    """``text``, ``flag``, ``number``, or ``metric``: a number of which hardly two are alike."""
    format: int = FORMAT

    @property
    def sweep(self) -> str:
        """The fingerprint of it all."""
        return fingerprint(asdict(self))

    def partitions(self) -> Iterator[Chunk]:
        """The rows of each partition, in order."""
        return blocks_of(self.rows, self.batteries)

    def place(self, chunk: Chunk) -> int:
        """Which partition rows belong to."""
        before = sum(-(-self.batteries // size) for size in self.rows[: chunk.case])
        return before + chunk.first // self.rows[chunk.case]


def parquet(feature: str) -> Any:
    """The module that reads and writes partitions.

    Raises
    ------
    MissingExtraError
        Without the extra ``parquet``.
    """
    with needs_extra(feature, "parquet"):
        import pyarrow.parquet
    return pyarrow.parquet


@dataclass(frozen=True)
class Folder:
    """A folder that holds a sweep. Pickles, so that other processes can write to it as well."""

    path: Path
    manifest: Manifest
    argument: str = "out"
    """What the caller calls it."""

    @classmethod
    def claim(cls, given: Any, manifest: Manifest) -> Folder:
        """The folder for a sweep: a new or an empty one, or one that holds part of this sweep.

        Raises
        ------
        InputError
            Where it holds anything else, or cannot be written.
        MissingExtraError
            Without the extra ``parquet``.
        """
        parquet("out=")
        path = _path(given, "out")
        folder = cls(path, manifest)
        with _written("out", path):
            path.mkdir(parents=True, exist_ok=True)
            if not (path / _MANIFEST).exists():
                others = sorted(f.name for f in path.iterdir() if not f.name.startswith(".tmp-"))
                if others:
                    shown = ", ".join(others[:3]) + (", ..." if len(others) > 3 else "")
                    reason = f"must be a new or empty folder, or one of this sweep; it has {shown}"
                    raise InputError.at("out", reason, str(path))
                text = json.dumps(asdict(manifest), indent=1).encode()
                folder._write(_MANIFEST, lambda file: file.write(text))
        found = cls.open(path, "out").manifest
        if found != manifest:
            raise InputError.at("out", _difference(found, manifest), str(path))
        return folder

    @classmethod
    def open(cls, given: Any, argument: str) -> Folder:
        """A folder that holds a sweep.

        Raises
        ------
        InputError
            Where it holds none.
        """
        path = _path(given, argument)
        try:
            found = json.loads((path / _MANIFEST).read_bytes())
        except (FileNotFoundError, NotADirectoryError):
            reason = "is no folder of a sweep (see the argument out of bess.sweep)"
            raise InputError.at(argument, reason, str(path)) from None
        except OSError as error:
            reason = f"cannot be read: {error.strerror}"
            raise InputError.at(argument, reason, str(path)) from None
        except ValueError:
            raise InputError.at(argument, f"has a damaged {_MANIFEST}", str(path)) from None
        if isinstance(found, dict) and found.get("format") not in (None, FORMAT):
            reason = f"is of format {found['format']}; this version reads format {FORMAT}"
            raise InputError.at(argument, reason, str(path))
        try:
            return cls(path, Manifest(**found), argument)
        except TypeError:
            raise InputError.at(argument, f"has a damaged {_MANIFEST}", str(path)) from None

    def file(self, place: int) -> Path:
        """Where a partition is."""
        return self.path / f"part-{place:06}.parquet"

    def held(self) -> dict[int, Chunk]:
        """The partitions that are there; one that is cut short or of another sweep is not."""
        names = set(os.listdir(self.path))
        blocks = enumerate(self.manifest.partitions())
        return {
            place: block
            for place, block in blocks
            if self.file(place).name in names and self._is_whole(place, block)
        }

    def _is_whole(self, place: int, block: Chunk) -> bool:
        try:
            footer = parquet("out=").read_metadata(self.file(place))
        except (OSError, ValueError):  # what pyarrow raises is one of them
            return False
        ours = (footer.metadata or {}).get(b"bess.sweep") == self._mark(place)
        return ours and bool(footer.num_rows == block.last - block.first)

    def write(self, block: Chunk, parts: Sequence[Mapping[str, NDArray[Any]]]) -> None:
        """Write a partition, from columns of its rows in parts.

        Raises
        ------
        InputError
            Where it cannot be written.
        """
        place = self.manifest.place(block)
        pq = parquet("out=")
        table = self._table(place, block, parts)
        kinds = self.manifest.columns
        options = {
            "compression": "zstd",
            "use_dictionary": [name for name, kind in kinds.items() if kind != "metric"],
            "use_byte_stream_split": [name for name, kind in kinds.items() if kind == "metric"],
            "write_statistics": False,
            "write_page_checksum": True,
        }
        with _written(self.argument, self.path):
            self._write(self.file(place).name, lambda file: pq.write_table(table, file, **options))

    def read(self, place: int, columns: Iterable[str] | None = None) -> Any:
        """Columns of a partition, as an Arrow table.

        Raises
        ------
        InputError
            Where it is damaged.
        """
        names = list(self.manifest.columns if columns is None else columns)
        file = self.file(place)
        pq = parquet("read_sweep()")
        try:
            with pq.ParquetFile(file, page_checksum_verification=True) as opened:
                return opened.read(columns=names).replace_schema_metadata(None)
        except (OSError, ValueError) as error:
            first = str(error).partition("\n")[0]
            reason = f"has a damaged partition, {file.name} ({first}): delete it and sweep again"
            raise InputError.at(self.argument, reason, str(self.path)) from None

    def clear(self) -> None:
        """Remove what killed processes left half-written."""
        for file in self.path.glob(".tmp-*"):
            with suppress(OSError):
                file.unlink()

    def _mark(self, place: int) -> bytes:
        return f"{self.manifest.sweep}/{place}".encode()

    def _table(self, place: int, block: Chunk, parts: Sequence[Mapping[str, NDArray[Any]]]) -> Any:
        import pyarrow

        labels = self.manifest.labels[block.case]
        arrays = {}
        for name in self.manifest.columns:
            if name in labels:
                arrays[name] = pyarrow.repeat(labels[name], block.last - block.first)
            else:
                values = np.concatenate([part[name] for part in parts])
                arrays[name] = arrow_column(pyarrow, name, values)
        return pyarrow.table(arrays, metadata={b"bess.sweep": self._mark(place)})

    def _write(self, name: str, write: Callable[[Any], Any]) -> None:
        """Write a file under another name, and name it rightly when it is on the disk."""
        temporary = self.path / f".tmp-{uuid.uuid4().hex}"
        try:
            with temporary.open("xb") as file:
                write(file)
                file.flush()
                os.fsync(file.fileno())
            try:
                temporary.replace(self.path / name)
            except FileNotFoundError:  # cleared away by another process that has written the same
                if not (self.path / name).exists():
                    raise
        finally:
            temporary.unlink(missing_ok=True)


class Partitions:
    """Gathers chunks, in any order and from any thread, into the partitions of a folder."""

    def __init__(self, folder: Folder) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._parts: dict[int, dict[int, Mapping[str, NDArray[Any]]]] = {}

    def write(self, chunk: Chunk, columns: Mapping[str, NDArray[Any]]) -> None:
        """Take the rows of a chunk; the last one of a partition writes it."""
        manifest = self._folder.manifest
        place, size = manifest.place(chunk), manifest.rows[chunk.case]
        first = chunk.first // size * size
        block = Chunk(chunk.case, first, min(first + size, manifest.batteries))
        with self._lock:
            parts = self._parts.setdefault(place, {})
            parts[chunk.first] = columns
            if sum(len(part["error"]) for part in parts.values()) < block.last - block.first:
                return
            del self._parts[place]
        self._folder.write(block, [parts[at] for at in sorted(parts)])


@contextmanager
def _written(argument: str, path: Path) -> Iterator[None]:
    """Turns what the system refuses into an error of the caller's."""
    try:
        yield
    except OSError as error:
        reason = f"cannot be written: {error.strerror or error}"
        raise InputError.at(argument, reason, str(path)) from None


def _path(given: Any, argument: str) -> Path:
    if not isinstance(given, (str, os.PathLike)) or not str(given) or "://" in str(given):
        raise InputError.at(argument, "must be the path of a folder", given)
    return Path(given).absolute()


def _difference(found: Manifest, wanted: Manifest) -> str:
    """Why a folder is of another sweep."""
    others = [
        name for name in wanted.arguments if found.arguments.get(name) != wanted.arguments[name]
    ]
    what = ", ".join(others) or "the parts it is divided into"
    return f"holds another sweep, which differs in: {what}; give another folder"
