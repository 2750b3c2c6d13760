"""What a published rate prices, imports or exports, and over what the two are netted before.

``BUY_IMPORT`` and ``SELL_EXPORT`` settle each interval. ``BUY``, ``SELL`` and ``NET`` net the
imports and exports of the rate's ``chargePeriod``: ``BUY`` charges what is left above 0, ``SELL``
pays for what is below, ``NET`` does both at one price.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from bess.errors import InputError
from bess.tariff.bands import Refused
from bess.tariff.genability_models import Rate
from bess.tariff.rates import Settlement

__all__ = ["Transactions"]

_PRICES_IMPORT: Final = ("BUY", "BUY_IMPORT", "NET")
_PRICES_EXPORT: Final = ("SELL", "SELL_EXPORT", "NET")
_SPANS: Final[dict[str | None, Settlement]] = {
    None: "billing_period",
    "HOURLY": "hour",
    "DAILY": "day",
    "MONTHLY": "billing_period",
    "QUARTERLY": "quarter",
    "ANNUALLY": "year",
}


@dataclass
class Transactions:
    """Tells what rates price, and keeps account of what that assumes."""

    assumptions: list[str] = field(default_factory=list)
    kinds: set[str] = field(default_factory=set)

    def sides(self, rate: Rate, path: str) -> tuple[bool, bool]:
        """Whether a rate prices imports, and exports."""
        kind = rate.transaction_type
        if kind is None:
            kind = "BUY_IMPORT"
            self.assumptions.append(f"{path} has no transactionType: taken as BUY_IMPORT")
        if kind not in _PRICES_IMPORT and kind not in _PRICES_EXPORT:
            valid = "BUY, BUY_IMPORT, SELL, SELL_EXPORT or NET"
            raise InputError.at(f"{path}.transactionType", f"must be {valid}", kind)
        bypassable = "NON_BYPASSABLE" not in rate.charge_class
        self.kinds.add(kind if bypassable or kind != "NET" else "NET, NON_BYPASSABLE")
        return kind in _PRICES_IMPORT, kind in _PRICES_EXPORT and (kind != "NET" or bypassable)

    def settlement(self, rate: Rate, banded: bool, by_step: bool) -> Settlement:
        """Over what a rate nets; ``banded``: it has tiers, ``by_step``: prices by step.

        Raises
        ------
        Refused
            For a charge period over which it cannot.
        """
        if rate.charge_period not in _SPANS:
            valid = ", ".join(name for name in _SPANS if name)
            raise Refused(f"is charged {rate.charge_period}: not supported (known: {valid})")
        span = _SPANS[rate.charge_period]
        if banded and span != "billing_period":
            raise Refused(f"has tiers that count {rate.charge_period}, not by month: not supported")
        if rate.transaction_type in (None, "BUY_IMPORT", "SELL_EXPORT"):
            return "interval"
        if by_step and span != "hour":
            label = rate.rate_name or rate.rate_group_name or "a rate"
            self.assumptions.append(
                f"{label}: its price is one by step, so it settles each interval, not over its "
                "charge period"
            )
            return "interval"
        one_price = rate.transaction_type == "NET" and not banded
        return "interval" if one_price else span

    def notes(self) -> list[str]:
        """What was assumed, a sentence each."""
        found = list(self.assumptions)
        if "NET, NON_BYPASSABLE" in self.kinds:
            found.append("NON_BYPASSABLE rates are charged on imports, never credited")
        return found
