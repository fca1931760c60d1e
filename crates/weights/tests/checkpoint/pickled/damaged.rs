//! Files that are cut short or changed anywhere.

use std::fs;

use bert_weights::convert;
use proptest::prelude::*;

use super::build::{FOUR, Pickle, archive, dictionary};
use super::*;

fn small() -> Tensors {
    let mut tensors = base_tensors();
    tensors.retain(|name, _| name.starts_with("pooler"));
    tensors
}

#[test]
fn what_is_no_file_of_torch_save_is_recognised() {
    let lfs = b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n";
    for file in [&b""[..], b"PK", lfs, b"\x80\x02}."] {
        assert_eq!(fault(file), PickleFault::NotTorchSave);
    }
    let message = open(lfs).unwrap_err().to_string();
    assert!(message.contains("Git LFS"), "{message}");
}

#[test]
fn a_file_cut_short_anywhere_is_refused() {
    for whole in [pickled(&small()), pickled_legacy(&small())] {
        for length in 0..whole.len() {
            let _named = fault(&whole[..length]);
        }
    }
}

#[test]
fn a_pickle_cut_short_says_where() {
    let pickle = dictionary(|pickle| pickle.text("a.weight").tensor(&FOUR, &[2, 2], &[2, 1]));
    let cut = &pickle[..pickle.len() - 9];
    match fault(&archive(cut, &[vec![0; 16]])) {
        PickleFault::CutShort { place } => assert_eq!(place.key.as_deref(), Some("a.weight")),
        other => panic!("expected a pickle cut short, found: {other}"),
    }
}

#[test]
fn a_pickle_that_contradicts_itself_is_refused() {
    // An empty stack, a memo that was never written, a mark that was never set, a key without a value.
    for instructions in [&b"0."[..], b"h\x07.", b"t.", b"}(K\x01u.", b"(}0."] {
        let pickle = Pickle::new().raw(instructions).0;
        let found = fault(&archive(&pickle, &[]));
        let is_named = matches!(
            found,
            PickleFault::Damaged { .. } | PickleFault::Reader { .. }
        );
        assert!(is_named, "{found}");
    }
}

#[test]
fn an_archive_without_its_parts_is_refused() {
    let empty = dictionary(|pickle| pickle);
    assert_eq!(fault(&archive(&empty, &[])), PickleFault::NoTensors);
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default();
    for name in ["a/data.pkl", "b/data.pkl"] {
        zip.start_file(name, options).unwrap();
    }
    let two = zip.finish().unwrap().into_inner();
    assert!(matches!(fault(&two), PickleFault::Archive { .. }));
}

#[test]
fn a_storage_that_is_missing_or_short_is_named_when_it_is_read() {
    let pickle = dictionary(|pickle| pickle.text("a.weight").tensor(&FOUR, &[2, 2], &[2, 1]));
    for storages in [vec![], vec![vec![0; 12]]] {
        let (checkpoint, _directory) = open(&archive(&pickle, &storages)).unwrap();
        let target = tempfile::tempdir().unwrap();
        let message = convert(&checkpoint, &[], target.path())
            .unwrap_err()
            .to_string();
        assert!(message.contains("a.weight"), "{message}");
        assert_eq!(fs::read_dir(target.path()).unwrap().count(), 0);
    }
}

/// Opens a file and, where that succeeds, reads every value.
fn read_all(file: &[u8]) {
    if let Ok((checkpoint, _directory)) = open(file) {
        let target = tempfile::tempdir().unwrap();
        // A damaged storage is an error as good as any; what counts is that there is an end.
        let _ = convert(&checkpoint, &[], target.path());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn changed_bytes_never_panic(
        is_legacy in any::<bool>(),
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        cut in any::<prop::sample::Index>(),
        is_cut in any::<bool>(),
    ) {
        let mut file = match is_legacy {
            true => pickled_legacy(&small()),
            false => pickled(&small()),
        };
        for (index, value) in changes {
            let at = index.index(file.len());
            file[at] = value;
        }
        if is_cut {
            file.truncate(cut.index(file.len()));
        }
        read_all(&file);
    }

    #[test]
    fn random_instructions_never_panic(instructions in proptest::collection::vec(any::<u8>(), 0..60)) {
        read_all(&archive(&Pickle::new().raw(&instructions).done(), &[vec![0; 16]]));
    }
}
