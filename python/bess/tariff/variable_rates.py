"""Prices that a tariff does not state but looks up by a key: given by the user, or zero."""

from __future__ import annotations

import numbers
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from bess.errors import NO_VALUE, InputError, Problem, nearest_name

__all__ = ["LARGEST_PRICE", "VariableRates"]

LARGEST_PRICE = 1e9
"""Money per kWh; more than this is a mistake, and sums of prices stay far from overflow."""


@dataclass
class VariableRates:
    """The values given by key, and which keys were asked for in vain."""

    given: Mapping[str, float]
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
        for key, value in given.items():
            real = isinstance(value, numbers.Real) and not isinstance(value, bool)
            if not isinstance(key, str) or not real or not abs(value) <= LARGEST_PRICE:
                raise InputError.at(
                    f"variable_rates.{key}", "must be a number (money per kWh)", value
                )
        return cls({key: float(value) for key, value in given.items()}, missing == "zero")

    def known(self, key: str) -> float | None:
        """The value of a key, without asking for it."""
        return self.given.get(key, 0.0 if self.zero else None)

    def ask(self, key: str) -> float:
        """The value of a key; 0, and its absence noted, where it is not given."""
        if key not in self.given:
            self.absent[key] = None
        return self.given.get(key, 0.0)

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
