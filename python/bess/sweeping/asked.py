"""What a sweep's file has several of, in a list or by name, and its strategies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from bess.errors import InputError, nearest_name
from bess.storage.dispatching import strategy_of
from bess.storage.request import StorageRequest
from bess.strategy import Follow, Optimize, PeakShave, Strategy
from bess.sweeping.asked_batteries import read_columns

__all__ = ["One", "several", "strategy_asked"]

_PLAIN: Final = ("optimize", "chargeOnSurplus", "charge_on_surplus")
_KINDS: Final = ("optimize", "chargeOnSurplus", "fixedSchedule", "peakShave", "follow")
_NAMES: Final = f"{', '.join(_KINDS)}; the last three with options"
_REQUEST: Final = {"fromDateTime": "2025-01-01T00:00:00Z", "consumption": {"profileId": "-"}}


class One(NamedTuple):
    """One of several."""

    path: str
    """Where it is in the file."""
    name: str
    """As the file calls it; empty in a list."""
    value: Any


def several(given: Any, path: str, wanted: str) -> list[One]:
    """What is given in a list, or by name in a table.

    Raises
    ------
    InputError
        Where it is neither.
    """
    if isinstance(given, Mapping):
        return [One(f"{path}.{name}", name, value) for name, value in given.items()]
    if isinstance(given, Sequence) and not isinstance(given, (str, bytes)):
        return [One(f"{path}[{i}]", "", value) for i, value in enumerate(given)]
    raise InputError.at(path, f"must be a list of {wanted}, or a table of them by name", given)


def strategy_asked(asked: One, folder: Path) -> Strategy:
    """One strategy: as requests spell it, or a table of one of the others and its options.

    Raises
    ------
    InputError
        At the strategy, or its option.
    """
    given, path = asked.value, asked.path
    kind, options = "", None
    if isinstance(given, Mapping) and len(given) == 1:
        kind, options = next(iter(given.items()))
    if not isinstance(options, Mapping) or kind in ("fixedSchedule", "fixed_schedule"):
        wanted = {given: True} if isinstance(given, str) else given
        if isinstance(given, str) and given not in _PLAIN:
            near = nearest_name(given, _KINDS)
            more = f"; did you mean {near}?" if near else ""
            raise InputError.at(path, f"must be one of {_NAMES}{more}", given)
        try:
            storage = {"storage": {"dispatchStrategy": wanted}}
            return strategy_of(StorageRequest.model_validate(_REQUEST | storage))
        except InputError as error:
            problems = [p for p in error.problems if p.path.startswith("storage.")]
            inner = problems[0].path.removeprefix("storage.dispatchStrategy").lstrip(".")
            if inner and not isinstance(given, str):
                raise InputError.at(f"{path}.{inner}", *_said(problems[0])) from None
            raise InputError.at(path, problems[0].reason, given) from None
    try:
        if kind == "optimize":
            return Optimize(**options)
        if kind in ("peakShave", "peak_shave"):
            return PeakShave(**options)
        if kind == "follow":
            return Follow(**_power(options, folder))
    except TypeError:
        raise InputError.at(f"{path}.{kind}", "takes power_kw", dict(options)) from None
    except InputError as error:
        raise error.under(f"{path}.{kind}") from None
    raise InputError.at(path, f"must be one of {_NAMES}", kind)


def _said(problem: Any) -> tuple[str, Any]:
    return problem.reason, problem.value


def _power(options: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """The power to follow: a list, or the column of that name in a file."""
    given = dict(options)
    if isinstance(given.get("power_kw"), str):
        columns = read_columns(given["power_kw"], folder, "power_kw")
        if "power_kw" not in columns:
            reason = f"must have a column power_kw; it has {', '.join(columns)}"
            raise InputError.at("power_kw", reason, given["power_kw"])
        given["power_kw"] = columns["power_kw"]
    return given
