"""Goes with a small model of every family and head from transformers to `bert` and back; exit code 1 when anything is off.

    pip install -r ../goldens/requirements.txt
    python families.py BERT [--family roberta] [--head ForMaskedLM] [--keep DIR]

BERT is the command's binary. transformers writes a random model and a tokenizer of the family's class. `bert predict
--logits` reads both; `bert train` makes three steps; transformers opens what it wrote; `bert predict` reads it, too. The
table says how far the logits of both sides are apart, before and after training, and whether transformers found each
tensor, the class of the model and that of the tokenizer. --family and --head choose rows, and may be given more than once.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
import transformers
from tokenizers import Tokenizer, processors
from transformers import AutoConfig, AutoTokenizer

sys.path.insert(0, str(Path(__file__).parent.parent / "goldens"))
import tiny
from tokenizer_files import MERGES, VOCAB, WORD_PIECE, byte_level_json, scored

# Tokens that every model takes; the models that count positions from the padding id on have rows for that, too.
LONGEST = 40
# Windows of a long context: tokens of a window, and tokens that neighbours share.
WINDOW, STRIDE = 24, 8
# Three steps at this rate change the logits by more than LEAST_CHANGE, so that an untrained export cannot pass for a trained one.
LEARNING_RATE, LEAST_CHANGE = 1e-2, 1e-3

SIZES = dict(hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=37)
NO_DROPOUT = dict(hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0, classifier_dropout=0.0)
BERT = SIZES | NO_DROPOUT | dict(max_position_embeddings=LONGEST)
# Positions are counted from the padding id on, which is 1.
ROBERTA = BERT | dict(max_position_embeddings=LONGEST + 2, type_vocab_size=1)
DEBERTA = BERT | dict(relative_attention=True, pos_att_type=["p2c", "c2p"], pooler_hidden_size=16)
DEBERTA_V3 = DEBERTA | dict(
    position_buckets=4, norm_rel_ebd="layer_norm", share_att_key=True, position_biased_input=False, type_vocab_size=0
)
DISTILBERT = dict(
    dim=16,
    n_layers=2,
    n_heads=2,
    hidden_dim=37,
    max_position_embeddings=LONGEST,
    dropout=0.0,
    attention_dropout=0.0,
    qa_dropout=0.0,
    seq_classif_dropout=0.0,
)
# The first layer sees everything, the others a window that is smaller than the texts.
MODERNBERT = SIZES | dict(num_hidden_layers=3, max_position_embeddings=LONGEST, local_attention=4)


def word_piece(cls, **settings):
    return cls(vocab={token: id for id, token in enumerate(WORD_PIECE)}, **settings)


def mpnet():
    """The padding token has the id 1: MPNet counts positions from that one on, whatever its configuration says."""
    first = ["<s>", "<pad>", "</s>"]
    tokens = first + [token for token in WORD_PIECE if token not in first]
    return transformers.MPNetTokenizer(vocab={token: id for id, token in enumerate(tokens)})


def byte_level():
    merges = [tuple(merge) for merge in MERGES]
    return transformers.RobertaTokenizer(vocab=dict(VOCAB), merges=merges)


def unigram(cls, first: list[str], last: list[str] = (), **settings):
    return cls(vocab=scored(first, last), **settings)


def camembert():
    first = ["<s>NOTUSED", "<pad>", "</s>NOTUSED", "<unk>", "<unk>NOTUSED", "<s>", "</s>"]
    return unigram(transformers.CamembertTokenizer, first, ["<mask>"])


def deberta():
    first = ["[PAD]", "[CLS]", "[SEP]", "[UNK]"]
    return unigram(transformers.DebertaV2Tokenizer, first, ["[MASK]"], unk_id=3)


def modernbert():
    """ModernBERT has no class of its own: its tokenizer.json says everything."""
    template = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> $B </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer.from_str(byte_level_json(["<mask>"], post=template)),
        model_input_names=["input_ids", "attention_mask"],
        **dict(cls_token="<s>", sep_token="</s>", unk_token="<unk>", pad_token="<pad>", mask_token="<mask>"),
    )


@dataclass
class Family:
    """The classes' prefix, what config.json holds beside the vocabulary, and a tokenizer."""

    prefix: str
    config: dict
    tokenizer: Callable


FAMILIES = {
    "bert": Family("Bert", BERT, lambda: word_piece(transformers.BertTokenizer)),
    "roberta": Family("Roberta", ROBERTA, byte_level),
    "xlm-roberta": Family(
        "XLMRoberta",
        ROBERTA,
        lambda: unigram(transformers.XLMRobertaTokenizer, ["<s>", "<pad>", "</s>", "<unk>"], ["<mask>"]),
    ),
    "camembert": Family("Camembert", ROBERTA, camembert),
    "distilbert": Family("DistilBert", DISTILBERT, lambda: word_piece(transformers.DistilBertTokenizer)),
    "electra": Family("Electra", BERT | dict(embedding_size=8), lambda: word_piece(transformers.ElectraTokenizer)),
    "albert": Family(
        "Albert",
        BERT | dict(embedding_size=8, classifier_dropout_prob=0.0),
        lambda: unigram(transformers.AlbertTokenizer, ["<pad>", "<unk>", "[CLS]", "[SEP]", "[MASK]"]),
    ),
    "mpnet": Family("MPNet", BERT | dict(max_position_embeddings=LONGEST + 2), mpnet),
    "deberta-v2": Family("DebertaV2", DEBERTA | dict(type_vocab_size=2, conv_kernel_size=3, conv_act="gelu"), deberta),
    "deberta-v3": Family("DebertaV2", DEBERTA_V3, deberta),
    "modernbert": Family("ModernBert", MODERNBERT, modernbert),
}

LONG_TEXT = "the film was great, the film was great in London, don't. " * 6
TEXTS = [{"text": "the film was great"}, {"text": "Ada met Charles in London, don't"}, {"text": LONG_TEXT}]
# The last one fills the model nearly: `bert` cuts longer texts into windows, transformers does not.
TAGGER_TEXTS = [*TEXTS[:2], {"text": "the film was great " * 9}]
PAIRS = [
    {"text": "the film was great", "text_pair": "Ada met Charles"},
    {"text": "the film", "text_pair": LONG_TEXT},
    {"text": LONG_TEXT, "text_pair": LONG_TEXT},
]
QUESTIONS = [
    {"question": "the film", "context": "the film was great"},
    {"question": "Ada met", "context": LONG_TEXT},
]
TAGGED = "Ada\tB-PER\nCharles\tI-PER\nmet\tO\nin\tO\nLondon\tB-LOC\nLondon\tI-LOC\n\nthe\tO\nfilm\tO\nwas\tO\ngreat\tO\n\n"
Logits = list[np.ndarray]


def of_text(model, tokenizer, row: dict) -> Logits:
    batch = tokenizer(row["text"], row.get("text_pair"), truncation="longest_first", return_tensors="pt")
    return [model(**batch).logits[0].numpy()]


def of_tokens(model, tokenizer, row: dict) -> Logits:
    """The tokens of the text alone, without special ones."""
    batch = tokenizer(row["text"], return_tensors="pt")
    is_text = [sequence is not None for sequence in batch.sequence_ids(0)]
    return [model(**batch).logits[0].numpy()[is_text]]


def of_windows(model, tokenizer, row: dict) -> Logits:
    """The starts of all windows, then the ends of all windows."""
    cut = dict(truncation="only_second", max_length=WINDOW, stride=STRIDE, return_overflowing_tokens=True)
    windows = tokenizer(row["question"], row["context"], **cut)
    names = [name for name in tokenizer.model_input_names if name in windows]
    outputs = [
        model(**{name: torch.tensor([windows[name][index]]) for name in names})
        for index in range(len(windows["input_ids"]))
    ]
    return [found.start_logits[0].numpy() for found in outputs] + [found.end_logits[0].numpy() for found in outputs]


def of_masks(model, tokenizer, row: dict) -> Logits:
    batch = tokenizer(row["text"], row.get("text_pair"), truncation="longest_first", return_tensors="pt")
    return [model(**batch).logits[0].numpy()[batch["input_ids"][0] == tokenizer.mask_token_id]]


def lines(rows: list[dict]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def squad() -> str:
    """Questions with answers, in SQuAD's layout."""
    answers = [{"text": "London", "answer_start": 23}]
    context = "Ada met Charles in the London film, the film was great"
    questions = [{"id": str(index), "question": "the film", "answers": answers} for index in range(6)]
    return json.dumps({"data": [{"title": "film", "paragraphs": [{"context": context, "qas": questions}]}]})


@dataclass
class Task:
    """A task of `bert`, with the head of transformers that it trains."""

    command: str
    head: str
    # Name of the training file, and its content.
    file: str
    training: str
    # What to predict, by the mask token.
    inputs: Callable
    expected: Callable
    labels: list[str] = field(default_factory=lambda: ["LABEL_0", "LABEL_1"])
    fields: tuple[str, ...] = ("logits",)
    flags: tuple[str, ...] = ()


TASKS = {
    "ForSequenceClassification": Task(
        "text-classification",
        "ForSequenceClassification",
        "train.tsv",
        "text\tlabel\n" + "the film was great\tpositive\nAda met Charles\tnegative\n" * 3,
        lambda _: TEXTS + PAIRS,
        of_text,
        ["negative", "positive"],
    ),
    "NLI": Task(
        "natural-language-inference",
        "ForSequenceClassification",
        "train.tsv",
        "premise\thypothesis\tlabel\n"
        + "".join(f"the film\tAda met\t{label}\n" for label in ("entailment", "neutral", "contradiction") * 2),
        lambda _: PAIRS,
        of_text,
        ["entailment", "neutral", "contradiction"],
    ),
    "ForTokenClassification": Task(
        "token-classification",
        "ForTokenClassification",
        "train.conll",
        TAGGED * 3,
        lambda _: TAGGER_TEXTS,
        of_tokens,
        ["O", "B-PER", "I-PER", "B-LOC", "I-LOC"],
    ),
    "ForQuestionAnswering": Task(
        "question-answering",
        "ForQuestionAnswering",
        "train.json",
        squad(),
        lambda _: QUESTIONS,
        of_windows,
        fields=("start_logits", "end_logits"),
        flags=("--max-length", str(WINDOW), "--stride", str(STRIDE)),
    ),
    "ForMaskedLM": Task(
        "masked-lm",
        "ForMaskedLM",
        "train.txt",
        "the film was great in London\nAda met Charles in London, don't\n" * 30,
        lambda mask: [{"text": f"the {mask} was great"}, {"text": f"{mask} met Charles in {mask}, {LONG_TEXT}"}],
        of_masks,
    ),
}


class Failed(Exception):
    """A command ended with an error, whose text this is."""


def run(*command: str) -> str:
    """Standard output of a command."""
    done = subprocess.run(command, capture_output=True, encoding="utf-8")
    if done.returncode != 0:
        raise Failed(f"{' '.join(command[1:3])} ended with {done.returncode}: {done.stderr.strip()}")
    return done.stdout


def make(folder: Path, name: str, family: Family, task: Task) -> None:
    """Writes a random model with its tokenizer."""
    tokenizer = family.tokenizer()
    tokenizer.model_max_length = LONGEST
    config = getattr(transformers, f"{family.prefix}Config")(
        vocab_size=len(tokenizer),
        pad_token_id=tokenizer.pad_token_id,
        bos_token_id=tokenizer.cls_token_id,
        eos_token_id=tokenizer.sep_token_id,
        id2label=dict(enumerate(task.labels)),
        label2id={label: id for id, label in enumerate(task.labels)},
        **family.config,
    )
    model = getattr(transformers, family.prefix + task.head)(config)
    tiny.randomise(model, f"{name}/{task.command}").save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def open_model(folder: Path, task: Task) -> tuple[torch.nn.Module, list[str]]:
    """The model in float32, and what is wrong with its tensors or its class."""
    cls = getattr(transformers, f"AutoModel{task.head}")
    model, report = cls.from_pretrained(
        folder, dtype=torch.float32, attn_implementation="eager", local_files_only=True, output_loading_info=True
    )
    problems = [f"{kind}: {', '.join(map(str, sorted(found)))}" for kind, found in sorted(report.items()) if found]
    return model.eval(), problems


def theirs(model, tokenizer, task: Task, rows: list[dict]) -> Logits:
    """The logits of transformers, for each row alone."""
    with torch.no_grad():
        return [logits for row in rows for logits in task.expected(model, tokenizer, row)]


def ours(bert: str, folder: Path, task: Task, rows: list[dict]) -> Logits:
    """The logits of `bert predict`, in the same order."""
    inputs = folder.parent / "input.jsonl"
    inputs.write_text(lines(rows), encoding="utf-8")
    options = ["--model", str(folder), "--input", str(inputs), "--logits", *task.flags]
    records = [json.loads(line) for line in run(bert, "predict", task.command, *options).splitlines()]
    if task.fields == ("logits",):
        return [np.array(record["logits"], dtype=np.float32) for record in records]
    return [np.array(one, dtype=np.float32) for record in records for name in task.fields for one in record[name]]


def train(bert: str, model: Path, output: Path, task: Task) -> None:
    """Three steps of two rows each."""
    data = output.parent / task.file
    data.write_text(task.training, encoding="utf-8")
    steps = ["--max-steps", "3", "--batch-size", "2", "--lr", str(LEARNING_RATE), "--warmup-ratio", "0"]
    options = ["--model", str(model), "--train", str(data), "--output", str(output), *steps]
    run(bert, "train", task.command, *options, "--dropout", "0", "--seed", "1", *task.flags)


def difference(expected: Logits, found: Logits) -> float:
    """The largest absolute difference; infinite when shapes differ or a value is not finite."""
    if [one.shape for one in expected] != [one.shape for one in found]:
        return float("inf")
    worst = max(float(np.abs(one - other).max()) for one, other in zip(expected, found))
    return worst if np.isfinite(worst) else float("inf")


def compare(bert: str, folder: Path, name: str, task_name: str) -> tuple[float, float, list[str]]:
    """The differences before and after training, and what else is off."""
    family, task = FAMILIES[name], TASKS[task_name]
    start, trained = folder / "start", folder / "trained"
    make(start, name, family, task)
    tokenizer = AutoTokenizer.from_pretrained(start, local_files_only=True)
    rows = task.inputs(tokenizer.mask_token)
    model, problems = open_model(start, task)
    before = theirs(model, tokenizer, task, rows)
    first = difference(before, ours(bert, start, task, rows))
    train(bert, start, trained, task)
    model, found = open_model(trained, task)
    problems += found
    expected_class = family.prefix + task.head
    architectures = AutoConfig.from_pretrained(trained, local_files_only=True).architectures
    if type(model).__name__ != expected_class or architectures != [expected_class]:
        problems.append(f"{type(model).__name__} and {architectures} in place of {expected_class}")
    reopened = AutoTokenizer.from_pretrained(trained, local_files_only=True)
    if type(reopened) is not type(tokenizer):
        problems.append(f"{type(reopened).__name__} in place of {type(tokenizer).__name__}")
    after = theirs(model, reopened, task, rows)
    if not LEAST_CHANGE < difference(before, after) < float("inf"):
        problems.append("training changed nothing, or the shape of the logits")
    return first, difference(after, ours(bert, trained, task, rows)), problems


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("bert", type=Path, help="the command's binary")
    parser.add_argument("--family", action="append", choices=FAMILIES, help="by default all")
    parser.add_argument("--head", action="append", choices=TASKS, help="by default all")
    parser.add_argument("--keep", type=Path, help="write models and data into this directory, and keep them")
    parser.add_argument("--tolerance", type=float, default=2e-5, help="largest absolute difference (default 2e-5)")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    off = 0
    print("| family | head | predict difference | trained difference | keys |\n|---|---|---|---|---|", flush=True)
    with tempfile.TemporaryDirectory() as temporary:
        for name in arguments.family or FAMILIES:
            for head in arguments.head or TASKS:
                folder = (arguments.keep or Path(temporary)) / name / head
                folder.mkdir(parents=True)
                try:
                    first, second, problems = compare(str(arguments.bert), folder, name, head)
                except Failed as error:
                    first, second, problems = float("inf"), float("inf"), [str(error).replace("\n", " ")]
                off += bool(problems) or not max(first, second) <= arguments.tolerance
                keys = "; ".join(problems) or "all"
                print(f"| {name} | {head} | {first:.1e} | {second:.1e} | {keys} |", flush=True)
    if off:
        sys.exit(f"{off} rows are off")


if __name__ == "__main__":
    main()
