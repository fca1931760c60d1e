//! What `bert doctor` has found wrong on a device. It stays in the cache folder, so that later commands refuse it.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use bert_device::{DeviceSpec, OpenedDevice};
use bert_doctor::{Advice, Failures, Setting, advice};
use bert_hub::FetchOptions;
use serde::{Deserialize, Serialize};

use crate::failure::WrongUsage;
use crate::whole_file::WholeFile;

/// The folder in the cache.
const FOLDER: &str = "doctor";

/// What is computed by: other findings are of something else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Subject {
    /// Of this program.
    version: String,
    /// The hardware and the interface to it.
    description: String,
    driver: Option<String>,
}

impl Subject {
    fn of(opened: &OpenedDevice) -> Self {
        Self {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            description: opened.description.clone(),
            driver: opened.details.driver.clone(),
        }
    }
}

/// The file of a device.
#[derive(Debug, Serialize, Deserialize)]
struct Findings {
    subject: Subject,
    failures: Failures,
}

/// Keeps what was found. Kinds of checks that were not made this time keep what is known of them.
pub(crate) fn keep(spec: DeviceSpec, opened: &OpenedDevice, failures: &Failures) -> Result<()> {
    keep_in(
        &FetchOptions::from_env()?.home,
        spec,
        Subject::of(opened),
        failures,
    )
}

/// Makes sure that nothing is asked of the device that is known to be wrong there.
///
/// # Errors
/// [`WrongUsage`] with what was found.
pub(crate) fn refuse_unsafe(
    spec: DeviceSpec,
    opened: &OpenedDevice,
    asked: &[Setting],
) -> Result<()> {
    // Without a cache folder nothing was kept.
    let Ok(options) = FetchOptions::from_env() else {
        return Ok(());
    };
    refuse_unsafe_in(&options.home, spec, &Subject::of(opened), asked)
}

fn keep_in(home: &Path, spec: DeviceSpec, subject: Subject, failures: &Failures) -> Result<()> {
    let path = path(home, spec);
    let known = read(&path, &subject).unwrap_or_default();
    let mut all = known.unwrap_or_default();
    all.extend(failures.clone());
    let folder = path.parent().unwrap_or(home);
    fs::create_dir_all(folder).with_context(|| format!("{}: cannot be made", folder.display()))?;
    let mut file = WholeFile::begin(&path)?;
    file.json_line(&Findings {
        subject,
        failures: all,
    })?;
    file.commit()
}

fn refuse_unsafe_in(
    home: &Path,
    spec: DeviceSpec,
    subject: &Subject,
    asked: &[Setting],
) -> Result<()> {
    let path = path(home, spec);
    let failures = match read(&path, subject) {
        Ok(failures) => failures.unwrap_or_default(),
        Err(error) => {
            say!("note    {error:#}; `bert doctor --device {spec}` writes it anew");
            return Ok(());
        }
    };
    let advice = advice(spec.backend(), &failures);
    match advice.iter().find(|one| asked.contains(&one.setting)) {
        Some(one) => Err(WrongUsage(refusal(spec, one)).into()),
        None => Ok(()),
    }
}

fn refusal(spec: DeviceSpec, advice: &Advice) -> String {
    format!(
        "`bert doctor` has found this unsafe here: {} ({}); instead: {}. After a change of the machine run `bert doctor \
         --device {spec}` again, or give --allow-unsafe to compute all the same",
        advice.unsafe_setting, advice.because, advice.instead
    )
}

/// What is known of the subject; `None` where there is no file, or one of another subject.
fn read(path: &Path, subject: &Subject) -> Result<Option<Failures>> {
    if !path.is_file() {
        return Ok(None);
    }
    let text = fs::read_to_string(path).with_context(|| format!("{}", path.display()))?;
    let findings: Findings = serde_json::from_str(&text)
        .with_context(|| format!("{}: is not what `bert doctor` writes", path.display()))?;
    Ok((findings.subject == *subject).then_some(findings.failures))
}

fn path(home: &Path, spec: DeviceSpec) -> PathBuf {
    let word = spec.to_string().replace(':', "-");
    home.join(FOLDER).join(format!("{word}.json"))
}

#[cfg(test)]
mod tests {
    use bert_device::Backend;
    use bert_doctor::Group;

    use super::*;

    fn subject(driver: &str) -> Subject {
        Subject {
            version: "1".to_owned(),
            description: "a device".to_owned(),
            driver: Some(driver.to_owned()),
        }
    }

    fn failing(group: Group) -> Failures {
        Failures::from([(group, vec!["a check".to_owned()])])
    }

    fn passing(group: Group) -> Failures {
        Failures::from([(group, Vec::new())])
    }

    const EVERYTHING: [Setting; 3] = [Setting::Device, Setting::PartsOfModel, Setting::Bf16];

    fn spec() -> DeviceSpec {
        DeviceSpec::new(Backend::Wgpu)
    }

    #[test]
    fn what_was_found_is_refused_until_it_passes() {
        let home = tempfile::tempdir().unwrap();
        let refused =
            |asked: &[Setting]| refuse_unsafe_in(home.path(), spec(), &subject("1"), asked);
        refused(&EVERYTHING).unwrap();

        keep_in(home.path(), spec(), subject("1"), &failing(Group::Adapter)).unwrap();
        let message = refused(&EVERYTHING).unwrap_err().to_string();
        for words in [
            "lora",
            "failed: a check",
            "bert doctor --device wgpu",
            "--allow-unsafe",
        ] {
            assert!(message.contains(words), "no {words:?} in {message}");
        }
        refused(&[Setting::Device, Setting::Bf16]).unwrap();

        // Other checks say nothing about it.
        keep_in(home.path(), spec(), subject("1"), &passing(Group::Model)).unwrap();
        assert!(refused(&EVERYTHING).is_err());
        keep_in(home.path(), spec(), subject("1"), &passing(Group::Adapter)).unwrap();
        refused(&EVERYTHING).unwrap();
    }

    #[test]
    fn findings_are_of_one_device_with_one_driver() {
        let home = tempfile::tempdir().unwrap();
        keep_in(home.path(), spec(), subject("1"), &failing(Group::Model)).unwrap();
        let asked =
            |spec, driver: &str| refuse_unsafe_in(home.path(), spec, &subject(driver), &EVERYTHING);
        assert!(asked(spec(), "1").is_err());
        asked(spec(), "2").unwrap();
        asked("wgpu:1".parse().unwrap(), "1").unwrap();
    }

    #[test]
    fn a_damaged_file_refuses_nothing_and_is_written_anew() {
        let home = tempfile::tempdir().unwrap();
        fs::create_dir(home.path().join(FOLDER)).unwrap();
        fs::write(path(home.path(), spec()), "{").unwrap();
        refuse_unsafe_in(home.path(), spec(), &subject("1"), &EVERYTHING).unwrap();
        keep_in(home.path(), spec(), subject("1"), &failing(Group::Model)).unwrap();
        assert!(refuse_unsafe_in(home.path(), spec(), &subject("1"), &EVERYTHING).is_err());
    }
}
