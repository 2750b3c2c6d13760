"""A sweep asked for in a file: storage requests, and what is varied of them."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from bess._arrays import whole_number
from bess._json import read_json
from bess._validation import Integer, ListOf, Model, Number
from bess.battery import Battery
from bess.errors import InputError
from bess.policy import SchedulePolicy
from bess.prices import Prices
from bess.site import Site
from bess.sizing.sizes import sizes_of
from bess.storage.dispatching import battery_of, strategy_of
from bess.storage.request import StorageRequest
from bess.storage.run import read_request
from bess.strategy import Strategy
from bess.sweeping.asked import One, several, strategy_asked
from bess.sweeping.asked_batteries import batteries_asked
from bess.sweeping.costs import Costs
from bess.sweeping.fingerprint import fingerprint
from bess.sweeping.parameters import Parameters
from bess.tariff import Tariff

__all__ = ["SweepRequest", "read_sweep_request"]

_MOST_WORKERS: Final = 1024
_MOST_POINTS: Final = 2001


class _Sized(Model):
    """The ranges among which `bess.size` finds the best."""

    capacity_kwh: ListOf[Number] | Number
    power_kw: ListOf[Number] | Number | None = None
    duration_hours: Number | None = None
    points: Integer | None = None


class _File(Model):
    """The file as it is written."""

    request: str | dict[str, Any] | None = None
    requests: Any = None
    batteries: dict[str, Any]
    tariffs: Any = ()
    strategies: Any = ()
    metrics: ListOf[str] | None = None
    costs: Costs | None = None
    past_peaks_kw: Any = None
    size: _Sized | None = None
    out: str | None = None
    report: str | None = None
    workers: Integer | None = None
    cluster: str | None = None


@dataclass(frozen=True, eq=False)
class SweepRequest:
    """What a file asks for, read."""

    title: str
    sites: dict[str, Site]
    batteries: Parameters
    battery: Battery
    """Of the requests: its parameters that are not varied."""
    strategies: dict[str, Strategy]
    tariffs: dict[str, Tariff | Prices | None]
    policies: tuple[SchedulePolicy, ...]
    metrics: tuple[str, ...] | None
    costs: Costs | None
    past_peaks_kw: Any
    size: dict[str, Any] | None
    out: str | None
    report: str | None
    workers: int | None
    cluster: str | None
    assumptions: tuple[str, ...]
    file: str
    paths: Mapping[str, str]
    """Where in the file the arguments of `bess.sweep` are, by their paths."""

    def in_file(self, error: InputError) -> InputError:
        """An error of `bess.sweep` or `bess.size` as one of the file, where it is of the file."""
        problems = []
        for problem in error.problems:
            path = problem.path
            for own, place in self.paths.items():
                if path == own or path.startswith((f"{own}.", f"{own}[")):
                    path = f"{self.file}.{place}{path[len(own) :]}"
                    break
            problems.append(replace(problem, path=path))
        return InputError(*problems)


def read_sweep_request(file: Path, profiles: Path | None, tariffs: Path | None) -> SweepRequest:
    """Read a file, and all that it names; folders are by default those of the requests.

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
    if asked.workers is not None:
        whole_number(asked.workers, "workers", _MOST_WORKERS)
    places = _Places(asked, file, profiles, tariffs)
    first = places.stated[0]
    battery = places.batteries[0]
    try:
        batteries = batteries_asked(asked.batteries, battery, file.parent)
    except InputError as error:
        raise error.under("batteries") from None
    places.check_alike(set(asked.batteries) | set(batteries.names))
    if asked.size is not None:
        _check_size(asked.size, asked, places.tariffs)
    paths = {"metrics": "metrics", "past_peaks_kw": "past_peaks_kw", "costs": "costs"}
    strategies: dict[str, Strategy] = {}
    for one in several(asked.strategies, "strategies", "strategies"):
        strategy = strategy_asked(one, file.parent)
        name = _new_name(one.name or type(strategy).__name__, strategies)
        strategies[name] = strategy
        paths[f"strategy.{name}"] = one.path
    if len(strategies) == 1:
        paths["strategy"] = next(path for own, path in paths.items() if own.startswith("strategy."))
    paths |= places.paths
    return SweepRequest(
        title=places.title,
        sites=places.sites,
        batteries=batteries,
        battery=battery,
        strategies=strategies or {"": strategy_of(first)},
        tariffs=places.tariffs,
        policies=places.policies[0],
        metrics=asked.metrics,
        costs=asked.costs,
        past_peaks_kw=asked.past_peaks_kw,
        size=None if asked.size is None else asked.size.model_dump(),
        out=asked.out,
        report=asked.report,
        workers=asked.workers,
        cluster=asked.cluster,
        assumptions=tuple(dict.fromkeys(places.notes)),
        file=str(file),
        paths=paths,
    )


class _Places:
    """The requests of a file: their sites, tariffs and batteries."""

    def __init__(
        self, asked: _File, file: Path, profiles: Path | None, tariffs: Path | None
    ) -> None:
        self._asked = asked
        self.requests = _requests(asked)
        self.sites: dict[str, Site] = {}
        self.stated: list[StorageRequest] = []
        self.batteries: list[Battery] = []
        self.policies: list[tuple[SchedulePolicy, ...]] = []
        self.tariffs: dict[str, Tariff | Prices | None] = {}
        self.title = file.stem
        self.notes: list[str] = []
        self.paths: dict[str, str] = {}
        ids = [self._id(one) for one in several(asked.tariffs, "tariffs", "tariff ids")]
        own: list[Any] = []
        for one in self.requests:
            folder, given, title = file.parent, one.value, one.name or f"site {len(self.sites)}"
            if isinstance(given, str):
                path = folder / given
                try:
                    folder, given = path.parent, read_json(path)
                except InputError as error:
                    raise InputError.at(one.path, error.problems[0].reason, given) from None
                title = one.name or path.stem
            if tariffs is None:  # where the first request has its tariffs, all of the file's are
                tariffs = folder if ids else None
            try:
                stated, site, found, notes = read_request(
                    given, profiles or folder, tariffs or folder, {i.path: i.value for i in ids}
                )
            except InputError as error:
                if any(problem.path.startswith("tariffs") for problem in error.problems):
                    raise
                raise error.under(one.path) from None
            battery, options = battery_of(stated)
            if not isinstance(battery, Battery):
                reason = "cannot be swept: give the parameters of a battery"
                raise InputError.at(f"{one.path}.devices", reason)
            name = _new_name(title, self.sites)
            self.sites[name] = site
            self.paths[f"site.{name}"] = one.path
            self.stated.append(stated)
            self.batteries.append(battery)
            self.policies.append(tuple(options["policies"]))
            self.notes += notes if len(self.requests) == 1 else [f"{name}: {n}" for n in notes]
            own.append(found)
        if len(self.requests) == 1:
            self.title = self.stated[0].profile_name or next(iter(self.sites))
        names: dict[str, str] = {}
        for one in ids:
            name = _new_name(one.name or one.value, names)
            names[name] = one.path
            self.paths[f"tariff.{name}"] = one.path
        self.tariffs = {n: own[0][path] for n, path in names.items()} or own[0]
        for one, found in zip(self.requests[1:], own[1:], strict=True):
            if not ids and fingerprint(found) != fingerprint(own[0]):
                reason = "has another tariff than the first: name those to try in tariffs"
                raise InputError.at(f"{one.path}.storage.mainTariffId", reason)

    def _id(self, one: One) -> One:
        if not isinstance(one.value, str):
            raise InputError.at(one.path, "must be the id of a tariff", one.value)
        return one

    def check_alike(self, given: set[str]) -> None:
        """Refuse requests that differ in what a sweep has one of, unless the file gives it.

        Raises
        ------
        InputError
            At the request that differs from the first.
        """
        sizes = {"capacity_kwh", "charge_power_kw", "discharge_power_kw"}
        for i, one in enumerate(self.requests):
            battery, first = self.batteries[i], self.batteries[0]
            other = [
                name
                for name in Battery.model_fields
                if name not in sizes | given and getattr(battery, name) != getattr(first, name)
            ]
            if other:
                reason = f"has another battery than the first, by {other[0]}: give it in batteries"
                raise InputError.at(f"{one.path}.storage", reason)
            if self.policies[i] != self.policies[0]:
                reason = "must be those of the first request"
                raise InputError.at(f"{one.path}.storage.policies", reason)
            alike = strategy_of(self.stated[i]) == strategy_of(self.stated[0])
            if not self._asked.strategies and not alike:
                reason = "is not that of the first request: name those to try in strategies"
                raise InputError.at(f"{one.path}.storage.dispatchStrategy", reason)


def _requests(asked: _File) -> list[One]:
    if (asked.request is None) == (asked.requests is None):
        reason = "is required, or requests by name" if asked.request is None else ""
        raise InputError.at("request", reason or "cannot be given together with requests")
    if asked.request is not None:
        return [One("request", "", asked.request)]
    found = several(asked.requests, "requests", "requests")
    for one in found:
        if not isinstance(one.value, (str, Mapping)):
            raise InputError.at(one.path, "must be a request, or the name of its file", one.value)
    if not found:
        raise InputError.at("requests", "must have at least one")
    return found


def _check_size(size: _Sized, asked: _File, tariffs: Mapping[str, Any]) -> None:
    if asked.costs is None or None in tariffs.values():
        raise InputError.at("size", "needs costs and a tariff")
    try:
        sizes_of(size.capacity_kwh, size.power_kw, size.duration_hours)
        if size.points is not None:
            whole_number(size.points, "points", _MOST_POINTS)
    except InputError as error:
        raise error.under("size") from None


def _new_name(name: str, taken: Mapping[str, Any]) -> str:
    return name if name not in taken else f"{name} {len(taken)}"
