//! From a name to verified files, with sources that this machine plays. One module a kind of source, or a promise.

mod cache;
mod home;
mod hub;
mod manifest;
#[cfg(unix)]
mod package;
mod refusals;
mod repository;
mod server;
mod stand_in;
mod support;
mod unusable;
mod url;
