//! Numbers and times for people.

/// A number with commas between thousands: `6920` → `6,920`.
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// Four significant figures: `0.8716`, `12.35`, `5e-5`, `31250`.
pub(crate) fn number(value: f64) -> String {
    let size = value.abs();
    match size {
        _ if !value.is_finite() => "–".to_owned(),
        _ if value.fract() == 0.0 && size < 1e15 => format!("{value}"),
        _ if size < 1e-3 => trimmed_exponent(value),
        _ if size < 10.0 => trimmed(&format!("{value:.4}")),
        _ if size < 100.0 => trimmed(&format!("{value:.2}")),
        _ if size < 1e6 => trimmed(&format!("{value:.1}")),
        _ => trimmed_exponent(value),
    }
}

fn trimmed_exponent(value: f64) -> String {
    let text = format!("{value:.2e}");
    match text.split_once('e') {
        Some((digits, exponent)) => format!("{}e{exponent}", trimmed(digits)),
        None => text,
    }
}

/// Without zeros behind the last digit of a fraction.
pub(crate) fn trimmed(text: &str) -> String {
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text.to_owned(),
    }
}

/// `0.8716` → `87.2 %`.
pub(crate) fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}

/// `3725.0` → `1 h 2 min`, `65.0` → `1 min 5 s`, `4.25` → `4.3 s`.
pub(crate) fn duration(seconds: f64) -> String {
    let whole = seconds.round() as u64;
    match whole {
        0..10 => format!("{seconds:.1} s"),
        10..60 => format!("{whole} s"),
        60..3600 => format!("{} min {} s", whole / 60, whole % 60),
        _ => format!("{} h {} min", whole / 3600, whole / 60 % 60),
    }
}

/// Seconds since 1970 as a date and a time of UTC (Howard Hinnant's `civil_from_days`).
pub(crate) fn date(seconds: u64) -> String {
    let days = (seconds / 86_400) as i64 + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 {
        shifted_month + 3
    } else {
        shifted_month - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let (hour, minute) = (seconds / 3600 % 24, seconds / 60 % 60);
    format!("{year}-{month:02}-{day:02} {hour:02}:{minute:02} UTC")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_what_matters() {
        let texts = [0.871_559_6, 3e-5, 0.0, 12.345, 1234.567, 42.0, f64::NAN].map(number);
        assert_eq!(texts, ["0.8716", "3e-5", "0", "12.35", "1234.6", "42", "–"]);
        assert_eq!(count(1_234_567), "1,234,567");
        assert_eq!(percent(0.5), "50.0 %");
    }

    #[test]
    fn times_are_those_of_a_clock() {
        let texts = [4.25, 59.4, 65.0, 3725.0].map(duration);
        assert_eq!(texts, ["4.2 s", "59 s", "1 min 5 s", "1 h 2 min"]);
        assert_eq!(date(0), "1970-01-01 00:00 UTC");
        assert_eq!(date(951_782_400), "2000-02-29 00:00 UTC");
        assert_eq!(date(1_767_225_599), "2025-12-31 23:59 UTC");
    }
}
