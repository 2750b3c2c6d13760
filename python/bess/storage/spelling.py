"""Errors from inside, told in the words of the request: its fields, as the caller spelt them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from bess.errors import InputError, join_path
from bess.storage.savings_inputs import SAVINGS_FIELDS

__all__ = ["Spelling"]

_FIELDS: Final = {
    "start": "fromDateTime",
    "time_zone": "timeZone",
    "typical": "consumption.typicalProfileId",
    "export_limit_kwh": "storage.exportLimitKwhAc",
    "import_limit_kwh": "storage.importLimitKwhAc",
    "inverter_limit_kw": "storage.inverterLimitKwAc",
    "property_inputs": "storage.tariffPropertyInputs",
    "policies": "storage.policies",
    "charge": "storage.dispatchStrategy.fixedSchedule.chargeTous",
    "discharge": "storage.dispatchStrategy.fixedSchedule.dischargeTous",
    "calendars": "storage.dispatchStrategy.fixedSchedule.calendars",
    "initial_state_of_charge": "storage.batteryInitialSoc",
    "terminal_state_of_charge": "storage.batteryTerminalSoc",
    "self_discharge_per_hour": "storage.batterySelfDischargePerHour",
}
"""The request's field behind a name of the Python interface."""


class Spelling:
    """How a request spells its fields."""

    def __init__(self, request: Any) -> None:
        self._request = request if isinstance(request, Mapping) else {}

    def path(self, camel: str) -> str:
        """The path of a field, such as ``storage.mainTariffId``, each part as the caller has it."""
        found = ""
        node: Any = self._request
        for part in camel.split("."):
            wanted = part.lower()
            keys = node if isinstance(node, Mapping) else ()
            same = (key for key in keys if str(key).replace("_", "").lower() == wanted)
            key = next(same, part)
            node = node.get(key) if isinstance(node, Mapping) else None
            found = join_path(found, str(key))
        return found

    def of_tariff(self, error: InputError) -> InputError:
        """An error in a tariff, the customer's properties called as in the request."""
        return self._renamed(error, {"property_inputs": _FIELDS["property_inputs"]})

    def retold(self, error: InputError) -> InputError:
        """The error with the names of the Python interface replaced by the request's fields."""
        storage = self._request.get(self.path("storage"))
        inside = isinstance(storage, Mapping) and "devices" in storage
        devices = {"battery": "storage.devices" if inside else "devices"}
        return self._renamed(error, SAVINGS_FIELDS | _FIELDS | devices)

    def _renamed(self, error: InputError, fields: Mapping[str, str]) -> InputError:
        problems = []
        for problem in error.problems:
            name = re.match(r"\w*", problem.path)
            first = name[0] if name else ""
            if first in fields:
                rest = problem.path[len(first) :]
                problem = replace(problem, path=self.path(fields[first]) + rest)
            problems.append(problem)
        return InputError(*problems)
