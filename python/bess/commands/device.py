"""`bess device`: batteries as a device registry describes them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from bess._json import read_json
from bess.commands.running import errors_alone
from bess.device import BessDevice
from bess.errors import InputError
from bess.policy import next_instants
from bess.timeline import parse_instant

__all__ = ["devices", "read_devices"]

devices = typer.Typer(help="Batteries as a device registry describes them.", no_args_is_help=True)


@devices.callback()
def _devices() -> None:
    pass


def read_devices(file: Path) -> list[BessDevice]:
    """The devices of a file: one, or a list."""
    content = read_json(file)
    try:
        if not isinstance(content, list):
            return [BessDevice.model_validate(content)]
        found = []
        for i, item in enumerate(content):
            try:
                found.append(BessDevice.model_validate(item))
            except InputError as error:
                raise error.under(f"[{i}]") from None
    except InputError as error:
        raise error.under(str(file)) from None
    return found


@devices.command("check")
def check(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The device's JSON.")],
    after: Annotated[
        str | None, typer.Option(metavar="INSTANT", help="Instants after this one; by default now.")
    ] = None,
    count: Annotated[int, typer.Option(min=1, help="How many instants of each policy.")] = 5,
) -> None:
    """Validate a device and print the next instants of its policies."""
    with errors_alone():
        from rich.console import Console
        from rich.markup import escape

        found = read_devices(file)
        start = datetime.now(UTC) if after is None else parse_instant(after, "--after")
        console = Console(highlight=False)
        for device in found:
            name, collector = escape(device.name), escape(device.collector)
            console.print(f"[bold]{name}[/bold] at {collector} is valid")
            console.print(
                f"  {device.operational_battery_capacity / 1000:g} kWh, "
                f"charging {device.maximum_charging_power / 1000:g} kW "
                f"at {100 * device.charging_efficiency:g} %, "
                f"discharging {device.maximum_discharging_power / 1000:g} kW "
                f"at {100 * device.discharging_efficiency:g} %"
            )
            for i, policy in enumerate(device.policies):
                low, high = policy.minimum_state_of_charge, policy.maximum_state_of_charge
                console.print(f"  policies\\[{i}]: {low:g} to {high:g} % of capacity")
                for at in next_instants(policy, start, count):
                    console.print(f"    {at.isoformat()} ({at:%A})")
                if not next_instants(policy, start, 1):
                    console.print("    no instant ahead")
