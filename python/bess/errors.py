"""What can go wrong, as types: bad input, a problem without an answer, a solver that failed."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Final

__all__ = [
    "BessError",
    "ClusterError",
    "InfeasibleError",
    "InputError",
    "MissingExtraError",
    "Problem",
    "SolverError",
    "nearest_name",
    "needs_extra",
]


class _NoValue:
    """Stands for "there is no value to show" (a missing field, say), where None may be a value."""

    def __repr__(self) -> str:
        return "NO_VALUE"

    def __reduce__(self) -> str:
        return "NO_VALUE"


NO_VALUE: Final = _NoValue()


@dataclass(frozen=True)
class Problem:
    """One thing wrong with an input: where, what was there, and what would be valid.

    >>> str(Problem("capacity_kwh", "must be greater than 0", -1))
    'capacity_kwh = -1: must be greater than 0'
    """

    path: str
    """The field in the caller's own spelling, such as ``policies[0].schedule.time``."""
    reason: str
    """What would be valid."""
    value: Any = NO_VALUE
    """What was there; ``NO_VALUE`` where there was nothing to show."""

    def __str__(self) -> str:
        if self.value is NO_VALUE:
            return f"{self.path}: {self.reason}" if self.path else self.reason
        shown = re.sub(r"\s*\n\s*", " ", repr(self.value))
        if len(shown) > 80:
            shown = f"{shown[:77]}..."
        return f"{self.path} = {shown}: {self.reason}" if self.path else f"{shown}: {self.reason}"


class BessError(Exception):
    """The base of every error this library raises on purpose.

    >>> issubclass(InputError, BessError), issubclass(InputError, ValueError)
    (True, True)
    """


class InputError(BessError, ValueError):
    """Something given to the library is not valid; nothing was run and nothing was written.

    ``problems`` lists every problem found, each with the field's path in the caller's own
    spelling, the value, and what would be valid; the message has one line for each.

    >>> str(InputError.at("storage.batteryMinSoc", "must be at most 1", 1.5))
    'storage.batteryMinSoc = 1.5: must be at most 1'
    """

    def __init__(self, *problems: Problem) -> None:
        super().__init__(*problems)
        self.problems: tuple[Problem, ...] = problems

    @classmethod
    def at(cls, path: str, reason: str, value: Any = NO_VALUE) -> InputError:
        """The error of a single problem."""
        return cls(Problem(path, reason, value))

    def under(self, prefix: str) -> InputError:
        """The same problems seen from one level further out: ``a`` becomes ``prefix.a``."""
        return InputError(*(replace(p, path=join_path(prefix, p.path)) for p in self.problems))

    def __str__(self) -> str:
        return "\n".join(str(problem) for problem in self.problems)


class InfeasibleError(BessError):
    """No dispatch can meet what was asked; says when it fails first and by how much.

    ``step`` is the index of the first step that cannot be met (None where none can be named),
    ``timestamp`` the instant (ISO 8601) of the policy or of the horizon's end that is missed, or
    the start of the step whose load is above the import limit; ``shortfall_kwh`` the stored energy,
    kWh DC, missing there (0 where it is not known).

    >>> error = InfeasibleError("the load is above the import limit", step=3, shortfall_kwh=0.5)
    >>> str(error), error.step, error.shortfall_kwh
    ('the load is above the import limit', 3, 0.5)
    """

    def __init__(
        self, message: str, step: int | None = None, timestamp: str = "", shortfall_kwh: float = 0.0
    ) -> None:
        super().__init__(message, step, timestamp, shortfall_kwh)
        self.step = step
        self.timestamp = timestamp
        self.shortfall_kwh = shortfall_kwh

    def __str__(self) -> str:
        return str(self.args[0])


class SolverError(BessError):
    """The solver gave no answer that can be trusted (a time limit without a schedule, say).

    >>> issubclass(SolverError, BessError)
    True
    """


class ClusterError(BessError):
    """A cluster was lost in the middle of a sweep, or gave up on a part of it.

    >>> issubclass(ClusterError, BessError)
    True
    """


class MissingExtraError(BessError, ImportError):
    """An optional part of the library was used without the package it needs.

    >>> str(MissingExtraError("to_pandas()", "pandas"))
    "to_pandas() needs an extra: pip install 'bess-dispatch[pandas]'"
    """

    def __init__(self, feature: str, extra: str) -> None:
        super().__init__(feature, extra)
        self.extra = extra

    def __str__(self) -> str:
        feature, extra = self.args
        return f"{feature} needs an extra: pip install 'bess-dispatch[{extra}]'"


@contextmanager
def needs_extra(feature: str, extra: str) -> Iterator[None]:
    """Import an optional package within: without it a `MissingExtraError` names the extra.

    >>> with needs_extra("to_pandas()", "pandas"):
    ...     import no_such_package
    Traceback (most recent call last):
    bess.errors.MissingExtraError: to_pandas() needs an extra: pip install 'bess-dispatch[pandas]'
    """
    try:
        yield
    except ImportError:
        raise MissingExtraError(feature, extra) from None


def nearest_name(name: str, known: Iterable[str]) -> str | None:
    """The known name a misspelt one most likely means, or None.

    >>> nearest_name("batteryMinSOC", ["batteryMinSoc", "batteryMaxSoc"])
    'batteryMinSoc'
    """
    by_key = {candidate.replace("_", "").lower(): candidate for candidate in known}
    key = name.replace("_", "").lower()
    close = difflib.get_close_matches(key, list(by_key), n=1, cutoff=0.6)
    return by_key[close[0]] if close else None


def join_path(prefix: str, path: str) -> str:
    """``a`` and ``b`` → ``a.b``; ``a`` and ``[0].b`` → ``a[0].b``; an empty side adds nothing."""
    if not prefix or not path:
        return prefix or path
    return f"{prefix}{path}" if path.startswith("[") else f"{prefix}.{path}"
