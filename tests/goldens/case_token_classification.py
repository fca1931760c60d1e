"""BertForTokenClassification, the pipeline's aggregation of random logits, and seqeval's figures for random tags."""

import copy
import json
import math
import warnings
from pathlib import Path

import numpy as np
import torch
from seqeval.metrics import accuracy_score
from seqeval.metrics.sequence_labeling import get_entities
from seqeval.metrics.sequence_labeling import precision_recall_fscore_support as default_scores
from seqeval.metrics.v1 import precision_recall_fscore_support as strict_scores
from seqeval.metrics.v1 import unique_labels
from seqeval.scheme import IOB1, IOB2, IOBES
from transformers import BertForTokenClassification, BertTokenizerFast, TokenClassificationPipeline

import tiny
from case_classification import IGNORED_LABEL, errors, forward_backward
from case_tokenization import vocabulary

LABELS = ["O", "B-creative-work", "B-person", "I-creative-work", "I-person", "B-place", "I-place"]
STRATEGIES = ["none", "simple", "first", "average", "max"]

# A text, or words.
INPUTS: list[str | list[str]] = [
    "hello world",
    "Paris is unaffable and the greatest film, not bad.",
    "  New   york\tis goodness \u2014 not [MASK] film",
    "caf\u00e9 cafe\u0301 CAF\u00c9 na\u00efve \u0130stanbul",
    "hello \U0001f642 world \U0001f469\u200d\U0001f469 e\u0301\u0323 unaffable",
    "Qa\u65e5\u672c aQa \U0001f642\U0001f642films",
    "hel\u0000lo wor\u200bld bad\u00adly \u200b \u0301 good",
    "don't x@y.z 3.14 \u00bfgood? \u20ac5",
    "a" * 101 + " films " + "a" * 30,
    "",
    ["Paris", "is", "unaffable", ",", "not", "New-york", "."],
    ["caf\u00e9", "\u0000", "\u200b", "cafe\u0301s", "\U0001f642good", "", "\u65e5\u672cfilm", "Qa", "don't"],
    ["New york", "hello\tworld", "films"],
    ["\u200b", "\u00ad"],
]

SCHEMES = {"IOB1": IOB1, "IOB2": IOB2, "IOBES": IOBES}
TYPES = ["person", "creative-work", "LOC", "a-b-c", "x", "misc", "group", "T1", "T2", "T3", "T4", "T5"]


def write(output: Path) -> None:
    """Writes the model's case and the two tables."""
    write_model(output)
    write_aggregation(output)
    write_entity_metrics(output)


def write_model(output: Path) -> None:
    """One forward and backward pass: special tokens, padding and later sub-tokens have no label."""
    case = "token_classification"
    model = BertForTokenClassification(tiny.config(tiny.SMALL, num_labels=len(LABELS)))
    tiny.randomise(model, case)
    model.config.id2label = dict(enumerate(LABELS))
    model.config.label2id = {label: id for id, label in enumerate(LABELS)}
    batch = tiny.inputs(tiny.generator(case, "inputs"), tiny.SMALL, tiny.SMALL_BATCH)
    random = tiny.generator(case, "labels")
    labels = random.integers(0, len(LABELS), size=tiny.SMALL_BATCH)
    labels[random.random(tiny.SMALL_BATCH) < 0.3] = IGNORED_LABEL
    labels[batch["attention_mask"].numpy() == 0] = IGNORED_LABEL
    labels[:, 0] = IGNORED_LABEL
    labels[3] = IGNORED_LABEL
    labels = torch.from_numpy(labels)
    model.save_pretrained(output / case)
    found = forward_backward(model, batch, labels)
    exact = forward_backward(tiny.in_float64(model), batch, labels)
    scalars = {"loss": found.pop("loss").item(), "float32_error": errors(found, exact)}
    tiny.save_golden(output / case, batch | {"labels": labels} | found, scalars)


def write_aggregation(output: Path) -> None:
    """What the pipeline makes of random logits, for every strategy."""
    folder = output / "aggregation"
    folder.mkdir()
    (folder / "vocab.txt").write_text("\n".join(vocabulary()) + "\n", encoding="utf-8")
    tokenizer = BertTokenizerFast.from_pretrained(folder, do_lower_case=True)
    tokenizer.model_max_length = 512
    model = BertForTokenClassification(tiny.config(tiny.SMALLEST, num_labels=len(LABELS)))
    model.config.id2label = dict(enumerate(LABELS))
    pipeline = TokenClassificationPipeline(model=model, tokenizer=tokenizer)
    random = tiny.generator("aggregation", "logits")
    rows = [aggregation_row(pipeline, given, random) for given in INPUTS for _ in range(3)]
    lines = ",\n".join(json.dumps(row) for row in rows)
    (folder / "aggregation.json").write_text(f'{{"labels": {json.dumps(LABELS)}, "rows": [\n{lines}\n]}}\n', encoding="utf-8")


def aggregation_row(pipeline, given, random: np.random.Generator) -> dict:
    """One input with logits of its own, special tokens left out."""
    is_words = isinstance(given, list)
    extra = {"is_split_into_words": True, "delimiter": " "} if is_words else {"is_split_into_words": False}
    (inputs,) = pipeline.preprocess(given, **extra)
    special = inputs["special_tokens_mask"][0].numpy() == 1
    logits = np.round(random.normal(0.0, 2.0, size=(len(special), len(LABELS))), 3).astype(np.float32)
    outputs = dict(inputs, logits=torch.from_numpy(logits)[None])
    found = {}
    for strategy in STRATEGIES:
        _, _, parameters = pipeline._sanitize_parameters(aggregation_strategy=strategy)
        # The pipeline shifts the offsets of words in place.
        entities = pipeline.postprocess([copy.deepcopy(outputs)], **parameters)
        found[strategy] = [{key: plain(value) for key, value in entity.items()} for entity in entities]
    kept = logits[~special].astype(np.float64)
    return {
        "tokens" if is_words else "text": given,
        "input_ids": inputs["input_ids"][0].numpy()[~special].tolist(),
        "logits": [[round(value, 3) for value in row] for row in kept.tolist()],
        "entities": found,
    }


def plain(value):
    """A NumPy number as Python's, scores with the digits that single precision has."""
    if isinstance(value, np.floating):
        return round(float(value), 8)
    return int(value) if isinstance(value, np.integer) else value


def write_entity_metrics(output: Path) -> None:
    """seqeval on random sentences, well-formed and not."""
    warnings.simplefilter("ignore")
    folder = output / "entity_metrics"
    folder.mkdir()
    random = tiny.generator("entity_metrics", "tags")
    rows = [metrics_row(random, index) for index in range(204)]
    lines = ",\n".join(json.dumps(row) for row in rows)
    (folder / "entity_metrics.json").write_text(f"[\n{lines}\n]\n", encoding="utf-8")


def metrics_row(random: np.random.Generator, index: int) -> dict:
    """A few sentences; every number as text, because not every JSON reader keeps the last digit."""
    scheme = [*SCHEMES][index % 3]
    letters = {"IOB1": "IIB", "IOB2": "BI", "IOBES": "BIES"}[scheme]
    types = TYPES[: [1, 2, 3, 12][index // 3 % 4]]
    references, predictions = [], []
    for _ in range(random.integers(1, 5) if len(types) < 12 else 12):
        length = random.integers(1, 13)
        # The first rows have no entity on one side or on both.
        true = draw_tags(random, length, letters, types, outside=1.0 if index in (0, 1, 4) else 0.4)
        predicted = draw_tags(random, length, letters, types, outside=1.0 if index in (0, 2, 5) else 0.4)
        keep = random.random(length) < 0.7
        references.append(true)
        if index > 5:
            predicted = [one if kept else other for one, other, kept in zip(true, predicted, keep)]
        predictions.append(predicted)
    strict = {"scheme": SCHEMES[scheme]}
    default_types = sorted({kind for kind, _, _ in get_entities(references) + get_entities(predictions)})
    return {
        "scheme": scheme,
        "references": [" ".join(tags) for tags in references],
        "predictions": [" ".join(tags) for tags in predictions],
        "accuracy": number(accuracy_score(references, predictions)),
        "default": figures(default_scores, references, predictions, default_types),
        "strict": figures(
            strict_scores, references, predictions, unique_labels(references, predictions, SCHEMES[scheme]), **strict
        ),
    }


def draw_tags(random: np.random.Generator, length: int, letters: str, types: list[str], outside: float) -> list[str]:
    """Tags one by one, or an entity at a time: half of the sentences are malformed somewhere."""
    stay = random.random() * 0.9
    tags, kind = [], types[0]
    for _ in range(length):
        if random.random() < outside:
            tags.append("O")
            continue
        if random.random() > stay:
            kind = types[random.integers(len(types))]
        tags.append(f"{letters[random.integers(len(letters))]}-{kind}")
    return tags


def figures(scores, references, predictions, types: list[str], **options) -> dict:
    """All averages, and each type. Where there is no entity at all the macro mean is NaN, which stands as 0."""
    found = {}
    for average in ("micro", "macro", "weighted"):
        *values, support = scores(references, predictions, average=average, zero_division=0, **options)
        found[average] = [number(value) for value in values]
    found["support"] = int(support)
    columns = scores(references, predictions, average=None, zero_division=0, **options)
    found["per_type"] = {
        kind: [number(precision), number(recall), number(f1), int(count)]
        for kind, precision, recall, f1, count in zip(types, *columns)
    }
    return found


def number(value) -> str:
    """The shortest text that brings the value back."""
    return "0.0" if math.isnan(value) else repr(float(value))
