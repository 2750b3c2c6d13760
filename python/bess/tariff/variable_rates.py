"""Prices that a tariff does not state but looks up by a key: given by the user, or zero."""

from __future__ import annotations

import numbers
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np

from bess.errors import NO_VALUE, InputError, Problem, nearest_name
from bess.tariff.series import PriceSeries
from bess.timeline import EPOCH, SECOND, parse_instant

__all__ = ["LARGEST_PRICE", "VariableRates"]

LARGEST_PRICE = 1e9
"""Money per kWh; more than this is a mistake, and sums of prices stay far from overflow."""


@dataclass
class VariableRates:
    """The values given by key, and which keys were asked for in vain.

    A value is a number, or prices by step: a list of them for the horizon's steps, or a mapping of
    instants (a pandas Series) to the prices from then on, evenly spaced.
    """

    given: Mapping[str, float | PriceSeries]
    zero: bool
    absent: dict[str, None] = field(default_factory=dict)

    @classmethod
    def read(cls, given: Any, missing: str) -> VariableRates:
        """Check the form of ``variable_rates`` and of ``missing``."""
        if missing not in ("error", "zero"):
            raise InputError.at("missing", 'must be "error" or "zero"', missing)
        if given is None:
            given = {}
        if not isinstance(given, Mapping):
            raise InputError.at("variable_rates", "must be an object of keys and prices", given)
        for key in given:
            if not isinstance(key, str):
                raise InputError.at(f"variable_rates.{key}", "must be named by a string", key)
        read = {key: _value(value, f"variable_rates.{key}") for key, value in given.items()}
        return cls(read, missing == "zero")

    def known(self, key: str) -> float | None:
        """The number of a key, without asking for it; None where there is none."""
        value = self.given.get(key, 0.0 if self.zero else None)
        return None if isinstance(value, PriceSeries) else value

    def series(self, key: str | None) -> PriceSeries | None:
        """The prices by step of a key, where it has such."""
        value = self.given.get(key) if key is not None else None
        return value if isinstance(value, PriceSeries) else None

    def ask(self, key: str) -> float:
        """The number of a key; 0, and its absence noted, where it is not given.

        Raises
        ------
        InputError
            Where it has prices by step, and one number is needed.
        """
        if key not in self.given:
            self.absent[key] = None
        value = self.given.get(key, 0.0)
        if isinstance(value, PriceSeries):
            reason = "must be one number: its rate is not charged on energy"
            raise InputError.at(f"variable_rates.{key}", reason)
        return value

    def problems(self, keys: Iterable[str]) -> list[Problem]:
        """One problem that lists every key asked for in vain, and what was perhaps meant for it."""
        if self.zero or not self.absent:
            return []
        unused = [key for key in self.given if key not in set(keys)]
        shown = []
        for key in self.absent:
            guess = nearest_name(key, unused)
            shown.append(f"{key} (given as {guess}?)" if guess else key)
        reason = f'must give the prices of {", ".join(shown)} (or missing="zero")'
        return [Problem("variable_rates", reason, NO_VALUE)]

    def assumptions(self, keys: Iterable[str]) -> list[str]:
        """What was taken as zero, and what was given but belongs to no rate."""
        found = []
        if self.absent:
            found.append(f"variable rates not given are taken as 0: {', '.join(self.absent)}")
        known = set(keys)
        unused = [key for key in self.given if key not in known]
        if unused:
            found.append(f"variable rates of no rate of the tariff: {', '.join(unused)}")
        return found


def _value(value: Any, path: str) -> float | PriceSeries:
    if isinstance(value, PriceSeries):
        return value
    if isinstance(value, np.ndarray) and value.ndim == 0:
        value = value.item()
    if hasattr(value, "index") and hasattr(value, "items"):  # a pandas Series
        value = dict(value.items()) if hasattr(value.index, "tz") else list(value)
    if isinstance(value, Mapping):
        return _by_instant(value, path)
    if isinstance(value, (Sequence, np.ndarray)) and not isinstance(value, (str, bytes)):
        prices = [_price(price, f"{path}[{i}]") for i, price in enumerate(value)]
        if not prices:
            raise InputError.at(path, "must hold at least one price", value)
        return PriceSeries(np.array(prices), np.array(prices), path=path)
    return _price(value, path)


def _by_instant(given: Mapping[Any, Any], path: str) -> PriceSeries:
    seconds, prices = [], []
    for i, (instant, price) in enumerate(given.items()):
        moment = parse_instant(instant, f"{path}, instant {i + 1}")
        seconds.append((moment - EPOCH) // SECOND)
        prices.append(_price(price, f"{path}[{moment.isoformat()}]"))
    if len(prices) < 2:
        reason = "must hold two instants or more, so that the length of a step is known"
        raise InputError.at(path, reason)
    step = seconds[1] - seconds[0]
    for i, (before, after) in enumerate(pairwise(seconds)):
        if after - before != step or step <= 0:
            reason = "must rise by one step from instant to instant"
            place = list(given)[i + 1]
            raise InputError.at(path, reason, place if isinstance(place, str) else str(place))
    both = np.array(prices)
    return PriceSeries(both, both, path=path, step_seconds=step, start_seconds=seconds[0])


def _price(value: Any, path: str) -> float:
    real = isinstance(value, numbers.Real) and not isinstance(value, bool)
    if not real or not abs(value) <= LARGEST_PRICE:
        raise InputError.at(path, "must be a number (money per kWh)", value)
    return float(value)
