"""The command line: run a storage request, check a device."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from bess._json import read_json
from bess.commands.device import devices, read_devices
from bess.commands.lifetime import with_savings
from bess.commands.running import errors_alone, progress
from bess.commands.sweep import sweep_file
from bess.errors import InputError

__all__ = ["app", "main"]

app = typer.Typer(
    help="What a battery at a site will do, and what it is worth.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(devices, name="device")
tariffs_of = typer.Typer(help="What suppliers charge and pay.", no_args_is_help=True)
app.add_typer(tariffs_of, name="tariff")
app.command("sweep")(sweep_file)


_SAVINGS: Final = "Savings: bills before, with solar and after, and what they amount to"


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
    report: Annotated[
        Path | None,
        typer.Option(metavar="FILE.html", help="Write a page of charts that opens anywhere."),
    ] = None,
    savings: Annotated[
        bool,
        typer.Option(
            "--savings",
            help="Say what storage saves over its life.",
            rich_help_panel=_SAVINGS,
        ),
    ] = False,
    before_tariff: Annotated[
        str | None,
        typer.Option(metavar="ID", help="The tariff of the load alone.", rich_help_panel=_SAVINGS),
    ] = None,
    solar_tariff: Annotated[
        str | None,
        typer.Option(metavar="ID", help="That of load and solar.", rich_help_panel=_SAVINGS),
    ] = None,
    years: Annotated[
        int | None, typer.Option(help="Years of life (25).", rich_help_panel=_SAVINGS)
    ] = None,
    every: Annotated[
        int | None, typer.Option(help="Dispatch every so many years (1).", rich_help_panel=_SAVINGS)
    ] = None,
    capital_cost: Annotated[
        float | None, typer.Option(help="Paid before year 1.", rich_help_panel=_SAVINGS)
    ] = None,
    annual_cost: Annotated[
        float | None, typer.Option(help="Paid in every year.", rich_help_panel=_SAVINGS)
    ] = None,
    rate_inflation: Annotated[
        float | None,
        typer.Option(metavar="PERCENT", help="Rise of rates a year.", rich_help_panel=_SAVINGS),
    ] = None,
    compared_with: Annotated[
        str | None,
        typer.Option(
            metavar="before|solar",
            help="What cash flows are measured against (before).",
            rich_help_panel=_SAVINGS,
        ),
    ] = None,
    discount_rate: Annotated[
        float | None,
        typer.Option(metavar="PERCENT", help="For present values.", rich_help_panel=_SAVINGS),
    ] = None,
) -> None:
    """Run a storage request: write its answer, three profiles and flows, and print a summary.

    Any option of savings asks for them; the request's own `savings` has more.
    """
    with errors_alone():
        from rich.console import Console

        from bess.outputs import response_page, write_page, write_response
        from bess.plots.style import graph_objects
        from bess.report import print_report
        from bess.storage import run_request

        asked = read_json(request)
        replaced = ""
        if device:
            asked, replaced = _with_devices(asked, device)
        options = {
            "beforeTariffId": before_tariff,
            "solarTariffId": solar_tariff,
            "years": years,
            "every": every,
            "comparedWith": compared_with,
            "capitalCost": capital_cost,
            "annualCost": annual_cost,
            "rateInflationPercent": rate_inflation,
            "discountRatePercent": discount_rate,
        }
        asked = with_savings(asked, savings, options)
        if report is not None:
            graph_objects("--report")  # says at once where the extra is missing
        with progress() as tell:
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
            title = str(asked.get("profileName") or asked.get("profile_name") or request.name)
            page = None if report is None else response_page(response, title)
            files = write_response(response, out or Path("out") / request.stem)
            if report is not None and page is not None:
                files.append(write_page(report, page))
        print_report(response, title, files, Console(highlight=False))


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

    found = [device for file in files for device in read_devices(file)]
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
    with errors_alone():
        from rich.console import Console

        from bess.tariff import load_export_rates, load_tariff
        from bess.tariff.export_rates import is_export_rates
        from bess.tariff.sheet import export_sheet, rate_sheet

        console = Console(highlight=False)
        if is_export_rates(file):
            for part in export_sheet(load_export_rates(file), file.stem):
                console.print(part)
            return
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
