"""Tiny models, their inputs and the files of a case: what all cases share."""

import copy
import json
import zlib
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from transformers import BertConfig, PreTrainedModel

PAD_ID = 0

# Every dimension differs from every other one, so that a swapped axis cannot go unseen.
# heads 2, layers 3, batch 5, types 7, head dim 8, sequence 13, hidden 16, intermediate 37, positions 40, vocabulary 61.
MAIN = dict(
    vocab_size=61,
    hidden_size=16,
    num_hidden_layers=3,
    num_attention_heads=2,
    intermediate_size=37,
    max_position_embeddings=40,
    type_vocab_size=7,
)
MAIN_BATCH = (5, 13)
# layers 2, heads 3, head dim 4, types 5, batch 6, labels 7 (or 1 or 9), sequence 8, hidden 12, positions 17,
# intermediate 19, vocabulary 29.
SMALL = dict(
    vocab_size=29,
    hidden_size=12,
    num_hidden_layers=2,
    num_attention_heads=3,
    intermediate_size=19,
    max_position_embeddings=17,
    type_vocab_size=5,
)
SMALL_BATCH = (6, 8)
# The small one with a single layer.
SMALLEST = {**SMALL, "num_hidden_layers": 1}

# Transformers' own 0.02 would leave every activation near zero, where errors do not show.
WEIGHT_STD = 0.2
NORM_WEIGHT_STD = 0.3


def generator(case: str, purpose: str) -> np.random.Generator:
    """The random stream of one purpose within one case; independent of the order in which cases are written."""
    return np.random.default_rng(zlib.crc32(f"{case}/{purpose}".encode()))


def config(dimensions: dict, **changes) -> BertConfig:
    """A configuration without dropout, with eager attention."""
    return BertConfig(
        **{
            **dimensions,
            "pad_token_id": PAD_ID,
            "hidden_dropout_prob": 0.0,
            "attention_probs_dropout_prob": 0.0,
            "initializer_range": WEIGHT_STD,
            "attn_implementation": "eager",
            **changes,
        }
    )


def randomise(model: PreTrainedModel, case: str, weight_std: float = WEIGHT_STD) -> PreTrainedModel:
    """Draws every parameter anew: no zero bias, no LayerNorm at 1 / 0, and a padding row that is not zero."""
    random = generator(case, "weights")
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            values = random.standard_normal(parameter.shape)
            is_norm_weight = name.lower().endswith(("norm.weight", "norm_ebd.weight"))
            values = 1.0 + NORM_WEIGHT_STD * values if is_norm_weight else weight_std * values
            parameter.copy_(torch.from_numpy(values.astype(np.float32)))
    return model.eval()


def inputs(random: np.random.Generator, dimensions: dict, shape: tuple[int, int], full_row: int = 0) -> dict:
    """Right-padded rows of different lengths; `full_row` has no padding.

    Row 1 (where there is one) carries the padding id at an attended position, and the last row other ids than the
    padding id behind its end, so neither the padding rule nor the mask can be derived from the ids.
    """
    batch, sequence = shape
    ids = random.integers(1, dimensions["vocab_size"], size=shape)
    types = random.integers(0, dimensions["type_vocab_size"], size=shape)
    lengths = random.permutation(np.linspace(2, sequence - 1, batch).astype(int))
    lengths[full_row] = sequence
    mask = (np.arange(sequence)[None, :] < lengths[:, None]).astype(np.int64)
    ids[:-1][mask[:-1] == 0] = PAD_ID
    if batch > 1:
        ids[1, 1] = PAD_ID
    return {
        "input_ids": torch.from_numpy(ids.astype(np.int64)),
        "attention_mask": torch.from_numpy(mask),
        "token_type_ids": torch.from_numpy(types.astype(np.int64)),
    }


def in_float64(model: PreTrainedModel) -> PreTrainedModel:
    """The same model with the same weights in double precision, for the error of the float32 run itself."""
    return copy.deepcopy(model).double()


def has_vanishing_gradient(name: str) -> bool:
    """A key bias shifts all scores of a query alike, so its true gradient is 0 and what is computed is rounding."""
    return name.endswith(
        (
            "attention.self.key.bias",
            "attention.key.bias",
            "attention.k_lin.bias",
            "attention.attn.k.bias",
            "attention.self.pos_key_proj.bias",
        )
    )


def largest_difference(found: dict, exact: dict) -> float:
    """The largest absolute difference over tensors of the same names, to two digits."""
    return round_to_two_digits(max(float((found[name].double() - exact[name]).abs().max()) for name in exact))


def round_to_two_digits(value: float) -> float:
    """Enough for a tolerance, and it keeps the files free of noise."""
    return float(f"{value:.1e}")


def save_tensors(path: Path, tensors: dict) -> None:
    """Writes tensors under their names."""
    contiguous = {name: tensor.detach().clone().contiguous() for name, tensor in tensors.items()}
    save_file(contiguous, path, metadata={"format": "pt"})


def save_json(path: Path, content: dict) -> None:
    """Writes indented JSON."""
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def save_case(folder: Path, model: PreTrainedModel, tensors: dict, scalars: dict) -> None:
    """Writes config.json and model.safetensors as transformers does, and both golden files."""
    model.save_pretrained(folder)
    save_golden(folder, tensors, scalars)


def save_golden(folder: Path, tensors: dict, scalars: dict) -> None:
    """Writes golden.safetensors and golden.json."""
    save_tensors(folder / "golden.safetensors", tensors)
    save_json(folder / "golden.json", scalars)
