//! What the examples of natural-language inference and of the shared encoder say before they fetch anything.

use std::process::Command;

const EXAMPLES: [&str; 2] = [
    env!("CARGO_BIN_EXE_natural-language-inference"),
    env!("CARGO_BIN_EXE_shared-encoder"),
];

#[test]
fn help_names_every_argument_and_an_unknown_device_is_a_usage_error() {
    for example in EXAMPLES {
        let run = |arguments: &[&str]| {
            Command::new(example)
                .args(arguments)
                .output()
                .expect("it was built")
        };
        let help = run(&["--help"]);
        assert!(help.status.success());
        let help = String::from_utf8_lossy(&help.stdout).into_owned();
        for argument in ["--device", "--output", "--limit"] {
            assert!(
                help.contains(argument),
                "{argument} is missing from\n{help}"
            );
        }
        let refused = run(&["--device", "gpu"]);
        assert_eq!(refused.status.code(), Some(2));
        assert!(String::from_utf8_lossy(&refused.stderr).contains("gpu"));
    }
}
