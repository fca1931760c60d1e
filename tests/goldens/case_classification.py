"""BertForSequenceClassification: logits, loss and the gradient of every parameter, for each problem type."""

from pathlib import Path

import numpy as np
import torch
from transformers import BertForSequenceClassification

import tiny

IGNORED_LABEL = -100


def write(output: Path) -> None:
    """Writes the four problem types."""
    rows = tiny.SMALL_BATCH[0]
    # Without problem_type in config.json: transformers derives it from num_labels and the labels' type.
    write_case(
        output,
        classifier("single_label", num_labels=7),
        "single_label",
        lambda random: random.integers(0, 7, size=rows),
    )
    write_case(
        output,
        classifier("regression", tiny.SMALLEST, num_labels=1),
        "regression",
        lambda random: floats(random.normal(0.0, 2.0, size=rows)),
    )
    write_case(
        output,
        classifier("multi_label", tiny.SMALLEST, num_labels=7, problem_type="multi_label_classification"),
        "multi_label",
        lambda random: floats(random.integers(0, 2, size=(rows, 7))),
    )
    write_case(
        output,
        classifier("regression_multi", tiny.SMALLEST, num_labels=9, problem_type="regression"),
        "regression_multi",
        lambda random: floats(random.normal(0.0, 2.0, size=(rows, 9))),
    )


def floats(values: np.ndarray) -> np.ndarray:
    """The type of targets that are no class ids."""
    return values.astype(np.float32)


def classifier(
    case: str, dimensions: dict = tiny.SMALL, weight_std: float = tiny.WEIGHT_STD, **changes
) -> BertForSequenceClassification:
    """A random classifier."""
    return tiny.randomise(BertForSequenceClassification(tiny.config(dimensions, **changes)), case, weight_std)


def forward_backward(model: BertForSequenceClassification, batch: dict, labels: torch.Tensor) -> dict:
    """Logits, loss and gradients by the names of the golden file."""
    model.train()
    model.zero_grad()
    outputs = model(**batch, labels=labels)
    outputs.loss.backward()
    gradients = {f"gradients.{name}": parameter.grad for name, parameter in model.named_parameters()}
    return {"logits": outputs.logits.detach(), "loss": outputs.loss.detach()} | gradients


def write_case(output: Path, model: BertForSequenceClassification, case: str, draw_labels) -> None:
    """Writes one forward and backward pass."""
    batch = tiny.inputs(tiny.generator(case, "inputs"), tiny.SMALL, tiny.SMALL_BATCH)
    labels = torch.from_numpy(draw_labels(tiny.generator(case, "labels")))
    # The forward pass writes the problem type it derived into the configuration, so the checkpoint goes first.
    model.save_pretrained(output / case)
    found = forward_backward(model, batch, labels)
    padding_gradient = found["gradients.bert.embeddings.word_embeddings.weight"][tiny.PAD_ID]
    assert not padding_gradient.any(), "the row of padding_idx gets no gradient"
    exact_labels = labels.double() if labels.is_floating_point() else labels
    exact = forward_backward(tiny.in_float64(model), batch, exact_labels)
    scalars = {"loss": found.pop("loss").item(), "float32_error": errors(found, exact)}
    tensors = batch | {"labels": labels} | found
    if case == "single_label":
        extra_tensors, extra_scalars = with_ignored_labels(model, batch, labels)
        tensors |= extra_tensors
        scalars |= extra_scalars
    tiny.save_golden(output / case, tensors, scalars)


def errors(found: dict, exact: dict) -> dict:
    """The error of float32 itself; vanishing gradients are left out because they are nothing but error."""
    gradients = {n: g for n, g in exact.items() if n.startswith("gradients.") and not tiny.has_vanishing_gradient(n)}
    return {
        "logits": tiny.largest_difference(found, {"logits": exact["logits"]}),
        "gradients": tiny.largest_difference(found, gradients),
        "largest_gradient": tiny.round_to_two_digits(max(float(g.abs().max()) for g in gradients.values())),
    }


def with_ignored_labels(model, batch: dict, labels: torch.Tensor) -> tuple[dict, dict]:
    """The same batch with two labels ignored: the mean is over the other rows."""
    ignored = labels.clone()
    ignored[1] = ignored[4] = IGNORED_LABEL
    with torch.no_grad():
        loss = model(**batch, labels=ignored).loss
    return {"labels_with_ignored": ignored}, {"loss_with_ignored": loss.item()}
