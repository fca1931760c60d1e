"""Every family of encoders with every head: logits, loss, the gradient of every parameter, ten optimiser steps."""

from pathlib import Path
from unittest.mock import patch

import numpy as np
import torch
import transformers
from torch import nn
from transformers import get_linear_schedule_with_warmup
from transformers.models.modernbert import modeling_modernbert

import tiny
from case_training import LEARNING_RATE, MAX_GRADIENT_NORM, WEIGHT_DECAY, parameter_groups

FOLDER = "families"
IGNORED_LABEL = -100
# batch 3, sequence 7, vocabulary 19, hidden 8, heads 2, intermediate 11, positions 13, labels 5.
BATCH, SEQUENCE, VOCABULARY, LABELS = 3, 7, 19, 5
BERT = dict(hidden_size=8, num_attention_heads=2, intermediate_size=11)
ENCODER = dict(hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0)
DISTILBERT = dict(
    dim=8, n_heads=2, hidden_dim=11, dropout=0.0, attention_dropout=0.0, qa_dropout=0.0, seq_classif_dropout=0.0
)
DEBERTA_V3 = BERT | ENCODER | dict(
    relative_attention=True,
    position_buckets=4,
    norm_rel_ebd="layer_norm",
    share_att_key=True,
    pos_att_type=["p2c", "c2p"],
    position_biased_input=False,
)
DEBERTA_V2 = BERT | ENCODER | dict(
    relative_attention=True, max_relative_positions=3, pos_att_type=["c2p", "p2c"], type_vocab_size=2
)
MODERNBERT = dict(
    local_attention=4, bos_token_id=1, eos_token_id=2, cls_token_id=1, sep_token_id=2, pad_token_id=0
)
HEADS = ("ForSequenceClassification", "ForTokenClassification", "ForQuestionAnswering", "ForMaskedLM")
# The learning rate rises for two steps and then falls to 0.
STEPS, WARMUP_STEPS = 10, 2

# What config.json of each family holds beside the sizes that all have; `types` says whether there are segments.
FAMILIES = {
    "roberta": dict(cls="Roberta", types=False, config=BERT | ENCODER | dict(type_vocab_size=1, layer_norm_eps=1e-5)),
    "xlm-roberta": dict(
        cls="XLMRoberta", types=False, config=BERT | ENCODER | dict(type_vocab_size=1), heads=HEADS[:1]
    ),
    "camembert": dict(cls="Camembert", types=False, config=BERT | ENCODER | dict(type_vocab_size=1), heads=HEADS[:1]),
    "distilbert": dict(cls="DistilBert", types=False, layers="n_layers", config=DISTILBERT),
    "electra": dict(cls="Electra", types=True, config=BERT | ENCODER | dict(embedding_size=6)),
    "albert": dict(
        cls="Albert",
        types=True,
        config=BERT | ENCODER | dict(embedding_size=6, classifier_dropout_prob=0.0),
        depth=2,
    ),
    # The window of local attention is smaller than the sequences.
    "modernbert": dict(cls="ModernBert", types=False, config=BERT | MODERNBERT, depth=3),
    "modernbert-biases": dict(
        cls="ModernBert",
        types=False,
        config=BERT
        | MODERNBERT
        | dict(
            global_attn_every_n_layers=2,
            attention_bias=True,
            mlp_bias=True,
            norm_bias=True,
            classifier_bias=True,
            classifier_pooling="mean",
            classifier_activation="silu",
            hidden_activation="gelu_pytorch_tanh",
        ),
        depth=3,
    ),
    "mpnet": dict(cls="MPNet", types=False, config=BERT | ENCODER),
    "deberta-v2": dict(cls="DebertaV2", types=False, config=DEBERTA_V3),
    # The same family with other keys: DeBERTa-v2-xlarge's convolution with all that v3 has not, one kind of scores, none.
    "deberta-v2-xlarge": dict(
        cls="DebertaV2",
        types=True,
        config=DEBERTA_V2 | dict(embedding_size=6, conv_kernel_size=3, conv_act="gelu", pooler_hidden_act="tanh"),
        heads=HEADS[:1],
    ),
    "deberta-v2-c2p": dict(
        cls="DebertaV2", types=False, config=DEBERTA_V2 | dict(pos_att_type=["c2p"]), heads=HEADS[:1]
    ),
    "deberta-v2-p2c": dict(
        cls="DebertaV2",
        types=False,
        depth=1,
        config=DEBERTA_V3 | dict(pos_att_type=["p2c"], conv_kernel_size=5, conv_groups=2),
        heads=HEADS[:1],
    ),
    "deberta-v2-plain": dict(cls="DebertaV2", types=False, config=BERT | ENCODER, heads=HEADS[:1]),
    "deberta-v2-lm-predictions": dict(
        cls="DebertaV2", types=False, config=DEBERTA_V3 | dict(legacy=False), heads=HEADS[3:]
    ),
}


def write(output: Path) -> None:
    """Writes a case for each family, or variant of one, and head."""
    for model_type, family in FAMILIES.items():
        for head in family.get("heads", HEADS):
            write_case(output, model_type, family, head)


def model_of(case: str, family: dict, head: str):
    """A random model. The sequence classifier has two layers, the others one, where layers are all alike."""
    layers = family.get("depth", 2 if head == HEADS[0] else 1)
    labels = {"ForQuestionAnswering": 2}.get(head, LABELS)
    config = getattr(transformers, f"{family['cls']}Config")(
        vocab_size=VOCABULARY,
        max_position_embeddings=13,
        num_labels=labels,
        initializer_range=tiny.WEIGHT_STD,
        attn_implementation="eager",
        **{family.get("layers", "num_hidden_layers"): layers},
        **family["config"],
    )
    return tiny.randomise(getattr(transformers, family["cls"] + head)(config), case)


def inputs(random: np.random.Generator, padding: int, types: bool) -> dict:
    """Rows of 7, 4 and 2 tokens with padding behind them, and the padding token once among the real ones."""
    ids = random.integers(4, VOCABULARY, size=(BATCH, SEQUENCE))
    mask = (np.arange(SEQUENCE)[None, :] < np.array([SEQUENCE, 4, 2])[:, None]).astype(np.int64)
    ids[mask == 0] = padding
    ids[0, 3] = padding
    batch = {"input_ids": ids, "attention_mask": mask}
    if types:
        batch["token_type_ids"] = random.integers(0, 2, size=ids.shape) * mask
    return {name: torch.from_numpy(values.astype(np.int64)) for name, values in batch.items()}


def labels_of(random: np.random.Generator, head: str, mask: torch.Tensor) -> dict:
    """Labels by the name of the model's argument; padding has none."""
    if head == "ForSequenceClassification":
        return {"labels": torch.from_numpy(random.integers(0, LABELS, size=BATCH))}
    if head == "ForQuestionAnswering":
        return {"start_positions": torch.tensor([1, 0, 1]), "end_positions": torch.tensor([5, 3, 1])}
    classes = LABELS if head == "ForTokenClassification" else VOCABULARY
    drawn = torch.from_numpy(random.integers(0, classes, size=tuple(mask.shape)))
    return {"labels": torch.where(mask == 1, drawn, IGNORED_LABEL)}


def forward_backward(model, batch: dict, labels: dict) -> dict:
    """Hidden states, logits, loss and gradients by the names of the golden file."""
    model.train()
    model.zero_grad()
    outputs = model(**batch, **labels, output_hidden_states=True)
    outputs.loss.backward()
    found = {name: tensor.detach() for name, tensor in outputs.items() if name.endswith("logits")}
    found |= {f"hidden_states.{index}": state.detach() for index, state in enumerate(outputs.hidden_states)}
    gradients = {f"gradients.{name}": parameter.grad for name, parameter in model.named_parameters()}
    return found | gradients | {"loss": outputs.loss.detach()}


def attention_in_own_type(module, query, key, value, attention_mask, scaling, **_):
    """ModernBERT's eager attention without its softmax in float32, in which float64's lowest number is infinite."""
    scores = query @ key.transpose(2, 3) * scaling + attention_mask
    probabilities = nn.functional.softmax(scores, dim=-1)
    return (probabilities @ value).transpose(1, 2).contiguous(), probabilities


def in_float64(model, batch: dict, labels: dict) -> dict:
    """What `forward_backward` finds in double precision."""
    with patch.object(modeling_modernbert, "eager_attention_forward", attention_in_own_type):
        return forward_backward(tiny.in_float64(model), batch, labels)


def train(model, batch: dict, labels: dict) -> list[dict]:
    """Trains in place on one batch, as transformers' Trainer does; one record a step."""
    model.train()
    optimizer = torch.optim.AdamW(parameter_groups(model), lr=LEARNING_RATE, foreach=False, fused=False)
    schedule = get_linear_schedule_with_warmup(optimizer, WARMUP_STEPS, STEPS)
    records = []
    for _ in range(STEPS):
        optimizer.zero_grad()
        loss = model(**batch, **labels).loss
        loss.backward()
        norm = nn.utils.clip_grad_norm_(model.parameters(), MAX_GRADIENT_NORM).item()
        records.append({"loss": loss.item(), "gradient_norm": norm})
        optimizer.step()
        schedule.step()
    return records


def write_case(output: Path, model_type: str, family: dict, head: str) -> None:
    """Writes one forward and backward pass, and the records of ten steps."""
    case = f"{FOLDER}/{model_type}/{head}"
    model = model_of(case, family, head)
    batch = inputs(tiny.generator(case, "inputs"), model.config.pad_token_id, family["types"])
    labels = labels_of(tiny.generator(case, "labels"), head, batch["attention_mask"])
    model.save_pretrained(output / case)
    found = forward_backward(model, batch, labels)
    exact = in_float64(model, batch, labels)
    steps = train(model, batch, labels)
    scalars = {
        "loss": found.pop("loss").item(),
        "steps": steps,
        "settings": {
            "learning_rate": LEARNING_RATE,
            "warmup_steps": WARMUP_STEPS,
            "total_steps": STEPS,
            "weight_decay": WEIGHT_DECAY,
            "max_gradient_norm": MAX_GRADIENT_NORM,
        },
        "float32_error": errors(found, exact),
    }
    tiny.save_golden(output / case, batch | labels | found, scalars)


def errors(found: dict, exact: dict) -> dict:
    """The error of float32 itself; vanishing gradients are left out because they are nothing but error."""
    gradients = {n: g for n, g in exact.items() if n.startswith("gradients.") and not tiny.has_vanishing_gradient(n)}
    outputs = {n: t for n, t in exact.items() if n.endswith("logits") or n.startswith("hidden_states.")}
    return {
        "outputs": tiny.largest_difference(found, outputs),
        "gradients": tiny.largest_difference(found, gradients),
        "largest_gradient": tiny.round_to_two_digits(max(float(g.abs().max()) for g in gradients.values())),
    }
