"""Sentence embeddings by sentence-transformers: a directory that it has saved, and changes of its files."""

import json
import shutil
import tempfile
from pathlib import Path

import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Dense, Normalize, Pooling, Transformer
from transformers import BertModel, BertTokenizerFast

import case_tokenization
import tiny

CASE = "sentence_embedding"
OUT_FEATURES = 7
BATCH_SIZE = 3
# Of different lengths, so that a batch has padding; one is longer than the model, and one spells a special token out.
TEXTS = [
    "the movie is great and not bad",
    "a",
    "",
    "The Paris film. HELLO, New York!",
    "the film is not good, and not bad " * 8,
    "hello [MASK] world",
    "CAF\u00c9 caf\u00e9 unaffable",
]
PAIRS = [["the film is good", "the movie is not bad"], ["hello", "The Paris film is great"]]
PROMPTS = {"query": "the film: ", "document": ""}
MODES = Pooling.POOLING_MODES
OLD_KEYS = {
    "cls": "pooling_mode_cls_token",
    "max": "pooling_mode_max_tokens",
    "mean": "pooling_mode_mean_tokens",
    "mean_sqrt_len_tokens": "pooling_mode_mean_sqrt_len_tokens",
    "weightedmean": "pooling_mode_weightedmean_tokens",
    "lasttoken": "pooling_mode_lasttoken",
}
SHORT_TOKENIZER = {"tokenizer_class": "BertTokenizer", "do_lower_case": False, "model_max_length": 11}
POOLING_FILE = "1_Pooling/config.json"
# Modules as releases before 5 name them, without a dense layer.
OLD_MODULES = [
    {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
    {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
]
OLD_MODULES_NORMALIZED = OLD_MODULES + [
    {"idx": 2, "name": "2", "path": "2_Normalize", "type": "sentence_transformers.models.Normalize"}
]


def write(output: Path) -> None:
    """Writes the directory, and what sentence-transformers gives with each change of its files."""
    folder = output / CASE
    hidden_size = tiny.SMALL["hidden_size"]
    save_model(folder, hidden_size)
    tensors, rows, error = {}, [], 0.0
    for name, files, call in cases(hidden_size):
        found, exact = (embed(folder, files, call, dtype) for dtype in (torch.float32, torch.float64))
        error = max(error, tiny.largest_difference({name: found}, {name: exact}))
        tensors[name] = found
        rows.append({"name": name, "files": files, "call": call})
    scalars = {"texts": TEXTS, "pairs": PAIRS, "cases": rows, "float32_error": {"outputs": error}}
    tiny.save_golden(folder, tensors, scalars)


def save_model(folder: Path, hidden_size: int) -> None:
    """A directory as sentence-transformers saves it: mean, dense layer, normalisation, prompts."""
    vocabulary = case_tokenization.vocabulary()
    dimensions = {**tiny.SMALL, "vocab_size": len(vocabulary), "max_position_embeddings": 47, "type_vocab_size": 2}
    with tempfile.TemporaryDirectory() as temporary:
        encoder = Path(temporary)
        tiny.randomise(BertModel(tiny.config(dimensions)), CASE).save_pretrained(encoder)
        vocab = encoder / "vocab.txt"
        vocab.write_text("\n".join(vocabulary) + "\n", encoding="utf-8")
        BertTokenizerFast.from_pretrained(encoder, do_lower_case=False).save_pretrained(encoder)
        transformer = Transformer(str(encoder))
    dense = Dense(hidden_size, OUT_FEATURES)
    random = tiny.generator(CASE, "dense")
    with torch.no_grad():
        for parameter in dense.parameters():
            values = tiny.WEIGHT_STD * random.standard_normal(parameter.shape)
            parameter.copy_(torch.from_numpy(values).float())
    modules = [transformer, Pooling(hidden_size, "mean"), dense, Normalize()]
    SentenceTransformer(modules=modules, prompts=PROMPTS, device="cpu").save_pretrained(
        str(folder), create_model_card=False
    )
    drop_versions(folder / "config_sentence_transformers.json")


def drop_versions(path: Path) -> None:
    """Takes out the versions of the packages, one of which says for which hardware PyTorch was built."""
    config = json.loads(path.read_text(encoding="utf-8"))
    del config["__version__"]
    path.write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")


def cases(hidden_size: int) -> list[tuple[str, dict, dict]]:
    """Name, files that replace those of the directory (null removes one), and arguments of `encode`."""
    old = {"word_embedding_dimension": hidden_size}
    new = {"embedding_dimension": hidden_size}
    plain_modules = {"modules.json": OLD_MODULES}
    normalized = {"modules.json": OLD_MODULES_NORMALIZED, POOLING_FILE: {**old, OLD_KEYS["mean"]: True}}
    every_mode = {**plain_modules, POOLING_FILE: {**new, "pooling_mode": list(reversed(MODES))}}
    without_prompt = {**every_mode, POOLING_FILE: {**every_mode[POOLING_FILE], "include_prompt": False}}
    rows = [
        ("as_saved", {}, {}),
        ("as_saved_pairs", {}, {"pairs": True}),
        ("plain_encoder", {"modules.json": None}, {}),
        ("no_mode", {**plain_modules, POOLING_FILE: {**old, OLD_KEYS["mean"]: False}}, {}),
        ("old_all", {**plain_modules, POOLING_FILE: {**old, **{key: True for key in OLD_KEYS.values()}}}, {}),
        ("new_all_reversed", every_mode, {}),
        ("normalized", normalized, {}),
        ("prompt", every_mode, {"prompt": "Hello, world: "}),
        ("prompt_name", every_mode, {"prompt_name": "query"}),
        ("prompt_not_pooled", without_prompt, {"prompt_name": "query"}),
        ("default_prompt", {**without_prompt, **settings(default_prompt_name="query")}, {}),
        ("no_default_prompt", {**without_prompt, **settings(default_prompt_name="query")}, {"prompt": ""}),
        ("truncated", normalized, {"truncate_dim": 5}),
        ("truncated_normalized", normalized, {"truncate_dim": 5, "normalize_embeddings": True}),
        ("truncated_by_file", {**normalized, **settings(truncate_dim=3)}, {}),
        ("normalize_embeddings", every_mode, {"normalize_embeddings": True}),
        ("max_seq_length", {**normalized, **text_settings(max_seq_length=9)}, {}),
        ("do_lower_case", {**normalized, **text_settings(do_lower_case=True)}, {}),
        ("model_max_length", {**normalized, **text_settings(), "tokenizer_config.json": SHORT_TOKENIZER}, {}),
    ]
    for mode in MODES:
        rows.append((f"old_{mode}", {**plain_modules, POOLING_FILE: {**old, OLD_KEYS[mode]: True}}, {}))
        rows.append((f"new_{mode}", {**plain_modules, POOLING_FILE: {**new, "pooling_mode": mode}}, {}))
    return rows


def settings(**changes) -> dict:
    """config_sentence_transformers.json with the prompts."""
    return {"config_sentence_transformers.json": {"prompts": PROMPTS, **changes}}


def text_settings(**settings) -> dict:
    """sentence_bert_config.json as releases before 5 write it."""
    return {"sentence_bert_config.json": settings}


def embed(folder: Path, files: dict, call: dict, dtype: torch.dtype) -> torch.Tensor:
    """The vectors of a copy of the directory."""
    call = dict(call)
    inputs = PAIRS if call.pop("pairs", False) else TEXTS
    with tempfile.TemporaryDirectory() as temporary:
        copy = Path(temporary) / "model"
        shutil.copytree(folder, copy)
        for name, content in files.items():
            if content is None:
                (copy / name).unlink()
            else:
                (copy / name).write_text(json.dumps(content), encoding="utf-8")
        model = SentenceTransformer(str(copy), device="cpu", local_files_only=True).to(dtype)
        vectors = model.encode(
            [tuple(one) if isinstance(one, list) else one for one in inputs],
            batch_size=BATCH_SIZE,
            show_progress_bar=False,
            convert_to_tensor=True,
            **call,
        )
    return vectors
