//! The peers: transformers on PyTorch with both kinds of its attention, and for inference ONNX Runtime and OpenVINO. Each
//! computes in the precision of the row, where it has that precision.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::last_line;
use super::rows::{INFERENCE, Precision, Row};
use crate::process;
use crate::workspace::Workspace;

const SCRIPT: &str = "xtask/peer/step.py";
const REQUIREMENTS: &str = "xtask/peer/requirements.txt";
const ATTENTIONS: [&str; 2] = ["sdpa", "eager"];

/// A Python that has what the script needs.
pub(crate) struct Peer {
    python: PathBuf,
    script: PathBuf,
    /// Where exported models are kept from run to run.
    models: PathBuf,
}

impl Peer {
    pub(crate) fn open(workspace: &Workspace, python: &Path) -> Result<Self> {
        let peer = Self {
            python: python.to_owned(),
            script: workspace.root.join(SCRIPT),
            models: workspace.target_directory.join("peer"),
        };
        peer.check()?;
        fs::create_dir_all(&peer.models)
            .with_context(|| format!("cannot make {}", peer.models.display()))?;
        Ok(peer)
    }

    /// Fails with the command that brings what is missing.
    fn check(&self) -> Result<()> {
        let python = self.python.display();
        let output = self
            .command("check")
            .output()
            .with_context(|| format!("cannot start {python}; name another one with --python"))?;
        if !output.status.success() {
            bail!(
                "{python} cannot run the peer:\n{}\ninstall them with `{python} -m pip install --requirement {REQUIREMENTS}`, \
                 or name another Python with --python",
                String::from_utf8_lossy(&output.stderr).trim_end()
            );
        }
        Ok(())
    }

    /// One round of a row: each peer's name and figures.
    pub(crate) fn measure(
        &self,
        row: &Row,
        family: &str,
        flags: &[String],
    ) -> Result<Vec<(String, Value)>> {
        let mut measured = Vec::new();
        let mut measure = |further: &[&OsStr]| -> Result<()> {
            let mut command = self.command(row.work);
            command
                .args(flags)
                .args(["--precision", row.precision.word()]);
            measured.push(named(&process::output(command.args(further))?)?);
            Ok(())
        };
        if row.precision != Precision::Int8 {
            for attention in ATTENTIONS {
                measure(&["--attention".as_ref(), attention.as_ref()])?;
            }
        }
        if row.work == INFERENCE {
            let model = self.exported(row, family, flags)?;
            for runtime in runtimes(row.precision) {
                let runtime = ["--runtime".as_ref(), runtime.as_ref()];
                measure(&[&runtime[..], &["--onnx".as_ref(), model.as_ref()]].concat())?;
            }
        }
        Ok(measured)
    }

    /// The row's model as ONNX, made when it is first asked for.
    fn exported(&self, row: &Row, family: &str, flags: &[String]) -> Result<PathBuf> {
        let quantized = match row.precision {
            Precision::Int8 => "-int8",
            Precision::F32 | Precision::Bf16 => "",
        };
        let name = format!(
            "{family}-{}-{}x{}{quantized}.onnx",
            row.size, row.batch, row.seq
        );
        let model = self.models.join(name);
        if !model.exists() {
            let half_written = model.with_extension("onnx.tmp");
            let mut command = self.command("export");
            command.args(flags).arg("--onnx").arg(&half_written);
            command.args(["--precision", row.precision.word()]);
            process::run(&mut command)?;
            fs::rename(&half_written, &model)
                .with_context(|| format!("cannot write {}", model.display()))?;
        }
        Ok(model)
    }

    fn command(&self, work: &str) -> Command {
        let mut command = Command::new(&self.python);
        command.arg(&self.script).arg(work);
        command
    }
}

/// What runs an ONNX model in this precision. ONNX Runtime has no bfloat16 on a CPU.
fn runtimes(precision: Precision) -> &'static [&'static str] {
    match precision {
        Precision::F32 | Precision::Int8 => &["onnxruntime", "openvino"],
        Precision::Bf16 => &["openvino"],
    }
}

fn named(printed: &str) -> Result<(String, Value)> {
    let figures = last_line(printed)?;
    let name = figures["peer"]
        .as_str()
        .context("the peer's figures lack a name")?;
    Ok((name.to_owned(), figures))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(python: &str) -> Peer {
        Peer {
            python: python.into(),
            script: "no-such-script.py".into(),
            models: "no-such-folder".into(),
        }
    }

    #[test]
    fn a_python_that_is_not_there_is_named() {
        let error = peer("no-such-python").check().expect_err("not there");
        assert!(error.to_string().contains("no-such-python"));
        assert!(error.to_string().contains("--python"));
    }

    #[test]
    fn a_python_without_the_packages_gets_the_command_that_brings_them() {
        // `false` fails whatever it is asked.
        let error = peer("false").check().expect_err("fails");
        assert!(
            error
                .to_string()
                .contains("-m pip install --requirement xtask/peer/requirements.txt")
        );
    }

    #[test]
    fn figures_go_by_the_name_of_their_peer() {
        let (name, figures) = named(r#"{"peer": "sdpa", "median_ms": 1.5}"#).expect("well-formed");
        assert_eq!(
            (name.as_str(), &figures["median_ms"]),
            ("sdpa", &1.5.into())
        );
        assert!(named("{}").is_err());
    }
}
