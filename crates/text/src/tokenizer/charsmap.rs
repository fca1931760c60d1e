//! The table of characters of SentencePiece, whose length its reader takes on trust.

use serde::Deserialize;
use serde_json::Value;
use tokenizers::Result;

/// The key of a table in `tokenizer.json`, in base64.
const KEY: &str = "precompiled_charsmap";
/// The bytes before the trie, which hold its length.
const LENGTH_BYTES: usize = 4;

/// The part of `tokenizer.json` that may hold a table.
#[derive(Deserialize)]
struct Saved {
    #[serde(default)]
    normalizer: Value,
}

/// Makes sure that a table is as long as it says: its reader allocates the length before it reads.
pub(super) fn check(charsmap: &[u8]) -> Result<()> {
    check_length(charsmap, charsmap.len())
}

/// [`check`] for each table of a `tokenizer.json`.
pub(super) fn check_saved(json: &[u8]) -> Result<()> {
    // A key may be written with escapes.
    let has_table = json.windows(KEY.len()).any(|bytes| bytes == KEY.as_bytes())
        || json.windows(2).any(|bytes| bytes == br"\u");
    match has_table {
        true => check_within(&serde_json::from_slice::<Saved>(json)?.normalizer),
        false => Ok(()),
    }
}

fn check_within(value: &Value) -> Result<()> {
    match value {
        Value::Object(object) => object.iter().try_for_each(|(key, value)| match value {
            Value::String(table) if key == KEY => {
                check_length(&first_bytes(table), table.len() / 4 * 3)
            }
            value => check_within(value),
        }),
        Value::Array(values) => values.iter().try_for_each(check_within),
        _ => Ok(()),
    }
}

fn check_length(first_bytes: &[u8], length: usize) -> Result<()> {
    let Some(trie) = first_bytes.first_chunk::<LENGTH_BYTES>() else {
        return Err("the table of characters is cut short".into());
    };
    let trie = u32::from_le_bytes(*trie) as usize;
    match trie <= length {
        true => Ok(()),
        false => Err(format!(
            "the table of characters says that its trie has {trie} bytes, and has {length} in all"
        )
        .into()),
    }
}

/// The bytes that the first digits of a text in base64 stand for.
fn first_bytes(text: &str) -> Vec<u8> {
    let digit = |byte: u8| match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' => 62,
        // The reader refuses what is no digit.
        _ => 63,
    };
    let digits = text.bytes().take(8).map(digit);
    let bits = digits.fold(0_u64, |bits, digit| bits << 6 | u64::from(digit));
    match text.len() >= 8 {
        true => bits.to_be_bytes()[2..][..LENGTH_BYTES].to_vec(),
        false => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_that_says_it_is_longer_than_it_is_is_refused() {
        assert!(check(&[4, 0, 0, 0, 1, 2, 3, 4, b'a']).is_ok());
        let message = check(&[0xff, 0xff, 0xff, 0xff, 1]).unwrap_err().to_string();
        assert!(message.contains("4294967295 bytes, and has 5"), "{message}");
        let saved = |table: &str| {
            let table =
                format!("{{\"normalizer\": {{\"normalizers\": [{{\"{KEY}\": \"{table}\"}}]}}}}");
            check_saved(table.as_bytes())
        };
        // The base64 of the bytes 4, 0, 0, 0, 1, 2, 3, 4, and of four times 255 before 1 and 2.
        assert!(saved("BAAAAAECAwQ=").is_ok());
        let message = saved("/////wEC").unwrap_err().to_string();
        assert!(message.contains("4294967295"), "{message}");
        assert!(saved("").is_err());
    }
}
