use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::{Histogram, Provenance, ReportError, whole_file};

/// What a run starts from: the file `run.json`, written before the first step.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RunFile {
    /// The task as the command line names it, such as `text-classification`.
    pub task: String,
    /// The model that training starts from, as the command line names it.
    pub model: String,
    /// What is known about that model.
    pub provenance: Provenance,
    /// Layers, width, and what the head predicts, in words.
    pub description: String,
    /// Longest sequence in tokens.
    pub max_length: usize,
    /// The data.
    pub data: Vec<DataPart>,
    /// The arguments of the command.
    pub command: Vec<String>,
    /// Where it ran.
    pub environment: Environment,
}

/// The data of one purpose.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct DataPart {
    /// `train`, `eval` or `test`.
    pub role: String,
    /// The files as the command line names them.
    pub files: Vec<String>,
    /// The data set that the files are of, where it has a name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data_set: Option<String>,
    /// Inputs of the model: rows, or windows of longer texts.
    pub examples: usize,
    /// Their lengths in tokens, special tokens included.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lengths: Option<Histogram>,
}

/// Where a run ran.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Environment {
    /// The version of this program.
    pub version: String,
    /// Where it computed, such as `flex`.
    pub device: String,
    /// Threads of the CPU.
    pub threads: usize,
    /// The operating system, such as `linux`.
    pub os: String,
    /// The processor's architecture, such as `x86_64`.
    pub arch: String,
    /// The processor's name, where the system tells it.
    pub processor: String,
    /// When it started, in seconds since 1970.
    pub started: u64,
}

impl RunFile {
    /// The name of the file.
    pub const FILE: &str = "run.json";

    /// Writes `dir/run.json`.
    ///
    /// # Errors
    ///
    /// The file cannot be written; what was there before is then still there.
    pub fn write(&self, dir: &Path) -> Result<(), ReportError> {
        whole_file::write_json(&dir.join(Self::FILE), self)
    }

    /// Reads `dir/run.json`; `None` where there is none.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or is another one.
    pub fn read(dir: &Path) -> Result<Option<Self>, ReportError> {
        whole_file::read_json(&dir.join(Self::FILE))
    }

    /// The data of a purpose.
    pub fn part(&self, role: &str) -> Option<&DataPart> {
        self.data.iter().find(|part| part.role == role)
    }
}

impl DataPart {
    /// The files without the folders that they lie in.
    pub fn file_names(&self) -> Vec<String> {
        let name = |file: &String| {
            let name = file.rsplit(['/', '\\']).next();
            name.unwrap_or(file).to_owned()
        };
        self.files.iter().map(name).collect()
    }
}

impl Environment {
    /// This machine, now.
    pub fn of_this_machine(device: &str, threads: usize) -> Self {
        let since_1970 = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        Self {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            device: device.to_owned(),
            threads,
            os: std::env::consts::OS.to_owned(),
            arch: std::env::consts::ARCH.to_owned(),
            processor: processor().unwrap_or_default(),
            started: since_1970.map_or(0, |time| time.as_secs()),
        }
    }
}

/// The processor's name, from where Linux keeps it.
fn processor() -> Option<String> {
    let text = std::fs::read_to_string("/proc/cpuinfo").ok()?;
    let line = text.lines().find(|line| line.starts_with("model name"))?;
    let (_, name) = line.split_once(':')?;
    Some(name.trim().to_owned())
}
