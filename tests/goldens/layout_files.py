"""Checkpoints laid out as people's real ones are: base directories, and the edits that make a case of one.

A case is a dict. `edit` changes a copy of the directory `base`. `reference` is the directory whose answer is right, where
that is not the case's own: transformers refuses the layout or fills it with random weights, although what it means is
clear. `refuse` has the words of the message where no answer is right, `says` words of a warning.
"""

import json
from pathlib import Path

import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import BertForMaskedLM, BertForSequenceClassification, BertForTokenClassification

import tiny

SIZES = dict(
    vocab_size=20,
    hidden_size=8,
    num_hidden_layers=1,
    num_attention_heads=2,
    intermediate_size=12,
    max_position_embeddings=16,
    type_vocab_size=2,
)
WEIGHT_STD = 0.5
# Weights that give every tag, and the sub-tokens of a word different ones.
TAG_STREAM = "layouts/base_tokens/9"
WORDS = "[PAD] [UNK] [CLS] [SEP] [MASK] <s> the film was great [E1] ada met charles in london [ ] e ##1".split()
PIECES = "<s> <pad> </s> <unk> _Ada _met _Char les _in _London _the <mask>".replace("_", "\u2581").split()
TAGS = {0: "O", 1: "B-PER", 2: "B-LOC"}
TEXT, PAIR = {"text": "the film was great"}, {"text": "the film", "text_pair": "was great"}
LONG, LONG_PAIR = "the film was great ada met charles " * 4, "in london the great film " * 3
SENTENCE = "Ada met Charles in London"
TOKENIZER, CONFIG, WEIGHTS = "tokenizer_config.json", "config.json", "model.safetensors"


def write_bases(root: Path) -> None:
    """The directories that cases are made of."""
    for name, architecture, changes in (
        ("base_text", BertForSequenceClassification, {}),
        ("base_one_label", BertForSequenceClassification, {"num_labels": 1}),
        ("base_three_labels", BertForSequenceClassification, {"num_labels": 3, "type_vocab_size": 3}),
        ("base_masked", BertForMaskedLM, {}),
        ("base_tokens", BertForTokenClassification, {"id2label": TAGS, "vocab_size": len(PIECES)}),
    ):
        stream = TAG_STREAM if name == "base_tokens" else f"layouts/{name}"
        model = tiny.randomise(architecture(tiny.config(SIZES | changes)), stream, WEIGHT_STD)
        model.save_pretrained(root / name)
        put(root / name, TOKENIZER, {})
        if name == "base_tokens":
            write_metaspace_tokenizer(root / name)
        else:
            put(root / name, "vocab.txt", "\n".join(WORDS) + "\n")


def write_metaspace_tokenizer(folder: Path) -> None:
    """Words that begin with U+2581, as SentencePiece has them."""
    before = [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()]
    write_tokenizer(folder, PIECES, pre_tokenizers.Sequence(before))


def write_byte_level_tokenizer(folder: Path) -> None:
    """Words after the first that begin with U+0120, as byte-level tokenizers have them."""
    pieces = [piece.replace("\u2581", "\u0120") for piece in PIECES]
    pieces[PIECES.index("\u2581Ada")] = "Ada"
    write_tokenizer(folder, pieces, pre_tokenizers.ByteLevel(add_prefix_space=False))


def write_tokenizer(folder: Path, pieces: list[str], before) -> None:
    """tokenizer.json and the class that takes it as it is."""
    special = {f"{name}_token": f"<{mark}>" for name, mark in (("unk", "unk"), ("pad", "pad"), ("mask", "mask"))}
    special |= {"cls_token": "<s>", "sep_token": "</s>"}
    put(folder, TOKENIZER, {"tokenizer_class": "PreTrainedTokenizerFast", **special})
    tokenizer = Tokenizer(models.Unigram([(piece, -rank / 9) for rank, piece in enumerate(pieces)], unk_id=3))
    tokenizer.pre_tokenizer = before
    tokenizer.add_special_tokens(list(special.values()))
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    tokenizer.save(str(folder / "tokenizer.json"))


def put(folder: Path, file: str, content) -> None:
    """Writes a text, or JSON."""
    text = content if isinstance(content, str) else json.dumps(content)
    (folder / file).write_text(text, encoding="utf-8")


def file(name: str, content):
    """An edit that writes a file."""
    return lambda folder: put(folder, name, content)


def config(*removed: str, **changes):
    """An edit of keys of config.json."""

    def edit(folder: Path) -> None:
        old = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
        put(folder, CONFIG, {key: value for key, value in (old | changes).items() if key not in removed})

    return edit


def weights(change):
    """An edit of the tensors; `change` gives new ones."""

    def edit(folder: Path) -> None:
        tiny.save_tensors(folder / WEIGHTS, change(load_file(folder / WEIGHTS)))

    return edit


def prefixed(prefix: str):
    """An edit that writes a prefix before every name of a tensor."""
    return weights(lambda tensors: {prefix + name: tensor for name, tensor in tensors.items()})


def extra(name: str, *shape: int):
    """An edit that adds a tensor."""
    return weights(lambda tensors: tensors | {name: torch.ones(shape)})


def raw_config(key: str, literal: str):
    """An edit that adds a key of config.json with a literal as it stands."""

    def edit(folder: Path) -> None:
        text = (folder / CONFIG).read_text(encoding="utf-8")
        put(folder, CONFIG, text.replace("{", f'{{"{key}": {literal},', 1))

    return edit


def with_bom(name: str):
    """An edit that writes a byte order mark before a file."""
    return lambda folder: put(folder, name, "\ufeff" + (folder / name).read_text(encoding="utf-8"))


def pickled(dtype: torch.dtype = torch.float32):
    """An edit that leaves pytorch_model.bin and no safetensors."""

    def edit(folder: Path) -> None:
        tensors = {name: tensor.to(dtype) for name, tensor in load_file(folder / WEIGHTS).items()}
        torch.save(tensors, folder / "pytorch_model.bin")
        (folder / WEIGHTS).unlink()

    return edit


def one_segment_type(folder: Path) -> None:
    """A student model with one row of token types."""
    name = "bert.embeddings.token_type_embeddings.weight"
    config(type_vocab_size=1)(folder)
    weights(lambda tensors: tensors | {name: tensors[name][:1]})(folder)


def both(*edits):
    """Edits one after the other."""

    def edit(folder: Path) -> None:
        for one in edits:
            one(folder)

    return edit
