"""Natural-language inference: BertForSequenceClassification with named labels, and the zero-shot pipeline on it."""

import copy
from pathlib import Path

import torch
from transformers import BertForSequenceClassification, BertTokenizerFast
from transformers.pipelines import ZeroShotClassificationPipeline

import case_classification
import case_tokenization
import tiny

CASE = "nli"
# An order that no published checkpoint has: what goes by number fails here.
LABELS = ["NEUTRAL", "CONTRADICTION", "ENTAILMENT"]
# The label orders that the pipeline is asked with; the weights stay.
ORDERS = {
    "own": LABELS,
    "entailment_first": ["entailment", "neutral", "contradiction"],
    "entailment_in_the_middle": ["contradiction", "entailment", "neutral"],
    "oddly_spelled": ["neutral", "Entailment_", "other"],
    "unnamed": ["LABEL_0", "LABEL_1", "LABEL_2"],
}
DEFAULT_TEMPLATE = "This example is {}."
# Text, candidate labels, template, multi_label, order.
QUESTIONS = [
    ("the movie is great and not bad", "good, bad, hello world", DEFAULT_TEMPLATE, False, "own"),
    ("the movie is great and not bad", "good, bad, hello world", DEFAULT_TEMPLATE, True, "own"),
    ("hello world", "film", DEFAULT_TEMPLATE, False, "own"),
    ("hello world", "film,  ,the film , ", "the film is {}!", False, "own"),
    ("The Paris film. Hello!", "film,good,bad,Paris", "{}", False, "entailment_first"),
    ("The Paris film. Hello!", "film,good,bad,Paris", "{}", True, "entailment_first"),
    ("unaffable", "good,bad", DEFAULT_TEMPLATE, True, "entailment_in_the_middle"),
    ("unaffable", "good,bad,good", DEFAULT_TEMPLATE, False, "entailment_in_the_middle"),
    ("caf\u00e9 \u4e2d\u6587 \U0001f642", "good,bad", DEFAULT_TEMPLATE, True, "oddly_spelled"),
    ("caf\u00e9 \u4e2d\u6587 \U0001f642", "good,bad", DEFAULT_TEMPLATE, True, "unnamed"),
    ("caf\u00e9 \u4e2d\u6587 \U0001f642", "good,bad", DEFAULT_TEMPLATE, False, "unnamed"),
    # longer than the model: the text alone is cut
    ("the movie is great and not bad " * 9, "good,the film is good and not bad", DEFAULT_TEMPLATE, False, "own"),
    ("the movie is great and not bad " * 9, "good,the film is good and not bad", DEFAULT_TEMPLATE, True, "own"),
]


def write(output: Path) -> None:
    """Writes the checkpoint with its vocabulary, one forward and backward pass, and the pipeline's answers."""
    folder = output / CASE
    vocabulary = case_tokenization.vocabulary()
    # Too few positions for the last questions, so that it shows what is cut.
    dimensions = {**tiny.SMALLEST, "vocab_size": len(vocabulary), "max_position_embeddings": 47, "type_vocab_size": 2}
    ids = {"id2label": dict(enumerate(LABELS)), "label2id": {label: id for id, label in enumerate(LABELS)}}
    model = case_classification.classifier(CASE, dimensions, **ids)
    batch = tiny.inputs(tiny.generator(CASE, "inputs"), dimensions, tiny.SMALL_BATCH)
    labels = torch.from_numpy(tiny.generator(CASE, "labels").integers(0, len(LABELS), size=tiny.SMALL_BATCH[0]))
    model.save_pretrained(folder)
    (folder / "vocab.txt").write_text("\n".join(vocabulary) + "\n", encoding="utf-8")

    found = case_classification.forward_backward(model, batch, labels)
    exact = case_classification.forward_backward(tiny.in_float64(model), batch, labels)
    scalars = {"loss": found.pop("loss").item(), "float32_error": case_classification.errors(found, exact)}
    scalars["zero_shot"] = zero_shot(folder, model)
    tiny.save_golden(folder, batch | {"labels": labels} | found, scalars)


def zero_shot(folder: Path, model: BertForSequenceClassification) -> list[dict]:
    """What the pipeline answers to each question."""
    tokenizer = BertTokenizerFast.from_pretrained(
        folder, do_lower_case=True, model_max_length=model.config.max_position_embeddings
    )
    answers = []
    for text, labels, template, multi_label, order in QUESTIONS:
        asked = copy.deepcopy(model).eval()
        asked.config.label2id = {label: id for id, label in enumerate(ORDERS[order])}
        asked.config.id2label = dict(enumerate(ORDERS[order]))
        pipeline = ZeroShotClassificationPipeline(model=asked, tokenizer=tokenizer, device="cpu")
        answer = pipeline(text, candidate_labels=labels, hypothesis_template=template, multi_label=multi_label)
        answers.append(
            {
                "text": text,
                "candidate_labels": labels,
                "hypothesis_template": template,
                "multi_label": multi_label,
                "label_order": ORDERS[order],
                "answer": answer,
            }
        )
    return answers
