//! The encoder against transformers' golden files and against itself, on every backend of the build.

mod deberta;
mod families;
mod forward;
mod invariants;
mod modernbert;
mod refusals;
