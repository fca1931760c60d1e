use std::time::Duration;

use crate::error::SourceError;
use crate::http;
use crate::options::FetchOptions;

/// Asks the hub for any answer at all, and waits no longer than `timeout`.
///
/// # Errors
/// Nothing answers at the hub's address.
pub fn reach_hub(options: &FetchOptions, timeout: Duration) -> Result<(), SourceError> {
    let url = &options.hub_endpoint;
    let request = http::agent(timeout).head(url).config();
    let answer = request.timeout_global(Some(timeout)).build().call();
    answer
        .map(drop)
        .map_err(|error| http::transport(url, &error))
}
