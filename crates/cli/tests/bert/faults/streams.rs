//! Readers of results and messages that go away.

use super::super::interrupted::Random;
use super::site::{Site, predict};

/// `bert … | head -1` ends without a word, and so does `bert … 2>&1 | head -1`, whatever is written behind the first line.
pub(super) fn gone(site: &Site, random: &mut Random) -> &'static str {
    let lines = [
        predict("first"),
        "embed --model first --input inputs.txt --threads 1".to_owned(),
        "evaluate text-classification --model first --data eval.tsv".to_owned(),
        "check text-classification --data train.tsv".to_owned(),
        "inspect first".to_owned(),
        "models".to_owned(),
        "predict text-classification --help".to_owned(),
    ];
    let line = &lines[random.below(lines.len() as u64) as usize];
    let bert = env!("CARGO_BIN_EXE_bert");
    let (both, outcome) = match random.below(2) {
        0 => ("", "results had no reader"),
        _ => ("2>&1", "results and messages had no reader"),
    };
    let count = random.below(3);
    let script = format!("set -o pipefail; {bert} {line} {both} | head -n {count}");
    let output = site.shell(&script);
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(
        output.status.success(),
        "{line}: {:?}: {stderr}",
        output.status
    );
    assert!(
        !stderr.contains("panicked") && !stderr.contains("error"),
        "{stderr}"
    );
    assert!(output.stdout.iter().filter(|&&byte| byte == b'\n').count() <= count as usize);
    assert!(!String::from_utf8_lossy(&output.stdout).contains("panicked"));
    outcome
}
