"""The cases of `case_checkpoint_layouts.py`, group by group."""

import torch

from layout_files import (
    CONFIG,
    LONG,
    LONG_PAIR,
    PAIR,
    SENTENCE,
    TEXT,
    TOKENIZER,
    both,
    config,
    extra,
    file,
    one_segment_type,
    pickled,
    prefixed,
    raw_config,
    weights,
    with_bom,
    write_byte_level_tokenizer,
)

STRATEGIES = ["none", "simple", "first", "average", "max"]
WITH_MARK = {"text": "the film [E1] was great"}
TWO_TYPES = {"model_input_names": ["input_ids", "attention_mask"]}
CROSS_ENCODER = "sbert_ce_default_activation_function"
DECODER = "cls.predictions.decoder"
WORD_TABLE = "bert.embeddings.word_embeddings.weight"


def cases() -> list[dict]:
    """Every case, in the order of the file."""
    groups = [
        ("tokenizer_classes", tokenizer_classes()),
        ("special_tokens", special_tokens()),
        ("segments", segments()),
        ("labels", labels()),
        ("scores", scores()),
        ("settings", settings()),
        ("activations", activations()),
        ("weights", weight_files()),
        ("wrappers", wrappers()),
        ("truncation", truncation()),
        ("masked_lm", masked_lm()),
        ("entities", entities()),
    ]
    return [case | {"group": group} for group, members in groups for case in members]


def text(case: str, kind: str, edit, input: dict = TEXT, base: str = "base_text", **more) -> dict:
    """A case of text classification."""
    return dict(case=case, kind=kind, task="text-classification", base=base, edit=edit, input=input, **more)


def refused(case: str, kind: str, edit, *words: str, input: dict = TEXT, **more) -> dict:
    """A case without a right answer."""
    return text(case, kind, edit, input, refuse=list(words), **more)


def tokenizer_classes() -> list[dict]:
    kind = "the files do not say what the class of the tokenizer does"
    japanese = {"tokenizer_class": "BertJapaneseTokenizer", "word_tokenizer_type": "mecab"}
    by_name = {
        "japanese-mecab": japanese | {"do_lower_case": False},
        "japanese-characters": japanese | {"subword_tokenizer_type": "character"},
        "japanese-sudachi": japanese | {"word_tokenizer_type": "sudachi"},
        "kobert": {"tokenizer_class": "KoBertTokenizer"},
    }
    custom = {"auto_map": {"AutoTokenizer": ["tokenization_mine.MyTokenizer", None]}}
    return [
        *(refused(name, kind, file(TOKENIZER, one), TOKENIZER, "tokenizer_class") for name, one in by_name.items()),
        refused("custom-tokenizer", kind, file(TOKENIZER, custom), TOKENIZER, "auto_map"),
        refused(
            "tokenizer-class-in-config", kind, config(tokenizer_class="KoBertTokenizer"), CONFIG, "tokenizer_class"
        ),
    ]


def special_tokens() -> list[dict]:
    kind = "special and added tokens stay whole wherever they stand"
    mark = {"content": "[E1]", "special": True, "lstrip": False, "rstrip": False, "single_word": False, "normalized": False}
    return [
        text("special-in-vocab", kind, file("special_tokens_map.json", {"additional_special_tokens": ["[E1]"]}), WITH_MARK),
        text("special-in-settings", kind, file(TOKENIZER, {"additional_special_tokens": ["[E1]"]}), WITH_MARK),
        text("added-in-decoder", kind, file(TOKENIZER, {"added_tokens_decoder": {"10": mark}}), WITH_MARK),
        text("added-in-its-own-file", kind, file("added_tokens.json", {"[E1]": 10}), WITH_MARK),
        text("mark-without-a-setting", kind, file(TOKENIZER, {}), WITH_MARK),
    ]


def segments() -> list[dict]:
    kind = "token types that the model has, gets, or lacks"
    no_types = file(TOKENIZER, TWO_TYPES)
    return [
        refused("one-segment-type-pair", kind, one_segment_type, CONFIG, "`type_vocab_size`", "token type 1", input=PAIR),
        text("one-segment-type", kind, one_segment_type),
        text("one-segment-type-without-types", kind, both(one_segment_type, no_types), PAIR),
        text("no-segment-input", kind, no_types, PAIR),
        text("no-segment-input-one-text", kind, no_types),
        text("three-segment-types", kind, config(), PAIR, base="base_three_labels"),
    ]


def labels() -> list[dict]:
    kind = "names of labels"
    named = {"0": "bad", "1": "good"}
    return [
        text("integer-label-names", kind, config(id2label={"0": 0, "1": 1}, label2id={"0": 0, "1": 1})),
        text("boolean-label-names", kind, config(id2label={"0": False, "1": True}, label2id={"False": 0, "True": 1})),
        text("label2id-contradicts", kind, config(id2label=named, label2id={"good": 0, "bad": 1})),
        text("no-label2id", kind, config("label2id", id2label=named)),
        text("num-labels-alone", kind, config("id2label", "label2id", num_labels=3), base="base_three_labels"),
        refused("gap-in-id2label", kind, config(id2label={"0": "bad", "2": "good"}), CONFIG, "`id2label`", '"2"'),
        refused("too-few-labels", kind, config(id2label={"0": "bad"}), CONFIG, "`id2label`", '"1"'),
        refused("other-num-labels", kind, config("id2label", "label2id", num_labels=5), CONFIG, "`num_labels` is 5"),
    ]


def scores() -> list[dict]:
    kind = "what makes a score of an output"

    def one(case: str, **changes) -> dict:
        return text(case, kind, config(**changes), PAIR, base="base_one_label")

    def cross_encoder(case: str, **changes) -> dict:
        return one(case, **changes) | {"reference_class": "CrossEncoder"}

    identity, sigmoid = "torch.nn.modules.linear.Identity", "torch.nn.modules.activation.Sigmoid"
    return [
        one("one-label"),
        one("one-label-regression", problem_type="regression"),
        text("multi-label", kind, config(problem_type="multi_label_classification")),
        cross_encoder("cross-encoder-old-key", **{CROSS_ENCODER: identity}),
        cross_encoder("cross-encoder-new-key", sentence_transformers={"activation_fn": identity, "version": "5.0.0"}),
        cross_encoder(
            "cross-encoder-both-keys",
            sentence_transformers={"activation_fn": sigmoid, "version": "5.0.0"},
            **{CROSS_ENCODER: identity},
        ),
        refused("unknown-problem-type", kind, config(problem_type="ranking"), CONFIG, "problem_type", "ranking"),
    ]


def settings() -> list[dict]:
    literal, padding = "literals that Python's json writes", "padding ids that are no rows"
    family, mark = "families that contradict or that nobody knows", "a byte order mark"
    return [
        text("pad-token-null", padding, config(pad_token_id=None)),
        text("pad-token-minus-one", padding, config(pad_token_id=-1)),
        refused("pad-token-beyond-the-table", padding, config(pad_token_id=99), CONFIG, "pad_token_id", "99", "vocab_size"),
        text("json-infinity", literal, file(TOKENIZER, '{"model_max_length": Infinity}')),
        text("json-nan", literal, raw_config("class_weight", "NaN")),
        text("json-minus-infinity", literal, raw_config("mask_value", "[-Infinity, NaN]")),
        text("bom-in-config", mark, with_bom(CONFIG), reference="base_text"),
        text("bom-in-tokenizer-config", mark, with_bom(TOKENIZER), reference="base_text"),
        text("position-type-null", "keys that are null", config(position_embedding_type=None)),
        text("classifier-dropout-null", "keys that are null", config(classifier_dropout=None)),
        refused(
            "relative-positions",
            "positions that BERT does not have",
            config(position_embedding_type="relative_key"),
            CONFIG,
            "position_embedding_type",
            "relative_key",
        ),
        refused("unknown-model-type", family, config(model_type="my-bert"), CONFIG, "my-bert", 'nearest is "bert"'),
        refused("misspelt-model-type", family, config(model_type="robertta"), CONFIG, "robertta", "roberta"),
        refused("contradicting-architecture", family, config(model_type="roberta"), CONFIG, "BertForSequence", "roberta"),
        refused(
            "contradicting-model-type",
            family,
            config(architectures=["ElectraForSequenceClassification"]),
            CONFIG,
            "ElectraForSequence",
        ),
    ]


def activations() -> list[dict]:
    kind = "names of activations"
    gelus = ["gelu_new", "gelu_python", "gelu_fast", "gelu_accurate", "gelu_pytorch_tanh", "gelu_python_tanh", "quick_gelu"]
    known = [text(f"act-{name}", kind, config(hidden_act=name)) for name in [*gelus, "swish", "tanh"]]
    return [*known, refused("act-laplace", kind, config(hidden_act="laplace"), CONFIG, "hidden_act", "laplace")]


def weight_files() -> list[dict]:
    kind, pickles = "tensors that belong to nothing", "pickled weights"
    return [
        text("second-head", kind, extra("linear.weight", 3, 8), says=["linear.weight"]),
        text("fit-denses", kind, extra("fit_denses.0.weight", 4, 8), says=["fit_denses.0.weight"]),
        text("loss-weight", kind, extra("loss_fct.weight", 2), says=["loss_fct.weight"]),
        text("pickled-weights", pickles, pickled(), says=["pickled"]),
        text("pickled-half", pickles, pickled(torch.float16), says=["pickled"]),
        text("pickled-bfloat", pickles, pickled(torch.bfloat16), says=["pickled"]),
    ]


def wrappers() -> list[dict]:
    kind = "saved from a wrapper: transformers opens it with a new head, and what it means is clear"
    prefixes = ["module.", "_orig_mod.", "model.", "module._orig_mod.", "model.module."]
    return [
        text(f"prefix-{prefix.strip('._')}", kind, prefixed(prefix), reference="base_text", says=[prefix])
        for prefix in prefixes
    ]


def truncation() -> list[dict]:
    kind = "how much of a long text is lost, and on which side"
    left, both_long = file(TOKENIZER, {"truncation_side": "left"}), {"text": LONG, "text_pair": LONG_PAIR}
    return [
        text("truncation-left", kind, left, {"text": LONG}),
        text("truncation-left-pair", kind, left, both_long),
        text("truncation-left-short", kind, file(TOKENIZER, {"truncation_side": "left", "model_max_length": 8}), {"text": LONG}),
        text("truncation-short", kind, file(TOKENIZER, {"model_max_length": 9}), both_long),
        text("truncation-unlimited", kind, file(TOKENIZER, {"model_max_length": 10**30}), {"text": LONG}),
        text("truncation-right-pair", kind, file(TOKENIZER, {}), both_long),
        text("padding-left", kind, file(TOKENIZER, {"padding_side": "left"})),
    ]


def masked_lm() -> list[dict]:
    kind = "what a tied decoder leaves out of the file"

    def decoder_alone(tensors: dict) -> dict:
        renamed = {f"{DECODER}.weight" if name == WORD_TABLE else name: tensor for name, tensor in tensors.items()}
        return renamed

    def decoder_bias(tensors: dict) -> dict:
        return {f"{DECODER}.bias" if name == "cls.predictions.bias" else name: one for name, one in tensors.items()}

    def with_both(tensors: dict) -> dict:
        return tensors | {f"{DECODER}.weight": tensors[WORD_TABLE], f"{DECODER}.bias": tensors["cls.predictions.bias"]}

    return [
        dict(
            case=case,
            kind=kind,
            task="masked-lm",
            base="base_masked",
            edit=weights(change),
            input={"text": "the [MASK] was great"},
        )
        for case, change in (
            ("decoder-weight-alone", decoder_alone),
            ("decoder-bias-alone", decoder_bias),
            ("decoder-twice", with_both),
        )
    ]


def entities() -> list[dict]:
    kind = "words of tokenizers without ## pieces"
    return [
        dict(
            case=case,
            kind=kind,
            task="token-classification",
            base="base_tokens",
            edit=edit,
            input={"text": SENTENCE},
            aggregation=strategy,
        )
        for case, edit in (("sentencepiece-entities", config()), ("byte-level-entities", write_byte_level_tokenizer))
        for strategy in STRATEGIES
    ]
