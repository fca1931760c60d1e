//! The quick-start data set: movie-review sentences with a rating, as the `movie-review-snippets` entry stores them.

use std::str;

use thiserror::Error;

/// The manifest's name for the quick-start data set.
pub const MOVIE_REVIEWS_ENTRY: &str = "movie-review-snippets";

/// Its one file, which [`parse_movie_reviews`] reads.
pub const MOVIE_REVIEWS_FILE: &str = "movieReviewSnippets_GroundTruth.txt";

/// One sentence and how it was rated.
#[derive(Clone, Debug, PartialEq)]
pub struct MovieReview {
    /// The sentence.
    pub sentence: String,
    /// The mean rating of at least twenty people, −4 (most negative) to 4 (most positive).
    pub rating: f32,
}

/// Why the file is not the rated sentences it should be.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum MovieReviewError {
    /// A line does not have its three columns.
    #[error(
        "line {line}: {found} tab-separated columns where 3 (id, rating, sentence) are expected"
    )]
    Columns {
        /// Counted from 1.
        line: usize,
        /// How many columns it has.
        found: usize,
    },
    /// The second column is no number within −4 … 4.
    #[error("line {line}: rating {found:?} is no number from -4 to 4")]
    Rating {
        /// Counted from 1.
        line: usize,
        /// What stands there.
        found: String,
    },
}

/// Reads the raw file: one `id <TAB> rating <TAB> sentence` a line, no header, lines ended by CR LF.
///
/// The file is decoded line by line: UTF-8 where a line is UTF-8, else Latin-1, which accepts every byte. (The
/// published file is all UTF-8; reading it as Latin-1, as older tools do, turns "clichés" into "clichÃ©s".)
///
/// # Errors
/// [`MovieReviewError`] names the first line that is not of this form.
pub fn parse_movie_reviews(raw: &[u8]) -> Result<Vec<MovieReview>, MovieReviewError> {
    raw.split(|&byte| byte == b'\n')
        .map(|line| line.strip_suffix(b"\r").unwrap_or(line))
        .enumerate()
        .filter(|(_, line)| !line.is_empty())
        .map(|(index, line)| parse_line(index + 1, &decode(line)))
        .collect()
}

fn parse_line(line: usize, text: &str) -> Result<MovieReview, MovieReviewError> {
    let columns: Vec<&str> = text.split('\t').collect();
    let [_id, rating, sentence] = columns[..] else {
        return Err(MovieReviewError::Columns {
            line,
            found: columns.len(),
        });
    };
    let rating = match rating.trim().parse::<f32>() {
        Ok(value) if (-4.0..=4.0).contains(&value) => value,
        _ => {
            return Err(MovieReviewError::Rating {
                line,
                found: rating.to_owned(),
            });
        }
    };
    Ok(MovieReview {
        sentence: sentence.trim().to_owned(),
        rating,
    })
}

/// Latin-1's code points are Unicode's first 256.
fn decode(line: &[u8]) -> String {
    match str::from_utf8(line) {
        Ok(text) => text.to_owned(),
        Err(_) => line.iter().copied().map(char::from).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_id_rating_and_sentence() {
        let rows = parse_movie_reviews(b"1\t2.25\tA fine film.\r\n2\t-0.6\tToo tepid\r\n")
            .expect("two rows");
        assert_eq!(
            rows[0],
            MovieReview {
                sentence: "A fine film.".to_owned(),
                rating: 2.25
            }
        );
        assert_eq!(
            rows[1],
            MovieReview {
                sentence: "Too tepid".to_owned(),
                rating: -0.6
            }
        );
        assert_eq!(rows.len(), 2);
    }

    #[test]
    fn accents_survive_in_both_encodings() {
        let utf8 = parse_movie_reviews("1\t1\tclichés".as_bytes()).expect("UTF-8");
        let latin1 = parse_movie_reviews(b"1\t1\tclich\xe9s").expect("Latin-1");
        assert_eq!(utf8[0].sentence, "clichés");
        assert_eq!(latin1, utf8);
    }

    #[test]
    fn a_bad_line_is_named_by_its_number() {
        assert_eq!(
            parse_movie_reviews(b"1\t1\tgood\n2\t1\n"),
            Err(MovieReviewError::Columns { line: 2, found: 2 })
        );
        for rating in ["NaN", "4.5", "high"] {
            let raw = format!("7\t{rating}\ttext");
            assert_eq!(
                parse_movie_reviews(raw.as_bytes()),
                Err(MovieReviewError::Rating {
                    line: 1,
                    found: rating.to_owned()
                })
            );
        }
    }
}
