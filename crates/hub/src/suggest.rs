//! Names like one that nobody knows.

/// A name is suggested if its Jaro-Winkler similarity (0 to 1) to the unknown one is at least this.
const LEAST_SIMILARITY: f64 = 0.75;
const MOST_SUGGESTIONS: usize = 3;

/// How like two names are, from 0 to 1, whatever their case.
pub(crate) fn similarity(left: &str, right: &str) -> f64 {
    strsim::jaro_winkler(&left.to_lowercase(), &right.to_lowercase())
}

/// The likest of names that each come with their similarity, the likest first.
pub(crate) fn likest<'a>(candidates: impl Iterator<Item = (f64, &'a str)>) -> Vec<String> {
    let mut ranked: Vec<(f64, &str)> = candidates
        .filter(|(similarity, _)| *similarity >= LEAST_SIMILARITY)
        .collect();
    ranked.sort_by(|left, right| right.0.total_cmp(&left.0));
    let mut names: Vec<String> = Vec::new();
    for (_, name) in ranked {
        if !names.iter().any(|known| known == name) {
            names.push(name.to_owned());
        }
    }
    names.truncate(MOST_SUGGESTIONS);
    names
}

/// The end of a message about an unknown name.
pub(crate) fn did_you_mean(suggestions: &[String]) -> String {
    match suggestions {
        [] => String::new(),
        names => format!("; did you mean {}?", names.join(" or ")),
    }
}
