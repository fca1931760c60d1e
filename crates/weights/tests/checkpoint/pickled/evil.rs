//! Pickles that ask for more than tensors.

use super::build::{FOUR, Pickle, Storage, archive, dictionary, legacy};
use super::*;

/// The fault of a pickle with one storage of four numbers.
fn fault_of(pickle: &[u8]) -> PickleFault {
    fault(&archive(pickle, &[vec![0; 16]]))
}

/// The class that a pickle is refused for, and the key that its message names.
fn refused_class(pickle: &[u8]) -> (String, Option<String>) {
    match fault_of(pickle) {
        PickleFault::Class { class, place } => (class, place.key),
        other => panic!("expected a refused class, found: {other}"),
    }
}

#[test]
fn the_pickles_of_these_tests_are_good_without_what_is_evil_in_them() {
    let pickle = dictionary(|pickle| pickle.text("a").tensor(&FOUR, &[2, 2], &[2, 1]));
    assert!(open(&archive(&pickle, &[vec![0; 16]])).is_ok());
}

#[test]
fn a_command_is_not_run_and_its_key_is_named() {
    let marker = tempfile::tempdir().unwrap();
    let marker = marker.path().join("ran");
    let command = format!("touch {}", marker.display());
    let pickle = dictionary(|pickle| {
        let good = pickle.text("good").tensor(&FOUR, &[4], &[1]);
        good.text("evil")
            .class("os", "system")
            .raw(b"(")
            .text(&command)
            .raw(b"tR")
    });
    assert_eq!(
        refused_class(&pickle),
        ("os.system".to_owned(), Some("evil".to_owned()))
    );
    let message = open(&archive(&pickle, &[vec![0; 16]]))
        .unwrap_err()
        .to_string();
    for word in [
        "pytorch_model.bin",
        "`os.system`",
        "`evil`",
        "nothing of it was run",
    ] {
        assert!(message.contains(word), "no {word} in {message}");
    }
    assert!(!marker.exists());
}

#[test]
fn a_class_is_refused_wherever_it_hides() {
    let dropped = dictionary(|pickle| pickle.class("os", "system").raw(b"0"));
    assert_eq!(refused_class(&dropped).0, "os.system");
    let by_strings = dictionary(|pickle| {
        pickle
            .text("key")
            .text("builtins")
            .text("eval")
            .raw(b"\x93")
    });
    assert_eq!(refused_class(&by_strings).0, "builtins.eval");
    let as_storage = Storage {
        class: "Evil",
        ..FOUR
    };
    let as_storage = dictionary(|pickle| pickle.text("a").tensor(&as_storage, &[4], &[1]));
    assert_eq!(
        refused_class(&as_storage),
        ("torch.Evil".to_owned(), Some("a".to_owned()))
    );
    let in_state = Pickle::new()
        .raw(b"}}(")
        .text("_metadata")
        .class("numpy", "ndarray")
        .raw(b"ub.");
    assert_eq!(refused_class(&in_state.0).0, "numpy.ndarray");
    let nested = dictionary(|pickle| {
        pickle
            .text("state_dict")
            .raw(b"}(")
            .text("w")
            .class("posix", "system")
            .raw(b"u")
    });
    assert_eq!(refused_class(&nested).1, Some("w".to_owned()));
}

#[test]
fn a_class_in_the_layout_of_pytorch_1_5_is_refused_in_every_pickle() {
    let good = dictionary(|pickle| pickle.text("a").tensor(&FOUR, &[4], &[1]));
    let storage = [(4, vec![0; 16])];
    assert!(open(&legacy(&good, &storage)).is_ok());
    let evil = dictionary(|pickle| pickle.text("a").class("os", "system"));
    assert!(matches!(
        fault(&legacy(&evil, &storage)),
        PickleFault::Class { .. }
    ));
    let file = legacy(&good, &storage);
    let keys = Pickle::new().raw(b"](").text("0").raw(b"e").done();
    let end = Pickle::new().class("os", "system").done();
    let behind = [&file[..file.len() - 24 - keys.len()], &end].concat();
    assert!(matches!(fault(&behind), PickleFault::Class { .. }));
}

#[test]
fn more_elements_than_the_file_has_bytes_are_refused_by_key() {
    let huge = 1 << 62;
    let elements = Storage {
        elements: huge,
        ..FOUR
    };
    for pickle in [
        dictionary(|pickle| pickle.text("a.weight").tensor(&FOUR, &[huge], &[0])),
        dictionary(|pickle| {
            pickle
                .text("a.weight")
                .tensor(&FOUR, &[1 << 31, 1 << 31], &[0, 0])
        }),
        dictionary(|pickle| {
            pickle
                .text("a.weight")
                .tensor(&FOUR, &[huge, huge], &[0, 0])
        }),
        dictionary(|pickle| pickle.text("a.weight").tensor(&elements, &[4], &[1])),
    ] {
        match fault_of(&pickle) {
            PickleFault::Elements {
                elements, place, ..
            } => {
                assert!(elements >= huge);
                assert_eq!(place.key.as_deref(), Some("a.weight"));
            }
            other => panic!("expected too many elements, found: {other}"),
        }
    }
    let wide = dictionary(|pickle| pickle.text("a.weight").tensor(&FOUR, &[500], &[0]));
    let message = fault_of(&wide).to_string();
    assert!(
        message.contains("a.weight") && message.contains("2000 bytes"),
        "{message}"
    );
}

#[test]
fn a_view_beyond_its_storage_is_refused() {
    for (offset, shape, strides) in [
        (1, [2, 2], [2, 1]),
        (0, [2, 2], [3, 1]),
        (u64::MAX, [1, 1], [1, 1]),
    ] {
        let storage = Storage { offset, ..FOUR };
        let pickle = dictionary(|pickle| pickle.text("a").tensor(&storage, &shape, &strides));
        assert!(matches!(fault_of(&pickle), PickleFault::Reader { .. }));
    }
}

#[test]
fn nesting_is_bounded_in_every_way() {
    let levels = 200;
    let tuples = Pickle::new().raw(b")").raw(&vec![0x85; levels]).done();
    let lists = Pickle::new()
        .raw(&vec![b']'; levels])
        .raw(&vec![b'a'; levels - 1])
        .done();
    let marks = Pickle::new()
        .raw(&vec![b'('; levels])
        .raw(&vec![b't'; levels])
        .done();
    let inner = dictionary(|pickle| pickle.text("deep").raw(b")").raw(&vec![0x85; levels]));
    for pickle in [tuples, lists, marks] {
        assert!(matches!(fault_of(&pickle), PickleFault::Nesting { .. }));
    }
    assert!(fault_of(&inner).to_string().contains("`deep`"));
}

#[test]
fn a_pickle_larger_than_names_and_shapes_need_is_refused() {
    let long = "x".repeat(17 << 20);
    let pickle = dictionary(|pickle| pickle.text(&long).tensor(&FOUR, &[4], &[1]));
    assert!(matches!(fault_of(&pickle), PickleFault::TooLarge { .. }));
    let file = legacy(&pickle, &[(4, vec![0; 16])]);
    assert!(matches!(fault(&file), PickleFault::TooLarge { .. }));
}

#[test]
fn instructions_that_tensors_do_not_need_are_refused() {
    // INST, OBJ, EXT1, NEXT_BUFFER, and a byte that is none.
    for opcode in [b'i', b'o', 0x82, 0x97, 0xff] {
        let pickle = Pickle::new().raw(&[opcode]).raw(b"os\nsystem\n.").0;
        match fault_of(&pickle) {
            PickleFault::Opcode { opcode: found, .. } => assert_eq!(found, opcode),
            other => panic!("expected an opcode, found: {other}"),
        }
    }
}
