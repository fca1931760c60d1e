"""Compares the TensorBoard event files of a `bert train` with the training.jsonl beside them, number by number.

    pip install tensorboard
    python read_events.py DIR

TensorBoard keeps 32-bit numbers, so both sides are compared as such. Exit code 1 when a number is missing or another.
"""

import argparse
import json
import struct
import sys
from pathlib import Path

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator


def single(value: float) -> float:
    """The nearest 32-bit number."""
    return struct.unpack("<f", struct.pack("<f", value))[0]


def logged(path: Path) -> dict[str, dict[int, float]]:
    """The scalars that training.jsonl has, by tag and step."""
    scalars: dict[str, dict[int, float]] = {}
    for line in path.read_text().splitlines():
        event = json.loads(line)
        if event["event"] == "step":
            figures = {f"train/{name}": event[name] for name in ("loss", "learning_rate", "grad_norm", "epoch")}
        elif event["event"] == "evaluation":
            figures = {f"eval/{name}": value for name, value in event["metrics"].items()}
        else:
            continue
        for tag, value in figures.items():
            if isinstance(value, (int, float)):
                scalars.setdefault(tag, {})[event["step"]] = single(value)
    return scalars


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", type=Path)
    directory = parser.parse_args().directory
    accumulator = EventAccumulator(str(directory), size_guidance={"scalars": 0})
    accumulator.Reload()
    expected = logged(directory / "training.jsonl")
    found = {
        tag: {event.step: event.value for event in accumulator.Scalars(tag)}
        for tag in accumulator.Tags()["scalars"]
    }
    different = [tag for tag in sorted(expected.keys() | found.keys()) if expected.get(tag) != found.get(tag)]
    for tag in different:
        print(f"{tag}: logged {expected.get(tag)}, in the event file {found.get(tag)}", file=sys.stderr)
    numbers = sum(len(values) for values in found.values())
    print(f"{len(found)} tags, {numbers} numbers, {len(different)} tags differ")
    return 1 if different or not found else 0


if __name__ == "__main__":
    sys.exit(main())
