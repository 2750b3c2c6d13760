"""What every command does alike: errors as messages, progress on a terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import typer

from bess.errors import BessError

__all__ = ["errors_alone", "progress"]


@contextmanager
def errors_alone() -> Iterator[None]:
    """Turns an error of ours into its message on stderr and a failing exit."""
    try:
        yield
    except BessError as error:
        typer.echo(f"error: {error}" if "\n" not in str(error) else f"errors:\n{error}", err=True)
        raise typer.Exit(1) from None


@contextmanager
def progress() -> Iterator[Callable[[str], None]]:
    """Says on a terminal what is being done, while it is being done."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console

    with Console(stderr=True).status("starting") as status:
        yield status.update
