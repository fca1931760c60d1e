//! What a fuzzer calls: one function for each kind of file or answer that a stranger may have written.
//!
//! | module | |
//! |---|---|
//! | [`targets`] | the functions by their names; each takes bytes, must return, and must not panic |
//! | [`memory`] | an allocator that counts, so that no input asks for more than [`memory::BOUND`] |
//! | [`corpus`] | the inputs that are kept, `corpus/TARGET/*` |
//! | [`mutation`] | changed copies of them, for machines without a fuzzer |
//! | [`panics`] | which panics end a program of the fuzzer |
//!
//! The bytes of an input are one file, or several: see [`room`]. `fuzz/` at the top of the repository holds the programs for
//! cargo-fuzz, each of which calls one of these functions.
//!
//! This crate does *not* judge what the functions read: an error is as good an answer as a value. Tests beside each reader
//! hold what is refused and with which words.

pub mod corpus;
pub mod memory;
pub mod mutation;
pub mod panics;
pub mod room;
pub mod targets;
