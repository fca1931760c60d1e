//! `--config run.toml`: the options of a training run from a file.
//!
//! The file's keys are the long names of the flags. Each key becomes a flag, unless the command line has that flag already.
//! clap then parses everything as one command line, so that defaults and messages are the same for both.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};
use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command, CommandFactory, FromArgMatches};
use toml::{Table, Value};

use crate::cli::Cli;
use crate::failure::{ParseFailure, WrongUsage};

/// The flag that names the file. The file itself may not set it.
const CONFIG: &str = "config";
/// Below this Jaro-Winkler similarity a suggestion would mislead.
const MIN_SIMILARITY: f64 = 0.75;

/// Parses a command line, with the `--config` file that it may name.
pub(crate) fn parse(mut line: Vec<OsString>) -> Result<Cli, ParseFailure> {
    // What the command line leaves out, the file may have.
    let lenient = without_required(Cli::command());
    let Ok(matches) = lenient.clone().try_get_matches_from(&line) else {
        // Once more for help and messages that say what is required.
        return parse_whole(line).map_err(ParseFailure::CommandLine);
    };
    let file = innermost(&lenient, &matches).and_then(|(command, matches)| {
        let path = matches.try_get_one::<PathBuf>(CONFIG).ok()??;
        Some((path.clone(), arguments(path, command, matches)))
    });
    let Some((path, arguments)) = file else {
        return parse_whole(line).map_err(ParseFailure::CommandLine);
    };
    line.extend(arguments.map_err(ParseFailure::ConfigFile)?);
    parse_whole(line).map_err(|error| match error.kind() {
        ErrorKind::MissingRequiredArgument => ParseFailure::CommandLine(error),
        // The command line alone was in order, so it is the file's.
        _ => ParseFailure::ConfigFile(wrong(&path, &first_paragraph(&error))),
    })
}

fn parse_whole(line: Vec<OsString>) -> Result<Cli, clap::Error> {
    Cli::command()
        .try_get_matches_from(line)
        .and_then(|matches| Cli::from_arg_matches(&matches))
}

fn without_required(command: Command) -> Command {
    command
        .mut_args(|arg| arg.required(false))
        .mut_subcommands(without_required)
}

/// The subcommand that was called, down to the last level.
fn innermost<'a>(
    command: &'a Command,
    matches: &'a ArgMatches,
) -> Option<(&'a Command, &'a ArgMatches)> {
    match matches.subcommand() {
        Some((name, matches)) => innermost(command.find_subcommand(name)?, matches),
        None => Some((command, matches)),
    }
}

/// The file's options that the command line lacks, as arguments.
fn arguments(path: &Path, command: &Command, matches: &ArgMatches) -> Result<Vec<OsString>> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("--config {}: cannot be read", path.display()))?;
    let table: Table = toml::from_str(&text).map_err(|error| {
        wrong(
            path,
            &format!("not valid TOML: {}", error.to_string().trim_end()),
        )
    })?;
    let mut arguments = Vec::new();
    for (key, value) in &table {
        let arg = find(command, key).map_err(|message| wrong(path, &message))?;
        if matches.value_source(arg.get_id().as_str()) != Some(ValueSource::CommandLine) {
            let values = match value {
                Value::Array(values) if takes_several(arg) => values.as_slice(),
                value => std::slice::from_ref(value),
            };
            for value in values {
                let argument =
                    argument(arg, key, value).map_err(|message| wrong(path, &message))?;
                arguments.extend(argument.map(OsString::from));
            }
        }
    }
    Ok(arguments)
}

fn find<'a>(command: &'a Command, key: &str) -> Result<&'a Arg, String> {
    let options = || {
        let names = command
            .get_arguments()
            .filter_map(|arg| Some((arg.get_long()?, arg)));
        names.filter(|(name, _)| ![CONFIG, "help", "version"].contains(name))
    };
    if let Some((_, arg)) = options().find(|(name, _)| *name == key) {
        return Ok(arg);
    }
    let spelled = key.replace('_', "-");
    let closest = options()
        .map(|(name, _)| (strsim::jaro_winkler(&spelled, name), name))
        .filter(|(similarity, _)| *similarity >= MIN_SIMILARITY)
        .max_by(|(left, _), (right, _)| left.total_cmp(right));
    Err(match closest {
        Some((_, name)) => format!("there is no option `{key}`; did you mean `{name}`?"),
        None => format!(
            "there is no option `{key}`; the keys are the long names of the flags that `--help` lists"
        ),
    })
}

/// Whether an option may be given more than once.
fn takes_several(arg: &Arg) -> bool {
    matches!(arg.get_action(), ArgAction::Append)
}

/// One option as an argument; none for a switch that is off.
fn argument(arg: &Arg, key: &str, value: &Value) -> Result<Option<String>, String> {
    let takes_value = arg.get_action().takes_values();
    match value {
        Value::Boolean(on) if !takes_value => Ok(on.then(|| format!("--{key}"))),
        _ if !takes_value => Err(format!("`{key}` is a switch; expected true or false")),
        Value::String(text) => Ok(Some(format!("--{key}={text}"))),
        Value::Integer(number) => Ok(Some(format!("--{key}={number}"))),
        Value::Float(number) => Ok(Some(format!("--{key}={number}"))),
        Value::Boolean(on) => Ok(Some(format!("--{key}={on}"))),
        Value::Datetime(_) | Value::Array(_) | Value::Table(_) => Err(format!(
            "`{key}` is a {}; expected a string, a number, true or false",
            value.type_str()
        )),
    }
}

fn wrong(path: &Path, message: &str) -> anyhow::Error {
    anyhow!(WrongUsage(format!("{}: {message}", path.display())))
}

/// What clap says, without its prefix and its hint at `--help`.
fn first_paragraph(error: &clap::Error) -> String {
    let text = error.to_string();
    let text = text.strip_prefix("error: ").unwrap_or(&text);
    let (paragraph, _) = text.split_once("\n\n").unwrap_or((text, ""));
    paragraph.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_grammar_is_sound_with_and_without_required_arguments() {
        Cli::command().debug_assert();
        without_required(Cli::command()).debug_assert();
    }
}
