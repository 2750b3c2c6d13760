"""What is known of a customer: the property inputs that choose among a tariff's rates and bands."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bess.errors import NO_VALUE, InputError, Problem, nearest_name

__all__ = ["Property", "PropertyInputs", "as_text"]


@dataclass(frozen=True)
class Property:
    """A property that a tariff asks for."""

    key: str
    default: str | None = None
    choices: tuple[tuple[str, str], ...] = ()
    """Values and what they mean, such as ``("3632", "Zone H")``."""


def as_text(value: Any) -> str | None:
    """A property's value as the tariff spells it: true and 3632 are "true" and "3632".

    >>> as_text(True), as_text(3632.0), as_text("Zone H"), as_text([])
    ('true', '3632', 'Zone H', None)
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, (int, float)):
        return str(value)
    if not isinstance(value, str):
        return None
    text = value.strip()
    return text.lower() if text.lower() in ("true", "false") else text


@dataclass
class PropertyInputs:
    """Answers a tariff's questions about the customer, and keeps account of what it had to assume.

    ``given`` is a mapping of keys to values, or a list of ``{"keyName": …, "dataValue": …}``.
    """

    given: dict[str, str]
    properties: Mapping[str, Property]
    assumptions: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    asked: dict[str, str | None] = field(default_factory=dict)

    @classmethod
    def read(cls, given: Any, properties: Iterable[Property]) -> PropertyInputs:
        """Check the form of the inputs; raises `InputError` at ``property_inputs``."""
        known = {p.key: p for p in properties}
        inputs = cls(_read(given), known)
        for key, value in inputs.given.items():
            if key not in known:
                guess = nearest_name(key, known)
                hint = f" (did you mean {guess}?)" if guess else ""
                inputs.assumptions.append(
                    f"property {key} = {value} is not used: the tariff has no such property{hint}"
                )
        return inputs

    def known(self, key: str) -> str | None:
        """The value given or the default, without asking for one."""
        own = self.properties.get(key)
        return self.given.get(key, own.default if own else None)

    def ask(self, key: str, seen: Sequence[str]) -> str | None:
        """The customer's value of a property; None, and a problem noted, where there is none.

        ``seen`` are the values that the tariff's rates tell apart.
        """
        if key not in self.asked:
            self.asked[key] = self._answer(key, seen)
        return self.asked[key]

    def ask_number(self, key: str) -> float:
        """The customer's value of a property that is a number, at least 0; 0 where there is none.

        Raises
        ------
        InputError
            For a value that is no such number.
        """
        text = self.ask(key, ())
        if text is None:
            return 0.0
        try:
            found = float(text)
        except ValueError:
            found = -1.0
        if not 0 <= found < float("inf"):
            raise InputError.at(f"property_inputs.{key}", "must be a number, at least 0", text)
        return found

    def _answer(self, key: str, seen: Sequence[str]) -> str | None:
        own = self.properties.get(key, Property(key))
        labels = dict(own.choices)
        choices = labels or dict.fromkeys(seen, "")
        shown = ", ".join(f"{v} ({m})" if m and m != v else v for v, m in choices.items())
        value = self.given.get(key)
        if value is None and own.default is not None:
            self.assumptions.append(
                f"property {key} is not given: its default {own.default} is used"
            )
            return own.default
        if value is None:
            reason = f"is required to choose among the tariff's rates: one of {shown}"
            if not shown:
                reason = "is required: a number that the tariff's rates depend on"
            self.problems.append(Problem(f"property_inputs.{key}", reason, NO_VALUE))
        elif labels and value not in labels and value not in seen:
            self.problems.append(
                Problem(f"property_inputs.{key}", f"must be one of {shown}", value)
            )
            return None
        return value


def _read(given: Any) -> dict[str, str]:
    if given is None:
        return {}
    if isinstance(given, Mapping):
        pairs = [(key, value, f"property_inputs.{key}") for key, value in given.items()]
    elif isinstance(given, Sequence) and not isinstance(given, (str, bytes)):
        pairs = [_pair(item, f"property_inputs[{i}]") for i, item in enumerate(given)]
    else:
        raise InputError.at(
            "property_inputs", "must be an object or a list of keyName and dataValue", given
        )
    found: dict[str, str] = {}
    for key, value, path in pairs:
        text = as_text(value)
        if not isinstance(key, str) or text is None:
            raise InputError.at(path, "must be a string, a number, true or false", value)
        if found.setdefault(key, text) != text:
            raise InputError.at(path, f"{key} is given twice, also as {found[key]}", text)
    return found


def _pair(item: Any, path: str) -> tuple[Any, Any, str]:
    if not isinstance(item, Mapping):  # a model, as a request holds them
        item = {name: getattr(item, name, None) for name in ("key_name", "data_value")}
    key = item.get("keyName", item.get("key_name"))
    value = item.get("dataValue", item.get("data_value"))
    if key is None or value is None:
        raise InputError.at(path, "must have a keyName and a dataValue")
    return key, value, f"{path}.dataValue"
