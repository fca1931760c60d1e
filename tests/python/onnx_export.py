"""Compares exported ONNX models of every family and head with `bert predict`; exit code 1 when a row is off.

    pip install -r ../goldens/requirements.txt onnx onnxruntime openvino
    python onnx_export.py BERT [--family roberta] [--head ForMaskedLM] [--keep DIR]
    python onnx_export.py BERT --model DIR

BERT is the command's binary. transformers writes a random model of the family with a tokenizer (`families.py`), `bert export`
writes it as ONNX, and `onnx.checker` reads the file. ONNX Runtime and OpenVINO run it on each row alone and on batches in
which other rows stand beside it and padding behind it. The logits of `bert predict --logits` are the expected ones; those of
an encoder without a head, of next sentences and of pre-training are transformers'. The last column is the difference of the
int8 model, as a share of the largest expected value: a statement and no test, because weights of eight bits are others.

--model takes a real encoder or a model of sentence embeddings, and compares its last hidden state with that of transformers.
"""

import argparse
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import onnx
import onnxruntime
import openvino
import torch
import transformers
from transformers import AutoTokenizer

import families
from families import FAMILIES, PAIRS, TASKS, TEXTS, Failed, Logits, Task, difference, run

# Rows beside a row, and padding behind it.
BATCHES = [(0, 0), (1, 3), (6, 0), (2, 40)]
OPSET = 17
# Outputs of one number or more for each token; all others are of a row.
PER_TOKEN = {"start_logits", "end_logits", "last_hidden_state", "prediction_logits"}
TOKEN_HEADS = {"ForTokenClassification", "ForMaskedLM"}


def every_output(*names: str) -> Callable:
    """All of these outputs of a pair or text."""

    def expected(model, tokenizer, row: dict) -> Logits:
        batch = tokenizer(row["text"], row.get("text_pair"), truncation="longest_first", return_tensors="pt")
        found = model(**batch)
        return [getattr(found, name)[0].numpy() for name in names]

    return expected


def without_command(head: str, *names: str) -> Task:
    """A head whose logits `bert predict` does not print."""
    return Task("", head, "", "", lambda _: TEXTS + PAIRS, every_output(*names))


HEADS = TASKS | {
    "Model": without_command("Model", "last_hidden_state"),
    "ForNextSentencePrediction": without_command("ForNextSentencePrediction", "logits"),
    "ForPreTraining": without_command("ForPreTraining", "prediction_logits", "seq_relationship_logits"),
}
BERT_ALONE = {"ForNextSentencePrediction", "ForPreTraining"}


class OnnxRuntime:
    """A session of ONNX Runtime."""

    def __init__(self, path: Path) -> None:
        self.session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        self.inputs = [value.name for value in self.session.get_inputs()]
        self.outputs = [value.name for value in self.session.get_outputs()]

    def __call__(self, feed: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        return dict(zip(self.outputs, self.session.run(self.outputs, feed)))


class OpenVino:
    """A model compiled by OpenVINO, in float32: on some processors it would choose bfloat16."""

    def __init__(self, path: Path) -> None:
        core = openvino.Core()
        self.model = core.compile_model(core.read_model(str(path)), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
        graph = onnx.load(str(path), load_external_data=False).graph
        self.inputs = [value.name for value in graph.input]
        self.outputs = [value.name for value in graph.output]

    def __call__(self, feed: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        found = self.model(feed)
        return {name: np.array(found[self.model.output(name)]) for name in self.outputs}


class Batched:
    """An engine that is called as a model of transformers is, and sees a row with others beside it and padding behind it."""

    def __init__(self, engine, head: str, padding: int, longest: int, batch: tuple[int, int]) -> None:
        self.engine, self.padding, self.longest = engine, padding, longest
        self.beside, self.behind = batch
        self.per_token = PER_TOKEN | ({"logits"} if head in TOKEN_HEADS else set())

    def __call__(self, **batch: torch.Tensor) -> SimpleNamespace:
        length = batch["input_ids"].shape[1]
        width = min(length + self.behind, self.longest)
        found = self.engine({name: self.widened(name, batch, width) for name in self.engine.inputs})
        own = {name: value[:1, :length] if name in self.per_token else value[:1] for name, value in found.items()}
        return SimpleNamespace(**{name: torch.tensor(value) for name, value in own.items()})

    def widened(self, name: str, batch: dict, width: int) -> np.ndarray:
        """The row itself, and then its beginnings, each one token shorter."""
        ones = torch.ones_like(batch["input_ids"])
        row = batch.get(name, ones if name == "attention_mask" else 0 * ones)[0].numpy()
        wide = np.full((1 + self.beside, width), self.padding if name == "input_ids" else 0, dtype=np.int64)
        for index in range(len(wide)):
            length = max(1, len(row) - index)
            wide[index, :length] = row[:length]
        return wide


def checked(path: Path) -> Path:
    """The file, when the format itself finds nothing wrong with it, shapes included."""
    onnx.checker.check_model(str(path), full_check=True)
    opset = [(entry.domain, entry.version) for entry in onnx.load(str(path), load_external_data=False).opset_import]
    if opset != [("", OPSET)]:
        raise Failed(f"{path}: operators {opset}")
    return path


def export(bert: str, model: Path, output: Path, *options: str) -> Path:
    run(bert, "export", str(model), "-o", str(output), *options)
    return output


def share(expected: Logits, found: Logits) -> float:
    """The largest difference as a share of the largest expected value."""
    return difference(expected, found) / max(float(np.abs(one).max()) for one in expected)


def differences(bert: str, model: Path, output: Path, head: str, expected: Logits, found: Callable) -> list[float]:
    """The largest of ONNX Runtime and of OpenVINO over all batches, weights beside the model, and the share of int8."""
    task = ["--task", "feature-extraction"] if head == "Model" else []
    tokenizer = AutoTokenizer.from_pretrained(model, local_files_only=True)

    def worst(engine, batches: list) -> float:
        wrapped = [Batched(engine, head, tokenizer.pad_token_id, tokenizer.model_max_length, one) for one in batches]
        return max(difference(expected, found(one)) for one in wrapped)

    plain = checked(export(bert, model, output / "onnx", "--to", "onnx", *task) / "onnx/model.onnx")
    apart = export(bert, model, output / "apart", "--to", "onnx", "--external-data", *task)
    quantized = checked(export(bert, model, output / "int8", "--to", "onnx-int8", *task) / "onnx/model_quantized.onnx")
    engines = [OnnxRuntime(plain), OpenVino(plain), OnnxRuntime(checked(apart / "onnx/model.onnx"))]
    int8 = Batched(OnnxRuntime(quantized), head, tokenizer.pad_token_id, tokenizer.model_max_length, BATCHES[0])
    OpenVino(quantized)
    return [*(worst(engine, BATCHES) for engine in engines), share(expected, found(int8))]


def of_family(bert: str, folder: Path, name: str, head: str) -> list[float]:
    """A random model of a family."""
    task, start = HEADS[head], folder / "start"
    families.make(start, name, FAMILIES[name], task)
    tokenizer = AutoTokenizer.from_pretrained(start, local_files_only=True)
    rows = task.inputs(tokenizer.mask_token)

    def found(model) -> Logits:
        return families.theirs(model, tokenizer, task, rows)

    expected = families.ours(bert, start, task, rows) if task.command else found(opened(start, head))
    return differences(bert, start, folder, head, expected, found)


def opened(model: Path, head: str):
    cls = getattr(transformers, "AutoModel" if head == "Model" else f"AutoModel{head}")
    options = dict(dtype=torch.float32, attn_implementation="eager", local_files_only=True)
    return cls.from_pretrained(model, **options).eval()


def of_model(bert: str, folder: Path, model: Path) -> list[float]:
    """The last hidden state of an encoder."""
    tokenizer = AutoTokenizer.from_pretrained(model, local_files_only=True)

    def found(engine) -> Logits:
        return families.theirs(engine, tokenizer, HEADS["Model"], TEXTS + PAIRS)

    return differences(bert, model, folder, "Model", found(opened(model, "Model")), found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("bert", type=Path, help="the command's binary")
    parser.add_argument("--family", action="append", choices=FAMILIES, help="by default all")
    parser.add_argument("--head", action="append", choices=HEADS, help="by default all")
    parser.add_argument("--model", type=Path, help="an encoder's directory, in place of random models")
    parser.add_argument("--keep", type=Path, help="write models into this directory, and keep them")
    parser.add_argument("--tolerance", type=float, default=1e-4, help="largest absolute difference (default 1e-4)")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    bert, off = str(arguments.bert), 0
    print("| family | head | ONNX Runtime | OpenVINO | external data | int8, share |\n|---|---|---|---|---|---|", flush=True)

    def row(name: str, head: str, found: Callable[[], list[float]]) -> int:
        try:
            figures, note = found(), ""
        except Failed as error:
            figures, note = [float("inf")] * 4, f" {error}".replace("\n", " ")
        print(f"| {name} | {head} | {' | '.join(f'{one:.1e}' for one in figures)} |{note}", flush=True)
        return not max(figures[:3]) <= arguments.tolerance

    with tempfile.TemporaryDirectory() as temporary:
        base = arguments.keep or Path(temporary)
        if arguments.model:
            off += row(arguments.model.name, "Model", lambda: of_model(bert, base, arguments.model))
        else:
            for name in arguments.family or FAMILIES:
                for head in arguments.head or HEADS:
                    if head in BERT_ALONE and name != "bert":
                        continue
                    folder = base / name / head
                    folder.mkdir(parents=True)
                    off += row(name, head, lambda: of_family(bert, folder, name, head))
    if off:
        sys.exit(f"{off} rows are off")


if __name__ == "__main__":
    main()
