"""Makes fontana-home.csv from the CityLearn 2.1.0 wheel: a measured home with solar, hour by hour.

    pip download --no-deps citylearn==2.1.0
    python examples/make_home.py CityLearn-2.1.0-py3-none-any.whl examples/fontana-home.csv

The wheel's challenge of 2022 has homes in Fontana, California, measured from August 2016 to July
2017. Its rows carry a month, an hour from 1 to 24 and a day of the week, but no date; they are 365
days of 24 rows, and "Daylight Savings Status" is 0 throughout. What the clock was is seen in the
sun:

- The middle of home 1's solar day comes one hour after the sun's highest point on standard time
  from August to 5 November and from 12 March to July, and at it from 6 November to 11 March: the
  readings follow the wall clock, with daylight saving time.
- That, and when light comes and goes, fits only if "Hour" is the hour at which a step starts. So
  the first row, labelled hour 24 of 31 July, is midnight of 1 August.

The file written here has stamps in local time as the clock showed it. The night of 12 March had no
2 a.m.: that row is left out. The night of 6 November had 1 a.m. twice: that row is written twice.
"""

from __future__ import annotations

import csv
import io
import json
import sys
import zipfile
from datetime import datetime, timedelta
from pathlib import Path

FOLDER = "citylearn/data/citylearn_challenge_2022_phase_all"
HOME = "Building_1"
SKIPPED = datetime(2017, 3, 12, 2)
REPEATED = datetime(2016, 11, 6, 1)


def main(wheel: Path, target: Path) -> None:
    """Read the home from the wheel and write its load and solar energies."""
    with zipfile.ZipFile(wheel) as archive:
        schema = json.loads(archive.read(f"{FOLDER}/schema.json"))
        readings = archive.read(f"{FOLDER}/{HOME}.csv").decode()
    solar_kw = schema["buildings"][HOME]["pv"]["attributes"]["nominal_power"]
    hour = datetime(2016, 8, 1)
    lines = ["timestamp,load_kwh,solar_kwh"]
    for row in csv.DictReader(io.StringIO(readings)):
        load_kwh = float(row["Equipment Electric Power [kWh]"])
        solar_kwh = float(row["Solar Generation [W/kW]"]) * solar_kw / 1000
        line = f"{hour:%Y-%m-%dT%H:%M},{load_kwh:.3f},{solar_kwh:.3f}"
        lines += [line] * {SKIPPED: 0, REPEATED: 2}.get(hour, 1)
        hour += timedelta(hours=1)
    target.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
