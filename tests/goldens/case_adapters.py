"""LoRA and DoRA of PEFT on a text classifier: logits, loss, the gradients of what is trained, and some optimiser steps."""

import json
import warnings
from pathlib import Path

import numpy as np
import torch
from peft import LoraConfig, TaskType, get_peft_model, get_peft_model_state_dict
from torch import nn

import tiny
from case_classification import classifier

LABELS = 7
STEPS = 6
LEARNING_RATE = 5e-3
WEIGHT_DECAY = 0.01
MAX_GRADIENT_NORM = 1.0
# Rank and scale are like nothing else in the model; the maps have biases, GELU behind them, and the first token alone.
LORA = dict(r=3, lora_alpha=5, target_modules=["query", "value", "intermediate.dense", "output.dense"])


def write(output: Path) -> None:
    """Writes an adapter of each kind."""
    write_case(output, "lora", use_dora=False, use_rslora=False)
    write_case(output, "dora", use_dora=True, use_rslora=True)


def adapted(case: str, **kind):
    """A random classifier with random adapters, B and the magnitudes included."""
    model = classifier(case, tiny.SMALL, num_labels=LABELS)
    config = LoraConfig(task_type=TaskType.SEQ_CLS, modules_to_save=["classifier", "pooler"], **LORA, **kind)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = get_peft_model(model, config)
    random = tiny.generator(case, "adapters")
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if ".lora_" in name:
                drawn = torch.from_numpy(random.standard_normal(parameter.shape).astype(np.float32))
                is_magnitude = ".lora_magnitude_vector" in name
                parameter.copy_(parameter * (1 + 0.2 * drawn) if is_magnitude else tiny.WEIGHT_STD * drawn)
    return model


def named(model, of_parameter) -> dict:
    """Something of every parameter that is trained, by the name in an adapter's file."""
    trained = {name: of_parameter(one) for name, one in model.named_parameters() if one.requires_grad}
    return get_peft_model_state_dict(model, state_dict=trained)


def write_case(output: Path, case: str, **kind) -> None:
    folder = output / case
    model = adapted(case, **kind)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.save_pretrained(folder / "adapter")
    (folder / "adapter" / "README.md").unlink()
    settle(folder / "adapter" / "adapter_config.json")
    plain = classifier(case, tiny.SMALL, num_labels=LABELS)
    plain.save_pretrained(folder)

    batch = tiny.inputs(tiny.generator(case, "inputs"), tiny.SMALL, tiny.SMALL_BATCH)
    labels = torch.from_numpy(tiny.generator(case, "labels").integers(0, LABELS, size=tiny.SMALL_BATCH[0]))
    model.train()
    optimizer = torch.optim.AdamW(groups(model), lr=LEARNING_RATE, betas=(0.9, 0.999), eps=1e-8)
    tensors, steps = {}, []
    for step in range(STEPS):
        outputs = model(**batch, labels=labels)
        optimizer.zero_grad()
        outputs.loss.backward()
        if step == 0:
            tensors["logits"] = outputs.logits.detach()
            gradients = named(model, lambda parameter: parameter.grad.clone())
            tensors |= {f"gradients.{name}": gradient for name, gradient in gradients.items()}
        norm = nn.utils.clip_grad_norm_(model.parameters(), MAX_GRADIENT_NORM)
        steps.append({"loss": outputs.loss.item(), "gradient_norm": norm.item()})
        optimizer.step()
    final = named(model, lambda parameter: parameter.detach())
    tensors |= {f"final.{name}": value.clone() for name, value in final.items()}
    settings = {
        "learning_rate": LEARNING_RATE,
        "weight_decay": WEIGHT_DECAY,
        "max_gradient_norm": MAX_GRADIENT_NORM,
        "steps": STEPS,
    }
    tiny.save_golden(folder, batch | {"labels": labels} | tensors, {"settings": settings, "steps": steps})


def settle(path: Path) -> None:
    """PEFT writes sets in whatever order they have."""
    config = json.loads(path.read_text(encoding="utf-8"))
    for key in ("target_modules", "modules_to_save"):
        config[key] = sorted(config[key])
    tiny.save_json(path, config)


def groups(model) -> list[dict]:
    """Everything but biases and LayerNorm is decayed, as transformers' Trainer has it."""
    trained = [(name, one) for name, one in model.named_parameters() if one.requires_grad]
    is_decayed = lambda name: not name.endswith("bias")
    return [
        {"params": [one for name, one in trained if is_decayed(name)], "weight_decay": WEIGHT_DECAY},
        {"params": [one for name, one in trained if not is_decayed(name)], "weight_decay": 0.0},
    ]
