"""What tells one sweep from another: digests of everything that its answers follow from."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import date, datetime, time, tzinfo
from typing import Any, Final

import numpy as np
from pydantic import BaseModel

from bess.sweeping.parameters import Parameters

__all__ = ["fingerprint", "fingerprint_of_batteries"]

_ROWS: Final = 65_536
_PLAIN: Final = (bool, int, float, str, bytes, type(None), date, datetime, time, tzinfo)


def fingerprint(value: Any) -> str:
    """A digest that two values share where they are equal, in any process on any machine.

    It takes numbers and text, arrays, containers (in their order), models, data classes, and other
    objects by what pickling would keep of them.

    >>> fingerprint([1, 2.0]) == fingerprint((1, 2.0)), fingerprint([1]) == fingerprint([1.0])
    (True, False)
    """
    digest = hashlib.sha256()
    _feed(digest, value)
    return digest.hexdigest()[:32]


def fingerprint_of_batteries(parameters: Parameters) -> str:
    """A digest of all rows, however they are made."""
    digest = hashlib.sha256()
    _feed(digest, [parameters.names, sorted(parameters.shared.items()), len(parameters)])
    for first in range(0, len(parameters), _ROWS):
        rows = parameters.rows(first, min(first + _ROWS, len(parameters)))
        _feed(digest, list(rows.values()))
    return digest.hexdigest()[:32]


def _feed(digest: Any, value: Any) -> None:
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, _PLAIN):
        _head(digest, type(value).__name__, repr(value))
    elif isinstance(value, np.ndarray) and value.dtype != object:
        _head(digest, "array", f"{value.dtype.str}{value.shape}")
        digest.update(np.ascontiguousarray(value).data)
    elif isinstance(value, (list, tuple, np.ndarray)):
        _head(digest, "sequence", str(len(value)))
        for item in value:
            _feed(digest, item)
    elif isinstance(value, (set, frozenset)):
        _feed(digest, sorted(fingerprint(item) for item in value))
    elif isinstance(value, Mapping):
        _feed(digest, list(value.items()))
    elif isinstance(value, type) or callable(value):
        _head(digest, "name", f"{value.__module__}.{value.__qualname__}")
    else:
        _head(digest, "object", f"{type(value).__module__}.{type(value).__qualname__}")
        _feed(digest, _state(value))


def _state(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return [(name, getattr(value, name)) for name in type(value).model_fields]
    if is_dataclass(value):
        return [(field.name, getattr(value, field.name)) for field in fields(value)]
    return value.__reduce_ex__(2)[1:3]


def _head(digest: Any, kind: str, text: str) -> None:
    digest.update(f"{kind} {len(text)} {text}".encode())
