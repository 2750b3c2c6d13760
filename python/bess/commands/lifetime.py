"""`bess run`'s options of savings, put into the request, where they are checked with all else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["with_savings"]


def with_savings(request: Any, wanted: bool, options: Mapping[str, Any]) -> Any:
    """The request with the ``savings`` that the command line asks for beside its own.

    >>> with_savings({"savings": {"years": 20, "capital_cost": 1}}, False, {"capitalCost": 9.0})
    {'savings': {'years': 20, 'capitalCost': 9.0}}
    """
    given = {name: value for name, value in options.items() if value is not None}
    if not isinstance(request, Mapping) or not (wanted or given):
        return request
    own = request.get("savings") or {}
    if not isinstance(own, Mapping):  # it is refused as it is
        return request
    replaced = {name.lower() for name in given}
    kept = {key: own[key] for key in own if str(key).replace("_", "").lower() not in replaced}
    return {**request, "savings": kept | given}
