//! Checkpoints to and from Burn modules, on files written by hand.

mod adapter;
mod base_prefix;
mod cast;
mod changed;
mod convert;
mod foreign;
mod key_map;
mod load;
mod open;
mod pickled;
mod same;
mod save;
mod support;
mod wrapper;
