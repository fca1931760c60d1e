"""Forward passes of BertModel: every activation, and a batch with a row that is padding alone."""

from pathlib import Path

import torch
from transformers import BertModel

import tiny

MAIN_ACTIVATION = "gelu"
OTHER_ACTIVATIONS = {
    "gelu_new": tiny.SMALL,
    "gelu_pytorch_tanh": tiny.SMALLEST,
    "relu": tiny.SMALLEST,
    "silu": tiny.SMALLEST,
}


def write(output: Path) -> None:
    """Writes the encoder cases."""
    main_model = encoder(MAIN_ACTIVATION, tiny.MAIN, MAIN_ACTIVATION)
    main_batch = tiny.inputs(tiny.generator(MAIN_ACTIVATION, "inputs"), tiny.MAIN, tiny.MAIN_BATCH)
    write_case(output, MAIN_ACTIVATION, main_model, main_batch, attentions=True)
    for activation, dimensions in OTHER_ACTIVATIONS.items():
        model = encoder(activation, dimensions, activation)
        batch = tiny.inputs(tiny.generator(activation, "inputs"), tiny.SMALL, tiny.SMALL_BATCH)
        write_case(output, activation, model, batch)
    write_fully_masked_row(output)


def encoder(case: str, dimensions: dict, activation: str) -> BertModel:
    """A random encoder with a pooler."""
    return tiny.randomise(BertModel(tiny.config(dimensions, hidden_act=activation)), case)


def forward(model: BertModel, batch: dict, attentions: bool = False) -> dict:
    """All outputs by the names of the golden file."""
    with torch.no_grad():
        outputs = model(**batch, output_hidden_states=True, output_attentions=attentions)
    tensors = {f"hidden_states.{index}": state for index, state in enumerate(outputs.hidden_states)}
    if attentions:
        tensors |= {f"attentions.{index}": values for index, values in enumerate(outputs.attentions)}
    return tensors | {"last_hidden_state": outputs.last_hidden_state, "pooler_output": outputs.pooler_output}


def write_case(output: Path, case: str, model: BertModel, batch: dict, attentions: bool = False) -> None:
    """Writes one forward pass with every hidden state."""
    found = forward(model, batch, attentions)
    with torch.no_grad():
        embedded = model.embeddings(batch["input_ids"], batch["token_type_ids"])
    assert torch.equal(found["hidden_states.0"], embedded), "hidden_states.0 is documented as the embeddings' output"
    error = tiny.largest_difference(found, forward(tiny.in_float64(model), batch, attentions))
    tiny.save_case(output / case, model, batch | found, {"float32_error": {"outputs": error}})


def write_fully_masked_row(output: Path) -> None:
    """One row attends to nothing. What comes out for it is an accident of the mask's constant, so it is left out."""
    case = "fully_masked_row"
    model = encoder(case, tiny.SMALLEST, "gelu")
    batch = tiny.inputs(tiny.generator(case, "inputs"), tiny.SMALL, tiny.SMALL_BATCH)
    masked_row = 2
    batch["attention_mask"][masked_row] = 0
    compared = [row for row in range(tiny.SMALL_BATCH[0]) if row != masked_row]

    def compared_rows(outputs: dict) -> dict:
        return {name: outputs[name][compared] for name in ("last_hidden_state", "pooler_output")}

    found = compared_rows(forward(model, batch))
    error = tiny.largest_difference(found, compared_rows(forward(tiny.in_float64(model), batch)))
    scalars = {"masked_row": masked_row, "compared_rows": compared, "float32_error": {"outputs": error}}
    tiny.save_case(output / case, model, batch | found, scalars)
