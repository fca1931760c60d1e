//! One rule for labels, whatever the format: what text and what JSON is which label.

use serde_json::Value;
use unicode_normalization::UnicodeNormalization;

use crate::Label;

/// A JSON value that is no label.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoLabel {
    /// Nothing stands there.
    Empty,
    /// An object.
    Kind,
    /// A list with this element, counted from 0, that is no class.
    Element(usize),
}

/// The label that a cell of TSV or CSV is.
pub(super) fn of_text(cell: &str) -> Result<Label, NoLabel> {
    let cell = cell.trim();
    if cell.is_empty() {
        return Err(NoLabel::Empty);
    }
    if cell.starts_with('[')
        && let Ok(list @ Value::Array(_)) = serde_json::from_str(cell)
        && let Ok(label) = of_json(&list)
    {
        return Ok(label);
    }
    Ok(match integer_name(cell) {
        Some(name) => Label::Name(name),
        None if is_decimal(cell) => cell.parse().map_or_else(|_| name(cell), Label::Score),
        None => name(cell),
    })
}

/// The label that a JSON value is.
pub(super) fn of_json(value: &Value) -> Result<Label, NoLabel> {
    match value {
        Value::Array(elements) => {
            let names = elements.iter().enumerate();
            let names = names.map(|(index, one)| match of_json(one) {
                Ok(Label::Name(name)) => Ok(name),
                _ => Err(NoLabel::Element(index)),
            });
            names.collect::<Result<_, _>>().map(Label::Names)
        }
        Value::Null => Err(NoLabel::Empty),
        Value::String(text) => match text.trim() {
            "" => Err(NoLabel::Empty),
            text => Ok(name(text)),
        },
        Value::Bool(value) => Ok(Label::Name(value.to_string())),
        Value::Number(number) => Ok(match number.as_f64() {
            Some(float) if number.is_f64() => of_float(float),
            _ => Label::Name(number.to_string()),
        }),
        Value::Object(_) => Err(NoLabel::Kind),
    }
}

/// One form for names that look the same: composed, without white space around them.
pub(crate) fn normalized(name: &str) -> String {
    name.trim().nfc().collect()
}

fn name(text: &str) -> Label {
    Label::Name(normalized(text))
}

/// Integers up to here are exact in double precision.
const LARGEST_EXACT: f64 = 9_007_199_254_740_992.0;

fn of_float(float: f64) -> Label {
    if float.fract() == 0.0 && float.abs() < LARGEST_EXACT {
        Label::Name((float as i64).to_string())
    } else {
        Label::Score(float)
    }
}

/// The integer that a decimal number means when its fraction is zero: `1.0` is `1`.
fn integer_name(text: &str) -> Option<String> {
    if !is_decimal(text) {
        return None;
    }
    let (whole, fraction) = text.split_once('.')?;
    if fraction.bytes().any(|digit| digit != b'0') {
        return None;
    }
    let digits = whole.trim_start_matches('-').trim_start_matches('0');
    Some(match digits {
        "" => "0".to_owned(),
        digits if whole.starts_with('-') => format!("-{digits}"),
        digits => digits.to_owned(),
    })
}

/// Digits with a decimal point, as people write them: no exponent and no `inf`, which may be the name of a class.
fn is_decimal(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let is_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    matches!(digits.split_once('.'), Some((whole, fraction))
        if is_digits(whole) && is_digits(fraction) && !(whole.is_empty() && fraction.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn class(name: &str) -> Result<Label, NoLabel> {
        Ok(Label::Name(name.to_owned()))
    }

    #[test]
    fn numbers_mean_the_same_in_text_and_in_json() {
        for (text, value, name) in [
            ("1.0", json!(1.0), "1"),
            ("-1.00", json!(-1.0), "-1"),
            ("-0.0", json!(-0.0), "0"),
            ("3", json!(3), "3"),
            ("12.", json!(12.0), "12"),
        ] {
            assert_eq!(of_text(text), class(name));
            assert_eq!(of_json(&value), class(name));
        }
        assert_eq!(of_text(" 2.50 "), Ok(Label::Score(2.5)));
        assert_eq!(of_json(&json!(2.5)), Ok(Label::Score(2.5)));
        assert_eq!(of_json(&json!(1e300)), Ok(Label::Score(1e300)));
        assert_eq!(of_text("[0, 1.0, 1]"), of_json(&json!([0, 1, 1])));
    }

    #[test]
    fn names_that_contain_digits_stay_as_they_are() {
        for name in [
            "1e5", "007", "+1", ".", "1.2.3", "v2.0", "inf", "[x", "true",
        ] {
            assert_eq!(of_text(name), class(name));
        }
        assert_eq!(of_json(&json!(true)), class("true"));
    }

    #[test]
    fn composed_and_decomposed_letters_are_one_name() {
        assert_eq!(of_text("cafe\u{301}"), class("caf\u{e9}"));
        assert_eq!(of_json(&json!(["cafe\u{301}"])), of_json(&json!(["café"])));
    }
}
