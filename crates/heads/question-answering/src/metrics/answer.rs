//! One answer against those of the data.

use std::collections::HashMap;

/// Which of the two official scripts scores.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SquadVersion {
    /// Every question has an answer.
    V1,
    /// A question may have none; the right answer is the empty one then.
    V2,
}

/// What an answer scores, in [0, 1].
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct QuestionScore {
    /// 1 when it is one of the right answers, both normalised.
    pub exact: f64,
    /// The highest F1 over the words of a right answer.
    pub f1: f64,
}

/// Lower case, without ASCII punctuation, without the words `a`, `an` and `the`, and with one space between words.
///
/// Words and white space are Python's. The one difference known: Python breaks a word before a combining vowel sign, such
/// as those of Devanagari, and this does not, which only shows when such a sign stands beside a Latin article.
pub fn normalize_answer(text: &str) -> String {
    let lower = text.to_lowercase();
    let mut kept = String::with_capacity(lower.len());
    let mut word = String::new();
    for character in lower.chars().filter(|one| !one.is_ascii_punctuation()) {
        if is_word_character(character) {
            word.push(character);
        } else {
            end_word(&mut word, &mut kept);
            kept.push(character);
        }
    }
    end_word(&mut word, &mut kept);
    words(&kept).collect::<Vec<_>>().join(" ")
}

fn end_word(word: &mut String, kept: &mut String) {
    kept.push_str(match word.as_str() {
        "a" | "an" | "the" => " ",
        other => other,
    });
    word.clear();
}

/// `\w` of Python's regular expressions.
fn is_word_character(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

/// `str.split()` of Python, which also breaks at the four separators of ASCII.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let is_space = |one: char| one.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&one);
    text.split(is_space).filter(|word| !word.is_empty())
}

/// Scores an answer against all right ones, the highest figures counting. Of SQuAD 2.0, right answers without a word do
/// not count, and where none is left, the empty answer is the right one; of SQuAD 1.1, nothing is right then.
pub fn score_answer<S: AsRef<str>>(
    prediction: &str,
    references: &[S],
    version: SquadVersion,
) -> QuestionScore {
    let prediction = normalize_answer(prediction);
    let mut references: Vec<String> = references
        .iter()
        .map(|text| normalize_answer(text.as_ref()))
        .collect();
    if version == SquadVersion::V2 {
        references.retain(|text| !text.is_empty());
        if references.is_empty() {
            references.push(String::new());
        }
    }
    let none = QuestionScore::default();
    references.iter().fold(none, |best, reference| {
        let exact = f64::from(u8::from(prediction == *reference));
        QuestionScore {
            exact: best.exact.max(exact),
            f1: best.f1.max(f1(&prediction, reference, version)),
        }
    })
}

/// F1 over the words of two normalised answers. Two empty ones agree in SQuAD 2.0 and have nothing in common in 1.1.
fn f1(prediction: &str, reference: &str, version: SquadVersion) -> f64 {
    let count = |text: &str| words(text).count() as f64;
    let (predicted, expected) = (count(prediction), count(reference));
    if predicted == 0.0 && expected == 0.0 {
        return match version {
            SquadVersion::V1 => 0.0,
            SquadVersion::V2 => 1.0,
        };
    }
    let common = words_in_common(prediction, reference) as f64;
    if common == 0.0 {
        return 0.0;
    }
    let (precision, recall) = (common / predicted, common / expected);
    (2.0 * precision * recall) / (precision + recall)
}

/// The size of the intersection of two bags of words.
fn words_in_common(one: &str, other: &str) -> usize {
    let mut left: HashMap<&str, usize> = HashMap::new();
    for word in words(one) {
        *left.entry(word).or_default() += 1;
    }
    let mut common = 0;
    for word in words(other) {
        if let Some(count) = left.get_mut(word)
            && *count > 0
        {
            *count -= 1;
            common += 1;
        }
    }
    common
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn articles_are_words_of_their_own() {
        assert_eq!(
            normalize_answer("The  theatre, an A-Z of a\tcat"),
            "theatre az of cat"
        );
        assert_eq!(normalize_answer("–the–"), "– –");
        assert_eq!(normalize_answer("the_a"), "thea");
        assert_eq!(normalize_answer("a\u{301} x"), "\u{301} x");
        assert_eq!(normalize_answer("x\u{1f}y"), "x y");
    }

    #[test]
    fn two_answers_without_a_word_agree_in_version_2_alone() {
        let score = |version| score_answer("", &["The!"], version);
        assert_eq!(score(SquadVersion::V2).f1, 1.0);
        let first = score(SquadVersion::V1);
        assert_eq!((first.exact, first.f1), (1.0, 0.0));
    }

    #[test]
    fn words_count_as_often_as_they_occur() {
        let score = score_answer("new new york", &["New York, New York"], SquadVersion::V1);
        assert_eq!(score.f1, 2.0 * (1.0 * 0.75) / 1.75);
    }
}
