"""Opens a directory that `bert train masked-lm` wrote with transformers, and compares its fill-mask pipeline with `bert`'s.

    pip install -r ../goldens/requirements.txt
    bert predict masked-lm --model DIR --input INPUT.txt > bert.jsonl
    python compare_fill_mask.py DIR INPUT.txt bert.jsonl [--tolerance 1e-5]

INPUT.txt holds one plain text a line, each with [MASK] in it. Tokens, their texts and the sequences must be equal and
scores within the tolerance. Exit code 1 when something differs, when a key is missing, unexpected or of the wrong shape, or
when the decoder is not the word embeddings.
"""

import argparse
import json
import sys
from pathlib import Path

import torch
from transformers import AutoModelForMaskedLM, AutoTokenizer, pipeline


def open_directory(folder: Path):
    """Model in float32; ends the script unless every tensor found its place and the decoder is tied."""
    model, report = AutoModelForMaskedLM.from_pretrained(
        folder, dtype=torch.float32, attn_implementation="eager", local_files_only=True, output_loading_info=True
    )
    print(type(model).__name__, {name: sorted(found) for name, found in report.items()}, file=sys.stderr)
    if any(report.values()):
        sys.exit("the directory's tensors and the model's parameters differ")
    decoder, words = model.get_output_embeddings().weight, model.get_input_embeddings().weight
    if decoder.data_ptr() != words.data_ptr():
        sys.exit("the decoder is not the word embeddings")
    return model.eval()


def lists_of_masks(predictions: list) -> list[list[dict]]:
    """One list a mask, also where the pipeline gives the only one by itself."""
    return predictions if isinstance(predictions[0], list) else [predictions]


def compare(expected: list, found: list) -> float:
    """The largest difference of two scores; infinite when anything else differs."""
    worst = 0.0
    expected, found = lists_of_masks(expected), lists_of_masks(found)
    if [len(mask) for mask in expected] != [len(mask) for mask in found]:
        return float("inf")
    for one, other in zip(sum(expected, []), sum(found, [])):
        if any(one[key] != other[key] for key in ("token", "token_str", "sequence")):
            print(f"  expected {one}\n  found    {other}")
            return float("inf")
        worst = max(worst, abs(one["score"] - other["score"]))
    return worst


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("directory", type=Path)
    parser.add_argument("input", type=Path)
    parser.add_argument("found", type=Path)
    parser.add_argument("--tolerance", type=float, default=1e-5, help="largest difference of two scores (default 1e-5)")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    model = open_directory(arguments.directory)
    tokenizer = AutoTokenizer.from_pretrained(arguments.directory, local_files_only=True)
    fill = pipeline("fill-mask", model=model, tokenizer=tokenizer, device="cpu")
    texts = arguments.input.read_text(encoding="utf-8").removesuffix("\n").split("\n")
    found = [json.loads(line)["predictions"] for line in arguments.found.read_text(encoding="utf-8").splitlines()]
    if len(texts) != len(found):
        sys.exit(f"{len(texts)} lines in {arguments.input}, {len(found)} in {arguments.found}")
    differences = [compare(fill(text), predictions) for text, predictions in zip(texts, found)]
    print(f"{len(texts)} texts, largest difference of a score {max(differences):.3e}")
    above = [str(index + 1) for index, difference in enumerate(differences) if not difference <= arguments.tolerance]
    if above:
        sys.exit(f"different in line {', '.join(above)}")


if __name__ == "__main__":
    main()
