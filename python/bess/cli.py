"""The command line: run a storage request, check a device."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from enum import StrEnum
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

import typer

from bess._json import read_json
from bess.device import BessDevice
from bess.errors import BessError, InputError
from bess.policy import next_instants
from bess.timeline import parse_instant

__all__ = ["app", "main"]

app = typer.Typer(
    help="What a battery at a site will do, and what it is worth.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
devices = typer.Typer(help="Batteries as a device registry describes them.", no_args_is_help=True)
app.add_typer(devices, name="device")
tariffs_of = typer.Typer(help="What suppliers charge and pay.", no_args_is_help=True)
app.add_typer(tariffs_of, name="tariff")


class Missing(StrEnum):
    """What becomes of what a tariff leaves open and nobody gives."""

    ERROR = "error"
    ZERO = "zero"


def main() -> None:
    """Entry point of the command ``bess``."""
    app()


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(version("bess-dispatch"))
        raise typer.Exit


@app.callback()
def _options(
    _: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    pass


@app.command()
def run(
    request: Annotated[Path, typer.Argument(metavar="REQUEST.json", help="The storage request.")],
    profiles: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Where profiles are; by default the request's folder."),
    ] = None,
    tariffs: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Where tariffs are; by default the request's folder."),
    ] = None,
    device: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE", help="A device in place of the request's battery; repeatable."
        ),
    ] = None,
    rate: Annotated[
        list[str] | None,
        typer.Option(metavar="KEY=PRICE", help="A tariff's variable rate, per kWh; repeatable."),
    ] = None,
    missing: Annotated[
        Missing,
        typer.Option(help="What a tariff's variable rates and holidays are that are not given."),
    ] = Missing.ERROR,
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Where to write; by default out/ and the request's name."),
    ] = None,
) -> None:
    """Run a storage request: write its answer, three profiles and flows, and print a summary."""
    with _errors_alone():
        from rich.console import Console

        from bess.outputs import write_response
        from bess.report import report
        from bess.storage import run_request

        asked = read_json(request)
        replaced = ""
        if device:
            asked, replaced = _with_devices(asked, device)
        with _progress() as tell:
            response = run_request(
                asked,
                profiles if profiles is not None else request.parent,
                tariffs if tariffs is not None else request.parent,
                variable_rates=_rates(rate or []),
                missing=missing.value,
                progress=tell,
            )
            if replaced:
                response.assumptions.append(replaced)
            tell("writing")
            files = write_response(response, out or Path("out") / request.stem)
        title = asked.get("profileName") or asked.get("profile_name") or request.name
        report(response, str(title), files, Console(highlight=False))


def _rates(given: list[str]) -> dict[str, float]:
    """Variable rates from ``KEY=PRICE`` on the command line."""
    rates = {}
    for text in given:
        key, equals, price = text.partition("=")
        try:
            if not (key and equals):
                raise ValueError
            rates[key] = float(price)
        except ValueError:
            raise InputError.at(
                "--rate", "must be KEY=PRICE, as in energyCost=0.08", text
            ) from None
    return rates


def _with_devices(request: Any, files: list[Path]) -> tuple[Any, str]:
    """The request with devices in place of its battery, and what was left out of it."""
    from bess.storage.checks import NOT_WITH_DEVICES

    found = [device for file in files for device in _read_devices(file)]
    if not isinstance(request, Mapping):
        return request, ""
    storage = request.get("storage")
    left_out = []
    if isinstance(storage, Mapping):
        names = {name.lower() for name in (*NOT_WITH_DEVICES, "devices")}
        left_out = [key for key in storage if str(key).replace("_", "").lower() in names]
        storage = {key: value for key, value in storage.items() if key not in left_out}
    request = {**request, "storage": storage, "devices": found}
    return request, f"--device replaces {', '.join(left_out)}" if left_out else ""


def _read_devices(file: Path) -> list[BessDevice]:
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
    with _errors_alone():
        from rich.console import Console
        from rich.markup import escape

        found = _read_devices(file)
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


@tariffs_of.command("show")
def show(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A tariff: JSON, TOML or CSV.")],
    prop: Annotated[
        list[str] | None,
        typer.Option("--property", metavar="KEY=VALUE", help="A property input; repeatable."),
    ] = None,
    rate: Annotated[
        list[str] | None,
        typer.Option(metavar="KEY=PRICE", help="A variable rate; repeatable."),
    ] = None,
    calendar: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ID=NAME", help="Holidays: NERC, US, US-CA … or dates, with commas; repeatable."
        ),
    ] = None,
    missing: Annotated[
        Missing, typer.Option(help="What variable rates and holidays are that are not given.")
    ] = Missing.ERROR,
) -> None:
    """Print a tariff's rates, what is ignored or assumed, and its prices by month and hour."""
    with _errors_alone():
        from rich.console import Console

        from bess.tariff import load_tariff
        from bess.tariff.sheet import rate_sheet

        days = _pairs(calendar, "--calendar", "ID=NAME")
        tariff = load_tariff(
            file,
            property_inputs=_pairs(prop, "--property", "KEY=VALUE"),
            variable_rates=_rates(rate or []),
            calendars={
                key: value if value[:1].isalpha() else value.split(",")
                for key, value in days.items()
            },
            missing=missing.value,
        )
        console = Console(highlight=False)
        for part in rate_sheet(tariff):
            console.print(part)


def _pairs(given: list[str] | None, option: str, form: str) -> dict[str, str]:
    """What a repeatable option gives by key."""
    found = {}
    for text in given or ():
        key, equals, value = text.partition("=")
        if not key or not equals:
            raise InputError.at(option, f"must be {form}", text)
        found[key] = value
    return found


@contextmanager
def _errors_alone() -> Iterator[None]:
    """Turns an error of ours into its message on stderr and a failing exit."""
    try:
        yield
    except BessError as error:
        typer.echo(f"error: {error}" if "\n" not in str(error) else f"errors:\n{error}", err=True)
        raise typer.Exit(1) from None


@contextmanager
def _progress() -> Iterator[Callable[[str], None]]:
    """Says on a terminal what is being done, while it is being done."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console

    with Console(stderr=True).status("starting") as status:
        yield status.update
