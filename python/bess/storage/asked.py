"""The base of every part of a request."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import model_validator

from bess._validation import CamelModel

__all__ = ["Asked"]


class Asked(CamelModel):
    """A part of the request: null counts as absent."""

    @model_validator(mode="before")
    @classmethod
    def _null_is_absent(cls, data: Any) -> Any:
        if not isinstance(data, Mapping):
            return data
        return {key: value for key, value in data.items() if value is not None}
