"""What every benchmark prints: a table for people, and one JSON line last."""

import json
from argparse import ArgumentParser
from collections.abc import Mapping, Sequence
from typing import Any

Row = Mapping[str, Any]


def parser(about: str | None) -> ArgumentParser:
    """With the option they share."""
    made = ArgumentParser(description=about)
    made.add_argument("--json", action="store_true", help="only the JSON line")
    return made


def report(bench: str, rows: Sequence[Row], *, only_json: bool, **more: Any) -> None:
    """Prints the rows, each with the same columns, and the JSON line."""
    if not only_json:
        columns = list(rows[0])
        cells = [columns, *([_cell(row.get(column)) for column in columns] for row in rows)]
        widths = [max(len(line[place]) for line in cells) for place in range(len(columns))]
        for line in cells:
            print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
        for name, value in more.items():
            print(f"{name}: {value}")
    print(json.dumps({"bench": bench, "rows": rows, **more}))


def _cell(value: object) -> str:
    if isinstance(value, float):
        return f"{value:,.1f}"
    return f"{value:,}" if isinstance(value, int) else "-" if value is None else str(value)
