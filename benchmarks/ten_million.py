"""Ten million batteries into a folder: time, memory and bytes on disk.

    python benchmarks/ten_million.py FOLDER [BATTERIES]

The folder must not be there yet. Needs Linux.
"""

from __future__ import annotations

import resource
import sys
import time
from pathlib import Path

import numpy as np
from bench_whole_sweeps import sizes, three_uses
from conftest import home, hourly_site

import bess


def main(folder: Path, count: int) -> None:
    site, grid, tariff = hourly_site(*home()), sizes(count // 1000), three_uses()
    began, busy = time.perf_counter(), time.process_time()
    table = bess.sweep(site, grid, bess.Surplus(), tariff=tariff, out=folder)
    wall, busy = time.perf_counter() - began, time.process_time() - busy
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    row = table.row(len(grid) * 2 // 3)
    power = row["power_kw"]
    battery = bess.Battery(
        capacity_kwh=row["capacity_kwh"], charge_power_kw=power, discharge_power_kw=power
    )
    alone = bess.dispatch(site, battery, bess.Surplus(), tariff=tariff)
    np.testing.assert_allclose(row["cost"], alone.cost, rtol=1e-9)
    stored = sum(file.stat().st_size for file in folder.iterdir()) / 1e6
    print(
        f"{table.scenarios:,} scenarios: {wall:.1f} s, {busy:.1f} s of processors, "
        f"{most:.0f} MB of memory at most, {stored:.0f} MB on disk"
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 10_000_000)
