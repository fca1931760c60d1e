"""Compares the vectors of `bert embed` with those of sentence-transformers, text by text; exit code 1 when they differ.

    python compare_embeddings.py MODEL TEXTS [--count 1000] [--bert bert] [--prompt-name NAME]

MODEL is a directory of sentence-transformers, or of a plain encoder. TEXTS holds one text a line. The packages are those of
tests/goldens/requirements.txt. Everything is computed on the CPU, in float32.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"

import numpy as np
from sentence_transformers import SentenceTransformer


def theirs(model: Path, texts: list[str], prompt_name: str | None) -> np.ndarray:
    """The vectors of sentence-transformers."""
    encoder = SentenceTransformer(str(model), device="cpu", local_files_only=True)
    return encoder.encode(texts, prompt_name=prompt_name, show_progress_bar=False)


def ours(bert: str, model: Path, texts: list[str], prompt_name: str | None) -> np.ndarray:
    """The vectors of `bert embed`."""
    with tempfile.TemporaryDirectory() as temporary:
        vectors = Path(temporary) / "vectors.npy"
        command = [bert, "embed", "--model", str(model), "--input", "-", "--output", str(vectors)]
        if prompt_name is not None:
            command += ["--prompt-name", prompt_name]
        subprocess.run(command, input="\n".join(texts) + "\n", encoding="utf-8", check=True)
        return np.load(vectors)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("texts", type=Path)
    parser.add_argument("--count", type=int, default=1000, help="texts from the beginning of the file (default 1000)")
    parser.add_argument("--bert", default="bert", help="the command (default bert)")
    parser.add_argument("--prompt-name", help="the prompt of both sides")
    parser.add_argument("--tolerance", type=float, default=1e-5, help="largest absolute difference (default 1e-5)")
    arguments = parser.parse_args()
    # As `bert embed` reads lines: blank ones are skipped, and an object would be JSON.
    lines = arguments.texts.read_text(encoding="utf-8").split("\n")
    texts = [line for line in lines if line.strip() and not line.lstrip().startswith("{")][: arguments.count]
    expected = theirs(arguments.model, texts, arguments.prompt_name)
    found = ours(arguments.bert, arguments.model, texts, arguments.prompt_name)
    if found.shape != expected.shape:
        sys.exit(f"{expected.shape} by sentence-transformers, {found.shape} by bert embed")
    differences = np.abs(found - expected).max(axis=1)
    worst = int(differences.argmax())
    cosines = (found * expected).sum(axis=1) / np.linalg.norm(found, axis=1) / np.linalg.norm(expected, axis=1)
    print(
        f"{len(texts)} texts, {found.shape[1]} numbers each: largest difference {differences[worst]:.3e} in text {worst + 1}, "
        f"smallest cosine {cosines.min():.9f}"
    )
    if not differences[worst] <= arguments.tolerance:
        sys.exit(f"above {arguments.tolerance:g}")


if __name__ == "__main__":
    main()
