"""Tiny tokenizers of every class: texts that they are made for, files, and settings that disagree."""

import json

from sentencepiece import SentencePieceNormalizer
from sentencepiece import sentencepiece_model_pb2 as protobuf
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

TEXTS = [
    "Ada met Charles in London, don't",
    "the film [E1] was  great<mask> [MASK] e1",
    " Caf\u00e9 \ufb01lm\u3000\u00a0\u4e2d\u6587 \U0001f642",
]
PAIRS = [("the film", "was great"), ("Ada met Charles in London", "the film was great")]
WORDS = [["Ada", "met", "Charles,", "in", "London"], ["film", "\ufb01lm", "[E1]", "caf\u00e9"]]

WORD_PIECE = (
    "[PAD] [UNK] [CLS] [SEP] [MASK] <s> </s> <pad> <mask> [E1] [ ] e 1 ##1 the film was great ada met char ##les in london "
    "Ada Char London Caf cafe caf\u00e9 , ' don t don't < > mask s unk pad E ##\u00e9 ##e \u4e2d \u6587 ##\u6587"
).split()
# The vocabularies of small checkpoints that are laid out as public reports describe them.
PUBLIC_WORDS = "[PAD] [UNK] [CLS] [SEP] [MASK] <s> the film was great [E1] ada met charles in london [ ] e ##1".split()
PUBLIC_PIECES = "<s> <pad> </s> <unk> _Ada _met _Char les _in _London _the <mask>".replace("_", "\u2581").split()
BERT_NAMES = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
ROBERTA_NAMES = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]

SPACE = "\u2581"
PIECES = (
    (
        "_Ada _met _Char les _in _London , _the _film _was _great ' t _don n d o _ A a e f i l m s c h C _C _c _caf \u00e9 _l on "
        "_E1 [ ] E 1 [E1] < > mask M K S"
    )
    .replace("_", SPACE)
    .split()
)
ROBERTA_WORDS = "_Ada _met _Charles _in _London _the _film _was _great _don _caf Ada film the [E1] [MASK]".replace(
    "_", "\u0120"
).split()


def byte_alphabet() -> list[str]:
    """What the texts above are made of, in bytes as characters."""
    texts = TEXTS + [text for pair in PAIRS for text in pair] + [word for words in WORDS for word in words]
    pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    pieces = [piece for text in texts for piece, _ in pre_tokenizer.pre_tokenize_str(text)]
    return sorted(set("".join(pieces)))


def byte_pairs() -> tuple[dict, list[tuple[str, str]]]:
    """A vocabulary, and merges that spell its words from the left."""
    vocab = list(dict.fromkeys(["<s>", "<pad>", "</s>", "<unk>", *byte_alphabet()]))
    merges = []
    for word in ROBERTA_WORDS[:-2]:
        for length in range(1, len(word)):
            merges.append((word[:length], word[length]))
            vocab.append(word[: length + 1])
    merges = list(dict.fromkeys(merges))
    return {token: id for id, token in enumerate(dict.fromkeys([*vocab, "<mask>"]))}, merges


VOCAB, MERGES = byte_pairs()


def charsmap() -> bytes:
    """A table of characters, of four entries."""
    table = [("\ufb01", "fi"), ("\u3000", " "), ("\u00a0", " "), ("\uff21", "A")]
    model = protobuf.ModelProto()
    model.ParseFromString(SentencePieceNormalizer(norm_map=table).serialized_model_proto())
    return model.normalizer_spec.precompiled_charsmap


def spm(first: list[tuple[str, int]], unk_id: int) -> bytes:
    """A SentencePiece model that begins with special tokens, each with its type."""
    model = protobuf.ModelProto()
    for text, kind in first:
        model.pieces.add(piece=text, score=0.0, type=kind)
    for index, piece in enumerate(PIECES):
        kind = 4 if piece == "[E1]" else 1
        model.pieces.add(piece=piece, score=-1.0 - index / 8 if len(piece) > 1 else -9.0, type=kind)
    model.trainer_spec.unk_id = unk_id
    model.normalizer_spec.precompiled_charsmap = charsmap()
    return model.SerializeToString(deterministic=True)


def scored(first: list[str], last: list[str] = ()) -> list[tuple[str, float]]:
    """The pieces with scores, special tokens before and after them."""
    middle = [(piece, -1.0 - index / 8 if len(piece) > 1 else -9.0) for index, piece in enumerate(PIECES)]
    return [(token, 0.0) for token in first] + middle + [(token, 0.0) for token in last]


def saved(tokenizer: Tokenizer) -> str:
    """A tokenizer.json without white space."""
    return json.dumps(json.loads(tokenizer.to_str()), ensure_ascii=False, separators=(",", ":"))


def word_piece_json(lowercase: bool, specials: list = (), truncation: dict | None = None) -> str:
    tokenizer = Tokenizer(models.WordPiece({token: id for id, token in enumerate(WORD_PIECE)}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=lowercase)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    tokenizer.add_special_tokens(BERT_NAMES)
    tokenizer.add_tokens(list(specials))
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS]:0 $A:0 [SEP]:0",
        pair="[CLS]:0 $A:0 [SEP]:0 $B:1 [SEP]:1",
        special_tokens=[("[CLS]", 2), ("[SEP]", 3)],
    )
    if truncation:
        tokenizer.enable_truncation(**truncation)
    return saved(tokenizer)


def byte_level_json(specials: list = (), prefix: bool = False, post=None) -> str:
    tokenizer = Tokenizer(models.BPE(VOCAB, MERGES))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=prefix)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([name for name in ROBERTA_NAMES if name != "<mask>"])
    tokenizer.add_special_tokens(list(specials))
    if post:
        tokenizer.post_processor = post
    return saved(tokenizer)


def unigram_json(first: list[str], last: list[str], unk_id: int, pre_tokenizer, normalizer=None, post=None) -> str:
    tokenizer = Tokenizer(models.Unigram(scored(first, last), unk_id=unk_id))
    if normalizer:
        tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = pre_tokenizer
    tokenizer.decoder = decoders.Metaspace()
    tokenizer.add_special_tokens(first + list(last))
    if post:
        tokenizer.post_processor = post
    return saved(tokenizer)


def shared_files() -> dict:
    """Files that several cases hold."""
    metaspace = pre_tokenizers.Metaspace()
    whitespace = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), metaspace])
    xlm = (["<s>", "<pad>", "</s>", "<unk>"], ["<mask>"], 3)
    camembert = ["<s>NOTUSED", "<pad>", "</s>NOTUSED", "<unk>", "<unk>NOTUSED", "<s>", "</s>"]
    albert = ["<pad>", "<unk>", "[CLS]", "[SEP]", "[MASK]"]
    deberta = ["[PAD]", "[CLS]", "[SEP]", "[UNK]"]
    table = normalizers.Precompiled(charsmap())
    pair_of_zeros = processors.TemplateProcessing(
        single="[CLS]:0 $A:0 [SEP]:0",
        pair="[CLS]:0 $A:0 [SEP]:0 $B:0 [SEP]:0",
        special_tokens=[("[CLS]", 2), ("[SEP]", 3)],
    )
    entities = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    return {
        "vocab.txt": "\n".join(WORD_PIECE) + "\n",
        "public-vocab.txt": "\n".join(PUBLIC_WORDS) + "\n",
        "vocab.json": json.dumps(VOCAB, ensure_ascii=False),
        "merges.txt": "#version: 0.2\n" + "".join(f"{left} {right}\n" for left, right in MERGES),
        "cased": word_piece_json(False),
        "byte-level": byte_level_json(["<mask>"], prefix=True),
        "fairseq.spm": {"hex": spm([("<unk>", 2), ("<s>", 3), ("</s>", 3)], 0).hex()},
        "xlm-roberta": unigram_json(*xlm, whitespace, normalizers.Sequence([table, normalizers.Lowercase()])),
        "camembert": unigram_json(camembert, ["<mask>"], 3, whitespace, table),
        "albert": unigram_json(albert, [], 1, metaspace, table),
        "albert-zero-types": unigram_json(albert, [], 1, metaspace, table, pair_of_zeros),
        "albert.spm": {"hex": spm([("<pad>", 3), ("<unk>", 2), ("[CLS]", 3), ("[SEP]", 3), ("[MASK]", 4)], 1).hex()},
        "deberta": unigram_json(deberta, [], 3, metaspace),
        "deberta.spm": {"hex": spm([("[PAD]", 3), ("[CLS]", 3), ("[SEP]", 3), ("[UNK]", 2)], 3).hex()},
        "entities": unigram_json(*xlm, whitespace, None, entities),
    }


def public_unigram_json() -> str:
    """Unigrams of which few words are whole."""
    tokenizer = Tokenizer(models.Unigram([(piece, -id / 9) for id, piece in enumerate(PUBLIC_PIECES)], unk_id=3))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()])
    tokenizer.add_special_tokens(ROBERTA_NAMES)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    return saved(tokenizer)


def token(content: str, **flags) -> dict:
    """An added token as transformers writes it in a list of its own."""
    defaults = dict(lstrip=False, rstrip=False, single_word=False, normalized=False, special=True)
    return {"content": content} | defaults | flags


def added(content: str, **flags) -> dict:
    """An added token as transformers writes it elsewhere."""
    return token(content, **flags) | {"__type": "AddedToken"}


def cases() -> list[tuple[str, str, dict, dict]]:
    """Name, `model_type`, further files, tokenizer_config.json."""
    vocab = {"vocab.txt": {"shared": "vocab.txt"}}
    pairs = {"vocab.json": {"shared": "vocab.json"}, "merges.txt": {"shared": "merges.txt"}}

    def file(name: str, shared: str) -> dict:
        return {name: {"shared": shared}}

    def as_json(shared: str) -> dict:
        return file("tokenizer.json", shared)

    names = dict(cls_token="<s>", sep_token="</s>", unk_token="<unk>", pad_token="<pad>", mask_token="<mask>")
    size = len(WORD_PIECE)
    mapped = {"special_tokens_map.json": {"additional_special_tokens": ["[E1]"]}}
    word_flags = {
        "0": token("[PAD]"),
        "9": token("[E1]", lstrip=True, rstrip=True),
        str(size): token("was  great", special=False, normalized=True),
        str(size + 1): token("Caf", single_word=True, special=False),
    }
    both_maps = {"special_tokens_map.json": {"cls_token": "<s>", "sep_token": token("</s>"), "pad_token": "<pad>"}}
    public = file("vocab.txt", "public-vocab.txt")
    return [
        ("public-special-in-vocab", "bert", public | mapped, {}),
        ("public-no-segment-input", "bert", public, {"model_input_names": ["input_ids", "attention_mask"]}),
        ("public-truncation-left", "bert", public, {"truncation_side": "left"}),
        ("public-pad-token-null", "bert", public | {"config.json": {"model_type": "bert", "pad_token_id": None}}, {}),
        (
            "public-sentencepiece-entities",
            "bert",
            {"tokenizer.json": public_unigram_json()},
            {"tokenizer_class": "PreTrainedTokenizerFast"} | names,
        ),
        ("bert", "bert", vocab, {}),
        ("bert-cased", "bert", vocab, {"do_lower_case": False, "strip_accents": None}),
        ("bert-map", "bert", vocab | mapped, {}),
        ("bert-extra-tokens", "bert", vocab, {"extra_special_tokens": ["[E1]", added("e1", single_word=True)]}),
        (
            "bert-additional-in-config",
            "bert",
            vocab | {"special_tokens_map.json": {"additional_special_tokens": ["film"]}},
            {"additional_special_tokens": ["[E1]"]},
        ),
        ("bert-named-extra", "bert", vocab, {"extra_special_tokens": {"entity_token": "[E1]"}}),
        ("bert-role-of-its-own", "bert", vocab, {"entity_token": "[E1]", "add_bos_token": True}),
        (
            "bert-added-json",
            "bert",
            vocab
            | {"added_tokens.json": {"Caf\u00e9": size, "met Char": size + 1, "[E2]": size + 2}}
            | {"special_tokens_map.json": {"extra_special_tokens": ["[E2]"]}},
            {},
        ),
        ("bert-added-decoder", "bert", vocab, {"added_tokens_decoder": word_flags}),
        (
            "bert-map-wins",
            "bert",
            vocab | both_maps,
            {"cls_token": "[E1]", "sep_token": "[E1]", "mask_token": "[MASK]"},
        ),
        (
            "bert-decoder-silences-map",
            "bert",
            vocab | both_maps | {"added_tokens.json": {"ada": 30}},
            {"added_tokens_decoder": {"9": token("[E1]")}},
        ),
        ("bert-map-beside-json", "bert", as_json("cased") | mapped, {}),
        ("bert-json-default-case", "bert", as_json("cased"), {}),
        (
            "bert-json-cased",
            "bert",
            as_json("cased"),
            {"tokenizer_class": "BertTokenizerFast", "do_lower_case": False, "tokenize_chinese_chars": False},
        ),
        (
            "bert-json-as-saved",
            "bert",
            as_json("cased"),
            {"tokenizer_class": "PreTrainedTokenizerFast", "do_lower_case": True, "unk_token": "[UNK]"},
        ),
        ("bert-json-added-tokens", "bert", {"tokenizer.json": word_piece_json(True, ["met Char", "[E2]"])}, {}),
        (
            "bert-json-truncates-left",
            "bert",
            {"tokenizer.json": word_piece_json(True, [], {"max_length": 5, "direction": "left"})},
            {},
        ),
        (
            "bert-unknown-class-as-saved",
            "bert",
            as_json("cased"),
            {
                "tokenizer_class": "TeamTokenizerFast",
                "unk_token": "[UNK]",
                "model_input_names": ["input_ids", "token_type_ids", "attention_mask"],
            },
        ),
        ("bert-no-types", "bert", vocab, {"model_input_names": ["input_ids", "attention_mask"]}),
        ("bert-truncates-left", "bert", vocab, {"truncation_side": "left", "padding_side": "left"}),
        ("bert-pad-null", "bert", vocab, {"pad_token": None, "mask_token": None}),
        ("bert-splits-special-tokens", "bert", vocab, {"split_special_tokens": True}),
        ("distilbert", "distilbert", vocab, {"tokenizer_class": "DistilBertTokenizer"}),
        ("electra", "electra", vocab, {"tokenizer_class": "ElectraTokenizer", "do_lower_case": False}),
        ("mpnet", "mpnet", vocab, {}),
        (
            "mpnet-json",
            "mpnet",
            as_json("cased"),
            {"tokenizer_class": "MPNetTokenizer", "do_lower_case": False, "mask_token": added("<mask>", special=False)},
        ),
        ("roberta", "roberta", pairs, {}),
        ("roberta-prefix", "roberta", pairs, {"add_prefix_space": True, "mask_token": added("<mask>", lstrip=True)}),
        ("roberta-whole-offsets", "roberta", pairs, {"trim_offsets": False, "truncation_side": "left"}),
        ("roberta-json", "roberta", as_json("byte-level"), {"tokenizer_class": "RobertaTokenizer"}),
        (
            "roberta-json-as-saved",
            "roberta",
            {
                "tokenizer.json": byte_level_json(
                    ["<mask>"], True, processors.RobertaProcessing(("</s>", 2), ("<s>", 0))
                )
            },
            {"tokenizer_class": "PreTrainedTokenizerFast"} | names,
        ),
        (
            "modernbert",
            "modernbert",
            {
                "tokenizer.json": byte_level_json(
                    ["<mask>", "[E1]"],
                    False,
                    processors.TemplateProcessing(
                        single="<s> $A </s>", pair="<s> $A </s> $B </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
                    ),
                )
            },
            {"tokenizer_class": "PreTrainedTokenizerFast", "model_input_names": ["input_ids", "attention_mask"]}
            | names,
        ),
        ("bert-byte-level-without-template", "bert", as_json("byte-level"), {"tokenizer_class": "TokenizersBackend"}),
        ("xlm-roberta", "xlm-roberta", file("sentencepiece.bpe.model", "fairseq.spm"), {}),
        ("xlm-roberta-json", "xlm-roberta", as_json("xlm-roberta"), {}),
        (
            "xlm-roberta-no-prefix",
            "xlm-roberta",
            as_json("xlm-roberta"),
            {"add_prefix_space": False, "mask_token": added("<mask>", lstrip=True)},
        ),
        ("camembert", "camembert", file("sentencepiece.bpe.model", "fairseq.spm"), {}),
        ("camembert-json", "camembert", as_json("camembert"), {"tokenizer_class": "CamembertTokenizer"}),
        (
            "albert",
            "albert",
            file("spiece.model", "albert.spm"),
            {"model_input_names": ["input_ids", "token_type_ids"]},
        ),
        (
            "albert-json",
            "albert",
            as_json("albert"),
            {"keep_accents": True, "do_lower_case": False, "model_input_names": ["token_type_ids"]},
        ),
        ("albert-template-of-json", "albert", as_json("albert-zero-types"), {"model_input_names": ["token_type_ids"]}),
        ("deberta-v2", "deberta-v2", file("spm.model", "deberta.spm"), {}),
        (
            "deberta-v2-json",
            "deberta-v2",
            as_json("deberta"),
            {
                "split_by_punct": True,
                "do_lower_case": True,
                "added_tokens_decoder": {str(4 + len(PIECES)): token("[MASK]")},
            },
        ),
        ("deberta-v2-no-prefix", "deberta-v2", as_json("deberta"), {"add_prefix_space": False}),
        ("sentencepiece-entities", "bert", as_json("entities"), {"tokenizer_class": "PreTrainedTokenizerFast"} | names),
    ]
