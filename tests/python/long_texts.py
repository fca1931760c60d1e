"""Compares how `bert predict` reads long texts with a few lines of transformers that do the same.

    pip install torch transformers
    python long_texts.py --model DIR --input FILE [--bert PATH]

DIR is a BERT text classifier trained with --long-text, FILE has one text a line, or JSON objects with "text" and
"text_pair". Exit code 1 when a logit differs by more than 1e-4, or the number of windows differs.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer

BOUND = 1e-4


def read(line):
    if line.startswith("{"):
        row = json.loads(line)
        return row["text"], row.get("text_pair")
    return line, None


def ids_of(tokenizer, text):
    return tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"]


def kept_by_truncation(tokenizer, how, text, pair):
    """How many tokens of each text transformers' own truncation keeps."""
    of = tokenizer(text, pair, truncation=True, max_length=how["max_length"]).sequence_ids()
    return [of.count(0), of.count(1)]


def head_tail(tokens, kept):
    head = -(-kept // 4)
    return tokens if len(tokens) <= kept else tokens[:head] + tokens[len(tokens) - (kept - head) :]


def pieces(tokens, room, stride):
    starts = range(0, max(len(tokens) - stride, 1), room - stride)
    return [tokens[start : start + room] for start in starts]


def sequences(tokenizer, how, text, pair):
    """The windows of a text or a pair, each as the ids of one or two texts."""
    first = ids_of(tokenizer, text)
    second = None if pair is None else ids_of(tokenizer, pair)
    room = how["max_length"] - tokenizer.num_special_tokens_to_add(pair=pair is not None)
    if len(first) + len(second or []) <= room:
        return [(first, second)]
    if how["strategy"] == "head_tail":
        kept = kept_by_truncation(tokenizer, how, text, pair)
        return [(head_tail(first, kept[0]), None if second is None else head_tail(second, kept[1]))]
    if second is None:
        return [(piece, None) for piece in pieces(first, room, how["stride"])]
    if len(second) <= len(first):
        other = second[: room // 2]
        return [(piece, other) for piece in pieces(first, room - len(other), how["stride"])]
    other = first[: room // 2]
    return [(other, piece) for piece in pieces(second, room - len(other), how["stride"])]


def special(tokenizer, first, second):
    """[CLS] first [SEP], or [CLS] first [SEP] second [SEP], with token types."""
    cls, sep = tokenizer.cls_token_id, tokenizer.sep_token_id
    first = [cls, *first, sep]
    second = [] if second is None else [*second, sep]
    return {"input_ids": first + second, "token_type_ids": [0] * len(first) + [1] * len(second)}


@torch.no_grad()
def logits_of(model, tokenizer, text, pair):
    how = model.config.long_text
    how = how if isinstance(how, dict) else how.to_dict()
    windows = [special(tokenizer, *window) for window in sequences(tokenizer, how, text, pair)]
    outputs = torch.cat([model(**{key: torch.tensor([ids]) for key, ids in one.items()}).logits for one in windows])
    pooled = outputs.max(0).values if how.get("pool") == "max" else outputs.mean(0)
    return pooled, len(windows)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--input", type=Path, required=True)
    parser.add_argument("--bert", default="bert")
    options = parser.parse_args()
    model = AutoModelForSequenceClassification.from_pretrained(options.model).eval()
    tokenizer = AutoTokenizer.from_pretrained(options.model)
    command = [options.bert, "predict", "text-classification", "--logits"]
    command += ["--model", options.model, "--input", options.input]
    run = subprocess.run(command, check=True, capture_output=True, text=True)
    answers = [json.loads(line) for line in run.stdout.splitlines()]
    lines = [line for line in options.input.read_text().splitlines() if line.strip()]
    worst, longest, problems = 0.0, 0, abs(len(answers) - len(lines))
    for line, answer in zip(lines, answers):
        expected, windows = logits_of(model, tokenizer, *read(line))
        difference = (expected - torch.tensor(answer["logits"])).abs().max().item()
        worst, longest = max(worst, difference), max(longest, windows)
        if not difference <= BOUND or windows != answer.get("windows", 1):
            problems += 1
            print(f"{windows} windows, {answer.get('windows', 1)} of bert, difference {difference:.1e}: {line[:60]}")
    print(f"{len(answers)} texts, up to {longest} windows: largest difference {worst:.1e}, {problems} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
