//! Runs that are signalled or killed, and what they leave behind.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::support::{Room, Run, json_lines, names_in};

/// The log without what a clock says.
pub(crate) fn log(room: &Room, output: &str) -> Vec<Value> {
    let mut lines = json_lines(&room.read(&format!("{output}/training.jsonl")));
    for line in &mut lines {
        line.as_object_mut().unwrap().remove("seconds");
    }
    lines
}

/// Files that hold times, names of directories or the command line.
const OF_THE_COMMAND: [&str; 4] = ["README.md", "checkpoints", "run.json", "training.jsonl"];

/// The files of a run, without those of TensorBoard: each part of a run has one of its own.
pub(crate) fn files_of(room: &Room, output: &str) -> Vec<String> {
    let mut names = names_in(&room.path(output));
    names.retain(|name| !name.starts_with("events.out.tfevents"));
    names
}

/// Fails unless two runs have left the same, down to the names of the files.
pub(crate) fn assert_same(room: &Room, one: &str, other: &str) {
    assert_eq!(log(room, one), log(room, other), "the logs");
    let names = files_of(room, one);
    assert_eq!(names, files_of(room, other));
    for name in names
        .iter()
        .filter(|name| !OF_THE_COMMAND.contains(&name.as_str()))
    {
        let bytes = |output| std::fs::read(room.path(output).join(name)).unwrap();
        assert!(bytes(one) == bytes(other), "{name} differs");
    }
    // The card names the directory; its figures are the same.
    let card = |output: &str| {
        room.read(&format!("{output}/README.md"))
            .replace(output, "")
    };
    assert_eq!(card(one), card(other));
}

pub(crate) fn checkpoints(room: &Room, output: &str) -> Vec<String> {
    let dir = room.path(output).join("checkpoints");
    if dir.exists() {
        names_in(&dir)
    } else {
        Vec::new()
    }
}

/// Starts a run in the background.
pub(crate) fn start(room: &Room, line: &str) -> Child {
    let mut command = room.command();
    command.args(line.split_whitespace());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().unwrap()
}

pub(crate) fn send(child: &Child, signal: &str) {
    let pid = child.id().to_string();
    let status = Command::new("kill").args(["-s", signal, &pid]).status();
    assert!(status.unwrap().success());
}

pub(crate) fn steps_logged(log: &Path) -> usize {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    text.matches("\"event\":\"step\"").count()
}

/// Waits until the run has done so many steps.
pub(crate) fn wait_for(room: &Room, output: &str, steps: usize) {
    let log = room.path(output).join("training.jsonl");
    let start = Instant::now();
    while steps_logged(&log) < steps {
        assert!(
            start.elapsed() < Duration::from_secs(120),
            "no {steps} steps"
        );
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// A run that is sent a signal after some steps.
pub(crate) fn signalled(room: &Room, line: &str, output: &str, steps: usize, signal: &str) -> Run {
    let child = start(room, &format!("{line} --output {output}"));
    wait_for(room, output, steps);
    send(&child, signal);
    Run::from(child.wait_with_output().unwrap())
}

/// Numbers that look random (xorshift, Marsaglia 2003).
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }
}

/// Starts a run, kills it after a while, and says whether that came before its end.
pub(crate) fn killed_after(room: &Room, line: &str, time: Duration) -> bool {
    let mut child = start(room, line);
    std::thread::sleep(time);
    let was_running = child.try_wait().unwrap().is_none();
    // A process that has ended by itself cannot be killed.
    let _ = child.kill();
    child.wait().unwrap();
    was_running
}
