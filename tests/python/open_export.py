"""Opens a directory that `bert train` wrote with transformers, and prints the logits of texts.

    pip install -r ../goldens/requirements.txt
    python open_export.py DIR INPUT.jsonl [--max-length 128] > transformers.jsonl
    python compare_logits.py transformers.jsonl bert.jsonl

INPUT.jsonl holds what `bert predict text-classification --input` takes: plain text, or JSON with `text` and optionally
`text_pair`, one a line. Standard output gets one `{"logits": [...]}` a line, in order. Standard error gets
transformers' loading report; exit code 1 when a key is missing, unexpected or of the wrong shape.
"""

import argparse
import json
import sys
from pathlib import Path

import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer


def open_directory(folder: Path):
    """Model in float32 and the loading report."""
    model, report = AutoModelForSequenceClassification.from_pretrained(
        folder, dtype=torch.float32, attn_implementation="eager", local_files_only=True, output_loading_info=True
    )
    return model.eval(), report


def print_report(model, report: dict) -> bool:
    """Writes the report to standard error; whether every tensor found its place."""
    print(f"{type(model).__name__}, problem_type {model.config.problem_type}", file=sys.stderr)
    print(f"id2label: {model.config.id2label}", file=sys.stderr)
    for name, found in sorted(report.items()):
        print(f"{name}: {sorted(found) if found else 'none'}", file=sys.stderr)
    return not any(report.values())


def parse_line(line: str) -> tuple[str, str | None]:
    """A text and the second text where there is one; a line that is no JSON object is the text itself."""
    try:
        row = json.loads(line)
    except json.JSONDecodeError:
        return line, None
    return (row["text"], row.get("text_pair")) if isinstance(row, dict) else (line, None)


def logits_of(model, tokenizer, text: str, pair: str | None, max_length: int) -> list[float]:
    """The logits of one row alone, without padding. Truncation and padding baked into the tokenizer do not apply."""
    pairs = None if pair is None else [pair]
    batch = tokenizer(
        [text], pairs, truncation="longest_first", max_length=max_length, padding=False, return_tensors="pt"
    )
    with torch.no_grad():
        return model(**batch).logits[0].tolist()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("directory", type=Path)
    parser.add_argument("input", type=Path)
    parser.add_argument("--max-length", type=int, default=128, help="as given to bert (default 128)")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    model, report = open_directory(arguments.directory)
    if not print_report(model, report):
        sys.exit("the directory's tensors and the model's parameters differ: see the report above")
    tokenizer = AutoTokenizer.from_pretrained(arguments.directory, local_files_only=True)
    # Split at line feeds alone: str.splitlines would also split inside a text, at U+2028 for one.
    lines = arguments.input.read_text(encoding="utf-8").removesuffix("\n").split("\n")
    for line in lines:
        text, pair = parse_line(line.removesuffix("\r"))
        print(json.dumps({"logits": logits_of(model, tokenizer, text, pair, arguments.max_length)}))


if __name__ == "__main__":
    main()
