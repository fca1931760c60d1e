//! From a name to verified files, with sources that this machine plays. One module a kind of source, or a promise.

mod cache;
mod hub;
mod manifest;
#[cfg(unix)]
mod package;
mod support;
mod url;
