//! The `bert` binary as a user meets it: its output, its files, its exit codes.

mod bad_checkpoints;
mod bad_input;
mod bad_options;
mod help;
mod listing;
mod masked_lm;
mod next_sentence;
mod prediction;
mod support;
mod training;
