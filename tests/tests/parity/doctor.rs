//! `bert-doctor`: what it embeds, what it covers, and that it finds a mistake.

use std::path::{Path, PathBuf};

use bert_doctor::{ARCHIVE, Doctor, Fault, Fixtures, Status, suite};
use bert_encoder::ModelType;
use bert_testing::{TestDevice, golden, where_kernels_are};

where_kernels_are!(a_wrong_gradient_is_found_by_every_check_that_has_it);

/// More would be felt in the size of the binary.
const LARGEST_ARCHIVE: usize = 1_000_000;

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in folder.read_dir().unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                files.push(path);
            }
        }
    }
    files
}

#[test]
fn the_embedded_golden_files_are_those_of_the_folder() {
    assert!(ARCHIVE.len() < LARGEST_ARCHIVE, "{} bytes", ARCHIVE.len());
    let fixtures = Fixtures::unpack().unwrap();
    let unpacked = files_below(fixtures.path());
    assert!(!unpacked.is_empty());
    for path in &unpacked {
        let name = path.strip_prefix(fixtures.path()).unwrap();
        let (packed, here) = (
            std::fs::read(path),
            std::fs::read(golden::folder().join(name)),
        );
        assert_eq!(packed.unwrap(), here.unwrap(), "{}", name.display());
    }
    let of_families = files_below(&golden::folder().join("families")).len();
    let packed_families = files_below(&fixtures.path().join("families")).len();
    assert_eq!(
        packed_families, of_families,
        "a family has been added since"
    );
}

#[test]
fn every_family_is_among_the_checks() {
    let names: Vec<String> = suite().into_iter().map(|item| item.name).collect();
    for family in ModelType::ALL {
        let start = format!("{} For", family.name());
        let is_there = names.iter().any(|name| name.starts_with(&start));
        assert!(is_there, "no {start} in {names:?}");
    }
    let mut once = names.clone();
    once.sort();
    once.dedup();
    assert_eq!(once.len(), names.len(), "two checks have one name");
}

fn a_wrong_gradient_is_found_by_every_check_that_has_it(device: &TestDevice) -> anyhow::Result<()> {
    let fault = Fault {
        gradient: "bert.encoder.layer.0.attention.self.query.weight".to_owned(),
        factor: 1.01,
    };
    let doctor = Doctor::new(device.backend(), device.plain().clone())?;
    let doctor = doctor.with_fault(fault.clone());
    for (name, status) in [
        (
            "bert ForSequenceClassification, single label",
            Status::Failed,
        ),
        ("bert ForMaskedLM, masked lm", Status::Failed),
        ("--tune all", Status::Failed),
        ("--tune head", Status::Passed),
        ("more padding", Status::Passed),
        ("2 row(s) of 512 token(s)", Status::Failed),
    ] {
        let items = suite();
        let item = items.iter().find(|item| item.name == name).unwrap();
        let outcome = doctor.examine(item);
        assert_eq!(outcome.status, status, "{outcome:?}");
        let names_it = outcome
            .failures
            .iter()
            .any(|one| one.contains(&fault.gradient));
        assert_eq!(names_it, status == Status::Failed, "{outcome:?}");
    }
    Ok(())
}
