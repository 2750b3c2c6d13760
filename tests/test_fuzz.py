"""The dynamic programme as a C++ programme of its own on extreme problems, sanitized if asked.

`BESS_SANITIZE=address,undefined pytest -m slow tests/test_fuzz.py` is part of `nox -s sanitize`.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

HERE = Path(__file__).parent
CORE = HERE.parent / "cpp"
NEEDED = [
    "certificate",
    "convex_hull",
    "corridor",
    "device",
    "dynamic_program",
    "dynamic_program_backward",
    "flows",
    "piecewise_linear",
    "schedule",
    "stage_cost",
    "stage_costs",
    "value_function",
]
"""What the programme is made of, in cpp/bess."""


@pytest.fixture(scope="module")
def fuzz(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The compiled fuzz programme; skips without a compiler, or without the core's sources."""
    compiler = shutil.which(os.environ.get("CXX", "c++"))
    if compiler is None or not CORE.is_dir():
        pytest.skip("no C++ compiler, or no sources")
    programme = tmp_path_factory.mktemp("fuzz") / "fuzz_dynamic_program"
    sanitizers = os.environ.get("BESS_SANITIZE")
    flags = [f"-fsanitize={sanitizers}", "-fno-sanitize-recover=all"] if sanitizers else []
    subprocess.run(
        [
            *(compiler, "-std=c++20", "-O1", "-g1", "-ffp-contract=off", "-D_GLIBCXX_ASSERTIONS"),
            *(*flags, f"-I{CORE}", str(HERE / "fuzz_dynamic_program.cpp")),
            *(str(CORE / "bess" / f"{name}.cpp") for name in NEEDED),
            *("-o", str(programme)),
        ],
        check=True,
        env=_plain(),
    )
    return programme


def _plain() -> dict[str, str]:
    """The environment without a sanitizer's runtime that another programme was to load."""
    return {name: value for name, value in os.environ.items() if name != "LD_PRELOAD"}


@pytest.mark.parametrize("seed", range(4))
def test_extreme_problems_are_solved_consistently_without_an_allocation_a_step(
    fuzz: Path, seed: int
) -> None:
    ran = subprocess.run(
        [fuzz, str(seed), "1250"], capture_output=True, text=True, check=False, env=_plain()
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "problems have a schedule" in ran.stdout
