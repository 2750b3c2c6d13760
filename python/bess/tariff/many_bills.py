"""Stand-in until bills of many batteries are written."""

from typing import Any

__all__ = ["ManyBills"]


class ManyBills:
    """Refuses every tariff."""

    refusal: str | None = "not written yet"
    layout: Any = None

    def __init__(self, tariff: Any, timeline: Any) -> None: ...

    def of(self, imports: Any, exports: Any, peaks: Any) -> tuple[Any, dict[str, Any]]:
        """Nothing yet."""
        raise NotImplementedError
