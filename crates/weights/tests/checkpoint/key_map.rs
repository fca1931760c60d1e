//! Key maps are bijections.

use bert_weights::{KeyMap, KeyMapColumn, KeyMapError};
use proptest::prelude::*;

#[test]
fn comments_blank_lines_tabs_and_spaces_are_read() {
    let keys = KeyMap::parse("# a comment\n\n  a.weight \t b.weight\r\n").unwrap();
    assert_eq!(keys.module_path("a.weight").as_deref(), Some("b.weight"));
    assert_eq!(
        keys.checkpoint_name("b.weight").as_deref(),
        Some("a.weight")
    );
    assert_eq!(keys.module_path("b.weight"), None);
}

#[test]
fn a_layer_number_is_carried_over_both_ways() {
    let keys = KeyMap::parse("encoder.layer.{n}.dense.weight layers.{n}.dense.weight").unwrap();
    assert_eq!(
        keys.module_path("encoder.layer.11.dense.weight").as_deref(),
        Some("layers.11.dense.weight")
    );
    assert_eq!(
        keys.checkpoint_name("layers.0.dense.weight").as_deref(),
        Some("encoder.layer.0.dense.weight")
    );
}

#[test]
fn only_a_canonical_number_is_a_layer_number() {
    let keys = KeyMap::parse("layer.{n}.weight layers.{n}.weight").unwrap();
    for name in [
        "layer.x.weight",
        "layer.07.weight",
        "layer.-1.weight",
        "layer..weight",
        "layer.1.2.weight",
    ] {
        assert_eq!(keys.module_path(name), None, "{name}");
    }
}

#[test]
fn a_line_without_two_columns_is_named() {
    assert_eq!(
        KeyMap::parse("a b\nc"),
        Err(KeyMapError::Columns { line: 2, found: 1 })
    );
    assert_eq!(
        KeyMap::parse("a b c"),
        Err(KeyMapError::Columns { line: 1, found: 3 })
    );
}

#[test]
fn a_malformed_pattern_is_named() {
    for pattern in ["a..b", ".a", "a.", "layer{n}", "a.{m}"] {
        let expected = KeyMapError::Pattern {
            line: 1,
            pattern: pattern.to_owned(),
        };
        assert_eq!(KeyMap::parse(&format!("{pattern} b")), Err(expected));
    }
}

#[test]
fn a_layer_number_in_one_column_only_is_rejected() {
    assert_eq!(
        KeyMap::parse("a.{n} b"),
        Err(KeyMapError::LayerNumber { line: 1 })
    );
    assert_eq!(
        KeyMap::parse("a b.{n}"),
        Err(KeyMapError::LayerNumber { line: 1 })
    );
    assert_eq!(
        KeyMap::parse("a.{n}.{n} b.{n}.{n}"),
        Err(KeyMapError::LayerNumber { line: 1 })
    );
}

#[test]
fn two_patterns_for_one_name_are_rejected_in_either_column() {
    let overlap = |column, first: &str, second: &str| {
        Err(KeyMapError::Overlap {
            column,
            first: first.to_owned(),
            second: second.to_owned(),
        })
    };
    assert_eq!(
        KeyMap::parse("a b\na c"),
        overlap(KeyMapColumn::Checkpoint, "a", "a")
    );
    assert_eq!(
        KeyMap::parse("a c\nb c"),
        overlap(KeyMapColumn::Module, "c", "c")
    );
    assert_eq!(
        KeyMap::parse("a.{n} b.{n}\na.3 c"),
        overlap(KeyMapColumn::Checkpoint, "a.{n}", "a.3")
    );
    assert!(KeyMap::parse("a.{n} b.{n}\na.x c").is_ok());
}

#[test]
fn prefixes_go_before_both_columns() {
    let keys = KeyMap::parse("a.{n} b.{n}")
        .unwrap()
        .with_prefix("bert.", "model.encoder");
    assert_eq!(
        keys.module_path("bert.a.4").as_deref(),
        Some("model.encoder.b.4")
    );
    assert_eq!(
        keys.checkpoint_name("model.encoder.b.4").as_deref(),
        Some("bert.a.4")
    );
    assert_eq!(keys.clone().with_prefix("", ""), keys);
}

#[test]
fn joined_maps_know_the_names_of_both_and_may_not_overlap() {
    let encoder = KeyMap::parse("a b").unwrap();
    let head = KeyMap::parse("c d").unwrap();
    let both = encoder.clone().join(head).unwrap();
    assert_eq!(both.module_path("a").as_deref(), Some("b"));
    assert_eq!(both.module_path("c").as_deref(), Some("d"));
    assert!(matches!(
        encoder.join(KeyMap::parse("e b").unwrap()),
        Err(KeyMapError::Overlap { .. })
    ));
}

#[test]
fn a_joined_map_has_the_one_base_model_prefix() {
    let encoder = KeyMap::parse("a b").unwrap().with_base_prefix("roberta.");
    let head = KeyMap::parse("c d").unwrap();
    let both = encoder.clone().join(head.clone()).unwrap();
    assert_eq!(both, both.clone().with_base_prefix("roberta"));
    let reverse = head.clone().join(encoder.clone()).unwrap();
    assert_eq!(reverse, reverse.clone().with_base_prefix("roberta"));
    assert_ne!(both, both.clone().with_base_prefix(""));
    assert_eq!(
        encoder.join(head.with_base_prefix("bert")),
        Err(KeyMapError::BasePrefix {
            first: "roberta.".to_owned(),
            second: "bert.".to_owned(),
        })
    );
}

#[test]
fn a_buffer_has_no_module_path_and_is_no_parameters_name() {
    let keys = KeyMap::parse("a.{n} -\nb c").unwrap();
    assert_eq!(keys.module_path("a.1"), None);
    assert_eq!(keys.checkpoint_name("-"), None);
    assert!(matches!(
        KeyMap::parse("a.{n} -\na.{n} c.{n}"),
        Err(KeyMapError::Overlap { .. })
    ));
    assert_eq!(
        KeyMap::parse("a..b -"),
        Err(KeyMapError::Pattern {
            line: 1,
            pattern: "a..b".to_owned(),
        })
    );
}

/// Text of a map in which some lines have layer numbers and names are short, so that many maps overlap.
fn key_map_text() -> impl Strategy<Value = String> {
    let segment = prop_oneof![Just("a"), Just("b"), Just("0"), Just("12")];
    let name = prop::collection::vec(segment, 1..4).prop_map(|segments| segments.join("."));
    let line =
        (name.clone(), name, any::<bool>()).prop_map(
            |(checkpoint, module, layered)| match layered {
                true => format!("{checkpoint}.{{n}}\t{module}.{{n}}"),
                false => format!("{checkpoint}\t{module}"),
            },
        );
    prop::collection::vec(line, 1..5).prop_map(|lines| lines.join("\n"))
}

proptest! {
    #[test]
    fn every_map_that_parses_is_a_bijection(text in key_map_text(), name in "[ab0]{1,2}(\\.(a|b|0|12|07)){0,3}") {
        if let Ok(keys) = KeyMap::parse(&text) {
            if let Some(path) = keys.module_path(&name) {
                prop_assert_eq!(keys.checkpoint_name(&path), Some(name.clone()));
            }
            if let Some(tensor) = keys.checkpoint_name(&name) {
                prop_assert_eq!(keys.module_path(&tensor), Some(name));
            }
        }
    }

    #[test]
    fn prefixes_keep_a_map_bijective(text in key_map_text(), layer in 0_u32..200) {
        if let Ok(keys) = KeyMap::parse(&text) {
            let keys = keys.with_prefix("bert.", "model.");
            for line in text.lines() {
                let name = format!("bert.{}", line.split('\t').next().unwrap_or_default());
                let name = name.replace("{n}", &layer.to_string());
                let path = keys.module_path(&name);
                prop_assert_eq!(path.and_then(|path| keys.checkpoint_name(&path)), Some(name));
            }
        }
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in ".{0,80}") {
        let _ = KeyMap::parse(&text);
    }
}
