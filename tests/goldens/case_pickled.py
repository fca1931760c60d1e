"""Weights that `torch.save` has pickled: a whole model, and tensors that lie in their storages in every way."""

from pathlib import Path

import torch
from transformers import BertForMaskedLM

import tiny

CASE = "pickled"


def write(output: Path) -> None:
    """Writes the case."""
    folder = output / CASE
    write_model(folder)
    write_layouts(folder)


def write_model(folder: Path) -> None:
    """A masked-LM model as transformers 3 wrote it: a tied decoder that shares its storage, and the buffer of positions."""
    model = tiny.randomise(BertForMaskedLM(tiny.config(tiny.SMALLEST)), CASE)
    model.save_pretrained(folder)
    (folder / "model.safetensors").unlink()
    tensors = model.state_dict()
    words = tensors["bert.embeddings.word_embeddings.weight"]
    decoder = tensors["cls.predictions.decoder.weight"]
    assert decoder.data_ptr() == words.data_ptr(), "the decoder is tied"
    tensors["bert.embeddings.position_ids"] = torch.arange(tiny.SMALLEST["max_position_embeddings"]).unsqueeze(0)
    torch.save(tensors, folder / "pytorch_model.bin")
    tiny.save_tensors(folder / "golden.safetensors", tensors)


def write_layouts(folder: Path) -> None:
    """The same tensors in two protocols of pickle. The layout of PyTorch 1.5 has addresses of memory in it, so that no two of
    its files are equal: the tests write that one by hand."""
    tensors = layouts()
    torch.save(tensors, folder / "layouts.bin")
    torch.save(tensors, folder / "layouts_protocol_4.bin", pickle_protocol=4)
    tiny.save_tensors(folder / "layouts.safetensors", tensors)


def layouts() -> dict:
    """Every type, and views that are not what their storage is."""
    numbers = torch.arange(35, dtype=torch.float32).reshape(5, 7) * 0.5 - 3.0
    return {
        "plain": numbers.clone(),
        "transposed": numbers.t(),
        "rows": numbers[1:4],
        "columns": numbers[:, 2:5],
        "every_second": numbers[::2, ::3],
        "permuted": torch.arange(24, dtype=torch.float32).reshape(2, 3, 4).permute(2, 0, 1),
        "expanded": torch.tensor([1.5, -2.5]).expand(3, 2),
        "scalar": torch.tensor(2.75),
        "empty": torch.zeros(0, 4),
        "parameter": torch.nn.Parameter(numbers[0].clone()),
        "f64": numbers.double() * 1.1,
        "f16": numbers.half(),
        "bf16": numbers.bfloat16(),
        "i64": torch.arange(4),
        "i32": torch.arange(3, dtype=torch.int32),
        "u8": torch.arange(5, dtype=torch.uint8),
        "bool": torch.tensor([True, False, True]),
    }
