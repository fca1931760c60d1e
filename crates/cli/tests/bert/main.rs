//! The `bert` binary as a user meets it: its output, its files, its exit codes.

mod bad_checkpoints;
mod bad_input;
mod bad_options;
mod bench;
mod check;
mod check_tasks;
mod checkpoint_layouts;
mod data_files;
mod data_meanings;
mod data_names;
mod embed;
mod formats;
mod heads;
mod help;
mod hub;
mod listing;
mod masked_lm;
mod model_names;
mod next_sentence;
mod nli;
mod pages;
mod prediction;
mod question_answering;
mod support;
mod token_classification;
mod training;
