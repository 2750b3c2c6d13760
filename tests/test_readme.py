"""The README's Python runs as printed, and prints what its comments say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

README = Path(__file__).parents[1] / "README.md"
PYTHON_BLOCK = re.compile(r"^```python\n(.*?)^```$", flags=re.MULTILINE | re.DOTALL)
SHELL_BLOCK = re.compile(r"^```sh\n(.*?)^```$", flags=re.MULTILINE | re.DOTALL)


def test_the_python_blocks_run_in_order_and_print_what_their_comments_say(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    text = README.read_text("utf-8")
    monkeypatch.chdir(README.parent)
    namespace: dict[str, object] = {}
    expected: list[str] = []
    for block in PYTHON_BLOCK.finditer(text):
        lines_before = text[: block.start(1)].count("\n")
        exec(compile("\n" * lines_before + block[1], str(README), "exec"), namespace)
        expected += re.findall(r"^print\(.*\)  # (.*)$", block[1], flags=re.MULTILINE)
    assert expected, "README.md has no Python that prints"
    assert capsys.readouterr().out.splitlines() == expected


def test_the_first_two_commands_are_one_line_each() -> None:
    commands = SHELL_BLOCK.findall(README.read_text("utf-8"))[:2]
    assert [command.count("\n") for command in commands] == [1, 1]
