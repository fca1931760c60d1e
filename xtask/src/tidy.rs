//! What a change must pass besides its tests.

use std::process::Command;

use anyhow::Result;

use crate::workspace::Workspace;
use crate::{process, validate};

/// The cheap checks first. Without `features`, clippy and the docs need no GPU stack.
pub(crate) fn run(workspace: &Workspace, features: &str) -> Result<()> {
    validate::run(workspace)?;
    process::run(cargo(workspace).args(["fmt", "--all", "--check"]))?;
    process::run(
        cargo(workspace)
            .args(["clippy", "--workspace", "--all-targets"])
            .args(["--features", features, "--", "-D", "warnings"]),
    )?;
    process::run(
        cargo(workspace)
            .args(["doc", "--workspace", "--no-deps"])
            .args(["--features", features])
            .env("RUSTDOCFLAGS", "-D warnings"),
    )
}

fn cargo(workspace: &Workspace) -> Command {
    let mut command = Command::new("cargo");
    command.current_dir(&workspace.root);
    command
}
