"""Finding profiles and tariffs by id, among objects given or in a folder's files."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from bess._json import read_json
from bess.errors import InputError, nearest_name

__all__ = ["Entry", "Library", "profile_library", "tariff_library"]

_SUFFIXES: Final = (".csv", ".json", ".toml", ".xml")
_PROFILE_IDS: Final = ("profileId", "providerProfileId")
_TARIFF_IDS: Final = ("tariffId", "masterTariffId")
_URDB_IDS: Final = ("label",)


@dataclass(frozen=True)
class Entry:
    """Something that can be asked for by any of its ids."""

    ids: frozenset[str]
    source: Any
    """An object, or the path of its file."""
    label: str
    """What errors and notes call it."""


class Library:
    """Entries by id: a file by its name without suffix, else by the ids it holds."""

    def __init__(
        self,
        kind: str,
        entries: Iterable[Entry],
        where: str,
        inside: Callable[[Path], frozenset[str] | None],
    ) -> None:
        self.kind = kind
        self.where = where
        self._entries = list(entries)
        self._inside = inside

    def find(self, asked: Mapping[str, str]) -> Entry:
        """The entry of one or several ids, which must agree; ``asked`` has each by its path."""
        found = {path: self._find(name, path) for path, name in asked.items()}
        first = next(iter(found.values()))
        for path, entry in found.items():
            if entry is not first:
                raise InputError.at(path, f"is {entry.label}, not {first.label}", asked[path])
        return first

    def _find(self, name: str, path: str) -> Entry:
        same = [entry for entry in self._entries if name in entry.ids]
        if not same:
            same = [entry for entry in self._entries if name in (self._ids_inside(entry) or ())]
        if len(same) == 1:
            return same[0]
        if same:
            names = ", ".join(entry.label for entry in same)
            raise InputError.at(path, f"is the id of several {self.kind}s: {names}", name)
        known = sorted({id_ for entry in self.all() for id_ in entry.ids})
        guess = nearest_name(name, known)
        hint = f"; did you mean {guess}?" if guess else ""
        there = ", ".join(known[:12]) + (", …" if len(known) > 12 else "") if known else "none"
        raise InputError.at(path, f"no {self.kind} has this id{hint} ({self.where}: {there})", name)

    def all(self) -> list[Entry]:
        """The entries that are of this kind, each with every id it has."""
        inside = [(entry, self._ids_inside(entry)) for entry in self._entries]
        return [
            Entry(entry.ids | ids, entry.source, entry.label)
            for entry, ids in inside
            if ids is not None
        ]

    def _ids_inside(self, entry: Entry) -> frozenset[str] | None:
        """The ids that an entry's file holds; None if it is of another kind."""
        is_file = isinstance(entry.source, Path)
        return self._inside(entry.source) if is_file else frozenset()


def profile_library(source: Any) -> Library:
    """The profiles in a folder, in a mapping of ids to anything `bess.baseline` takes, or in a
    list of profile JSON objects."""
    return _library("profile", source, _PROFILE_IDS, _ids_of_profile_file)


def tariff_library(source: Any) -> Library:
    """The tariffs in a folder, in a mapping of ids to anything `bess.load_tariff` takes (or
    `bess.Prices`), or in a list of them."""
    return _library("tariff", source, _TARIFF_IDS, _ids_of_tariff_file)


def _library(
    kind: str, source: Any, fields: Sequence[str], inside: Callable[[Path], frozenset[str] | None]
) -> Library:
    if source is None:
        return Library(kind, [], "given", inside)
    if isinstance(source, (str, Path)):
        folder = Path(source)
        try:
            files = sorted(p for p in folder.iterdir() if p.suffix.lower() in _SUFFIXES)
        except OSError as error:
            why = f"is no folder that can be read: {error.strerror}"
            raise InputError.at(f"{kind}s", why, str(source)) from None
        entries = [Entry(frozenset({p.stem}), p, p.name) for p in files if p.is_file()]
        return Library(kind, entries, f"in {folder}", inside)
    if isinstance(source, Mapping):
        entries = [
            Entry(frozenset({str(key)}) | _ids(value, fields), _opened(value), f"{kind} {key}")
            for key, value in source.items()
        ]
    elif isinstance(source, Sequence):
        entries = []
        for i, item in enumerate(source):
            ids = _ids(item, fields)
            entries.append(Entry(ids, _opened(item), f"{kind} {min(ids, default=i)}"))
    else:
        raise InputError.at(
            f"{kind}s", f"must be a folder or a mapping of ids, not {type(source).__name__}"
        )
    return Library(kind, entries, "given", inside)


def _opened(value: Any) -> Any:
    return Path(value) if isinstance(value, str) else value


def _ids(item: Any, fields: Sequence[str]) -> frozenset[str]:
    """The ids an object bears."""
    if isinstance(item, Mapping):
        if fields is _TARIFF_IDS and "energyratestructure" in item:
            fields = _URDB_IDS
        wanted = {field.lower() for field in fields}
        return frozenset(
            str(value)
            for key, value in item.items()
            if str(key).replace("_", "").lower() in wanted and value is not None
        )
    identifiers = getattr(item, "identifiers", ())
    return frozenset(str(name) for name in identifiers)


def _ids_of_profile_file(path: Path) -> frozenset[str] | None:
    """The ids in a profile JSON; None for a file that is no profile."""
    if path.suffix.lower() == ".csv":
        return None if _has_prices(path) else frozenset()
    if path.suffix.lower() == ".xml":
        return frozenset()
    if path.suffix.lower() == ".toml":
        return None
    content = _content(path)
    series = ("dataSeries", "readingData", "baselineMeasures", "data_series")
    if not isinstance(content, Mapping) or not any(name in content for name in series):
        return None
    return _ids(content, _PROFILE_IDS)


def _ids_of_tariff_file(path: Path) -> frozenset[str] | None:
    """The ids in a tariff's file; None for a file that is no tariff."""
    if path.suffix.lower() == ".csv":
        return frozenset() if _has_prices(path) else None
    if path.suffix.lower() == ".xml":
        return None
    if path.suffix.lower() == ".toml":
        return _ids_of_toml(path)
    content = _content(path)
    for wrapper in ("results", "items"):
        if isinstance(content, Mapping) and wrapper in content:
            content = content[wrapper]
    objects = content if isinstance(content, list) else [content]
    marks = ("rates", "importPrice", "import_price", "energyratestructure")
    if not objects or not all(
        isinstance(item, Mapping) and any(mark in item for mark in marks) for item in objects
    ):
        return None
    return frozenset().union(*(_ids(item, _TARIFF_IDS) for item in objects))


def _ids_of_toml(path: Path) -> frozenset[str] | None:
    """The identifiers in a tariff's TOML; None for a file that is no tariff."""
    try:
        found = tomllib.loads(path.read_text("utf-8-sig"))
    except (OSError, ValueError, RecursionError):
        return None
    if "energy" not in found and "series" not in found:
        return None
    identifiers = found.get("identifiers")
    return frozenset(map(str, identifiers)) if isinstance(identifiers, list) else frozenset()


def _content(path: Path) -> Any:
    try:
        return read_json(path)
    except InputError:  # some other file; asked for by its name, it is read and refused
        return None


def _has_prices(path: Path) -> bool:
    try:
        with path.open(encoding="utf-8-sig", errors="replace") as file:
            return "import_price" in file.readline().lower().replace(" ", "_")
    except OSError:
        return False
