"""The project's chores, each in an environment of its own: `nox -s NAME`; `nox -l` lists them."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import nox

nox.options.sessions = ["lint", "tests"]

PROJECT = nox.project.load_toml("pyproject.toml")
SUITE = ("tests", "bess", "--pyargs", "--doctest-modules")


@nox.session
def lint(session: nox.Session) -> None:
    """Formats, lints and types; nothing is built."""
    session.install("--quiet", *_group("lint"), *PROJECT["project"]["dependencies"])
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")
    session.run("mypy")
    session.run("clang-format", "--dry-run", "-Werror", *_cpp_files())


@nox.session
def tests(session: nox.Session) -> None:
    """The ordinary suite and the doctests against a build with live asserts."""
    _install_editable(session)
    session.run("pytest", *SUITE, *session.posargs)


@nox.session
def slow(session: nox.Session) -> None:
    """The long suite, run before a release."""
    session.install("--quiet", ".[test]")
    session.run("pytest", "-m", "slow", "--hypothesis-profile=explore", *session.posargs)


@nox.session
def tariffs(session: nox.Session) -> None:
    """Every tariff of the folder of real inputs, optimised on a year: a row for each."""
    session.install("--quiet", ".[test]")
    session.run("pytest", "-m", "slow", "-s", "tests/test_urdb_optimum.py", *session.posargs)


@nox.session
def sanitize(session: nox.Session) -> None:
    """The suite without its long tests under the address and undefined sanitizers (Linux, GCC)."""
    environment = {"BESS_SANITIZE": "address,undefined"}
    session.install("--quiet", ".[test]", env=environment)
    # Python itself is not sanitized: the runtime is loaded before it, and the C++ library so that
    # the runtime sees exceptions. Python's allocator would hide its blocks; its leaks are not ours.
    environment |= {
        "LD_PRELOAD": f"{_compiler_file('libasan.so')} {_compiler_file('libstdc++.so.6')}",
        "ASAN_OPTIONS": "detect_leaks=0",
        "UBSAN_OPTIONS": "print_stacktrace=1",
        "PYTHONMALLOC": "malloc",
    }
    ordinary = "not slow and not highs and not cluster and not browser"
    session.run("pytest", "-m", ordinary, *session.posargs, env=environment)
    session.run("pytest", "-m", "slow", "tests/test_fuzz.py", env=environment)


@nox.session
def tidy(session: nox.Session) -> None:
    """clang-tidy on the core and the border."""
    session.install("--quiet", *_group("tidy"))
    _install_editable(session)
    compiled = sorted(Path("build").glob("editable-*/compile_commands.json"), key=os.path.getmtime)
    sources = [file for file in _cpp_files() if file.endswith(".cpp")]
    session.run("clang-tidy", "--quiet", "-p", str(compiled[-1].parent), *sources)


@nox.session
def benchmarks(session: nox.Session) -> None:
    """Times against a plain release install, each next to its goal and its baseline."""
    session.install("--quiet", ".[test]", *_group("benchmark"))
    session.run("pytest", "benchmarks", *session.posargs)


def _install_editable(session: nox.Session) -> None:
    session.install("--quiet", *_group("build"))
    session.install("--quiet", "--no-build-isolation", "--editable", ".[test]")


def _group(name: str) -> tuple[str, ...]:
    return tuple(nox.project.dependency_groups(PROJECT, name))


def _cpp_files() -> list[str]:
    return sorted(str(path) for path in Path("cpp").rglob("*.[ch]pp"))


def _compiler_file(name: str) -> str:
    command = [os.environ.get("CXX", "c++"), f"-print-file-name={name}"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
