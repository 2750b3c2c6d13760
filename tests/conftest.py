"""What tests share: the folder of real inputs, if there is one, and how to do without highspy."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Generator
from pathlib import Path

import hypothesis
import pytest

_BESIDE_THE_CHECKOUT = Path(__file__).parents[2] / "shared" / "data"

# The same cases in every run, so that it means the same everywhere; for others:
# `--hypothesis-profile=explore`.
hypothesis.settings.register_profile("same", deadline=None, derandomize=True)
hypothesis.settings.register_profile("explore", deadline=None)
hypothesis.settings.load_profile("same")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real inputs: BESS_SHARED_DATA, else ../shared/data beside the checkout."""
    folder = Path(os.environ.get("BESS_SHARED_DATA", _BESIDE_THE_CHECKOUT))
    if not folder.is_dir():
        pytest.skip(f"no shared data at {folder}")
    return folder


if importlib.util.find_spec("highspy") is None:  # free-threaded Python has no wheel of it yet

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call() -> Generator[None, None, None]:
        """Skips a test as soon as it comes to need highspy."""
        try:
            yield
        except ModuleNotFoundError as error:
            if error.name != "highspy":
                raise
            pytest.skip("needs highspy")
