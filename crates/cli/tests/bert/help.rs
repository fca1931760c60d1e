//! What `--help` says.

use super::support::Room;

#[test]
fn every_default_of_training_has_its_reason_in_the_help() {
    let help = Room::new()
        .bert("train text-classification --help")
        .succeeded()
        .stdout;
    assert!(
        help.contains("--model <DIR|NAME> --train <FILE|NAME>... --output <DIR>"),
        "{help}"
    );
    let words: String = help.split_whitespace().collect::<Vec<_>>().join(" ");
    for reason in [
        "3: the middle of the 2 to 4",
        "32: the larger",
        "5e-5: the highest that BERT's paper recommends",
        "128: holds sentences",
        "0.1: as in Google's",
        "0.01: as in Google's",
        "42: any number",
        "all: the most accurate",
        "flex: it needs no GPU",
        "shuffled: at random, as transformers does",
        "auto: it does when",
    ] {
        assert!(words.contains(reason), "no {reason:?} in\n{help}");
    }
    // Each default that clap shows stands in a text that gives a reason for a value.
    for option in help.split("\n\n").filter(|text| text.contains("[default:")) {
        assert!(
            option.contains(':') && option.contains(';'),
            "no reason: {option}"
        );
    }
}

/// `bert COMMAND --help` for every command, with its task if it has any.
fn every_help(room: &Room) -> Vec<(String, String)> {
    let mut helps = Vec::new();
    let mut open = vec![String::new()];
    while let Some(command) = open.pop() {
        let help = room.bert(&format!("{command} --help")).succeeded().stdout;
        let commands = help.split_once("Commands:\n");
        let Some((_, commands)) = commands else {
            helps.push((command, help));
            continue;
        };
        let words = commands
            .lines()
            .take_while(|line| line.is_empty() || line.starts_with(' '))
            .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
            .filter_map(|line| line.split_whitespace().next());
        let words = words.filter(|word| *word != "help");
        open.extend(words.map(|word| format!("{command} {word}")));
    }
    helps
}

/// The long flags under one heading of a help text.
fn flags_under<'h>(heading: &str, help: &'h str) -> Vec<&'h str> {
    let start = format!("\n{heading}:\n");
    let section = help.split_once(&start).map_or("", |(_, rest)| rest);
    let lines = section.lines();
    let lines = lines.take_while(|line| line.is_empty() || line.starts_with(' '));
    let flags = lines.filter(|line| line.trim_start().starts_with('-'));
    let long = flags.filter_map(|line| line.split_whitespace().find(|word| word.starts_with("--")));
    long.collect()
}

#[test]
fn every_flag_stands_under_the_heading_that_it_belongs_to() {
    /// What has no heading belongs to every task of its command.
    const SHARED: [&str; 20] = [
        "--model",
        "--offline",
        "--train",
        "--eval",
        "--test",
        "--output",
        "--overwrite",
        "--config",
        "--data",
        "--predictions",
        "--max-length",
        "--batch-size",
        "--weights",
        "--input",
        "--shard",
        "--on-error",
        "--logits",
        "--json",
        "--help",
        "--version",
    ];
    let room = Room::new();
    let helps = every_help(&room);
    assert!(helps.len() > 25, "{} commands", helps.len());
    let reference = room.bert("train text-classification --help").stdout;
    let training = flags_under("Training", &reference);
    assert!(training.contains(&"--lr") && !training.contains(&"--problem-type"));
    for (command, help) in &helps {
        let verb = command.split_whitespace().next().unwrap_or_default();
        let machine = match verb {
            "train" | "evaluate" | "predict" | "embed" | "merge" | "bench" => {
                vec!["--device", "--threads", "--allow-unsafe"]
            }
            "doctor" => vec!["--device", "--threads"],
            _ => Vec::new(),
        };
        assert_eq!(flags_under("Machine", help), machine, "{command}");
        let expected = if verb == "train" {
            training.clone()
        } else {
            Vec::new()
        };
        assert_eq!(flags_under("Training", help), expected, "{command}");
        if ["check", "train", "evaluate", "predict", "embed"].contains(&verb) {
            for flag in flags_under("Options", help) {
                assert!(SHARED.contains(&flag), "{command}: {flag} has no heading");
            }
        }
    }
}

#[test]
fn the_help_names_every_device_word() {
    let help = Room::new()
        .bert("predict text-classification --help")
        .succeeded()
        .stdout;
    for device in ["flex", "ndarray", "wgpu", "vulkan", "metal", "cuda"] {
        assert!(help.contains(device), "{help}");
    }
}

#[test]
fn without_a_command_the_help_is_shown_as_an_error_of_usage() {
    let run = Room::new().bert("");
    assert_eq!(run.code, Some(2));
    assert!(run.stderr.contains("Usage: bert"), "{}", run.stderr);
}
