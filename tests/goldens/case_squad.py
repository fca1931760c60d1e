"""From logits to answers, and from answers to SQuAD's figures, in plain Python.

Written anew after what `postprocess_qa_predictions` of transformers (examples/pytorch/question-answering/utils_qa.py) and
the official evaluation scripts of SQuAD 1.1 and 2.0 do; the figures were compared with theirs.
"""

import collections
import json
import re
import string
from pathlib import Path

import numpy as np

import tiny

CONTEXT = "The caf\u00e9 of Zo\u00eb \U0001f642 opened in 1950, e\u0301t\u00e9; the theatre (a ruin) closed. "


def write(output: Path) -> None:
    """Writes both cases."""
    write_answers(output / "squad_answers")
    write_metrics(output / "squad_metrics")


def save_rows(folder: Path, name: str, content: dict) -> None:
    """One row a line."""
    folder.mkdir()
    parts = []
    for key, value in content.items():
        is_rows = isinstance(value, list)
        text = "[\n" + ",\n".join(json.dumps(row) for row in value) + "\n]" if is_rows else json.dumps(value)
        parts.append(f"{json.dumps(key)}: {text}")
    (folder / name).write_text("{" + ",\n".join(parts) + "}\n", encoding="utf-8")


# Answers


def write_answers(folder: Path) -> None:
    """Random logits over windows of one to four pieces of a context, under different settings."""
    random = tiny.generator("squad_answers", "logits")
    settings = [(20, 30, False, 0.0), (5, 3, True, 0.0), (20, 30, True, 1.5), (3, 8, True, -2.0), (20, 4, False, 0.0)]
    rows = []
    for index in range(40):
        n_best, longest, with_null, threshold = settings[index % len(settings)]
        windows = [random_window(random, piece) for piece in range(int(random.integers(1, 5)))]
        row = {
            "n_best": n_best,
            "max_answer_length": longest,
            "with_null": with_null,
            "null_threshold": threshold,
            "windows": windows,
        }
        rows.append(row | answers(windows, n_best, longest, with_null, threshold))
    save_rows(folder, "answers.json", {"context": CONTEXT * 3, "rows": rows})


def random_window(random: np.random.Generator, piece: int) -> dict:
    """`[CLS] q q [SEP] words … [SEP]`: each piece starts four words after the one before."""
    words = [match.span() for match in re.finditer(r"\S+", CONTEXT * 3)][4 * piece : 4 * piece + 12]
    offsets = [(0, 0), (0, 1), (2, 3), (0, 0), *words, (0, 0)]
    start, end = (random.normal(0.0, 3.0, size=len(offsets)).astype(np.float32) for _ in range(2))
    # So that no answer is the answer now and then.
    start[0] += 4.0
    end[0] += 4.0
    return {
        "context_tokens": [4, 4 + len(words)],
        "offsets": offsets,
        # A single-precision number is exact in JSON's double precision.
        "start_logits": start.tolist(),
        "end_logits": end.tolist(),
    }


def best_positions(logits: np.ndarray, count: int) -> list[int]:
    """Highest first."""
    return np.argsort(logits)[::-1][:count].tolist()


def answers(windows: list[dict], n_best: int, longest: int, with_null: bool, threshold: float) -> dict:
    """The n-best list, the null difference and the answer of one question."""
    found, null = [], None
    for window in windows:
        start_logits, end_logits = (np.array(window[key], dtype=np.float32) for key in ("start_logits", "end_logits"))
        first, last = window["context_tokens"]
        score = start_logits[0] + end_logits[0]
        if null is None or null["score"] > score:
            null = {"span": None, "score": score, "start_logit": start_logits[0], "end_logit": end_logits[0]}
        for start in best_positions(start_logits, n_best):
            for end in best_positions(end_logits, n_best):
                if not (first <= start < last and first <= end < last) or not 0 <= end - start < longest:
                    continue
                found.append(
                    {
                        "span": [window["offsets"][start][0], window["offsets"][end][1]],
                        "score": start_logits[start] + end_logits[end],
                        "start_logit": start_logits[start],
                        "end_logit": end_logits[end],
                    }
                )
    if with_null:
        found.append(null)
    kept = sorted(found, key=lambda one: one["score"], reverse=True)[:n_best]
    if with_null and all(one["span"] is not None for one in kept):
        kept.append(null)
    scores = np.array([one["score"] for one in kept])
    powers = np.exp(scores - scores.max())
    best = next((one for one in kept if one["span"] is not None), None)
    if best is None:
        # transformers invents an answer here; this project answers nothing.
        return {"n_best_list": listed(kept, powers), "answer": "", "null_difference": None}
    difference = null["score"] - best["start_logit"] - best["end_logit"]
    is_null = with_null and difference > threshold
    answer = "" if is_null else (CONTEXT * 3)[slice(*best["span"])]
    return {"n_best_list": listed(kept, powers), "answer": answer, "null_difference": float(difference)}


def listed(kept: list[dict], powers: np.ndarray) -> list[list]:
    """Span, both logits and probability of each candidate."""
    numbers = ("start_logit", "end_logit")
    total = powers.sum()
    return [[one["span"], *(float(one[key]) for key in numbers), float(p / total)] for one, p in zip(kept, powers)]


# Figures

PIECES = (
    ["a", "an", "the", "The", "AN", "A", "and", "then", "theatre", "caf\u00e9", "CAF\u00c9", "e\u0301te\u0301", "\u0130stanbul"]
    + ["\u039f\u0394\u039f\u03a3", "STRA\u1e9eE", "\U0001f642", "1950", "3.14", "U.S.", "a-b", "the_a", "\u00bd", "\u4e2d\u6587", "(", ")", "!?", "$5"]
    + ["\u2013the\u2013", "\u201ca\u201d", "a\u0301", "rock", "'n'", "roll", "x\u00b2", "\u2160", "an\u2019s", "the\u0660"]
)
SPACES = [" "] * 8 + ["  ", "\t", "\n", "\u00a0", "\u2003", "\u3000", "\x1c", "\x1f", "\u200b", "", "\x85"]
EMPTY = ["", " ", "the", "a !", "...", "\t"]


def write_metrics(folder: Path) -> None:
    """Strings that are hard to normalise, the scores of pairs, and the figures of a made-up data set."""
    random = tiny.generator("squad_metrics", "strings")
    rows = [metrics_row(random, index) for index in range(300)]
    figures = {"version_1": digits(figures_1(rows)), "version_2": digits(figures_2(rows))}
    keys = ("version_1", "version_2")
    written = [row | {key: row[key] and [repr(score) for score in row[key]] for key in keys} for row in rows]
    save_rows(folder, "metrics.json", {"rows": written} | figures)


def digits(figures: dict) -> dict:
    """Numbers as text: a JSON reader may round the last digit otherwise."""
    return {name: repr(value) for name, value in figures.items()}


def random_text(random: np.random.Generator) -> str:
    """Now and then a text without a word."""
    if random.random() < 0.1:
        return str(random.choice(EMPTY))
    count = int(random.integers(1, 7))
    return "".join(str(random.choice(PIECES)) + str(random.choice(SPACES)) for _ in range(count))


def metrics_row(random: np.random.Generator, index: int) -> dict:
    """A prediction that often shares words with one of its references; every third question has no answer."""
    references = [] if index % 3 == 2 else [random_text(random) for _ in range(int(random.integers(1, 4)))]
    prediction = random_text(random)
    if references and random.random() < 0.6:
        words = str(random.choice(references)).split()
        kept = [word for word in words if random.random() < 0.8] + ([prediction] if random.random() < 0.3 else [])
        prediction = " ".join(kept)
    if index % 3 == 2 and random.random() < 0.5:
        prediction = ""
    return {
        "prediction": prediction,
        "references": references,
        "null_difference": float(np.float32(random.normal(1.5 if index % 3 == 2 else -1.5, 2.0))),
        "normalized": normalize(prediction),
        "version_1": scores_1(prediction, references) if references else None,
        "version_2": scores_2(prediction, references),
    }


def normalize(text: str) -> str:
    """Lower case, no punctuation, no articles, single spaces."""
    text = "".join(one for one in text.lower() if one not in set(string.punctuation))
    return " ".join(re.sub(r"\b(a|an|the)\b", " ", text).split())


def f1(prediction: str, reference: str, both_empty: float) -> float:
    """Over words of normalised texts."""
    found, right = normalize(prediction).split(), normalize(reference).split()
    if not found and not right:
        return both_empty
    common = sum((collections.Counter(found) & collections.Counter(right)).values())
    if common == 0:
        return 0.0
    precision, recall = common / len(found), common / len(right)
    return (2 * precision * recall) / (precision + recall)


def scores_1(prediction: str, references: list[str]) -> tuple[float, float]:
    """Exact match and F1 as in the script of version 1.1."""
    exact = max(float(normalize(prediction) == normalize(one)) for one in references)
    return exact, max(f1(prediction, one, 0.0) for one in references)


def scores_2(prediction: str, references: list[str]) -> tuple[float, float]:
    """Exact match and F1 as in the script of version 2.0."""
    references = [one for one in references if normalize(one)] or [""]
    exact = max(float(normalize(prediction) == normalize(one)) for one in references)
    return exact, max(f1(prediction, one, 1.0) for one in references)


def mean(values: list[float]) -> float:
    """In percent, summed from the left."""
    total = 0.0
    for value in values:
        total += value
    return 100.0 * total / len(values)


def figures_1(rows: list[dict]) -> dict:
    """Of the questions that have an answer."""
    scores = [row["version_1"] for row in rows if row["references"]]
    return {"exact_match": mean([s[0] for s in scores]), "f1": mean([s[1] for s in scores]), "total": len(scores)}


def figures_2(rows: list[dict]) -> dict:
    """Of all questions, of both kinds, and the best thresholds."""
    figures = {}
    kinds = {"": rows, "HasAns_": [r for r in rows if r["references"]], "NoAns_": [r for r in rows if not r["references"]]}
    for prefix, some in kinds.items():
        scores = [row["version_2"] for row in some]
        figures |= {f"{prefix}exact": mean([s[0] for s in scores]), f"{prefix}f1": mean([s[1] for s in scores])}
        figures[f"{prefix}total"] = len(scores)
    for index, name in enumerate(("exact", "f1")):
        best = score = float(len(kinds["NoAns_"]))
        threshold = 0.0
        for row in sorted(rows, key=lambda row: row["null_difference"]):
            score += row["version_2"][index] if row["references"] else -1.0 if row["prediction"] else 0.0
            if score > best:
                best, threshold = score, row["null_difference"]
        figures |= {f"best_{name}": 100.0 * best / len(rows), f"best_{name}_thresh": threshold}
    return figures
