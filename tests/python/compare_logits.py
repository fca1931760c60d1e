"""Compares the `logits` of two JSONL files line by line; exit code 1 when they differ.

    python compare_logits.py EXPECTED.jsonl FOUND.jsonl [--tolerance 2e-5]

Other fields of a line are ignored. Needs Python alone.
"""

import argparse
import json
import math
import sys
from pathlib import Path


def read(path: Path) -> list[list[float]]:
    """The logits of every line."""
    rows = []
    for number, line in enumerate(path.read_text(encoding="utf-8").removesuffix("\n").split("\n"), start=1):
        try:
            rows.append([float(value) for value in json.loads(line)["logits"]])
        except (ValueError, KeyError, TypeError) as error:
            sys.exit(f"{path}:{number}: expected a JSON object with an array of numbers under `logits` ({error!r})")
    return rows


def row_difference(expected: list[float], found: list[float]) -> float:
    """The largest absolute difference of two rows; infinite when their lengths differ or a value is not finite."""
    differences = [abs(a - b) for a, b in zip(expected, found)]
    comparable = len(expected) == len(found) and all(math.isfinite(difference) for difference in differences)
    return max(differences, default=0.0) if comparable else math.inf


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("expected", type=Path)
    parser.add_argument("found", type=Path)
    parser.add_argument("--tolerance", type=float, default=2e-5, help="largest absolute difference (default 2e-5)")
    arguments = parser.parse_args()
    expected, found = read(arguments.expected), read(arguments.found)
    if len(expected) != len(found):
        sys.exit(f"{len(expected)} lines in {arguments.expected}, {len(found)} in {arguments.found}")
    differences = [row_difference(a, b) for a, b in zip(expected, found)]
    worst = max(range(len(differences)), key=differences.__getitem__)
    print(f"{len(differences)} lines, largest difference {differences[worst]:.3e} in line {worst + 1}")
    above = [str(index + 1) for index, difference in enumerate(differences) if not difference <= arguments.tolerance]
    if above:
        sys.exit(f"above {arguments.tolerance:g} in line {', '.join(above)}")


if __name__ == "__main__":
    main()
