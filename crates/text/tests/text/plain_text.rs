//! Plain text: pieces of lines, blocks of tokens, documents and pairs of sentences.

use std::io::Read;
use std::path::Path;

use bert_text::{
    Documents, PlainTextError, ReadError, TextBlocks, TextLayout, TextPiece, TextPieces, Tokenizer,
    TokenizerError,
};

use crate::{file, fixtures};

const LONGEST_PIECE: usize = 64 * 1024;

fn tiny() -> Tokenizer {
    Tokenizer::from_dir(&fixtures().join("tiny")).expect("the tiny tokenizer")
}

fn pieces(text: &[u8]) -> Result<Vec<TextPiece>, ReadError> {
    TextPieces::new(text, Path::new("a text")).collect()
}

fn blocks(text: &str, layout: TextLayout, max_length: usize) -> TextBlocks {
    let pieces = TextPieces::new(text.as_bytes(), Path::new("a text"));
    TextBlocks::read(pieces, &tiny(), layout, max_length).expect("a text")
}

/// The ids of all blocks without the special tokens around each.
fn body(read: &TextBlocks) -> Vec<u32> {
    let blocks = read.blocks.iter();
    blocks
        .flat_map(|block| block.input_ids[1..block.len() - 1].to_vec())
        .collect()
}

/// The ids of a text tokenized at once.
fn whole(text: &str) -> Vec<u32> {
    let ids = tiny()
        .encode(text, None, usize::MAX)
        .expect("ids")
        .input_ids;
    ids[1..ids.len() - 1].to_vec()
}

#[test]
fn lines_come_one_by_one_with_their_numbers() {
    let found = pieces("\u{feff}good\r\n\n the film\nbad".as_bytes()).expect("lines");
    let found: Vec<(&str, usize, bool)> = found
        .iter()
        .map(|piece| (piece.text.as_str(), piece.line, piece.starts_line))
        .collect();
    assert_eq!(
        found,
        [
            ("good", 1, true),
            ("", 2, true),
            (" the film", 3, true),
            ("bad", 4, true)
        ]
    );
}

#[test]
fn a_long_line_comes_in_pieces_that_are_cut_behind_white_space() {
    let line = "the film was good . ".repeat(20_000);
    let text = format!("short\n{line}\nlast");
    let found = pieces(text.as_bytes()).expect("pieces");
    let of_the_line: Vec<&TextPiece> = found.iter().filter(|piece| piece.line == 2).collect();
    assert!(of_the_line.len() > 6);
    for piece in &of_the_line {
        assert!(piece.text.len() <= LONGEST_PIECE);
        assert!(piece.text.ends_with(' '));
    }
    let starts = of_the_line.iter().filter(|piece| piece.starts_line);
    assert_eq!(starts.count(), 1);
    let joined: String = of_the_line
        .iter()
        .map(|piece| piece.text.as_str())
        .collect();
    assert_eq!(joined, line);
    assert_eq!(found.last().map(|piece| piece.line), Some(3));
}

#[test]
fn a_long_line_without_white_space_is_cut_between_characters() {
    for line in ["世".repeat(50_000), "x".repeat(3 * LONGEST_PIECE)] {
        let found = pieces(line.as_bytes()).expect("pieces");
        assert!(found.len() > 2);
        let joined: String = found.iter().map(|piece| piece.text.as_str()).collect();
        assert_eq!(joined, line);
    }
}

#[test]
fn a_line_of_exactly_one_piece_is_one_and_the_next_is_a_line_of_its_own() {
    for length in [LONGEST_PIECE - 1, LONGEST_PIECE, LONGEST_PIECE + 1] {
        let text = format!("{}\nb", "a".repeat(length));
        let found = pieces(text.as_bytes()).expect("pieces");
        let last = found.last().expect("a piece");
        assert_eq!(
            (last.text.as_str(), last.line, last.starts_line),
            ("b", 2, true)
        );
        let joined: usize = found.iter().map(|piece| piece.text.len()).sum();
        assert_eq!(joined, length + 1);
    }
}

#[test]
fn invalid_utf_8_is_named_with_its_line() {
    let mut long = b"good film ".repeat(20_000);
    long.push(0xff);
    let cases = [
        (b"good\nb\xffd\n".to_vec(), 2),
        ([b"good\n".to_vec(), long].concat(), 2),
        (b"\xe4\xb8".to_vec(), 1),
    ];
    for (text, line) in cases {
        let error = pieces(&text).unwrap_err();
        assert!(
            matches!(&error, ReadError::InvalidUtf8 { line: found, .. } if *found == line),
            "{error}"
        );
        assert!(error.to_string().contains("a text"), "{error}");
    }
}

#[test]
fn a_reader_that_gives_little_at_a_time_makes_no_difference() {
    struct Slow<'a>(&'a [u8]);
    impl Read for Slow<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let length = buffer.len().min(7);
            self.0.read(&mut buffer[..length])
        }
    }
    let text = format!("{}\nlast", "the film , ".repeat(10_000));
    let slow = std::io::BufReader::with_capacity(5, Slow(text.as_bytes()));
    let found: Result<Vec<TextPiece>, _> = TextPieces::new(slow, Path::new("a text")).collect();
    assert_eq!(
        found.expect("pieces"),
        pieces(text.as_bytes()).expect("pieces")
    );
}

#[test]
fn grouped_blocks_hold_every_token_once_and_are_full_but_the_last() {
    let text = "the unaffable film was good .\n\nit is one day in the house\nnot bad !\n";
    let read = blocks(text, TextLayout::Grouped, 8);
    assert_eq!(body(&read), whole(&text.replace('\n', " ")));
    let (last, full) = read.blocks.split_last().expect("blocks");
    assert!(full.iter().all(|block| block.len() == 8));
    assert!((3..=8).contains(&last.len()));
    let tokenizer = tiny();
    for block in &read.blocks {
        assert_eq!(block.input_ids.first().copied(), tokenizer.cls_token_id());
        assert_eq!(block.input_ids.last().copied(), tokenizer.sep_token_id());
        assert_eq!(block.word_ids.len(), block.len());
        assert_eq!(block.token_type_ids, vec![0; block.len()]);
        assert_eq!(
            (block.word_ids[0], block.word_ids[block.len() - 1]),
            (None, None)
        );
    }
    assert_eq!(read.truncated, 0);
}

#[test]
fn a_long_line_gives_the_tokens_of_the_whole() {
    let line = "the unaffable film , playing in the café — 世界 was not good . ".repeat(2_500);
    assert!(line.len() > 2 * LONGEST_PIECE);
    let read = blocks(&line, TextLayout::Grouped, 128);
    assert_eq!(body(&read), whole(&line));
}

#[test]
fn a_line_of_megabytes_without_white_space_is_tokenized() {
    let read = blocks(&"x".repeat(3_000_000), TextLayout::Grouped, 128);
    let pieces = 3_000_000_usize.div_ceil(LONGEST_PIECE);
    assert_eq!(body(&read).len(), pieces, "each piece is one unknown word");
}

#[test]
fn pieces_of_one_word_share_its_id_and_neighbouring_words_do_not() {
    let read = blocks("unaffable\ngood\nplaying", TextLayout::Grouped, 16);
    let words = &read.blocks[0].word_ids;
    assert_eq!(
        words,
        &[
            None,
            Some(0),
            Some(0),
            Some(0),
            Some(1),
            Some(2),
            Some(2),
            None
        ]
    );
}

#[test]
fn each_line_is_a_row_and_long_ones_are_cut() {
    let text = "good film\n\nthe film was not very good .\nbad\n";
    let read = blocks(text, TextLayout::LineByLine, 6);
    let lengths: Vec<usize> = read.blocks.iter().map(|block| block.len()).collect();
    assert_eq!(lengths, [4, 6, 3]);
    assert_eq!(read.truncated, 1);
    let tokenizer = tiny();
    for (block, line) in
        read.blocks
            .iter()
            .zip(["good film", "the film was not very good .", "bad"])
    {
        let expected = tokenizer.encode(line, None, 6).expect("ids").input_ids;
        assert_eq!(block.input_ids, expected);
    }
}

#[test]
fn the_first_piece_of_a_long_line_is_its_row() {
    let text = format!("{}\nbad\n", "good ".repeat(50_000));
    let read = blocks(&text, TextLayout::LineByLine, 6);
    assert_eq!(read.blocks.len(), 2);
    assert_eq!(read.truncated, 1);
}

#[test]
fn nul_and_zero_width_characters_are_no_tokens() {
    let text = "\0\n\u{200b}\u{feff}\n go\u{200d}od \0film\n";
    for layout in [TextLayout::Grouped, TextLayout::LineByLine] {
        let read = blocks(text, layout, 16);
        assert_eq!(read.blocks.len(), 1);
        assert_eq!(body(&read), whole("good film"));
    }
}

#[test]
fn a_text_without_tokens_is_an_error() {
    for text in ["", "\n \n", "\u{200b}\n\0"] {
        let pieces = TextPieces::new(text.as_bytes(), Path::new("empty.txt"));
        let error = TextBlocks::read(pieces, &tiny(), TextLayout::Grouped, 8).unwrap_err();
        assert!(matches!(error, PlainTextError::NoText { .. }), "{error}");
        assert!(error.to_string().contains("empty.txt"), "{error}");
    }
}

#[test]
fn a_maximum_length_without_room_for_a_token_is_an_error() {
    for max_length in 0..3 {
        let pieces = TextPieces::new(b"good".as_slice(), Path::new("a text"));
        let error = TextBlocks::read(pieces, &tiny(), TextLayout::Grouped, max_length).unwrap_err();
        assert!(
            matches!(
                error,
                PlainTextError::Tokenizer(TokenizerError::MaxLengthTooSmall { .. })
            ),
            "{error}"
        );
    }
    assert_eq!(blocks("good bad", TextLayout::Grouped, 3).blocks.len(), 2);
}

fn documents(text: &str) -> Result<Documents, PlainTextError> {
    Documents::read(TextPieces::new(text.as_bytes(), Path::new("a text")))
}

#[test]
fn blank_lines_part_documents() {
    let found = documents("\n\na\nb\n \n\nc\n\nd\ne\n").expect("documents");
    let expected: [&[&str]; 3] = [&["a", "b"], &["c"], &["d", "e"]];
    assert_eq!(found.documents, expected);
}

#[test]
fn documents_without_pairs_are_errors_that_say_what_to_do() {
    let cases = [
        ("", "holds no text"),
        ("a\nb\n", "part documents by a blank line"),
        ("a\n\nb\n", "no sentence is followed"),
    ];
    for (text, words) in cases {
        let message = documents(text).unwrap_err().to_string();
        assert!(message.contains(words), "no {words:?} in {message:?}");
        assert!(message.contains("a text"), "{message}");
    }
    let (_dir, path) = file("empty.txt", "");
    let error = Documents::open(&path).unwrap_err();
    assert!(error.to_string().contains("empty.txt"), "{error}");
}

/// Sentences that tell their document and their place in it.
fn numbered(documents: usize, sentences: usize) -> Documents {
    let sentence = |document: usize, place: usize| format!("{document} {place}");
    let text: Vec<String> = (0..documents)
        .map(|document| {
            let lines: Vec<String> = (0..sentences)
                .map(|place| sentence(document, place))
                .collect();
            lines.join("\n")
        })
        .collect();
    self::documents(&text.join("\n\n")).expect("documents")
}

fn numbers(sentence: &str) -> (usize, usize) {
    let (document, place) = sentence.split_once(' ').expect("two numbers");
    (
        document.parse().expect("a number"),
        place.parse().expect("a number"),
    )
}

#[test]
fn half_of_the_pairs_are_in_sequence_and_the_others_of_another_document() {
    let documents = numbered(20, 101);
    let pairs = documents.pairs(7);
    assert_eq!(pairs.len(), 2000);
    let mut in_sequence = 0;
    for pair in &pairs {
        let (document, place) = numbers(pair.text);
        let (other_document, other_place) = numbers(pair.text_pair);
        if pair.is_next {
            in_sequence += 1;
            assert_eq!((other_document, other_place), (document, place + 1));
        } else {
            assert_ne!(other_document, document);
        }
    }
    // Four standard deviations of a fair coin.
    assert!((910..=1090).contains(&in_sequence), "{in_sequence}");
}

#[test]
fn the_seed_decides_the_pairs() {
    let documents = numbered(3, 30);
    assert_eq!(documents.pairs(7), documents.pairs(7));
    assert_ne!(documents.pairs(7), documents.pairs(8));
}
