"""The pre-training heads: logits, loss and the gradient of every parameter, the tied word embeddings among them."""

from pathlib import Path

import numpy as np
import torch
from transformers import BertForMaskedLM, BertForNextSentencePrediction, BertForPreTraining

import tiny
from case_classification import IGNORED_LABEL

WORDS = "bert.embeddings.word_embeddings.weight"
# BERT's 15 % would leave most of these short rows without a masked token.
MASKED_SHARE = 0.4


def write(output: Path) -> None:
    """Writes a case for each class."""
    write_case(output, "masked_lm", BertForMaskedLM)
    write_case(output, "next_sentence", BertForNextSentencePrediction)
    write_case(output, "pretraining", BertForPreTraining)


def forward_backward(model, batch: dict, labels: dict) -> dict:
    """Logits, loss and gradients by the names of the golden file."""
    model.train()
    model.zero_grad()
    outputs = model(**batch, **labels)
    outputs.loss.backward()
    logits = {name: tensor.detach() for name, tensor in outputs.items() if name.endswith("logits")}
    gradients = {f"gradients.{name}": parameter.grad for name, parameter in model.named_parameters()}
    return logits | {"loss": outputs.loss.detach()} | gradients


def masked_labels(random: np.random.Generator, batch: dict) -> torch.Tensor:
    """The true ids where tokens are to be predicted; the ids the model sees there are drawn anew."""
    ids, mask = batch["input_ids"], batch["attention_mask"]
    chosen = torch.from_numpy(random.random(ids.shape) < MASKED_SHARE) & (mask == 1)
    labels = torch.where(chosen, ids, IGNORED_LABEL)
    drawn = torch.from_numpy(random.integers(1, tiny.SMALL["vocab_size"], size=tuple(ids.shape)))
    batch["input_ids"] = torch.where(chosen, drawn, ids)
    return labels


def write_case(output: Path, case: str, architecture) -> None:
    """Writes one forward and backward pass."""
    model = tiny.randomise(architecture(tiny.config(tiny.SMALL)), case)
    batch = tiny.inputs(tiny.generator(case, "inputs"), tiny.SMALL, tiny.SMALL_BATCH)
    random = tiny.generator(case, "labels")
    labels = {}
    if architecture is not BertForNextSentencePrediction:
        labels["labels"] = masked_labels(random, batch)
    if architecture is not BertForMaskedLM:
        name = "labels" if architecture is BertForNextSentencePrediction else "next_sentence_label"
        labels[name] = torch.from_numpy(random.integers(0, 2, size=tiny.SMALL_BATCH[0]))
    model.save_pretrained(output / case)
    found = forward_backward(model, batch, labels)
    is_tied = architecture is not BertForNextSentencePrediction
    padding_gradient = found[f"gradients.{WORDS}"][tiny.PAD_ID]
    assert padding_gradient.any() == is_tied, "the row of padding_idx gets its gradient from a tied decoder alone"
    exact = forward_backward(tiny.in_float64(model), batch, labels)
    scalars = {"loss": found.pop("loss").item(), "float32_error": errors(found, exact)}
    tiny.save_golden(output / case, batch | labels | found, scalars)


def errors(found: dict, exact: dict) -> dict:
    """The error of float32 itself; vanishing gradients are left out because they are nothing but error."""
    gradients = {n: g for n, g in exact.items() if n.startswith("gradients.") and not tiny.has_vanishing_gradient(n)}
    return {
        "logits": tiny.largest_difference(found, {n: t for n, t in exact.items() if n.endswith("logits")}),
        "gradients": tiny.largest_difference(found, gradients),
        "largest_gradient": tiny.round_to_two_digits(max(float(g.abs().max()) for g in gradients.values())),
    }
