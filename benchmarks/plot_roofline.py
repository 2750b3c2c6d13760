"""Tells how near the lane kernels are to what this machine allows, and draws it.

    python benchmarks/plot_roofline.py [FILE.svg]

Counts the vector instructions of each sweep of bench_sweep.py as the kernel's source has them (its
operations are replaced by counting ones), measures how many of each kind this machine starts in a
second and how fast it writes to memory, and sets the least time that follows beside the time taken.
Needs a C++ compiler. Writes benchmarks/roofline.svg.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from bench_sweep import CASES, COUNT, Floats, batteries, bins_of, shop_at, with_limit
from conftest import home, hourly_site, shared_folder

import bess
from bess import _core
from bess.strategy import core_rule

HERE = Path(__file__).parent
CORE = HERE.parent / "cpp"
SETS = {"baseline": (2, "-msse2"), "avx2": (4, "-mavx2"), "avx512": (8, "-mavx512f")}
"""Doubles in a vector, and the compiler's flag."""
BINS = 36
RUNS = 30
ROOFS = ("arithmetic", "loads", "stores", "memory")
COLOURS = ("#2166ac", "#5aae61", "#9970ab", "#bf812d")


def compiled(source: str, folder: Path, *flags: str) -> ctypes.CDLL:
    """A C++ file of this folder as a library."""
    compiler = os.environ.get("CXX") or shutil.which("c++")
    if compiler is None:
        sys.exit("counting needs a C++ compiler: c++, or the one that CXX names")
    library = folder / f"{source}{len(list(folder.iterdir()))}.so"
    core = ("sweep.cpp", "sweep_program.cpp") if source == "counted.cpp" else ()
    files = [HERE / "roofline" / source, *(CORE / "bess" / name for name in core)]
    flags = ("-std=c++20", "-O3", "-ffp-contract=off", "-shared", "-fPIC", *flags)
    subprocess.run([compiler, *flags, f"-I{CORE}", *files, "-o", library], check=True)
    return ctypes.CDLL(str(library))


def counting_kernel(name: str, folder: Path) -> ctypes.CDLL:
    """The lane kernel that counts operations of an instruction set's width."""
    instead = f"-I{HERE}/roofline/counting"
    return compiled("counted.cpp", folder, instead, f"-DBESS_WIDTH={SETS[name][0]}")


def pointer(array: Any) -> ctypes.c_void_p:
    """To the numbers of an array, null for none."""
    return ctypes.c_void_p(None if array is None else array.ctypes.data)


def ceilings(name: str, folder: Path) -> Floats:
    """Arithmetic, loads and stores a second, vectors of an instruction set."""
    found = np.empty(3)
    compiled("ceilings.cpp", folder, SETS[name][1]).find_ceilings(pointer(found))
    return found


def bytes_a_second() -> float:
    """Written to memory: far more than any cache holds."""
    target = np.empty(1 << 27)
    target.fill(0)
    times = []
    for _ in range(5):
        began = time.process_time()
        target.fill(1)
        times.append(time.process_time() - began)
    return target.nbytes / min(times)


class Case:
    """One of bench_sweep.py's: what it takes, counted and measured."""

    def __init__(self, name: str) -> None:
        place, strategy, self.everything, limited, order, instructions, _ = CASES[name]
        self.name, self.set = name, instructions or _core.instruction_sets()[-1]
        site = hourly_site(*home()) if place == "house" else shop_at(shared_folder())
        self.site = with_limit(site, 1.5) if limited else site
        self.start, self.bin = bins_of(site)
        self.rule = core_rule(strategy, site.timeline, None)
        self.rows = batteries(site, order, 30.0 if place == "house" else 800.0)
        surplus = isinstance(strategy, bess.Surplus)
        self.modes = None if surplus else strategy.modes(site.timeline, None)

    def measured(self) -> tuple[float, Floats]:
        """Least seconds of processor time, and what was found."""
        program = _core.SweepProgram(
            self.site._core, self.rule, self.everything, self.everything, self.start, self.bin, BINS
        )
        times = []
        for _ in range(RUNS):
            began = time.process_time()
            found, _ = program.run(self.rows, self.set)
            times.append(time.process_time() - began)
        return min(times), found

    def counted(self, library: ctypes.CDLL) -> tuple[Floats, Floats]:
        """Arithmetic, loads and stores in vectors, and what was found."""
        steps = self.site.steps
        limit = self.site.export_limit_kwh
        open_end = np.full(steps, np.inf) if limit is None else np.broadcast_to(limit, steps)
        series = np.array([self.site.load_kwh, self.site.solar_kwh, open_end])
        found, counts = np.empty((3, BINS, COUNT)), np.empty(3)
        size = ctypes.c_size_t
        library.count_sweep(
            *(pointer(series), size(steps), pointer(self.modes), ctypes.c_bool(self.everything)),
            *(pointer(self.start), pointer(self.bin), size(len(self.bin)), size(BINS)),
            *(pointer(self.rows), size(COUNT), pointer(found), pointer(counts)),
        )
        return counts, found


def roofs(case: Case, counts: Floats, ceiling: Floats, bandwidth: float) -> Floats:
    """The least seconds by arithmetic, loads, stores, and memory: what is read and written once."""
    written = 8 * COUNT * (3 * BINS + len(case.rows))
    return np.append(counts / ceiling, written / bandwidth)


def table(lines: list[tuple[str, str, int, Floats, float]]) -> str:
    """Picoseconds a battery and step, as Markdown."""
    parts = [
        "| sweep | set | " + " | ".join(ROOFS) + " | measured | of the roof |",
        "|---|---|" + "---|" * (len(ROOFS) + 2),
    ]
    for name, instructions, steps, least, took in lines:
        ps = 1e12 / (COUNT * steps)
        cells = [f"{ps * value:.0f}" for value in (*least, took)]
        share = f"{100 * max(least) / took:.0f} %"
        parts.append(f"| {name} | {instructions} | " + " | ".join([*cells, share]) + " |")
    return "\n".join(parts)


def drawing(lines: list[tuple[str, str, int, Floats, float]]) -> str:
    """A grey bar for what was measured, a mark for each roof."""
    across, left, high = 420, 250, 34
    most = max(took / (COUNT * steps) for _, _, steps, _, took in lines) * 1.05
    parts = []
    for i, (name, instructions, steps, least, took) in enumerate(lines):
        y = 40 + high * i
        scale = across / (COUNT * steps * most)
        parts.append(
            f'<text x="{left - 8}" y="{y + 13}" text-anchor="end">{name}</text>'
            f'<rect x="{left}" y="{y}" width="{scale * took:.1f}" height="18" fill="#ddd"/>'
            f'<text x="{left + scale * took + 5:.1f}" y="{y + 13}">'
            f"{1e9 * took / (COUNT * steps):.2f} ns, {instructions}</text>"
        )
        for value, colour in zip(least, COLOURS, strict=True):
            x = left + scale * value
            parts.append(f'<path d="M{x:.1f},{y - 3} v24" stroke="{colour}" stroke-width="3"/>')
    for i, (roof, colour) in enumerate(zip(ROOFS, COLOURS, strict=True)):
        parts.append(f'<text x="{left + 100 * i}" y="20" fill="{colour}">| {roof}</text>')
    bottom = 60 + high * len(lines)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 790 {bottom}" '
        f'font-family="sans-serif" font-size="12">\n<rect width="790" height="{bottom}" '
        'fill="white"/>\n' + "\n".join(parts) + f'\n<text x="{left}" y="{bottom - 12}" '
        'fill="#777">time of one core for a battery and a step; no mark can be passed</text>\n'
        "</svg>\n"
    )


def main() -> None:
    """Count, measure, print, draw."""
    with tempfile.TemporaryDirectory() as at:
        folder = Path(at)
        cases = [Case(name) for name in CASES if may_run(name)]
        used = {case.set for case in cases}
        ceiling = {name: ceilings(name, folder) for name in used}
        counting = {name: counting_kernel(name, folder) for name in used}
        bandwidth = bytes_a_second()
        lines = []
        for case in cases:
            counts, twin = case.counted(counting[case.set])
            took, found = case.measured()
            np.testing.assert_array_equal(found, twin)
            least = roofs(case, counts, ceiling[case.set], bandwidth)
            lines.append((case.name, case.set, case.site.steps, least, took))
    for name, (arithmetic, loads, stores) in ceiling.items():
        print(
            f"{name}: {arithmetic:.3g} arithmetic, {loads:.3g} loads, {stores:.3g} stores a second"
        )
    print(f"memory: {bandwidth:.3g} bytes a second\n\n{table(lines)}")
    beside = HERE / "roofline.svg"
    Path(sys.argv[1] if len(sys.argv) > 1 else beside).write_text(drawing(lines), "utf-8")


def may_run(name: str) -> bool:
    """Whether there is what a case needs: its load, and an instruction set that is counted."""
    place, *_, instructions, _ = CASES[name]
    known = [None, *(each for each in _core.instruction_sets() if each in SETS)]
    return instructions in known and (place == "house" or shared_folder().is_dir())


if __name__ == "__main__":
    main()
