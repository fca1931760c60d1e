//! README and the book: every `bert …` that they show names commands and flags that there are.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::support::Room;

/// Commands whose second word is a command, too.
const WITH_TASKS: [&str; 5] = ["bench", "check", "evaluate", "predict", "train"];

#[test]
fn every_command_line_of_the_pages_has_flags_that_its_help_lists() {
    let mut flags_of: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for page in pages() {
        let text = std::fs::read_to_string(&page).unwrap();
        for line in command_lines(&text) {
            let (command, flags) = parts(&line);
            flags_of.entry(command).or_default().extend(flags);
        }
    }
    assert!(flags_of.contains_key("train masked-lm"), "{flags_of:?}");
    let room = Room::new();
    for (command, flags) in flags_of {
        let help = room.bert(&format!("{command} --help")).succeeded().stdout;
        let listed: BTreeSet<&str> = help.split([' ', '\n', ',', ']', '[']).collect();
        for flag in flags {
            assert!(
                listed.contains(flag.as_str()),
                "bert {command} has no {flag}"
            );
        }
    }
}

fn pages() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let book = std::fs::read_dir(root.join("docs/src")).unwrap();
    let mut pages = vec![root.join("README.md")];
    pages.extend(book.map(|entry| entry.unwrap().path()));
    pages
}

/// The words behind each `bert` at the beginning of a line of a shell block, or behind a pipe.
fn command_lines(text: &str) -> Vec<String> {
    let text = text.replace("\\\n", " ").replace("|\n", "| ");
    let mut in_shell = false;
    let mut lines = Vec::new();
    for line in text.lines() {
        if line.starts_with("```") {
            in_shell = line == "```sh";
        } else if in_shell {
            let commands = line.split(" | ").map(str::trim);
            lines.extend(commands.filter_map(|line| Some(line.strip_prefix("bert ")?.to_owned())));
        }
    }
    lines
}

/// The command with its task, and the long flags behind it.
fn parts(line: &str) -> (String, Vec<String>) {
    let words: Vec<&str> = line.split_whitespace().collect();
    let length = match words.first() {
        Some(word) if word.starts_with("--") => 0,
        Some(word) if WITH_TASKS.contains(word) => 2,
        _ => 1,
    };
    let (command, rest) = words.split_at(length);
    let flags = rest.iter().filter(|word| word.starts_with("--"));
    (
        command.join(" "),
        flags.map(|&flag| flag.to_owned()).collect(),
    )
}
