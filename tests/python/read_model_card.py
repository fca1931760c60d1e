"""Reads the model card of a `bert train` as the hub does: valid YAML, known keys, results that parse.

    pip install huggingface_hub
    python read_model_card.py DIR

The figures of the card are compared with evaluation.json beside it. Exit code 1 when one is another or missing.
"""

import argparse
import json
import sys
from pathlib import Path

from huggingface_hub import ModelCard


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", type=Path)
    directory = parser.parse_args().directory
    data = ModelCard.load(directory / "README.md", ignore_metadata_errors=False).data
    print(data.to_yaml())
    problems = [f"no {key}" for key in ("library_name",) if data.get(key) is None]
    metrics = json.loads((directory / "evaluation.json").read_text())["metrics"]
    results = data.eval_results or []
    if data.get("pipeline_tag") and not results:
        problems.append("no results")
    for result in results:
        name = result.metric_name.replace(" ", "_")
        if result.dataset_split == "validation" and metrics.get(name) != result.metric_value:
            problems.append(f"{name} is {result.metric_value} in the card and {metrics.get(name)} in evaluation.json")
    for problem in problems:
        print(problem, file=sys.stderr)
    print(f"{len(results)} results, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
