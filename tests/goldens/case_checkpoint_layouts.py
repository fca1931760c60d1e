"""Small checkpoints laid out as people's real ones are, with what transformers makes of each.

`layouts/base_*` are directories. `layouts/overlays/CASE` has the files in which a case differs from its base.
"""

import json
import shutil
import tempfile
from pathlib import Path

import torch
from transformers import (
    AutoModelForMaskedLM,
    AutoModelForSequenceClassification,
    AutoTokenizer,
    pipeline,
)

from layout_cases import cases
from layout_files import SIZES, write_bases

KEPT = ("case", "group", "kind", "task", "base", "input", "aggregation", "refuse", "says")


def write(output: Path) -> None:
    """Writes the directories, and cases.json with one line a case."""
    root = output / "layouts"
    write_bases(root)
    lines = ",\n".join(json.dumps(row(root, case)) for case in cases())
    (root / "cases.json").write_text(f"[\n{lines}\n]\n", encoding="utf-8")


def row(root: Path, case: dict) -> dict:
    """What the file says of a case. Its overlay is written, too."""
    base = root / case["base"]
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "model"
        shutil.copytree(base, folder)
        case["edit"](folder)
        removed = overlay(base, folder, root / "overlays" / case["case"])
        kept = {key: case[key] for key in KEPT if key in case} | {"remove": removed}
        if "refuse" in case:
            return kept
        reference = root / case["reference"] if "reference" in case else folder
        return kept | answer(str(reference), case)


def overlay(base: Path, folder: Path, target: Path) -> list[str]:
    """Copies the files that differ, and returns the names of those that are gone."""
    target.mkdir(parents=True, exist_ok=True)
    for path in sorted(folder.iterdir()):
        old = base / path.name
        if not old.exists() or old.read_bytes() != path.read_bytes():
            shutil.copyfile(path, target / path.name)
    if not any(target.iterdir()):
        target.rmdir()
    return sorted(path.name for path in base.iterdir() if not (folder / path.name).exists())


def answer(folder: str, case: dict) -> dict:
    """The right answer to a case."""
    match case["task"]:
        case "text-classification":
            return classified(folder, case)
        case "masked-lm":
            return filled(folder, case["input"])
        case "token-classification":
            return tagged(folder, case)


def encode(folder: str, given: dict):
    """A text or a pair as the model is given it, and the tokenizer; truncated to what both can take."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    longest = min(SIZES["max_position_embeddings"], tokenizer.model_max_length)
    return tokenizer(*given.values(), return_tensors="pt", truncation=True, max_length=longest), tokenizer


def classified(folder: str, case: dict) -> dict:
    """The logits, and label and score of the pipeline or of a cross-encoder."""
    encoded, tokenizer = encode(folder, case["input"])
    model = AutoModelForSequenceClassification.from_pretrained(folder).eval()
    with torch.no_grad():
        logits = model(**encoded).logits[0]
    classifier = pipeline("text-classification", model=model, tokenizer=tokenizer, device="cpu")
    best = classifier(case["input"], truncation=True, max_length=encoded["input_ids"].shape[1])
    score = cross_encoded(folder, case["input"]) if "reference_class" in case else best["score"]
    return {"logits": logits.tolist(), "label": str(best["label"]), "score": float(score)}


def cross_encoded(folder: str, pair: dict) -> float:
    """The score that sentence-transformers gives a pair."""
    from sentence_transformers import CrossEncoder

    model = CrossEncoder(folder, device="cpu")
    return model.predict([tuple(pair.values())], show_progress_bar=False)[0]


def filled(folder: str, given: dict) -> dict:
    """The logits of the masked tokens."""
    encoded, tokenizer = encode(folder, given)
    model = AutoModelForMaskedLM.from_pretrained(folder).eval()
    with torch.no_grad():
        logits = model(**encoded).logits[0]
    return {"logits": logits[encoded["input_ids"][0] == tokenizer.mask_token_id].tolist()}


def tagged(folder: str, case: dict) -> dict:
    """The entities of one strategy."""
    tokenizer, strategy = AutoTokenizer.from_pretrained(folder), case["aggregation"]
    tagger = pipeline(
        "token-classification", model=folder, tokenizer=tokenizer, aggregation_strategy=strategy, device="cpu"
    )
    found = tagger(case["input"]["text"])
    return {"entities": [{key: plain(value) for key, value in one.items()} for one in found]}


def plain(value):
    """NumPy's numbers as Python's."""
    return value.item() if hasattr(value, "item") else value
