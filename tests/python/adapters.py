"""Goes with adapters of every family and head from PEFT to `bert` and back; exit code 1 when anything is off.

    pip install -r ../goldens/requirements.txt
    python adapters.py BERT [--family roberta] [--head ForTokenClassification] [--kind dora] [--keep DIR]

BERT is the command's binary. PEFT puts random adapters on a small random model; `bert predict --logits` reads them, and
`bert merge` writes a checkpoint that transformers opens. `bert train --tune lora` makes three steps; PEFT opens what it
wrote, and transformers what `bert merge` makes of that. The table says how far the logits are apart each time. --family,
--head and --kind choose rows, and may be given more than once.
"""

import argparse
import sys
import tempfile
import warnings
from pathlib import Path

import torch
import transformers
from peft import LoraConfig, PeftModel, TaskType, get_peft_model
from transformers import AutoConfig, AutoTokenizer

import families
from families import FAMILIES, TASKS, Failed

TOLERANCE = 2e-5
TASK_TYPES = {
    "ForSequenceClassification": TaskType.SEQ_CLS,
    "ForTokenClassification": TaskType.TOKEN_CLS,
    "ForQuestionAnswering": TaskType.QUESTION_ANS,
}
# What PEFT has no default for is given, as queries and values.
TARGETS = {
    "camembert": ["query", "value"],
    "distilbert": ["q_lin", "v_lin"],
    "albert": ["query", "value"],
    "mpnet": ["q", "v"],
    "modernbert": ["Wqkv"],
}
# The kinds of adapters: what PEFT's configuration says, and the words of `--tune`.
KINDS = {
    "lora": (dict(r=4, lora_alpha=8), "lora:rank=4,alpha=8"),
    "dora": (dict(r=3, lora_alpha=5, use_dora=True, use_rslora=True), "lora:rank=3,alpha=5,dora,rslora"),
    "all-linear": (dict(r=2, lora_alpha=4), "lora:rank=2,alpha=4,targets=all-linear"),
}
# The scale of random B and magnitudes: large enough that a missing adapter shows.
DEVIATION = 0.3


def randomise(model: PeftModel) -> None:
    """Gives every parameter of the adapter and of the saved modules other values."""
    torch.manual_seed(1)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if ".lora_magnitude_vector" in name:
                parameter.mul_(1 + DEVIATION * torch.rand_like(parameter))
            elif parameter.requires_grad:
                parameter.normal_(0.0, DEVIATION)


def with_adapter(folder: Path, name: str, task, kind: str) -> PeftModel:
    """The base model with a random adapter of PEFT."""
    base, _ = families.open_model(folder, task)
    settings = KINDS[kind][0] | dict(target_modules=TARGETS.get(name))
    if kind == "all-linear":
        settings["target_modules"] = "all-linear"
        # PEFT would adapt the heads of tokens and answers as well, and then fail to save them as modules.
        settings["exclude_modules"] = ["classifier", "qa_outputs", "pooler.dense", "pre_classifier", "dense_proj"]
        settings["exclude_modules"] += ["classifier.dense", "classifier.out_proj", "head.dense"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = get_peft_model(base, LoraConfig(task_type=TASK_TYPES[task.head], **settings))
    randomise(model)
    return model.eval()


def bare(model: PeftModel):
    """The model with its adapter, without PEFT's class for the task: that of question answering drops token types."""
    return model.base_model


def from_peft(bert: str, folder: Path, name: str, task, kind: str) -> tuple[float, float]:
    """How far `bert` is from PEFT, and the merged checkpoint in transformers."""
    tokenizer = AutoTokenizer.from_pretrained(folder / "start", local_files_only=True)
    rows = task.inputs(tokenizer.mask_token)
    model = with_adapter(folder / "start", name, task, kind)
    adapter, merged = folder / "peft", folder / "peft-merged"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.save_pretrained(adapter)
    expected = families.theirs(bare(model), tokenizer, task, rows)
    first = families.difference(expected, families.ours(bert, adapter, task, rows))
    families.run(bert, "merge", str(adapter), "--output", str(merged))
    plain, problems = families.open_model(merged, task)
    if problems:
        raise Failed("; ".join(problems))
    return first, families.difference(expected, families.theirs(plain, tokenizer, task, rows))


def to_peft(bert: str, folder: Path, task, kind: str) -> tuple[float, float]:
    """How far PEFT is from `bert`, and the merged checkpoint in transformers."""
    start, trained, merged = folder / "start", folder / "trained", folder / "trained-merged"
    tokenizer = AutoTokenizer.from_pretrained(start, local_files_only=True)
    rows = task.inputs(tokenizer.mask_token)
    untrained, _ = families.open_model(start, task)
    before = families.theirs(untrained, tokenizer, task, rows)
    train(bert, start, trained, task, kind)
    expected = families.ours(bert, trained, task, rows)
    if families.difference(before, expected) < families.LEAST_CHANGE:
        raise Failed("training has changed nothing")
    config = AutoConfig.from_pretrained(trained, local_files_only=True)
    cls = getattr(transformers, f"AutoModel{task.head}")
    base = cls.from_pretrained(start, config=config, attn_implementation="eager", local_files_only=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = PeftModel.from_pretrained(base, trained).eval()
    tokenizer = AutoTokenizer.from_pretrained(trained, local_files_only=True)
    first = families.difference(expected, families.theirs(bare(model), tokenizer, task, rows))
    families.run(bert, "merge", str(trained), "--output", str(merged))
    plain, problems = families.open_model(merged, task)
    if problems:
        raise Failed("; ".join(problems))
    return first, families.difference(expected, families.theirs(plain, tokenizer, task, rows))


def train(bert: str, model: Path, output: Path, task, kind: str) -> None:
    """Three steps of two rows each."""
    data = output.parent / task.file
    data.write_text(task.training, encoding="utf-8")
    steps = ["--max-steps", "3", "--batch-size", "2", "--lr", str(families.LEARNING_RATE), "--warmup-ratio", "0"]
    options = ["--model", str(model), "--train", str(data), "--output", str(output), "--tune", KINDS[kind][1]]
    families.run(bert, "train", task.command, *options, *steps, "--dropout", "0", "--seed", "1", *task.flags)


def check(bert: str, folder: Path, name: str, head: str, kind: str) -> bool:
    """One row of the table; whether all is well."""
    task = TASKS[head]
    try:
        families.make(folder / "start", name, FAMILIES[name], task)
        figures = [*from_peft(bert, folder, name, task, kind), *to_peft(bert, folder, task, kind)]
    except Failed as error:
        print(f"| {name} | {head} | {kind} | {error} |", flush=True)
        return False
    is_well = max(figures) <= TOLERANCE
    columns = " | ".join(f"{figure:.1e}" for figure in figures)
    print(f"| {name} | {head} | {kind} | {columns} |{'' if is_well else ' off'}", flush=True)
    return is_well


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bert")
    parser.add_argument("--family", action="append", choices=FAMILIES)
    parser.add_argument("--head", action="append", choices=TASK_TYPES)
    parser.add_argument("--kind", action="append", choices=KINDS)
    parser.add_argument("--keep", type=Path, help="where to leave the models")
    arguments = parser.parse_args()
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    bert = str(Path(arguments.bert).resolve())
    print("| family | head | kind | PEFT → bert | merged | bert → PEFT | merged |")
    print("|---|---|---|---|---|---|---|")
    off = 0
    for name in arguments.family or FAMILIES:
        for head in arguments.head or TASK_TYPES:
            if not hasattr(transformers, FAMILIES[name].prefix + head):
                continue
            for kind in arguments.kind or KINDS:
                with tempfile.TemporaryDirectory() as temporary:
                    folder = (arguments.keep or Path(temporary)) / f"{name}-{head}-{kind}"
                    folder.mkdir(parents=True)
                    off += not check(bert, folder, name, head, kind)
    if off:
        sys.exit(f"{off} rows are off")


if __name__ == "__main__":
    main()
