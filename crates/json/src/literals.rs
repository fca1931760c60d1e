//! The number literals that Python has and JSON lacks.

use std::borrow::Cow;

const NULL: &str = "null";
/// The longer ones first: none may be taken for the beginning of another.
const LITERALS: [&str; 3] = ["-Infinity", "Infinity", "NaN"];

/// A text in which `null` stands for each of Python's literals, in as many columns where that is possible.
pub(crate) struct StrictText<'a> {
    json: Cow<'a, str>,
    /// Lines and columns, both 1-based, of literals that are one byte shorter in the file.
    shorter: Vec<(usize, usize)>,
}

impl<'a> StrictText<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        let literals = positions(text);
        if literals.is_empty() {
            return Self {
                json: Cow::Borrowed(text),
                shorter: Vec::new(),
            };
        }
        let mut json = String::with_capacity(text.len() + literals.len());
        let mut shorter = Vec::new();
        let mut rest = 0;
        // Where the text so far ends: the line, and the byte at which that line begins.
        let (mut line, mut line_start) = (1, 0);
        for (start, literal) in literals {
            let between = &text[rest..start];
            line += between.matches('\n').count();
            if let Some(newline) = between.rfind('\n') {
                line_start = json.len() + newline + 1;
            }
            json.push_str(between);
            if literal.len() < NULL.len() {
                shorter.push((line, 1 + json.len() - line_start));
            }
            json.push_str(&format!("{NULL:width$}", width = literal.len()));
            rest = start + literal.len();
        }
        json.push_str(&text[rest..]);
        Self {
            json: Cow::Owned(json),
            shorter,
        }
    }

    /// The text, which strict readers take.
    pub(crate) fn json(&self) -> &str {
        &self.json
    }

    /// The column in the file of a place in [`json`](Self::json).
    pub(crate) fn column(&self, line: usize, column: usize) -> usize {
        let is_before = |&&(other, start): &&(usize, usize)| other == line && start < column;
        column - self.shorter.iter().filter(is_before).count()
    }
}

/// Where the literals begin that stand outside strings.
fn positions(text: &str) -> Vec<(usize, &'static str)> {
    let mut positions = Vec::new();
    let (mut in_string, mut at) = (false, 0);
    while let Some(&byte) = text.as_bytes().get(at) {
        let literal = LITERALS
            .iter()
            .find(|literal| !in_string && text.as_bytes()[at..].starts_with(literal.as_bytes()));
        at += match (byte, literal) {
            (_, Some(literal)) => {
                positions.push((at, *literal));
                literal.len()
            }
            (b'\\', _) if in_string => 2,
            _ => 1,
        };
        in_string ^= byte == b'"';
    }
    positions
}
