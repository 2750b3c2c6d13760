"""What the package promises before any number: its version's one place, its imports, its docs."""

from __future__ import annotations

import importlib.metadata
import inspect
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import bess

PROJECT = Path(__file__).parents[1]


def test_the_version_is_written_in_pyproject_alone() -> None:
    version = tomllib.loads((PROJECT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    assert importlib.metadata.version("bess-dispatch") == version

    sources = [PROJECT / "CMakeLists.txt"]
    for folder, pattern in (("python", "*.py"), ("python", "*.pyi"), ("cpp", "*.?pp")):
        sources += (PROJECT / folder).rglob(pattern)
    assert [str(path) for path in sources if version in path.read_text("utf-8")] == []


def test_the_package_says_it_is_typed() -> None:
    assert Path(bess.__file__).with_name("py.typed").is_file()


def test_importing_bess_imports_nothing_heavy() -> None:
    heavy = ("highspy", "pandas", "pyarrow", "rich", "typer")
    program = f"import bess, sys; print([name for name in {heavy} if name in sys.modules])"
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert run.stdout.strip() == "[]"


@pytest.mark.parametrize("name", bess.__all__)
def test_every_public_name_is_documented(name: str) -> None:
    value = getattr(bess, name)
    assert inspect.getdoc(value), f"bess.{name} has no docstring"
    if inspect.isclass(value) and value.__module__.startswith("bess"):
        undocumented = [
            member
            for member, thing in vars(value).items()
            if not member.startswith("_")
            and isinstance(thing, (property, staticmethod, classmethod, type(_function)))
            and not inspect.getdoc(getattr(value, member))
        ]
        assert undocumented == [], f"bess.{name} has members without a docstring"


def _function() -> None:
    """Its type is that of every plain method."""
