"""JSON as people write it: where it fails to parse, the error says where and why."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NoReturn

from bess.errors import InputError

__all__ = ["parse_json", "read_json"]


def parse_json(text: str | bytes | bytearray, name: str = "JSON") -> Any:
    """The value of a JSON text. NaN, infinities and repeated keys are refused like bad syntax."""
    if not isinstance(text, str):
        try:
            text = bytes(text).decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise InputError.at(name, f"is not UTF-8 text (byte {error.start})") from None
    try:
        return json.loads(text, parse_constant=_refuse_constant, object_pairs_hook=_unique_keys)
    except json.JSONDecodeError as error:
        line = text.splitlines()[error.lineno - 1] if text.strip() else ""
        hint = "; JSON has no comments: remove them" if "//" in line else ""
        where = f"line {error.lineno}, column {error.colno}"
        raise InputError.at(name, f"is not JSON ({error.msg}, {where}){hint}") from None
    except RecursionError:
        raise InputError.at(name, "is nested too deeply") from None
    except InputError as error:
        raise error.under(name) from None
    except ValueError as error:
        raise InputError.at(name, f"is not JSON ({error})") from None


def read_json(path: Path) -> Any:
    """The value in a JSON file."""
    try:
        return parse_json(path.read_bytes(), str(path))
    except OSError as error:
        raise InputError.at(str(path), f"cannot be read: {error.strerror}") from None


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON number")


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise InputError.at(key, "is given twice in one object")
            seen.add(key)
    return found
