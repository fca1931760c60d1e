"""Optimiser steps as transformers' Trainer takes them: AdamW groups, warm-up, linear decay, clipping, accumulation."""

from pathlib import Path

import numpy as np
import torch
from torch import nn
from transformers import BertForSequenceClassification, Trainer, get_linear_schedule_with_warmup

import tiny
from case_classification import classifier

LABELS = 7
# Half of the other cases, so that gradient norms come out on both sides of MAX_GRADIENT_NORM.
WEIGHT_STD = 0.1
LEARNING_RATE = 5e-3
BETAS = (0.9, 0.999)
EPSILON = 1e-8
WEIGHT_DECAY = 0.01
MAX_GRADIENT_NORM = 1.0


def write(output: Path) -> None:
    """Writes both runs."""
    random = tiny.generator("adamw_20_steps", "inputs")
    single = [
        [balanced_batch(random, LABELS, 5) if is_balanced(step) else skewed_batch(random, 2 + step % 3, 5 + step % 4)]
        for step in range(20)
    ]
    write_run(output, "adamw_20_steps", single, warmup_steps=3)
    random = tiny.generator("adamw_accumulation", "inputs")
    double = [
        [
            skewed_batch(random, 1 + step % 3, 7),
            (balanced_batch if is_balanced(step) else skewed_batch)(random, 6 - step % 3, 5),
        ]
        for step in range(10)
    ]
    write_run(output, "adamw_accumulation", double, warmup_steps=2)


def is_balanced(step: int) -> bool:
    """Every fourth step."""
    return step % 4 == 3


def skewed_batch(random: np.random.Generator, rows: int, sequence: int) -> dict:
    """Mostly one label: something to learn in a few steps, and gradients that are clipped."""
    labels = np.where(random.random(rows) < 0.85, 3, random.integers(0, LABELS, size=rows))
    return labelled(random, labels, sequence)


def balanced_batch(random: np.random.Generator, rows: int, sequence: int) -> dict:
    """No label twice: the rows' gradients mostly cancel, so that they stay below the clipping norm."""
    return labelled(random, random.permutation(LABELS)[:rows], sequence)


def labelled(random: np.random.Generator, labels: np.ndarray, sequence: int) -> dict:
    """Padded inputs for these labels."""
    rows = len(labels)
    batch = tiny.inputs(random, tiny.SMALL, (rows, sequence), full_row=rows - 1)
    return batch | {"labels": torch.from_numpy(labels.astype(np.int64))}


def parameter_groups(model: nn.Module) -> list[dict]:
    """The Trainer's own two groups: everything decays except biases and LayerNorms."""
    decayed = set(Trainer.get_decay_parameter_names(None, model))
    named = list(model.named_parameters())
    return [
        {"params": [p for n, p in named if n in decayed], "weight_decay": WEIGHT_DECAY},
        {"params": [p for n, p in named if n not in decayed], "weight_decay": 0.0},
    ]


def train(model: BertForSequenceClassification, steps: list[list[dict]], warmup_steps: int) -> list[dict]:
    """Trains in place; one record a step. Micro-batches of a step weigh by their number of labels."""
    model.train()
    optimizer = torch.optim.AdamW(
        parameter_groups(model), lr=LEARNING_RATE, betas=BETAS, eps=EPSILON, foreach=False, fused=False
    )
    schedule = get_linear_schedule_with_warmup(optimizer, warmup_steps, len(steps))
    records = []
    for micro_batches in steps:
        optimizer.zero_grad()
        label_count = sum(len(batch["labels"]) for batch in micro_batches)
        loss = 0.0
        for batch in micro_batches:
            share = model(**batch).loss * (len(batch["labels"]) / label_count)
            share.backward()
            loss += share.item()
        norm = nn.utils.clip_grad_norm_(model.parameters(), MAX_GRADIENT_NORM).item()
        records.append({"loss": loss, "gradient_norm": norm, "learning_rate": schedule.get_last_lr()[0]})
        optimizer.step()
        schedule.step()
    return records


def settings(steps: list, warmup_steps: int) -> dict:
    """How the steps are taken."""
    return {
        "learning_rate": LEARNING_RATE,
        "betas": BETAS,
        "epsilon": EPSILON,
        "weight_decay": WEIGHT_DECAY,
        "max_gradient_norm": MAX_GRADIENT_NORM,
        "warmup_steps": warmup_steps,
        "total_steps": len(steps),
        "micro_batches_per_step": len(steps[0]),
    }


def write_run(output: Path, case: str, steps: list[list[dict]], warmup_steps: int) -> None:
    """Writes a run: its batches, a record for each step and the parameters at the end."""
    model = classifier(case, weight_std=WEIGHT_STD, num_labels=LABELS, problem_type="single_label_classification")
    exact_model = tiny.in_float64(model)
    model.save_pretrained(output / case)
    records = train(model, steps, warmup_steps)
    norms = [record["gradient_norm"] for record in records]
    assert min(norms) < MAX_GRADIENT_NORM < max(norms), f"some steps clip and some do not: {norms}"
    exact_records = train(exact_model, steps, warmup_steps)
    final = {f"final.{name}": parameter.detach() for name, parameter in model.named_parameters()}
    scalars = {
        "settings": settings(steps, warmup_steps),
        "steps": records,
        "float32_error": errors(records, exact_records, final, exact_model),
    }
    tiny.save_golden(output / case, batches(steps) | final, scalars)


def batches(steps: list[list[dict]]) -> dict:
    """The inputs as `step.SS.micro.M.NAME`."""
    return {
        f"step.{step:02}.micro.{micro}.{name}": tensor
        for step, micro_batches in enumerate(steps)
        for micro, batch in enumerate(micro_batches)
        for name, tensor in batch.items()
    }


def errors(records: list[dict], exact_records: list[dict], final: dict, exact_model: nn.Module) -> dict:
    """The error of float32 itself after all steps, key biases apart."""
    exact = {f"final.{name}": parameter.detach() for name, parameter in exact_model.named_parameters()}
    key_biases = {name: value for name, value in exact.items() if tiny.has_vanishing_gradient(name)}
    others = {name: value for name, value in exact.items() if name not in key_biases}

    def over_steps(key: str) -> float:
        differences = (abs(a[key] - b[key]) for a, b in zip(records, exact_records, strict=True))
        return tiny.round_to_two_digits(max(differences))

    return {
        "loss": over_steps("loss"),
        "gradient_norm": over_steps("gradient_norm"),
        "final": tiny.largest_difference(final, others),
        "final_key_biases": tiny.largest_difference(final, key_biases),
    }
