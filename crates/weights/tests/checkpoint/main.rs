//! Checkpoints to and from Burn modules, on files written by hand.

mod base_prefix;
mod key_map;
mod load;
mod open;
mod same;
mod save;
mod support;
