//! The functions that a fuzzer calls. Each takes the bytes of an input, reads them as one kind of file, and drops what it
//! has read.

mod data;
mod hub;
#[cfg(feature = "kernels")]
mod kernels;
mod model;
mod weights;

pub use data::{columnar, packed, plain_text, squad, tables, tagged};
pub use hub::{archive, hub, manifest};
#[cfg(feature = "kernels")]
pub use kernels::kernels;
pub use model::{adapter, config, resume, sentence_transformers, tokenizer};
pub use weights::{pickle, safetensors};

/// A function with its name.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// That of its folder of inputs, and of its program in `fuzz/`.
    pub name: &'static str,
    /// Reads the bytes of an input.
    pub run: fn(&[u8]),
}

/// All of them.
pub const TARGETS: &[Target] = &[
    target("adapter", adapter),
    target("archive", archive),
    target("columnar", columnar),
    target("config", config),
    target("hub", hub),
    #[cfg(feature = "kernels")]
    target("kernels", kernels),
    target("manifest", manifest),
    target("packed", packed),
    target("pickle", pickle),
    target("plain_text", plain_text),
    target("resume", resume),
    target("safetensors", safetensors),
    target("sentence_transformers", sentence_transformers),
    target("squad", squad),
    target("tables", tables),
    target("tagged", tagged),
    target("tokenizer", tokenizer),
];

const fn target(name: &'static str, run: fn(&[u8])) -> Target {
    Target { name, run }
}
