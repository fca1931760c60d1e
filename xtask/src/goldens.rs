//! Making the golden files anew, to see that they still say what the pinned reference says.

use std::path::Path;
use std::process::Command;

use anyhow::{Result, ensure};

use crate::process;
use crate::workspace::Workspace;

const FOLDER: &str = "tests/goldens";
const SCRIPT: &str = "tests/goldens/make_goldens.py";
const REQUIREMENTS: &str = "tests/goldens/requirements.txt";

/// Runs the script in a virtual environment under the target directory and fails when git sees a difference.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    require_files(&workspace.root)?;
    let environment = workspace.target_directory.join("goldens-venv");
    let python = environment.join("bin/python");
    if !python.exists() {
        process::run(
            Command::new("python3")
                .args(["-m", "venv"])
                .arg(&environment),
        )?;
    }
    process::run(
        Command::new(&python)
            .args([
                "-m",
                "pip",
                "install",
                "--quiet",
                "--requirement",
                REQUIREMENTS,
            ])
            .current_dir(&workspace.root),
    )?;
    process::run(
        Command::new(&python)
            .arg(SCRIPT)
            .current_dir(&workspace.root),
    )?;
    let changes = process::output(
        Command::new("git")
            .args(["status", "--porcelain", "--", FOLDER])
            .current_dir(&workspace.root),
    )?;
    if !changes.is_empty() {
        process::run(
            Command::new("git")
                .args(["--no-pager", "diff", "--stat", "--", FOLDER])
                .current_dir(&workspace.root),
        )?;
    }
    ensure!(
        changes.is_empty(),
        "the golden files changed:\n{changes}commit them with the reason, or undo with `git checkout {FOLDER}`"
    );
    eprintln!("goldens: made anew, byte for byte the same");
    Ok(())
}

fn require_files(root: &Path) -> Result<()> {
    for path in [SCRIPT, REQUIREMENTS] {
        ensure!(
            root.join(path).is_file(),
            "{path} is missing; the golden files cannot be made without it"
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_script_is_named() {
        let error = require_files(Path::new("no-such-folder")).expect_err("nothing there");
        assert!(error.to_string().contains(SCRIPT));
    }
}
