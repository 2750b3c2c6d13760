"""A sweep asked for in a file: a storage request, and what is varied of it."""

from __future__ import annotations

import csv
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from bess._arrays import number, whole_number
from bess._json import read_json
from bess._validation import Integer, ListOf, Model, Number
from bess.battery import Battery
from bess.errors import InputError, MissingExtraError, needs_extra
from bess.policy import SchedulePolicy
from bess.prices import Prices
from bess.site import Site
from bess.storage.dispatching import battery_of, strategy_of
from bess.storage.request import StorageRequest
from bess.storage.run import read_request
from bess.strategy import Strategy
from bess.sweeping.costs import Costs
from bess.sweeping.parameters import BatteryGrid, Parameters, parameters_of
from bess.tariff import Tariff

__all__ = ["SweepRequest", "read_sweep_request"]

_POWERS: Final = ("charge_power_kw", "discharge_power_kw")
_ENDS: Final = {"from", "to", "count"}
_MOST_VALUES: Final = 10_000_000


class _Sized(Model):
    """The ranges among which `bess.size` finds the best."""

    capacity_kwh: ListOf[Number] | Number
    power_kw: ListOf[Number] | Number | None = None
    duration_hours: Number | None = None


class _File(Model):
    """The file as it is written."""

    request: str | dict[str, Any]
    batteries: dict[str, Any]
    tariffs: ListOf[str] = ()
    strategies: ListOf[str | dict[str, Any]] = ()
    metrics: ListOf[str] | None = None
    costs: Costs | None = None
    size: _Sized | None = None
    out: str | None = None
    workers: Integer | None = None


@dataclass(frozen=True, eq=False)
class SweepRequest:
    """What a file asks for, read."""

    title: str
    site: Site
    batteries: Parameters
    battery: Battery
    """Of the request: its parameters that are not varied."""
    strategies: dict[str, Strategy]
    tariffs: dict[str, Tariff | Prices | None]
    policies: tuple[SchedulePolicy, ...]
    metrics: tuple[str, ...] | None
    costs: Costs | None
    size: dict[str, Any] | None
    out: str | None
    workers: int | None
    assumptions: tuple[str, ...]


def read_sweep_request(file: Path, profiles: Path | None, tariffs: Path | None) -> SweepRequest:
    """Read a file, and all that it names; folders are by default those of the request.

    Raises
    ------
    InputError
        At the file, and the path in it.
    """
    try:
        return _read(file, profiles, tariffs)
    except InputError as error:
        raise error.under(str(file)) from None


def _read(file: Path, profiles: Path | None, tariffs: Path | None) -> SweepRequest:
    try:
        content = tomllib.loads(file.read_text("utf-8-sig"))
    except OSError as error:
        raise InputError.at("", f"cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InputError.at("", f"is no TOML: {error}") from None
    asked = _File.model_validate(content)
    folder, request, title = file.parent, asked.request, file.stem
    if isinstance(request, str):
        path = folder / request
        folder, title, request = path.parent, path.stem, read_json(path)
    ids = {f"tariffs[{i}]": name for i, name in enumerate(asked.tariffs)}
    try:
        stated, site, found, notes = read_request(
            request, profiles or folder, tariffs or folder, ids
        )
    except InputError as error:
        if any(problem.path in ids for problem in error.problems):
            raise
        raise error.under("request") from None
    battery, options = battery_of(stated)
    if not isinstance(battery, Battery):
        raise InputError.at("request.devices", "cannot be swept: give the parameters of a battery")
    try:
        batteries = _batteries(asked.batteries, battery, file.parent)
    except InputError as error:
        raise error.under("batteries") from None
    named = any(tariff is not None for tariff in found.values())
    if asked.size is not None and (asked.costs is None or not named):
        raise InputError.at("size", "needs costs and a tariff")
    return SweepRequest(
        title=stated.profile_name or title,
        site=site,
        batteries=batteries,
        battery=battery,
        strategies=_strategies(asked, stated),
        tariffs=found,
        policies=tuple(options["policies"]),
        metrics=asked.metrics,
        costs=asked.costs,
        size=None if asked.size is None else asked.size.model_dump(),
        out=asked.out,
        workers=asked.workers,
        assumptions=tuple(dict.fromkeys(notes)),
    )


def _strategies(asked: _File, stated: StorageRequest) -> dict[str, Strategy]:
    """Those of the file by name, or the request's own."""
    if not asked.strategies:
        return {"": strategy_of(stated)}
    found = {}
    for i, given in enumerate(asked.strategies):
        wanted = {given: True} if isinstance(given, str) else given
        storage = {"dispatchStrategy": wanted}
        try:
            request = {"fromDateTime": "2025-01-01T00:00:00Z", "consumption": {"profileId": "-"}}
            strategy = strategy_of(StorageRequest.model_validate(request | {"storage": storage}))
        except InputError as error:
            reason, path = error.problems[0].reason, f"strategies[{i}]"
            raise InputError.at(path, reason, given) from None
        name = type(strategy).__name__
        found[name if name not in found else f"{name} {i}"] = strategy
    return found


def _batteries(given: Mapping[str, Any], battery: Battery, folder: Path) -> Parameters:
    """A grid of ranges, or a table in a file, beside the request's own parameters."""
    own = dict(given)
    path = own.pop("table", None)
    columns: Mapping[str, Any] = {} if path is None else _table(path, folder)
    for name, value in own.items():
        if isinstance(value, Mapping):
            own[name] = _range(value, name)
    both = sorted(set(columns) & set(own))
    if both:
        raise InputError.at(both[0], f"is a column of {path} already")
    powers = any(name in _POWERS or name in ("power_kw", "duration_hours") for name in given)
    powers = powers or any(name in ("power_kw", "duration_hours", *_POWERS) for name in columns)
    shared = {
        name: getattr(battery, name)
        for name in Battery.model_fields
        if name not in own and name not in columns and not (powers and name in _POWERS)
    }
    if path is None:
        return BatteryGrid(**own, **shared)
    return parameters_of({**columns, **own, **shared}, "")


def _range(given: Mapping[str, Any], name: str) -> Any:
    """``{ from, to, count }`` or ``{ from, to, step }``, both ends in it."""
    keys = set(given)
    if keys not in (_ENDS, _ENDS - {"count"} | {"step"}):
        reason = "must be { from = …, to = …, count = … }, or step in place of count"
        raise InputError.at(name, reason, ", ".join(given))
    low, high = (number(given[end], f"{name}.{end}") for end in ("from", "to"))
    if "count" in given:
        count = whole_number(given["count"], f"{name}.count", _MOST_VALUES)
        return np.linspace(low, high, count)
    step = number(given["step"], f"{name}.step")
    if not step > 0 or high < low or (high - low) / step > _MOST_VALUES:
        raise InputError.at(f"{name}.step", "must lead from the first to the last", step)
    return low + step * np.arange(int((high - low) / step + 1e-9) + 1)


def _table(path: Any, folder: Path) -> Mapping[str, Any]:
    """The columns of a CSV or Parquet file."""
    if not isinstance(path, str) or not path.lower().endswith((".csv", ".parquet")):
        raise InputError.at("table", "must be the name of a CSV or Parquet file", path)
    file = folder / path
    try:
        if path.lower().endswith(".csv"):
            with file.open(newline="", encoding="utf-8-sig") as lines:
                rows = list(csv.DictReader(lines, strict=True))
            if not rows:
                raise ValueError("it has no rows")
            if any(None in row or None in row.values() for row in rows):
                raise ValueError("a row has more or fewer cells than the first")
            return {name: [_cell(row[name]) for row in rows] for name in rows[0]}
        with needs_extra("a table in Parquet", "parquet"):
            import pyarrow.parquet
        table = pyarrow.parquet.read_table(file)
        return {name: np.asarray(table[name]) for name in table.column_names}
    except MissingExtraError:
        raise
    except Exception as error:
        raise InputError.at("table", f"cannot be read: {error}", path) from None


def _cell(text: Any) -> Any:
    """A number or a flag where a cell spells one."""
    if isinstance(text, str) and text.strip().lower() in ("true", "false"):
        return text.strip().lower() == "true"
    try:
        return float(text)
    except (TypeError, ValueError):
        return text
