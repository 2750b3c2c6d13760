"""What a request may ask of the lifetime: the fields of its ``savings`` (ours)."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from pydantic import Discriminator, Tag
from pydantic.alias_generators import to_camel

from bess._validation import ListOf, TextInteger, TextNumber
from bess.storage.asked import Asked
from bess.storage.fields import Identifier, one_or_list

__all__ = ["SAVINGS_FIELDS", "SavingsInputs"]


class SavingsInputs(Asked):
    """A savings analysis; the bill after storage is on the request's own tariff.

    The fields are the arguments of `bess.savings`, with its defaults. Without
    ``beforeTariffId`` every scenario is on the request's tariff; ``solarTariffId`` is by default
    that tariff too.
    """

    before_tariff_id: Identifier | None = None
    solar_tariff_id: Identifier | None = None
    years: TextInteger | None = None
    battery_degradation: dict[str, TextNumber] | None = None
    solar_degradation_percent: TextNumber | None = None
    rate_inflation_percent: TextNumber | None = None
    discount_rate_percent: TextNumber | None = None
    capital_cost: TextNumber | None = None
    annual_cost: (
        Annotated[
            Annotated[TextNumber, Tag("one")] | Annotated[ListOf[TextNumber], Tag("list")],
            Discriminator(one_or_list),
        ]
        | None
    ) = None
    compared_with: Literal["before", "solar"] | None = None
    every: TextInteger | None = None

    def arguments(self) -> dict[str, Any]:
        """Those of `bess.savings` that are given, tariffs apart."""
        given = self.model_dump(exclude_none=True)
        return {name: value for name, value in given.items() if not name.endswith("_id")}


SAVINGS_FIELDS: Final = {
    name: f"savings.{to_camel(name)}" for name in SavingsInputs.model_fields
} | {
    "site": "savings",
    "before_tariff": "savings.beforeTariffId",
    "solar_tariff": "savings.solarTariffId",
    "after_tariff": "storage.mainTariffId",
}
"""The request's field behind a name of `bess.savings`."""
