//! What `--help` says.

use super::support::Room;

#[test]
fn every_default_of_training_has_its_reason_in_the_help() {
    let help = Room::new()
        .bert("train text-classification --help")
        .succeeded()
        .stdout;
    assert!(
        help.contains("--model <NAME|DIR> --train <FILE> --output <DIR>"),
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

/// The long flags under each heading of a help text.
fn flags_by_heading(help: &str) -> Vec<(&str, Vec<&str>)> {
    let mut sections = Vec::new();
    for line in help.lines() {
        if let Some(heading) = line
            .strip_suffix(':')
            .filter(|text| !text.contains(' ') || *text == "Data files")
        {
            sections.push((heading, Vec::new()));
        }
        let flag = line.split_whitespace().find(|word| word.starts_with("--"));
        let is_flag = line.trim_start().starts_with('-') && line.starts_with("  ");
        if let (Some(flag), true, Some((_, flags))) = (flag, is_flag, sections.last_mut()) {
            flags.push(flag);
        }
    }
    sections
}

#[test]
fn every_flag_stands_under_the_heading_that_it_belongs_to() {
    let room = Room::new();
    let helps = every_help(&room);
    assert!(helps.len() > 25, "{} commands", helps.len());
    for (command, help) in &helps {
        let sections = flags_by_heading(help);
        let under = |heading: &str| {
            let sections = sections.iter().filter(|(name, _)| *name == heading);
            let flags = sections.flat_map(|(_, flags)| flags.iter().copied());
            flags.collect::<Vec<&str>>()
        };
        let computes = ["train ", "evaluate ", "predict ", "bench "];
        let computes = computes
            .iter()
            .any(|word| command.trim_start().starts_with(word));
        let machine: &[&str] = if computes {
            &["--device", "--threads"]
        } else {
            &[]
        };
        assert_eq!(under("Machine"), machine, "{command}");
        let training = under("Training");
        let is_training = command.trim_start().starts_with("train ");
        assert_eq!(training.contains(&"--lr"), is_training, "{command}");
        for flag in [
            "--problem-type",
            "--alignment",
            "--head",
            "--aggregation",
            "--constrained",
            "--all-scores",
            "--labels",
            "--top-k",
            "--stride",
            "--articles",
            "--nbest",
            "--mlm-probability",
            "--text-column",
            "--scheme",
        ] {
            assert!(
                !training.contains(&flag),
                "{command}: {flag} is under Training"
            );
        }
        for name in ["--problem-type", "--alignment"] {
            assert!(!under("Options").contains(&name), "{command}: {name}");
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
