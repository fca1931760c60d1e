"""Training in bfloat16 as PyTorch does it: a forward and backward pass and twenty steps under `torch.autocast`."""

from pathlib import Path

import numpy as np
import torch

import tiny
from case_classification import classifier, forward_backward
from case_training import WEIGHT_STD, labelled, settings, train

CASE = "autocast"
LABELS = 7
STEPS = 20
WARMUP_STEPS = 3


def write(output: Path) -> None:
    """Writes the pass at the first weights, and the run."""
    random = tiny.generator(CASE, "inputs")
    steps = [[batch(random, 5 + step % 2, 5 + step % 4)] for step in range(STEPS)]
    model = classifier(CASE, weight_std=WEIGHT_STD, num_labels=LABELS, problem_type="single_label_classification")
    model.save_pretrained(output / CASE)
    exact_model = tiny.in_float64(model)
    first = {name: tensor.clone() for name, tensor in steps[0][0].items()}
    labels = first.pop("labels")
    # Around each forward pass alone: autocast keeps the rounded weights until it ends.
    model.forward = torch.autocast("cpu", dtype=torch.bfloat16)(model.forward)
    found = forward_backward(model, first, labels)
    records = train(model, steps, WARMUP_STEPS)
    exact = forward_backward(exact_model, first, labels)
    exact_records = train(exact_model, steps, WARMUP_STEPS)
    loss = found.pop("loss").item()
    scalars = {
        "settings": settings(steps, WARMUP_STEPS),
        "loss": loss,
        "steps": records,
        "bfloat16_error": errors(found, exact) | {
            "loss": difference(loss, exact["loss"].item()),
            "losses": difference(*(np.array([r["loss"] for r in run]) for run in (records, exact_records))),
            "gradient_norms": difference(
                *(np.array([r["gradient_norm"] for r in run]) for run in (records, exact_records))
            ),
        },
    }
    inputs = {
        f"step.{step:02}.micro.0.{name}": tensor
        for step, micro_batches in enumerate(steps)
        for name, tensor in micro_batches[0].items()
    }
    outputs = {name: tensor.float() for name, tensor in found.items()}
    tiny.save_golden(output / CASE, inputs | outputs, scalars)


def batch(random: np.random.Generator, rows: int, sequence: int) -> dict:
    """Mostly one label: something to learn in a few steps."""
    labels = np.where(random.random(rows) < 0.85, 3, random.integers(0, LABELS, size=rows))
    return labelled(random, labels, sequence)


def errors(found: dict, exact: dict) -> dict:
    """The error of bfloat16 itself: of the logits, and of each gradient in proportion to its largest element."""
    relative = [
        float((found[name].double() - value).abs().max() / value.abs().max())
        for name, value in exact.items()
        if name.startswith("gradients.") and not tiny.has_vanishing_gradient(name)
    ]
    return {
        "logits": tiny.largest_difference(found, {"logits": exact["logits"]}),
        "relative_gradients": tiny.round_to_two_digits(max(relative)),
    }


def difference(found, exact) -> float:
    """The largest difference of numbers, to two digits."""
    return tiny.round_to_two_digits(float(np.abs(np.asarray(found) - np.asarray(exact)).max()))
