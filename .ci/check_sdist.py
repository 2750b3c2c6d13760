"""Checks that an sdist holds the files git knows and no others.

The list is read from standard input, NUL-separated; pyproject.toml's `sdist.exclude` applies to it.
"""

from __future__ import annotations

import sys
import tarfile
import tomllib
from pathlib import PurePosixPath


def main() -> None:
    known = {PurePosixPath(name) for name in sys.stdin.read().split("\0") if name}
    with tarfile.open(sys.argv[1]) as archive:
        names = [PurePosixPath(member.name) for member in archive if not member.isdir()]
        pyproject = archive.extractfile(str(names[0].parents[-2] / "pyproject.toml"))
        assert pyproject is not None
        excluded = tomllib.load(pyproject)["tool"]["scikit-build"]["sdist"]["exclude"]
    packed = {name.relative_to(name.parts[0]) for name in names} - {PurePosixPath("PKG-INFO")}
    wanted = {name for name in known if not any(name.is_relative_to(part) for part in excluded)}
    stray, missing = packed - wanted, wanted - packed
    if stray or missing:
        sys.exit(f"stray in the sdist: {_list(stray)}; missing from it: {_list(missing)}")
    print(f"the sdist holds the {len(packed)} files it should")


def _list(names: set[PurePosixPath]) -> str:
    return ", ".join(sorted(map(str, names))) or "none"


if __name__ == "__main__":
    main()
