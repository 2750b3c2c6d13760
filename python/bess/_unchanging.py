"""Objects whose attributes are set once, when they are made."""

from __future__ import annotations

from typing import Any

__all__ = ["Unchanging"]


class Unchanging:
    """Refuses to set or delete an attribute; a constructor uses ``object.__setattr__``."""

    __slots__ = ()

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"{type(self).__name__}.{name} cannot be changed: make a new one")

    def __delattr__(self, name: str) -> None:
        self.__setattr__(name, None)
