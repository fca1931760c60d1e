"""Texts and pairs through BertTokenizerFast with a tiny vocabulary, lower-cased and not."""

import json
import string
from pathlib import Path

from transformers import BertTokenizerFast

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
# No "Q" in either case and no "##Q": a word that holds one is [UNK] when case is kept.
LETTERS = [letter for letter in string.ascii_letters if letter != "Q"]
PUNCTUATION = list("!\"#$%&'()*+,-./:;<=>?@[]^_`{|}~") + ["\u2026", "\u2014", "\u00bf", "\u3002"]
WORDS = "a the and is not movie film good great bad un hello world cafe naive Hello World The Paris New york".split()
PIECES = ["##" + piece for piece in "able aff ing ed s ly ness er est 99 00".split()]
UNICODE = [
    "caf\u00e9",  # reached only when accents are kept
    "\u00fc",
    "\u4e2d",
    "\u6587",
    "\u5b57",
    "\u65e5",
    "\u043f\u0440\u0438\u0432\u0435\u0442",
    "\u03c3\u03c3",  # two sigmas: lower-casing letter by letter never gives a final one
    "\U0001f642",
    "\u0130",
    "i",
]

# Text, second text or None, max_length.
ROWS: list[tuple[str, str | None, int]] = [
    # plain
    ("hello world", None, 16),
    ("The movie is great!", None, 16),
    ("the film is not good, and not bad.", None, 32),
    ("unaffable", None, 16),
    ("HELLO hello Hello hELLO", None, 16),
    ("goodness greatest badly films", None, 16),
    ("a", None, 16),
    ("1999 2000 12,5 3.14 50%", None, 32),
    ("don't can't it's", None, 32),
    ("well-known e-mail x@y.z http://a.b/c?d=e&f", None, 64),
    # nothing, or next to nothing
    ("", None, 16),
    (" ", None, 16),
    ("   \t  \n ", None, 16),
    ("\u3000\u00a0\u2003", None, 16),
    ("...", None, 16),
    ("!?", None, 16),
    # white space and control characters
    ("  hello   world  ", None, 16),
    ("hello\tworld\r\nfilm\n", None, 16),
    ("hello\u00a0world\u3000film\u2009good", None, 16),
    ("hel\u0000lo wor\u0007ld", None, 16),
    ("hel\u200blo wor\u00adld \ufeffgood", None, 16),
    ("bad\ufffd film\u007f", None, 16),
    ("hello\u2028world\u2029film\u0085good", None, 16),
    ("\u202ehello\u202c world", None, 16),
    # accents and case mapping
    ("caf\u00e9 cafe\u0301 CAF\u00c9", None, 24),
    ("na\u00efve na\u0131ve", None, 24),
    ("\u00fcber \u00dcBER", None, 24),
    ("\u0130stanbul", None, 24),
    ("stra\u00dfe STRASSE", None, 32),
    ("\u03a3\u03a3 \u03c3\u03c3 \u03c3\u03c2", None, 16),
    ("\u043f\u0440\u0438\u0432\u0435\u0442 \u041f\u0440\u0438\u0432\u0435\u0442", None, 16),
    ("\u1e9bit \ufb01lm \u210cello", None, 24),
    ("e\u0301\u0323\u0302 a\u030a", None, 16),
    ("\u0301\u0308", None, 16),
    # other scripts
    ("\u4e2d\u6587\u5b57", None, 16),
    ("hello\u4e2d\u6587world", None, 16),
    ("\u65e5\u672c\u8a9e\u3002good", None, 16),
    ("\u30ab\u30bf\u30ab\u30ca \u3072\u3089\u304c\u306a", None, 16),
    ("\ud55c\uad6d\uc5b4 movie", None, 16),
    ("\u0645\u0631\u062d\u0628\u0627 world", None, 16),
    ("\u0939\u093f\u0928\u094d\u0926\u0940 film", None, 16),
    ("\U00020000\U0002f800", None, 16),
    # emoji and symbols
    ("good \U0001f642 film", None, 16),
    ("\U0001f642\U0001f642good\U0001f642", None, 16),
    ("\U0001f469\u200d\U0001f469\u200d\U0001f467 \U0001f1e9\U0001f1ea \u2764\ufe0f", None, 16),
    ("hello\u2026world\u2014film \u00bfbad? \u20ac5 \u00a35 \u00b15", None, 32),
    ("$5 ^a `b` a+b=c <a> a|b ~a", None, 64),
    # words that the vocabulary cannot spell, and words beyond WordPiece's 100 characters
    ("Qa aQa Quite", None, 16),
    ("a" * 100, None, 128),
    ("a" * 101, None, 128),
    # special tokens spelled out in the text
    ("hello [SEP] world [MASK] [CLS] [PAD] [UNK]", None, 16),
    ("[mask] [sep]", None, 24),
    ("good[MASK]film", None, 16),
    # truncation
    ("the movie is great and not bad", None, 6),
    ("the movie is great and not bad", None, 3),
    ("the movie is great and not bad", None, 2),
    ("the movie is great and not bad", None, 9),
    ("the movie is great and not bad", None, 8),
    ("unaffable unaffable unaffable", None, 7),
    ("good bad film " * 700, None, 24),
    # pairs, longest first
    ("hello world", "the film is good", 32),
    ("hello", "", 16),
    ("", "hello", 16),
    ("", "", 16),
    ("the movie is great and not bad", "hello", 8),
    ("hello", "the movie is great and not bad", 8),
    ("the movie is great and not bad", "the film is good and not bad", 12),
    ("the movie is great and not bad", "the film is good and not bad", 13),
    ("the movie is great", "the film is good and not bad and great", 11),
    ("the movie is great", "the film is good", 4),
    ("the movie is great", "the film is good", 5),
    ("the movie is great", "the film is good", 3),
    ("caf\u00e9 \u4e2d\u6587 \U0001f642", "Hello [SEP] World", 14),
]


def vocabulary() -> list[str]:
    """The tokens in id order, each once."""
    letters = LETTERS + list(string.digits)
    continued = ["##" + letter for letter in letters]
    return list(dict.fromkeys(SPECIAL + PUNCTUATION + letters + continued + WORDS + PIECES + UNICODE))


def write(output: Path) -> None:
    """Writes vocab.txt and tokenization.json, one line a row."""
    folder = output / "tokenization"
    folder.mkdir()
    (folder / "vocab.txt").write_text("\n".join(vocabulary()) + "\n", encoding="utf-8")
    uncased = BertTokenizerFast.from_pretrained(folder, do_lower_case=True)
    cased = BertTokenizerFast.from_pretrained(folder, do_lower_case=False)
    rows = [
        {
            "text": text,
            "text_pair": pair,
            "max_length": max_length,
            "uncased": encode(uncased, text, pair, max_length),
            "cased": encode(cased, text, pair, max_length),
        }
        for text, pair, max_length in ROWS
    ]
    lines = ",\n".join(json.dumps(row) for row in rows)
    (folder / "tokenization.json").write_text(f"[\n{lines}\n]\n", encoding="utf-8")


def encode(tokenizer: BertTokenizerFast, text: str, pair: str | None, max_length: int) -> dict:
    """The ids and types of one text or pair, without padding.

    As a batch of one, which is how training scripts call it: there an empty second text stays a second text.
    """
    pairs = None if pair is None else [pair]
    encoding = tokenizer([text], pairs, truncation="longest_first", max_length=max_length)
    assert encoding["attention_mask"] == [[1] * len(encoding["input_ids"][0])]
    return {"input_ids": encoding["input_ids"][0], "token_type_ids": encoding["token_type_ids"][0]}
