//! The pages for people: links and anchors hold, Rust snippets are compiled, and mdBook builds the book.

mod links;
mod page;
mod snippets;

use std::io::ErrorKind;
use std::process::{Command, Stdio};

use anyhow::{Result, bail};

use crate::process;
use crate::workspace::Workspace;

/// Checks the links of every page and, unless `links_only`, builds the book.
pub(crate) fn run(workspace: &Workspace, links_only: bool) -> Result<()> {
    let files = workspace.text_files()?;
    let mut violations = links::check(&files, &|path| workspace.root.join(path).exists());
    violations.extend(snippets::check(&files));
    for violation in &violations {
        eprintln!("{violation}");
    }
    if !violations.is_empty() {
        bail!("book: {} violation(s)", violations.len());
    }
    eprintln!("book: every link, anchor and path leads somewhere, and every page is listed");
    if links_only { Ok(()) } else { build(workspace) }
}

/// Builds the book with the `mdbook` of this machine.
fn build(workspace: &Workspace) -> Result<()> {
    let mut version = Command::new("mdbook");
    version.arg("--version").stdout(Stdio::null());
    if let Err(error) = version.status() {
        if error.kind() == ErrorKind::NotFound {
            bail!(
                "mdbook is not installed, so the book was not built. Install it with `cargo install mdbook --locked \
                 --no-default-features`, or check the links alone with `cargo xtask book --links-only`"
            );
        }
        return Err(error.into());
    }
    process::run(
        Command::new("mdbook")
            .args(["build", "docs", "--dest-dir"])
            .arg(workspace.target_directory.join("book"))
            .current_dir(&workspace.root),
    )
}
