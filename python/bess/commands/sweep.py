"""`bess sweep`: many batteries from a file, the best ten, a table and a page."""

from __future__ import annotations

import io
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any

import typer

from bess.commands.running import errors_alone

__all__ = ["sweep_file"]


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
            help="The table, as a file or a folder of partitions; by default out/ and the name.",
        ),
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option(metavar="FILE.html", help="The page; by default out/ and the name."),
    ] = None,
    workers: Annotated[
        int | None, typer.Option(help="Threads; by default one for each processor.")
    ] = None,
) -> None:
    """Sweep batteries: print the best ten, write the table (Parquet) and a page with the surface.

    By default what needs an extra that is missing is left out: `parquet`, `plots`.
    """
    with errors_alone():
        from rich.console import Console
        from rich.text import Text

        from bess.errors import InputError
        from bess.outputs import write_page
        from bess.plots.style import graph_objects
        from bess.prices import Prices
        from bess.sweeping.report import best_table, sweep_page
        from bess.sweeping.request import read_sweep_request
        from bess.sweeping.sizing import size
        from bess.sweeping.sweep import sweep

        if report is not None:
            graph_objects("--report")  # says at once where the extra is missing
        asked = read_sweep_request(file, profiles, tariffs)
        if out is None:
            out = file.parent / asked.out if asked.out else None
        if out is None and find_spec("pyarrow"):
            out = Path("out") / f"{file.stem}.parquet"
        if report is None and find_spec("plotly"):
            report = Path("out") / f"{file.stem}.html"
        one_file = out is not None and out.suffix == ".parquet"
        threads = asked.workers if workers is None else workers
        priced: dict[str, Any] = {}
        for name, paid in asked.tariffs.items():
            kind = "prices" if isinstance(paid, Prices) else "tariff"
            priced.setdefault(kind, {})[name] = paid
        alone = {kind: _one_or_named(given) for kind, given in priced.items()}
        try:
            table = sweep(
                asked.site,
                asked.batteries,
                _one_or_named(asked.strategies),
                **alone,
                metrics=asked.metrics,
                costs=asked.costs,
                policies=asked.policies,
                out=None if one_file else out,
                workers=threads,
            )
        except InputError as error:
            in_file = any(problem.path.startswith("metrics") for problem in error.problems)
            raise error.under(str(file)) if in_file else error from None
        console = Console(highlight=False)
        found = table.best(10)
        title = f"{asked.title}: the best {len(found)} of {table.scenarios:,}"
        console.print(best_table(found, title))
        sizings = {}
        for paid in asked.tariffs.values():
            for how, strategy in asked.strategies.items():
                if asked.size is None or asked.costs is None or paid is None:
                    continue
                try:
                    sizing = size(
                        asked.site,
                        paid,
                        asked.costs,
                        strategy=strategy,
                        battery=asked.battery,
                        policies=asked.policies,
                        workers=threads,
                        **asked.size,
                    )
                except InputError as error:
                    raise error.under(f"{file}.size") from None
                name = " ".join(filter(None, (how, getattr(paid, "name", ""))))
                sizings[name] = sizing
                if name:
                    console.print(Text(name, style="bold"))
                console.print(sizing)
        written = [] if out is None or one_file else [out]
        page = None if report is None else sweep_page(asked, table, sizings).encode()
        if out is not None and one_file:
            written.append(write_page(out, _parquet(table)))
        if report is not None and page is not None:
            written.append(write_page(report, page))
        for path in written:
            console.print(Text(f"written: {path}", style="dim"))


def _one_or_named(given: dict[str, Any]) -> Any:
    """One thing by itself, several by their names."""
    return next(iter(given.values())) if len(given) == 1 else given


def _parquet(table: Any) -> bytes:
    import pyarrow.parquet

    written = io.BytesIO()
    pyarrow.parquet.write_table(table.to_arrow(), written)
    return written.getvalue()
