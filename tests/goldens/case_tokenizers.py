"""What transformers makes of texts, pairs and words with the tokenizers of `tokenizer_files.py`.

One file: `shared` has files that several cases hold, `cases` has directories with what comes out of them. A file is its
text, `{"shared": name}` or `{"hex": bytes}`.
"""

import copy
import json
import tempfile
from pathlib import Path

import numpy as np
import torch
from transformers import AutoTokenizer, BertConfig, BertForTokenClassification, TokenClassificationPipeline

import tiny
from tokenizer_files import PAIRS, TEXTS, WORDS, cases, shared_files

LABELS = ["O", "B-PER", "I-PER", "B-LOC", "I-LOC"]
STRATEGIES = ["none", "simple", "first", "average", "max"]
MAX_LENGTH = 9
# One case of each kind of word boundary.
WITH_ENTITIES = [
    "bert-map",
    "mpnet",
    "roberta",
    "roberta-prefix",
    "modernbert",
    "bert-byte-level-without-template",
    "xlm-roberta",
    "deberta-v2-no-prefix",
    "sentencepiece-entities",
    "public-sentencepiece-entities",
]


def write(output: Path) -> None:
    """Writes tokenizers.json, one line a case."""
    folder = output / "tokenizers"
    folder.mkdir()
    shared = shared_files()
    lines = ",\n".join(compact(case_of(*case, shared)) for case in cases())
    shared = ",\n".join(f"{json.dumps(name)}:{compact(content)}" for name, content in shared.items())
    text = f'{{"labels":{compact(LABELS)},\n"shared":{{\n{shared}\n}},\n"cases":[\n{lines}\n]}}\n'
    (folder / "tokenizers.json").write_text(text, encoding="utf-8")


def compact(content) -> str:
    """JSON without white space."""
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"))


def case_of(name: str, model_type: str, files: dict, settings: dict, shared: dict) -> dict:
    """The files of a case and what transformers makes of them."""
    files = {
        "config.json": {"model_type": model_type} | ({"type_vocab_size": 2} if model_type == "deberta-v2" else {})
    } | files
    if settings:
        files["tokenizer_config.json"] = settings
    files = {file: json.dumps(content) if is_json(content) else content for file, content in files.items()}
    with tempfile.TemporaryDirectory() as folder:
        for file, content in files.items():
            content = shared[content["shared"]] if isinstance(content, dict) else content
            data = bytes.fromhex(content["hex"]) if isinstance(content, dict) else content.encode()
            Path(folder, file).write_bytes(data)
        tokenizer = AutoTokenizer.from_pretrained(folder)
        random = tiny.generator("tokenizers", name)
        rows = [(text, None, 64) for text in TEXTS] + [
            (TEXTS[0], None, MAX_LENGTH),
            (*PAIRS[0], 64),
            (*PAIRS[1], MAX_LENGTH),
        ]
        return {
            "name": name,
            "files": files,
            "encodings": [encoding(tokenizer, *row) for row in rows],
            "windows": windows_of(tokenizer, *PAIRS[1]),
            "pieces": [pieces_of(tokenizer, given, random, name in WITH_ENTITIES) for given in [*TEXTS[:2], *WORDS]],
            "special_ids": sorted(set(tokenizer.all_special_ids)),
        }


def is_json(content) -> bool:
    """Whether a file's content is given as a JSON object, not as a text or a reference."""
    return isinstance(content, dict) and content.keys() not in ({"shared"}, {"hex"})


def encoding(tokenizer, text: str, pair: str | None, max_length: int) -> dict:
    """What the model is given for a text or a pair, and where its tokens stand."""
    pairs = None if pair is None else [pair]
    found = tokenizer([text], pairs, truncation=True, max_length=max_length, return_offsets_mapping=True)
    ids = found["input_ids"][0]
    return {
        "text": text,
        "text_pair": pair,
        "max_length": max_length,
        "input_ids": ids,
        "token_type_ids": found["token_type_ids"][0] if "token_type_ids" in found else [0] * len(ids),
        "offsets": found["offset_mapping"][0],
        "word_ids": found.word_ids(0),
    }


def windows_of(tokenizer, question: str, context: str) -> dict:
    """A context in windows beside its question."""
    most = len(tokenizer(question, context)["input_ids"]) - 2
    found = tokenizer(
        question,
        context,
        truncation="only_second",
        max_length=most,
        stride=1,
        return_overflowing_tokens=True,
        return_offsets_mapping=True,
    )
    return {
        "question": question,
        "context": context,
        "max_length": most,
        "stride": 1,
        "input_ids": found["input_ids"],
        "offsets": found["offset_mapping"],
    }


def pieces_of(tokenizer, given, random: np.random.Generator, with_entities: bool) -> dict:
    """A text or words in sub-tokens as the pipeline sees them, and the entities that it makes of random logits."""
    model = BertForTokenClassification(BertConfig(**tiny.SMALLEST, num_labels=len(LABELS)))
    model.config.id2label = dict(enumerate(LABELS))
    pipeline = TokenClassificationPipeline(model=model, tokenizer=tokenizer)
    is_words = isinstance(given, list)
    extra = {"is_split_into_words": True, "delimiter": " "} if is_words else {"is_split_into_words": False}
    (inputs,) = pipeline.preprocess(given, **extra)
    special = inputs["special_tokens_mask"][0].numpy() == 1
    logits = np.round(random.normal(0.0, 2.0, size=(len(special), len(LABELS))), 2).astype(np.float32)
    units = pipeline.gather_pre_entities(
        inputs["sentence"],
        inputs["input_ids"][0],
        logits,
        inputs["offset_mapping"][0].clone(),
        special,
        None,
        word_ids=inputs.get("word_ids"),
        word_to_chars_map=inputs.get("word_to_chars_map"),
    )
    pieces = {
        "tokens" if is_words else "text": given,
        "words": [unit["word"] for unit in units],
        "offsets": [[unit["start"], unit["end"]] for unit in units],
        "is_subword": [bool(unit["is_subword"]) for unit in units],
    }
    if not with_entities:
        return pieces
    found = {}
    for strategy in STRATEGIES:
        # The pipeline shifts the offsets of words in place.
        outputs = copy.deepcopy(dict(inputs, logits=torch.from_numpy(logits)[None]))
        _, _, parameters = pipeline._sanitize_parameters(aggregation_strategy=strategy)
        entities = pipeline.postprocess([outputs], **parameters)
        found[strategy] = [{key: plain(value) for key, value in entity.items()} for entity in entities]
    kept = logits[~special].astype(np.float64)
    return pieces | {"logits": [[round(value, 2) for value in row] for row in kept.tolist()], "entities": found}


def plain(value):
    """A NumPy number as Python's, scores with the digits that single precision has."""
    if isinstance(value, np.floating):
        return round(float(value), 8)
    return int(value) if isinstance(value, np.integer) else value
