"""BertForQuestionAnswering: logits, loss and every gradient; and the windows that transformers makes of a long context."""

import json
from pathlib import Path

import torch
from transformers import BertForQuestionAnswering, BertTokenizerFast

import case_classification
import tiny

# The windows are those of the vocabulary that this case writes.
AFTER = ("case_tokenization",)

CASE = "question_answering"
WINDOWS = "question_windows"

LONG = "The movie is great and not bad. The film is good, " * 3 + "caf\u00e9 e\u0301 \U0001f642\U0001f642 \u4e2d\u6587 end."
# question, context, max_length, stride
WINDOW_ROWS = [
    ("  what is great?", LONG, 28, 8),
    ("what is great?", LONG, 24, 0),
    ("what is great?", LONG, 40, 20),
    ("what?", LONG, 17, 8),
    ("what?", LONG, 384, 128),
    ("", LONG, 16, 4),
    ("what?", "a", 16, 4),
    ("what?", "", 16, 4),
    ("what is great?", "\U0001f642 great \U0001f642", 16, 1),
    # As many tokens as there is room for, and one more.
    ("hello", "the film is good", 9, 2),
    ("hello", "the film is good and", 9, 2),
    ("hello", "the film is good and not", 9, 4),
]


def write(output: Path) -> None:
    """Writes both cases."""
    write_model(output)
    write_windows(output)


def write_model(output: Path) -> None:
    """One forward and backward pass; row 2 has no answer, and the end of row 4 is beyond the sequence."""
    model = tiny.randomise(BertForQuestionAnswering(tiny.config(tiny.SMALL)), CASE)
    model.save_pretrained(output / CASE)
    rows, sequence = tiny.SMALL_BATCH
    batch = tiny.inputs(tiny.generator(CASE, "inputs"), tiny.SMALL, tiny.SMALL_BATCH)
    random = tiny.generator(CASE, "labels")
    starts = torch.from_numpy(random.integers(0, sequence - 2, size=rows))
    ends = starts + torch.from_numpy(random.integers(0, 3, size=rows))
    starts[2] = ends[2] = 0
    ends[4] = sequence + 5
    labels = {"start_positions": starts, "end_positions": ends}
    found = forward_backward(model, batch, labels)
    exact = forward_backward(tiny.in_float64(model), batch, labels)
    logits = ("start_logits", "end_logits")
    errors = case_classification.errors(found | {"logits": stack(found)}, exact | {"logits": stack(exact)})
    scalars = {"loss": found.pop("loss").item(), "float32_error": errors}
    assert set(logits) < set(found)
    tiny.save_golden(output / CASE, batch | labels | found, scalars)


def stack(found: dict) -> torch.Tensor:
    """Both logits as one tensor."""
    return torch.stack([found["start_logits"], found["end_logits"]])


def forward_backward(model: BertForQuestionAnswering, batch: dict, labels: dict) -> dict:
    """Logits, loss and gradients by the names of the golden file."""
    model.train()
    model.zero_grad()
    # transformers clamps the positions in place.
    outputs = model(**batch, **{name: positions.clone() for name, positions in labels.items()})
    outputs.loss.backward()
    gradients = {f"gradients.{name}": parameter.grad for name, parameter in model.named_parameters()}
    found = {name: outputs[name].detach() for name in ("start_logits", "end_logits", "loss")}
    return found | gradients


def write_windows(output: Path) -> None:
    """Uses the vocabulary of the case `tokenization`, which is written before."""
    tokenizer = BertTokenizerFast.from_pretrained(output / "tokenization")
    rows = [
        {
            "question": question,
            "context": context,
            "max_length": max_length,
            "stride": stride,
            "windows": windows(tokenizer, question, context, max_length, stride),
        }
        for question, context, max_length, stride in WINDOW_ROWS
    ]
    (output / WINDOWS).mkdir()
    lines = ",\n".join(json.dumps(row) for row in rows)
    (output / WINDOWS / "windows.json").write_text(f"[\n{lines}\n]\n", encoding="utf-8")


def windows(tokenizer, question: str, context: str, max_length: int, stride: int) -> list[dict]:
    """As run_qa.py of transformers calls the tokenizer, without padding; as a batch of one, so that an empty context
    stays a second text."""
    encoding = tokenizer(
        [question.lstrip()],
        [context],
        truncation="only_second",
        max_length=max_length,
        stride=stride,
        return_overflowing_tokens=True,
        return_offsets_mapping=True,
    )
    return [
        {
            "input_ids": encoding["input_ids"][index],
            "token_type_ids": encoding["token_type_ids"][index],
            "offsets": encoding["offset_mapping"][index],
            "sequence_ids": encoding.sequence_ids(index),
        }
        for index in range(len(encoding["input_ids"]))
    ]
