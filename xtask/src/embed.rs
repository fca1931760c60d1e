//! The proof that the encoder and a head embed into another Burn project without the rest.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::process;
use crate::workspace::Workspace;

const PROJECT: &str = "examples/embedding";

/// What nobody who embeds a model asked for: command line, trainer, data side, downloads, progress bars.
const UNWANTED: [&str; 13] = [
    "bert-cli",
    "bert-device",
    "bert-tasks",
    "bert-text",
    "bert-train",
    "bert-weights",
    "burn-store",
    "clap",
    "hf-hub",
    "indicatif",
    "reqwest",
    "tokenizers",
    "ureq",
];

/// What it must hold for the proof to mean anything.
const WANTED: [&str; 2] = ["bert-encoder", "bert-text-classification"];

/// Builds and runs the project, then looks through its dependency tree.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    let project = workspace.root.join(PROJECT);
    copy_lock(workspace, &project)?;
    process::run(
        Command::new("cargo")
            .args(["run", "--target-dir"])
            .arg(&workspace.target_directory)
            .current_dir(&project),
    )?;
    let tree = process::output(
        Command::new("cargo")
            .args(["tree", "--edges", "normal,build", "--prefix", "none"])
            .current_dir(&project),
    )?;
    let packages = check_tree(&tree)?;
    eprintln!(
        "embed: {packages} packages, none of {}",
        UNWANTED.join(", ")
    );
    Ok(())
}

/// The outside project resolves to the versions tested here, and needs no registry when they are at hand.
fn copy_lock(workspace: &Workspace, project: &Path) -> Result<()> {
    fs::copy(
        workspace.root.join("Cargo.lock"),
        project.join("Cargo.lock"),
    )
    .with_context(|| format!("cannot copy Cargo.lock to {PROJECT}"))?;
    Ok(())
}

/// Returns the number of packages in the tree.
fn check_tree(tree: &str) -> Result<usize> {
    let packages: BTreeSet<&str> = tree
        .lines()
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    let missing: Vec<_> = WANTED
        .iter()
        .filter(|name| !packages.contains(**name))
        .collect();
    ensure!(
        missing.is_empty(),
        "{PROJECT} does not depend on {missing:?}"
    );
    let found: Vec<_> = UNWANTED
        .iter()
        .filter(|name| packages.contains(**name))
        .collect();
    ensure!(
        found.is_empty(),
        "{PROJECT} pulls in {found:?}, which no embedding project asked for"
    );
    Ok(packages.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TREE: &str = "embedding v0.1.0 (a path)\nbert-encoder v0.1.0 (a path)\nbert-text-classification v0.1.0 (a path)\nburn v0.22.1\nburn v0.22.1 (*)\n";

    #[test]
    fn a_lean_tree_passes_and_counts_each_package_once() {
        assert_eq!(check_tree(TREE).expect("lean"), 4);
    }

    #[test]
    fn an_unwanted_package_fails_by_name() {
        let error = check_tree(&format!("{TREE}tokenizers v0.23.0\n")).expect_err("unwanted");
        assert!(error.to_string().contains("tokenizers"));
    }

    #[test]
    fn a_name_that_only_begins_like_an_unwanted_one_passes() {
        assert!(check_tree(&format!("{TREE}clap_lex v1.0.0\n")).is_ok());
    }

    #[test]
    fn a_tree_without_the_encoder_proves_nothing_and_fails() {
        assert!(check_tree("embedding v0.1.0\n").is_err());
    }
}
