"""Keys of a tariff that are not read and look like one that is: probably misspelt."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from bess._validation import CamelModel
from bess.errors import nearest_name
from bess.tariff.genability_models import SAYS_NOTHING, Band, GenabilityTariff, Rate

__all__ = ["unread_keys"]


def unread_keys(tariff: Mapping[str, Any]) -> Iterator[str]:
    """A sentence for every key of the tariff, its rates and their bands that is nearly a known one.

    >>> list(unread_keys({"rates": [{"rateBands": [], "timeofuse": {}}]}))
    ['rates[0].timeofuse is not read: did you mean timeOfUse?']
    """
    yield from _unread(tariff, GenabilityTariff, "")
    for i, rate in enumerate(tariff.get("rates", ())):
        yield from _unread(rate, Rate, f"rates[{i}].")
        for j, band in enumerate(rate.get("rateBands") or rate.get("rate_bands") or ()):
            yield from _unread(band, Band, f"rates[{i}].rateBands[{j}].")


def _unread(obj: Mapping[str, Any], model: type[CamelModel], path: str) -> Iterator[str]:
    names = [field.alias or name for name, field in model.model_fields.items()]
    read = {*names, *model.model_fields}
    for key in obj:
        if key not in read and key not in SAYS_NOTHING[model]:
            guess = nearest_name(str(key), names)
            if guess is not None:
                yield f"{path}{key} is not read: did you mean {guess}?"
