"""Losses of logits that weigh classes, smooth labels or focus on hard rows, with the gradient of the logits; schedules."""

from pathlib import Path

import torch
from torch import nn
from torch.nn import functional
from transformers import SchedulerType, get_scheduler

import tiny

ROWS, CLASSES = 13, 5
IGNORED = -100
WEIGHTS = (0.3, 2.0, 1.0, 4.5, 0.7)
SCHEDULES = ("linear", "cosine", "constant", "constant_with_warmup")


def write(output: Path) -> None:
    """Writes the losses and the learning rates."""
    folder = output / "losses"
    folder.mkdir()
    random = tiny.generator("losses", "inputs")
    logits = torch.from_numpy(2.0 * random.standard_normal((ROWS, CLASSES)).astype("float32"))
    labels = torch.from_numpy(random.integers(0, CLASSES, size=ROWS))
    labels[[2, 7]] = IGNORED
    targets = torch.from_numpy(random.integers(0, 2, size=(ROWS, CLASSES)).astype("float32"))
    tensors = {"logits": logits, "labels": labels, "targets": targets, "class_weights": torch.tensor(WEIGHTS)}
    scalars = {}
    for name, options in CASES.items():
        for kind, reference, truth in (("classes", cross_entropy, labels), ("multi_hot", binary, targets)):
            if kind == "multi_hot" and "smoothing" in options:
                continue
            loss, gradient = with_gradient(logits, lambda x: reference(x, truth, **options))
            scalars[f"{kind}_{name}"] = {"loss": loss} | options
            tensors[f"{kind}_{name}.gradient"] = gradient
    rates = {name: learning_rates(name, warmup_steps=3, total_steps=11) for name in SCHEDULES}
    tiny.save_golden(folder, tensors, {"losses": scalars, "learning_rates": rates})


CASES = {
    "weighted": {"weighted": True},
    "smoothed": {"smoothing": 0.1},
    "weighted_smoothed": {"weighted": True, "smoothing": 0.25},
    "focal": {"gamma": 2.0},
    "weighted_focal": {"weighted": True, "gamma": 0.5},
}


def with_gradient(logits: torch.Tensor, loss_of) -> tuple[float, torch.Tensor]:
    """A loss, and the gradient of the logits under it."""
    logits = logits.clone().requires_grad_()
    loss = loss_of(logits)
    loss.backward()
    return loss.item(), logits.grad


def cross_entropy(logits, labels, weighted=False, smoothing=0.0, gamma=0.0) -> torch.Tensor:
    """torch's loss; the focal one by the formula of its paper, as the mean weighted by class."""
    weights = torch.tensor(WEIGHTS) if weighted else None
    if gamma == 0.0:
        return nn.CrossEntropyLoss(weight=weights, label_smoothing=smoothing, ignore_index=IGNORED)(logits, labels)
    kept = labels != IGNORED
    labels, logits = labels[kept], logits[kept]
    alpha = torch.ones(len(labels)) if weights is None else weights[labels]
    log_p = functional.log_softmax(logits, dim=1).gather(1, labels[:, None])[:, 0]
    return -(alpha * (1.0 - log_p.exp()) ** gamma * log_p).sum() / alpha.sum()


def binary(logits, targets, weighted=False, gamma=0.0) -> torch.Tensor:
    """torch's loss; the focal one as torchvision's sigmoid_focal_loss writes it, with pos_weight for its alpha."""
    weights = torch.tensor(WEIGHTS) if weighted else None
    if gamma == 0.0:
        return nn.BCEWithLogitsLoss(pos_weight=weights)(logits, targets)
    p = torch.sigmoid(logits)
    p_of_truth = p * targets + (1 - p) * (1 - targets)
    entropy = functional.binary_cross_entropy_with_logits(logits, targets, reduction="none", pos_weight=weights)
    return (entropy * (1 - p_of_truth) ** gamma).mean()


def learning_rates(name: str, warmup_steps: int, total_steps: int) -> dict:
    """The rate of every step and of two beyond the end, for a peak of 1."""
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=1.0)
    schedule = get_scheduler(SchedulerType(name), optimizer, warmup_steps, total_steps)
    rates = []
    for _ in range(total_steps + 2):
        rates.append(schedule.get_last_lr()[0])
        optimizer.step()
        schedule.step()
    return {"warmup_steps": warmup_steps, "total_steps": total_steps, "rates": rates}
