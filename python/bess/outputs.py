"""Writing an answer to a folder: every file whole, or none."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import shutil
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np

from bess.economics.answer import savings_answer
from bess.errors import InputError
from bess.storage.response import StorageResponse

__all__ = ["check_writable", "response_page", "write_files", "write_page", "write_response"]


def write_response(response: StorageResponse, folder: Path) -> list[Path]:
    """Write ``answer.json``, the three profiles, the flows as JSON and CSV (and Parquet where the
    extra ``parquet`` is installed), and ``savings.json`` where asked; returns the paths written.

    Raises
    ------
    InputError
        Where the folder cannot be written; nothing is then left behind.
    """
    answer = response.model_dump(by_alias=True)
    files = {"answer.json": _json(answer)}
    for profile in answer["profiles"]:
        name = re.sub(r"[^\w.-]+", "_", profile["providerProfileId"])
        files[f"{name}.json"] = _json(profile)
    files["flows.json"] = _json(answer["storageOptimizationResponse"])
    files["flows.csv"] = _csv(response)
    if find_spec("pyarrow") is not None:
        files["flows.parquet"] = _parquet(response)
    if response.savings is not None:
        files["savings.json"] = _json(savings_answer(response.savings))
    return write_files(folder, files)


def response_page(response: StorageResponse, title: str) -> bytes:
    """The page of charts on an answer; a `MissingExtraError` without the extra ``plots``."""
    from bess.page import page

    drawn = page(response.result, response.savings, title=title, assumptions=response.assumptions)
    return drawn.encode()


def check_writable(path: Path) -> None:
    """Refuse, before any work, a file that could not be written after it.

    Raises
    ------
    InputError
        Where there is a folder of that name, or its own folder cannot be made or written to.
    """
    folder = path.absolute().parent
    while not folder.exists():
        folder = folder.parent
    if path.is_dir():
        raise InputError.at(str(path), "cannot be written: it is a folder")
    if not folder.is_dir() or not os.access(folder, os.W_OK):
        raise InputError.at(str(path), f"cannot be written: {folder} is no folder to write to")


def write_page(path: Path, content: bytes) -> Path:
    """Write one file, whole or not at all; its folder is made if need be."""
    beside = path.absolute().parent / f".{path.name}-{uuid4().hex[:8]}"
    try:
        beside.parent.mkdir(parents=True, exist_ok=True)
        try:
            beside.write_bytes(content)
            os.replace(beside, path)
        finally:
            beside.unlink(missing_ok=True)
    except OSError as error:
        raise InputError.at(str(path), f"cannot be written: {error.strerror}") from None
    return path


def write_files(folder: Path, files: Mapping[str, bytes]) -> list[Path]:
    """Write files into a folder, which is made if need be: first all beside it, then moved in."""
    beside = folder.absolute().parent / f".{folder.name}-{uuid4().hex[:8]}"
    try:
        beside.mkdir(parents=True)
        try:
            for name, content in files.items():
                (beside / name).write_bytes(content)
            if not folder.exists():
                beside.rename(folder)
            else:
                for name in files:
                    os.replace(beside / name, folder / name)
        finally:
            shutil.rmtree(beside, ignore_errors=True)
    except OSError as error:
        raise InputError.at(str(folder), f"cannot be written: {error.strerror}") from None
    return [folder / name for name in files]


def _json(value: Any) -> bytes:
    return (json.dumps(value, ensure_ascii=False, allow_nan=False) + "\n").encode()


def _csv(response: StorageResponse) -> bytes:
    """The flows, a row per step, under the names of SPEC section 2; stamps are starts of steps."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["timestamp", *response.flows])
    stamps = [moment.isoformat() for moment in response.result.timestamps]
    columns = [series.tolist() for series in response.flows.values()]
    writer.writerows(zip(stamps, *columns, strict=True))
    return text.getvalue().encode()


def _parquet(response: StorageResponse) -> bytes:
    import pyarrow
    import pyarrow.parquet

    timeline = response.result.site.timeline
    zone = timeline.time_zone or timeline.instant(0).isoformat()[-6:]
    seconds = timeline.start_seconds + timeline.step_seconds * np.arange(timeline.steps)
    stamps = pyarrow.array(seconds * 1000, pyarrow.timestamp("ms", tz=zone))
    table = pyarrow.table({"timestamp": stamps, **response.flows})
    sink = io.BytesIO()
    pyarrow.parquet.write_table(table, sink)
    return sink.getvalue()
