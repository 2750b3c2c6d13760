"""`bess sweep`: many batteries from a file, the best ten, a table and a page."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bess.commands.running import errors_alone

if TYPE_CHECKING:
    from bess.sizing.sized import Sizing
    from bess.sweeping.request import SweepRequest

__all__ = ["sweep_file"]

_CONNECTING = 10.0
"""Seconds to find a cluster in."""


def sweep_file(
    file: Annotated[Path, typer.Argument(metavar="SWEEP.toml", help="What to sweep.")],
    profiles: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Where profiles are; by default the request's folder."),
    ] = None,
    tariffs: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Where tariffs are; by default the request's folder."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.parquet|DIR",
            help="The table, as a file, or as a folder that an interrupted sweep goes on in; by "
            "default out/ and the name.",
        ),
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option(metavar="FILE.html", help="The page; by default out/ and the name."),
    ] = None,
    workers: Annotated[
        int | None, typer.Option(help="Threads; by default one for each processor.")
    ] = None,
    cluster: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="The scheduler of a Dask cluster, to work there."),
    ] = None,
) -> None:
    """Sweep batteries: print the best ten, write the table (Parquet) and a page with the surface.

    By default what needs an extra that is missing is left out: `parquet`, `plots`.
    """
    with errors_alone():
        from rich.console import Console
        from rich.text import Text

        from bess.errors import InputError
        from bess.outputs import check_writable, write_page
        from bess.plots.style import graph_objects
        from bess.sweeping.folder import parquet
        from bess.sweeping.report import best_table, sizes_table, sweep_page
        from bess.sweeping.request import read_sweep_request
        from bess.sweeping.sweep import sweep

        if report is not None:
            graph_objects("--report")  # says at once where the extra is missing
        asked = read_sweep_request(file, profiles, tariffs)
        if out is None:
            out = file.parent / asked.out if asked.out else None
        if out is None and find_spec("pyarrow"):
            out = Path("out") / f"{file.stem}.parquet"
        if report is None:
            report = file.parent / asked.report if asked.report else None
        if report is None and find_spec("plotly"):
            report = Path("out") / f"{file.stem}.html"
        one_file = out is not None and out.suffix == ".parquet"
        if out is not None:
            parquet("out")
        for path in (out if one_file else None, report):
            if path is not None:
                check_writable(path)
        threads = asked.workers if workers is None else workers
        try:
            with _client(cluster or asked.cluster) as client:
                table = sweep(
                    _one_or_named(asked.sites),
                    asked.batteries,
                    _one_or_named(asked.strategies),
                    tariff=_one_or_named(asked.tariffs),
                    metrics=asked.metrics,
                    costs=asked.costs,
                    policies=asked.policies,
                    past_peaks_kw=asked.past_peaks_kw,
                    out=None if one_file else out,
                    workers=threads,
                    client=client,
                )
        except InputError as error:
            raise asked.in_file(error) from None
        except KeyboardInterrupt:
            kept = "" if one_file or out is None else f"; the same command goes on in {out}"
            typer.echo(f"interrupted{kept}", err=True)
            raise typer.Exit(130) from None
        written = [] if out is None else [write_page(out, _parquet(table)) if one_file else out]
        console = Console(highlight=False)
        found = table.best(10)
        title = f"{asked.title}: the best {len(found)} of {table.scenarios:,}"
        console.print(best_table(found, title))
        sizings = dict(_sizings(asked, threads))
        if len(sizings) > 1:
            console.print(sizes_table(sizings))
        for sizing in sizings.values() if len(sizings) == 1 else ():
            console.print(sizing)
        for note in asked.assumptions:
            console.print(Text(f"assumed: {note}", style="dim"))
        if report is not None:
            written.append(write_page(report, sweep_page(asked, table, sizings).encode()))
        for path in written:
            console.print(Text(f"written: {path}", style="dim"))


def _sizings(asked: SweepRequest, threads: int | None) -> Iterator[tuple[str, Sizing]]:
    """The best size at each site, by each strategy, at each tariff, under what sets it apart."""
    from bess.errors import InputError
    from bess.sizing.size import size

    if asked.size is None or asked.costs is None:
        return
    cases = product(asked.sites.items(), asked.strategies.items(), asked.tariffs.items())
    several = [len(each) > 1 for each in (asked.sites, asked.strategies, asked.tariffs)]
    for (where, site), (how, strategy), (which, paid) in cases:
        try:
            sizing = size(
                site,
                paid,  # type: ignore[arg-type]
                asked.costs,
                strategy=strategy,
                battery=asked.battery,
                policies=asked.policies,
                past_peaks_kw=asked.past_peaks_kw,
                workers=threads,
                **asked.size,
            )
        except InputError as error:
            raise asked.in_file(error) from None
        names = zip((where, how, which), several, strict=True)
        yield ", ".join(name for name, is_told in names if is_told), sizing


@contextmanager
def _client(address: str | None) -> Iterator[Any]:
    """The client of a cluster; None without an address."""
    from bess.errors import InputError, needs_extra

    if address is None:
        yield None
        return
    with needs_extra("--cluster", "distributed"):
        from distributed import Client
    try:
        client = Client(address, timeout=_CONNECTING)
    except (OSError, ValueError, TypeError) as error:
        reason = f"has no cluster: {str(error).partition(chr(10))[0]}"
        raise InputError.at("cluster", reason, address) from None
    with client:
        yield client


def _one_or_named(given: dict[str, Any]) -> Any:
    """One thing by itself, several by their names."""
    return next(iter(given.values())) if len(given) == 1 else given


def _parquet(table: Any) -> bytes:
    import pyarrow.parquet

    written = io.BytesIO()
    pyarrow.parquet.write_table(table.to_arrow(), written)
    return written.getvalue()
