//! Readers of other crates, some of which panic on a file that contradicts itself.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// A library has panicked.
#[derive(Debug, thiserror::Error)]
#[error("the file contradicts itself ({reason})")]
pub(crate) struct Panicked {
    /// What the library says.
    reason: String,
}

/// Does the work of a library; its panic is an error. What the work had in hand is not used again.
pub(crate) fn guarded<T>(work: impl FnOnce() -> T) -> Result<T, Panicked> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|payload| Panicked {
        reason: said(payload.as_ref()),
    })
}

fn said(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| payload.downcast_ref::<&str>().copied());
    text.unwrap_or("it does not say why").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_an_error_with_its_words() {
        assert_eq!(guarded(|| 7).unwrap(), 7);
        let at = 3;
        let message = guarded(|| [1, 2][at]).unwrap_err().to_string();
        assert!(message.contains("index is 3"), "{message}");
    }
}
