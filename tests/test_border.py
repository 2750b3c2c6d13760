"""The hand-written `_core.pyi` and the compiled module say the same: names and argument names."""

from __future__ import annotations

import ast
import inspect
import re
from pathlib import Path
from typing import Any

import pytest

import bess
from bess import _core

STUB = ast.parse(Path(bess.__file__).with_name("_core.pyi").read_text("utf-8"))

# What a name stands for: a function's overloads as lists of argument names, a class's members, or
# None for plain data.
Shape = list[list[str]] | dict[str, Any] | None


def test_the_stub_and_the_compiled_module_have_the_same_names() -> None:
    assert sorted(STUB_SHAPES) == sorted(COMPILED_SHAPES)


def stub_shapes(body: list[ast.stmt]) -> dict[str, Shape]:
    shapes: dict[str, Shape] = {}
    for node in body:
        match node:
            case ast.ClassDef(name=name):
                shapes[name] = stub_shapes(node.body)
            case ast.FunctionDef(name=name):
                decorators = {ast.unparse(decorator) for decorator in node.decorator_list}
                if decorators & {"property", f"{name}.setter"}:
                    shapes[name] = None
                    continue
                arguments = node.args
                named = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
                overloads = shapes.setdefault(name, [])
                assert isinstance(overloads, list)
                overloads.append([argument.arg for argument in named])
            case ast.AnnAssign(target=ast.Name(id=name)):
                shapes[name] = None
    return {name: shape for name, shape in shapes.items() if is_public(name)}


def compiled_shapes(owner: Any) -> dict[str, Shape]:
    shapes: dict[str, Shape] = {}
    for name in filter(is_public, vars(owner)):
        value = getattr(owner, name)
        if inspect.isclass(value):
            shapes[name] = compiled_shapes(value)
        elif callable(value):
            shapes[name] = signatures(name, value.__doc__ or "")
        else:
            shapes[name] = None
    return {name: shape for name, shape in shapes.items() if shape != []}  # no constructor


def signatures(name: str, docstring: str) -> list[list[str]]:
    """The argument names in each signature line pybind11 writes: `name(first: T = d, *, b) -> R`.

    >>> signatures("f", 'f(a: Annotated[x, "[m, n]"], *, b: int = 3) -> dict[str, int]')
    [['a', 'b']]
    """
    lines = re.findall(rf"^(?:\d+\. )?{name}\((.*)\) -> ", docstring, flags=re.MULTILINE)
    return [
        [re.split("[:=]", part)[0].strip() for part in split(line) if part.strip() not in "*/"]
        for line in lines
        if line != "*args, **kwargs"
    ]


def split(arguments: str) -> list[str]:
    """Splits at the commas that are in no bracket and no string."""
    parts, depth, quote = [""], 0, ""
    for character in arguments:
        if quote:
            quote = "" if character == quote else quote
        elif character in "'\"":
            quote = character
        else:
            depth += (character in "([{") - (character in ")]}")
            if character == "," and depth == 0:
                parts.append("")
                continue
        parts[-1] += character
    return parts if parts != [""] else []


def is_public(name: str) -> bool:
    return name == "__init__" or not name.startswith("_")


STUB_SHAPES = stub_shapes(STUB.body)
COMPILED_SHAPES = compiled_shapes(_core)


@pytest.mark.parametrize("name", sorted(COMPILED_SHAPES))
def test_the_stub_and_the_compiled_module_agree_on(name: str) -> None:
    assert STUB_SHAPES.get(name, "nothing of this name") == COMPILED_SHAPES[name]
