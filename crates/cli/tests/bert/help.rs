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
