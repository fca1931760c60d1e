//! What the examples say before they fetch anything. The whole run is a step of `.ci/run`.

use std::process::{Command, Output};

fn masked_lm(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_masked-lm"))
        .args(arguments)
        .output()
        .expect("the binary was built for this test")
}

fn text_classification(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_text-classification"))
        .args(arguments)
        .output()
        .expect("the binary was built for this test")
}

#[test]
fn help_names_every_argument() {
    for output in [text_classification(&["--help"]), masked_lm(&["--help"])] {
        assert!(output.status.success());
        let help = String::from_utf8_lossy(&output.stdout);
        for argument in ["--device", "--output", "--limit"] {
            assert!(
                help.contains(argument),
                "{argument} is missing from\n{help}"
            );
        }
    }
}

#[test]
fn an_unknown_device_is_a_usage_error() {
    let output = text_classification(&["--device", "gpu"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("gpu"));
}

#[test]
fn without_a_data_file_token_classification_says_which_to_give() {
    let output = Command::new(env!("CARGO_BIN_EXE_token-classification"))
        .output()
        .expect("the binary was built for this test");
    assert_eq!(output.status.code(), Some(1));
    let message = String::from_utf8_lossy(&output.stderr);
    for words in ["--train FILE", "a word and its tag a line", "wnut17"] {
        assert!(message.contains(words), "no {words:?} in {message}");
    }
}
