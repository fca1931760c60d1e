"""Ways a checkpoint lies on disk: legacy names, half precision, shards, pre-training heads."""

import json
from pathlib import Path

import torch
from safetensors.torch import load_file
from transformers import BertForPreTraining, BertModel

import tiny
from case_encoder import encoder, forward

BASE = "sharded"
SHARD_SIZE = "6KB"


def write(output: Path) -> None:
    """Writes the checkpoint cases."""
    model = encoder(BASE, tiny.SMALL, "gelu")
    batch = tiny.inputs(tiny.generator(BASE, "inputs"), tiny.SMALL, tiny.SMALL_BATCH)
    write_sharded(output / "sharded", model, batch)
    write_legacy_names(output / "legacy_names", model, batch)
    for case, dtype in (("f16", torch.float16), ("bf16", torch.bfloat16)):
        write_half_precision(output / case, dtype, batch)
    write_pretraining(output / "pretraining_checkpoint", batch)


def outputs(model: BertModel, batch: dict) -> dict:
    """What these cases compare."""
    found = forward(model, batch)
    return {name: found[name] for name in ("last_hidden_state", "pooler_output")}


def opened(folder: Path, architecture=BertModel):
    """The checkpoint as transformers opens it, in float32; every tensor must have found its place."""
    model, report = architecture.from_pretrained(
        folder, dtype=torch.float32, attn_implementation="eager", output_loading_info=True
    )
    assert not report["missing_keys"] and not report["mismatched_keys"], report
    return model.eval()


def write_golden(folder: Path, model: BertModel, batch: dict) -> None:
    """Writes inputs and outputs of a model."""
    found = outputs(model, batch)
    error = tiny.largest_difference(found, outputs(tiny.in_float64(model), batch))
    tiny.save_golden(folder, batch | found, {"float32_error": {"outputs": error}})


def write_sharded(folder: Path, model: BertModel, batch: dict) -> None:
    """model.safetensors.index.json and its shards."""
    model.save_pretrained(folder, max_shard_size=SHARD_SIZE)
    index = json.loads((folder / "model.safetensors.index.json").read_text(encoding="utf-8"))
    assert len(set(index["weight_map"].values())) >= 2, "more than one shard"
    write_golden(folder, opened(folder), batch)


def write_legacy_names(folder: Path, model: BertModel, batch: dict) -> None:
    """The weights of the sharded case as an old conversion names them."""
    model.save_pretrained(folder)
    path = folder / "model.safetensors"
    tensors = {legacy_name(name): tensor for name, tensor in load_file(path).items()}
    positions = torch.arange(tiny.SMALL["max_position_embeddings"]).unsqueeze(0)
    tiny.save_tensors(path, tensors | {"bert.embeddings.position_ids": positions})
    reloaded = opened(folder)
    for name, parameter in model.named_parameters():
        assert torch.equal(parameter, reloaded.get_parameter(name)), f"{name} did not survive the legacy names"
    write_golden(folder, reloaded, batch)


def legacy_name(name: str) -> str:
    """Prefix `bert.`, and the LayerNorm names of the TensorFlow checkpoints."""
    renamed = name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta")
    return f"bert.{renamed}"


def write_half_precision(folder: Path, dtype: torch.dtype, batch: dict) -> None:
    """Stored in 16 bits, computed in float32."""
    encoder(folder.name, tiny.SMALLEST, "gelu").to(dtype).save_pretrained(folder)
    assert all(tensor.dtype == dtype for tensor in load_file(folder / "model.safetensors").values())
    write_golden(folder, opened(folder), batch)


def write_pretraining(folder: Path, batch: dict) -> None:
    """Encoder, pooler, tied masked-LM head and next-sentence head."""
    tiny.randomise(BertForPreTraining(tiny.config(tiny.SMALLEST)), folder.name).save_pretrained(folder)
    model = opened(folder, BertForPreTraining)
    found = pretraining_outputs(model, batch)
    error = tiny.largest_difference(found, pretraining_outputs(tiny.in_float64(model), batch))
    tiny.save_golden(folder, batch | found, {"float32_error": {"outputs": error}})


def pretraining_outputs(model: BertForPreTraining, batch: dict) -> dict:
    """Encoder outputs and the logits of both heads."""
    with torch.no_grad():
        heads = model(**batch)
    return outputs(model.bert, batch) | {
        "prediction_logits": heads.prediction_logits,
        "seq_relationship_logits": heads.seq_relationship_logits,
    }
