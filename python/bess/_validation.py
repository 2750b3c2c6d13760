"""The base of every validated model: its failures are InputErrors in the caller's own spelling."""

from __future__ import annotations

import math
import numbers
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Any, ClassVar, Final, Self, TypeVar

import numpy as np
from pydantic import (
    AliasChoices,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ModelWrapValidatorHandler,
    SerializerFunctionWrapHandler,
    ValidationError,
    WrapSerializer,
    model_validator,
)
from pydantic.alias_generators import to_camel
from pydantic_core import ErrorDetails, InitErrorDetails, PydanticCustomError

from bess._unchanging import Unchanging
from bess.errors import NO_VALUE, InputError, Problem, join_path, nearest_name

__all__ = [
    "AsInteger",
    "AsNumber",
    "CamelModel",
    "Flag",
    "Integer",
    "ListOf",
    "Model",
    "NonEmptyListOf",
    "Number",
    "TextFlag",
    "TextInteger",
    "TextNumber",
]


NOT_NUMBERS: Final = (bool, np.timedelta64)
"""What Python and NumPy count among the integers and no caller means as such."""


class Model(Unchanging, BaseModel):
    """An immutable model that refuses unknown fields, naming the nearest known one."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    ignores_unknown: ClassVar[bool] = False
    null_is_absent: ClassVar[bool] = False

    def __init__(self, /, **data: Any) -> None:
        try:
            super().__init__(**data)
        except ValidationError as error:
            raise input_error(error, data) from None

    # Nested models are validated in place, not through this __init__, so paths stay whole.
    __init__.__pydantic_base_init__ = True  # type: ignore[attr-defined]

    @classmethod
    def model_validate(cls, obj: Any, **options: Any) -> Self:
        """Check an object against the model; raises `InputError` with every problem found."""
        try:
            return super().model_validate(obj, **options)
        except ValidationError as error:
            raise input_error(error, obj) from None

    @classmethod
    def model_validate_json(cls, json_data: str | bytes | bytearray, **options: Any) -> Self:
        """Check a JSON text against the model; raises `InputError` with every problem found."""
        from bess._json import parse_json

        return cls.model_validate(parse_json(json_data), **options)

    @model_validator(mode="wrap")
    @classmethod
    def _refuse_unknown_fields(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        if not isinstance(data, Mapping):
            return handler(data)
        known = {}
        for name, field in cls.model_fields.items():
            known[name] = name
            known[field.alias or name] = name
            if isinstance(field.validation_alias, AliasChoices):
                known |= {str(choice): name for choice in field.validation_alias.choices}
        seen: dict[str, Any] = {}
        refused: list[InitErrorDetails] = []
        for key in data:
            if cls.null_is_absent and data[key] is None:
                continue
            if not isinstance(key, str) or key not in known:
                if not cls.ignores_unknown:
                    names = [field.alias or name for name, field in cls.model_fields.items()]
                    refused.append({"type": _unknown_field(key, names), "loc": (), "input": data})
            elif known[key] in seen:
                twice = PydanticCustomError(
                    "given_twice",
                    "is given twice, also as {other}",
                    {"key": key, "other": seen[known[key]]},
                )
                refused.append({"type": twice, "loc": (), "input": data})
            else:
                seen[known[key]] = key
        try:
            model = handler({key: data[key] for key in seen.values()})
        except ValidationError as error:
            found = [as_found(details) for details in error.errors(include_url=False)]
            raise ValidationError.from_exception_data(cls.__name__, refused + found) from None
        if refused:
            raise ValidationError.from_exception_data(cls.__name__, refused)
        return model


class CamelModel(Model):
    """A model whose JSON is camel case; snake case is read as well."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)


def as_found(details: ErrorDetails) -> InitErrorDetails:
    """A finding of an inner validation, to be raised again beside others."""
    kind = PydanticCustomError(details["type"], details["msg"], details.get("ctx"))
    return {"type": kind, "loc": details["loc"], "input": details["input"]}


def _unknown_field(key: Any, known: Sequence[str]) -> PydanticCustomError:
    guess = nearest_name(str(key), known)
    fields = f"known fields: {', '.join(known)}" if known else "there are none"
    hint = f"did you mean {guess}?" if guess else fields
    return PydanticCustomError(
        "unknown_field", "is not a known field; {hint}", {"key": str(key), "hint": hint}
    )


def input_error(error: ValidationError, data: Any) -> InputError:
    """Pydantic's findings as one InputError, in the words and the spelling of the caller."""
    found = [p for details in error.errors(include_url=False) for p in _problems(details, data)]
    return InputError(*{(problem.path, problem.reason): problem for problem in found}.values())


def _problems(details: ErrorDetails, data: Any) -> list[Problem]:
    context = details.get("ctx", {})
    inner = context.get("error")
    if isinstance(inner, InputError):  # raised by a validator, its paths relative to the location
        return [_within(details["loc"], problem, data) for problem in inner.problems]
    reason = details["msg"].replace("Input should be", "must be").replace("Value error, ", "")
    path, value = _locate(details["loc"], data, details["type"] == "missing")
    if value is NO_VALUE:
        value = details["input"]
    match details["type"]:
        case "missing":
            return [Problem(path, "is required")]
        case "unknown_field" | "given_twice":
            path = join_path(path, context["key"])
            value = value.get(context["key"], NO_VALUE) if isinstance(value, Mapping) else NO_VALUE
        case "union_tag_invalid" | "union_tag_not_found":
            key = context["discriminator"].strip("'")
            path = join_path(path, key)
            value = value.get(key, NO_VALUE) if isinstance(value, Mapping) else NO_VALUE
            choices = context.get("expected_tags")
            reason = f"must be one of {choices}" if choices else "is required"
        case "model_type" | "model_attributes_type" | "dict_type":
            reason = "must be an object"
        case "list_type" | "tuple_type":
            reason = "must be a list"
        case "finite_number":
            reason = "must be a finite number"
        case "float_type" | "int_type":
            reason = "must be a number" if details["type"] == "float_type" else "must be an integer"
        case "string_type":
            reason = "must be a string"
        case "bool_type":
            reason = "must be true or false"
    if isinstance(value, (Mapping, Model)):  # a whole object says less than its path
        value = NO_VALUE
    return [Problem(path, reason, value)]


def _within(loc: tuple[int | str, ...], problem: Problem, data: Any) -> Problem:
    """A problem found by a validator at a location, seen from the whole of the data."""
    if not problem.path:
        return replace(problem, path=_locate(loc, data, False)[0])
    path, value = _locate((*loc, problem.path), data, True)
    lost = value is NO_VALUE or problem.value is NO_VALUE
    return replace(problem, path=path, value=problem.value if lost else value)


def _locate(loc: tuple[int | str, ...], data: Any, may_be_missing: bool) -> tuple[str, Any]:
    """The path of a location, each field as the caller wrote it, and the value found there.

    A part that is no field of the data is the branch of a union and is left out, but for the last
    part where it ``may_be_missing``. The value is NO_VALUE where the data cannot be followed.
    """
    path = ""
    node = data
    for position, part in enumerate(loc):
        if isinstance(part, int):
            path = f"{path}[{part}]"
            node = node[part] if isinstance(node, Sequence) and part < len(node) else NO_VALUE
        elif (key := _spelling(part, node)) is not None:
            path = join_path(path, key)
            node = node[key]
        elif may_be_missing and position == len(loc) - 1:
            path = join_path(path, part)
            node = NO_VALUE
    return path, node


def _spelling(name: str, node: Any) -> str | None:
    """How the caller wrote a field's name, or None where it is not given."""
    if not isinstance(node, Mapping):
        return None
    if name in node:
        return name
    wanted = name.replace("_", "").lower()
    same = (k for k in node if isinstance(k, str) and k.replace("_", "").lower() == wanted)
    return next(same, None)


def _number(value: Any) -> Any:
    """A real number of any library, never a boolean or a string, as a float."""
    if isinstance(value, NOT_NUMBERS) or not isinstance(value, numbers.Real):
        raise PydanticCustomError("float_type", "must be a number")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise PydanticCustomError("finite_number", "must be a finite number")
    return number


def _integer(value: Any) -> Any:
    """A whole number, written as such or as a number without a fraction (JSON has one kind)."""
    if isinstance(value, numbers.Integral) and not isinstance(value, NOT_NUMBERS):
        return int(value)
    if isinstance(value, float) and float(value).is_integer():
        return int(value)
    raise PydanticCustomError("int_type", "must be an integer")


def _from_text(value: Any) -> Any:
    """The number a string spells, where it spells one, as published requests have it."""
    if not isinstance(value, str) or "_" in value:
        return value
    try:
        return int(value)
    except ValueError:
        pass
    try:
        return float(value)
    except ValueError:
        return value


def _text_flag(value: Any) -> Any:
    if isinstance(value, str) and value.strip().lower() in ("true", "false"):
        return value.strip().lower() == "true"
    return value


def _as_tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _not_empty(value: Any) -> Any:
    if isinstance(value, (list, tuple)) and not value:
        raise PydanticCustomError("too_short", "must have at least 1 item")
    return value


def _as_list(value: Any, serialize: SerializerFunctionWrapHandler) -> Any:
    return list(serialize(value))


AsNumber = BeforeValidator(_number)
"""Written after bounds, ``Annotated[float, Field(gt=0), AsNumber]``, so that a schema has them."""
AsInteger = BeforeValidator(_integer)

Number = Annotated[float, AsNumber]
TextNumber = Annotated[float, AsNumber, BeforeValidator(_from_text)]
Integer = Annotated[int, AsInteger]
TextInteger = Annotated[int, AsInteger, BeforeValidator(_from_text)]
Flag = Annotated[bool, BeforeValidator(lambda v: bool(v) if isinstance(v, np.bool_) else v)]
TextFlag = Annotated[bool, BeforeValidator(_text_flag)]

Item = TypeVar("Item")
ListOf = Annotated[tuple[Item, ...], BeforeValidator(_as_tuple), WrapSerializer(_as_list)]
"""A list, held as a tuple so that its model hashes, and dumped as the list it came as."""
NonEmptyListOf = Annotated[
    ListOf[Item], BeforeValidator(_not_empty), Field(json_schema_extra={"minItems": 1})
]
