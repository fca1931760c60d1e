//! Files from a Python package. The user's own `pip` downloads it with the user's own settings; nothing is installed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use super::{Context, accept_members, members};
use crate::archive::{self, Inside};
use crate::disk;
use crate::error::SourceError;
use crate::manifest::{PackageKind, PackageSource};
use crate::wanted::{self, Wanted};

/// Lines of `pip`'s standard error that go into an error message.
const MESSAGE_LINES: usize = 4;

pub(super) fn obtain(
    source: &PackageSource,
    wanted: &mut [Wanted<'_>],
    context: &mut Context<'_>,
) -> Result<(), SourceError> {
    if context.options.offline {
        return Err(SourceError::NeedsNetwork);
    }
    let pip = working_pip(&context.options.pip_commands)?;
    fs::create_dir_all(context.partial)
        .map_err(SourceError::disk("create the folder", context.partial))?;
    let work = tempfile::tempdir_in(context.partial)
        .map_err(SourceError::disk("create a folder in", context.partial))?;
    let package = format!("{}=={}", source.name, source.version);
    context.progress.note(&format!(
        "downloading the package {package} with {}",
        pip.join(" ")
    ));
    context.progress.start(&package, 0, None);
    let archive = download(source, pip, work.path());
    context.progress.finish();
    let archive = archive?;
    check_archive(source, &archive)?;
    let inside = Inside {
        archives: &source.archives,
        strip_top: source.kind == PackageKind::Sdist,
        folder: &source.path,
    };
    archive::extract(&archive, &inside, members(wanted), work.path())?;
    accept_members(wanted)
}

fn working_pip(commands: &[Vec<String>]) -> Result<&[String], SourceError> {
    let works = |command: &&Vec<String>| match command.split_first() {
        Some((program, arguments)) => {
            let mut probe = Command::new(program);
            probe.args(arguments).arg("--version");
            run(&mut probe).is_ok_and(|output| output.status.success())
        }
        None => false,
    };
    let tried = || {
        commands
            .iter()
            .map(|command| command.join(" "))
            .collect::<Vec<_>>()
            .join(", ")
    };
    let found = commands.iter().find(works);
    found
        .map(Vec::as_slice)
        .ok_or_else(|| SourceError::NoClient { tried: tried() })
}

/// Runs `pip download` and returns the one file it left.
fn download(source: &PackageSource, pip: &[String], work: &Path) -> Result<PathBuf, SourceError> {
    let to = work.join("download");
    let requirement = write_requirement(source, work)?;
    let Some((program, arguments)) = pip.split_first() else {
        return Err(SourceError::NoClient {
            tried: String::new(),
        });
    };
    let mut command = Command::new(program);
    command.args(arguments).args([
        "download",
        "--no-deps",
        "--no-input",
        "--disable-pip-version-check",
    ]);
    match source.kind {
        PackageKind::Wheel => command.args(["--only-binary", &source.name]),
        PackageKind::Sdist => command.args(["--no-binary", &source.name]),
    };
    command
        .arg("--dest")
        .arg(&to)
        .arg("--requirement")
        .arg(&requirement);
    let shown = format!(
        "{} download {}=={}",
        pip.join(" "),
        source.name,
        source.version
    );
    let output = run(&mut command)
        .map_err(|refused| client_error(&shown, "not started", &refused.to_string()))?;
    if !output.status.success() {
        let stderr = String::from_utf8_lossy(&output.stderr);
        return Err(client_error(
            &shown,
            &output.status.to_string(),
            &last_lines(&stderr),
        ));
    }
    only_file(&to, shown)
}

/// Writes the requirement and its hash to a file. `pip` takes a hash only from a file, and checks it before it runs any
/// code of the package.
fn write_requirement(source: &PackageSource, work: &Path) -> Result<PathBuf, SourceError> {
    let path = work.join("requirement.txt");
    let hash = source
        .sha256
        .as_ref()
        .map(|sha256| format!(" --hash=sha256:{sha256}"))
        .unwrap_or_default();
    let line = format!("{}=={}{hash}\n", source.name, source.version);
    fs::write(&path, line).map_err(SourceError::disk("write", &path))?;
    Ok(path)
}

fn run(command: &mut Command) -> std::io::Result<Output> {
    command.stdin(Stdio::null()).output()
}

fn only_file(folder: &Path, command: String) -> Result<PathBuf, SourceError> {
    let entries = fs::read_dir(folder).map_err(SourceError::disk("read", folder))?;
    let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    match (files.pop(), files.len()) {
        (Some(file), 0) => Ok(file),
        (last, others) => Err(SourceError::ClientOutput {
            command,
            found: others + usize::from(last.is_some()),
        }),
    }
}

fn check_archive(source: &PackageSource, archive: &Path) -> Result<(), SourceError> {
    let found = disk::sha256_of(archive).map_err(SourceError::disk("read", archive))?;
    let name = format!("{}=={}", source.name, source.version);
    wanted::check_hash(&name, source.sha256.as_deref(), &found)
}

fn client_error(command: &str, status: &str, message: &str) -> SourceError {
    SourceError::Client {
        command: command.to_owned(),
        status: status.to_owned(),
        message: message.to_owned(),
    }
}

fn last_lines(text: &str) -> String {
    let lines: Vec<&str> = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    lines[lines.len().saturating_sub(MESSAGE_LINES)..].join(" / ")
}
