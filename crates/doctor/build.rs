//! Packs the golden files that the checks need, so that the crate embeds those of the repository.

use std::error::Error;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use tar::{Builder, Header, HeaderMode};

const CASES: [&str; 15] = [
    "adamw_20_steps",
    "adamw_accumulation",
    "autocast",
    "dora",
    "families",
    "gelu",
    "lora",
    "masked_lm",
    "multi_label",
    "next_sentence",
    "pretraining",
    "question_answering",
    "regression",
    "single_label",
    "token_classification",
];

fn main() -> Result<(), Box<dyn Error>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/goldens");
    let archive = PathBuf::from(std::env::var("OUT_DIR")?).join("goldens.tar.gz");
    let mut builder = Builder::new(GzEncoder::new(File::create(archive)?, Compression::best()));
    for case in CASES {
        println!("cargo::rerun-if-changed={}", folder.join(case).display());
        append(&mut builder, &folder, Path::new(case))?;
    }
    builder.into_inner()?.finish()?;
    Ok(())
}

/// Appends the files below `path`, which is within `folder`, in the order of their names and without what depends on the machine.
fn append(
    builder: &mut Builder<GzEncoder<File>>,
    folder: &Path,
    path: &Path,
) -> Result<(), Box<dyn Error>> {
    let here = folder.join(path);
    if here.is_dir() {
        let entries: Result<Vec<_>, _> = fs::read_dir(&here)?.collect();
        let mut names: Vec<_> = entries?.iter().map(fs::DirEntry::file_name).collect();
        names.sort();
        for name in names {
            append(builder, folder, &path.join(name))?;
        }
        return Ok(());
    }
    let mut header = Header::new_gnu();
    header.set_metadata_in_mode(&fs::metadata(&here)?, HeaderMode::Deterministic);
    builder.append_data(&mut header, path, File::open(&here)?)?;
    Ok(())
}
