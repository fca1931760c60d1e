//! The project against transformers' golden files, against itself, and each backend against the others.
//!
//! No test here draws random numbers that matter: those of a device are global, and tests run side by side. What needs
//! them is in the test binary `dropout`.

mod adapters;
mod autocast;
mod backend_agreement;
mod doctor;
mod entities_parity;
mod errors;
mod families;
mod finite_differences;
mod frozen_parts;
mod learning_rates;
mod long_texts;
mod losses;
mod nli_parity;
mod overlap;
mod saved_models;
mod sentence_embedding;
mod several_ranks;
mod shared_encoder;
mod tied_decoder;
mod training_parity;
