//! Numbers for people.

use std::time::Duration;

/// `6920` → `6,920`.
pub(crate) fn count(number: usize) -> String {
    bert_report::count(number as u64)
}

/// `1, "row"` → `1 row`; `6920, "row"` → `6,920 rows`.
pub(crate) fn counted(number: usize, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", count(number))
}

/// The first `most` of some words, and how many more there are.
pub(crate) fn shortened(words: &[String], most: usize) -> String {
    if words.len() <= most {
        return words.join(", ");
    }
    let more = count(words.len() - most);
    format!("{} and {more} more", words[..most].join(", "))
}

/// Three significant figures with a decimal unit: `22.7 M`.
pub(crate) fn magnitude(number: f64) -> String {
    let units = [(1e9, " G"), (1e6, " M"), (1e3, " k"), (1.0, "")];
    let (scale, unit) = units
        .into_iter()
        .find(|(scale, _)| number >= *scale)
        .unwrap_or((1.0, ""));
    let scaled = number / scale;
    let decimals = match scaled {
        _ if scale == 1.0 && number.fract() == 0.0 => 0,
        scaled if scaled >= 100.0 => 0,
        scaled if scaled >= 10.0 => 1,
        _ => 2,
    };
    format!("{scaled:.decimals$}{unit}")
}

/// `90868376` → `90.9 MB`.
pub(crate) fn bytes(number: u64) -> String {
    match magnitude(number as f64).as_str() {
        text if text.contains(' ') => format!("{text}B"),
        text => format!("{text} B"),
    }
}

/// `3725 s` → `1:02:05`, `65 s` → `1:05`.
pub(crate) fn clock(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    match hours {
        0 => format!("{minutes}:{seconds:02}"),
        _ => format!("{hours}:{minutes:02}:{seconds:02}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lists_are_cut() {
        let words: Vec<String> = (0..2000).map(|id| id.to_string()).collect();
        assert_eq!(shortened(&words, 3), "0, 1, 2 and 1,997 more");
        assert_eq!(shortened(&words[..2], 2), "0, 1");
        assert_eq!(shortened(&[], 2), "");
    }

    #[test]
    fn digits_go_in_threes() {
        let texts = [0, 999, 1000, 6920, 1234567].map(count);
        assert_eq!(texts, ["0", "999", "1,000", "6,920", "1,234,567"]);
        assert_eq!(counted(1, "row"), "1 row");
        assert_eq!(counted(1000, "row"), "1,000 rows");
    }

    #[test]
    fn magnitudes_have_three_figures() {
        assert_eq!(magnitude(22_713_216.0), "22.7 M");
        assert_eq!(magnitude(1234.0), "1.23 k");
        assert_eq!(magnitude(12.0), "12");
        assert_eq!(bytes(90_868_376), "90.9 MB");
        assert_eq!(bytes(612), "612 B");
    }

    #[test]
    fn durations_read_as_a_clock() {
        assert_eq!(clock(Duration::from_secs(65)), "1:05");
        assert_eq!(clock(Duration::from_secs(3725)), "1:02:05");
    }
}
