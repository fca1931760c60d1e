//! Checks and chores of this repository: `cargo xtask --help`.
//!
//! This crate does *not* take part in the program: nothing depends on it, it depends on no crate of the workspace, and
//! it changes no source. What it starts, it starts through `cargo`, `git`, `mdbook`, `python3` and the `bert` binary that it has built.

mod bench;
mod book;
mod embed;
mod goldens;
mod process;
mod tidy;
mod validate;
mod workspace;

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::workspace::Workspace;

#[derive(Parser)]
#[command(name = "cargo xtask", about)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Check the invariants of the repository: levels, dependencies, library code, docs, file lengths.
    Validate,
    /// Everything a change must pass besides its tests: formatting, clippy, docs and `validate`.
    Tidy {
        /// Cargo features for clippy and the docs: `wgpu`, say, to check with the tests' features.
        #[arg(long, default_value = "")]
        features: String,
    },
    /// Check the links of every page and build the book in `docs` with mdBook; it appears in `target/book`.
    Book {
        /// Check the links alone, which needs no mdBook.
        #[arg(long)]
        links_only: bool,
    },
    /// Build and run the project in `examples/embedding` as an outsider would, and check what it pulls in.
    Embed,
    /// Run `tests/goldens/make_goldens.py` with its pinned packages and report whether the golden files changed.
    Goldens,
    /// Measure steps and forward passes of the release build, with `--peer` in turn with those of PyTorch and ONNX Runtime.
    Bench(bench::BenchArgs),
}

fn main() -> Result<()> {
    let workspace = Workspace::load()?;
    match Arguments::parse().command {
        Command::Validate => validate::run(&workspace),
        Command::Tidy { features } => tidy::run(&workspace, &features),
        Command::Book { links_only } => book::run(&workspace, links_only),
        Command::Embed => embed::run(&workspace),
        Command::Goldens => goldens::run(&workspace),
        Command::Bench(args) => bench::run(&workspace, &args),
    }
}
