//! `bert models`, `bert fetch` and `bert inspect`.

use super::support::Room;

#[test]
fn models_are_listed_in_a_table_that_lines_up() {
    let run = Room::new().bert("models").succeeded();
    let lines: Vec<&str> = run.stdout.lines().collect();
    let column = lines[0].find("DESCRIPTION").unwrap();
    assert!(lines[0].starts_with("NAME"));
    assert!(
        lines
            .iter()
            .any(|line| line.starts_with("all-MiniLM-L6-v2 "))
    );
    for line in &lines[1..] {
        assert_eq!(line.as_bytes()[column - 1], b' ', "{line}");
        assert_ne!(line.as_bytes()[column], b' ', "{line}");
    }
}

#[test]
fn models_as_json_have_name_licence_and_size() {
    let listing = Room::new().bert("models --json").succeeded().json();
    let entries = listing.as_array().unwrap();
    let entry = entries
        .iter()
        .find(|entry| entry["name"] == "all-MiniLM-L6-v2")
        .unwrap();
    assert_eq!(entry["licence"], "Apache-2.0");
    assert_eq!(entry["kind"], "model");
    assert_eq!(entry["cached"], false);
    assert!(entry["bytes"].as_u64().unwrap() > 90_000_000);
}

#[test]
fn a_fetch_without_network_or_cache_says_what_is_missing() {
    let room = Room::new();
    room.bert("fetch --offline all-MiniLM-L6-v2")
        .failed(1, &["all-MiniLM-L6-v2", "model.safetensors", "offline"]);
}

#[test]
fn a_slip_in_any_name_stops_a_fetch_before_it_starts() {
    let room = Room::new();
    room.bert("fetch --offline all-MiniLM-L6-v2 bert-tinny")
        .failed(2, &["bert-tinny", "did you mean", "bert-tiny"]);
    assert!(!room.path("home").exists());
}

#[test]
fn inspection_shows_configuration_tensors_and_totals() {
    let room = Room::new();
    let text = room.bert("inspect base").succeeded().stdout;
    for words in [
        "hidden_size",
        "num_hidden_layers",
        "F32",
        "[61, 16]",
        "parameters",
    ] {
        assert!(text.contains(words), "no {words:?} in\n{text}");
    }
    let json = room.bert("inspect base --json").succeeded().json();
    assert_eq!(json["config"]["hidden_size"], 16);
    let tensors = json["tensors"].as_array().unwrap();
    assert_eq!(json["total"]["tensors"], tensors.len());
    let values = |tensor: &serde_json::Value| -> u64 {
        let shape = tensor["shape"].as_array().unwrap();
        shape.iter().map(|size| size.as_u64().unwrap()).product()
    };
    assert_eq!(
        json["total"]["parameters"],
        tensors.iter().map(values).sum::<u64>()
    );
}

#[test]
fn a_bare_weights_file_needs_no_configuration_to_be_inspected() {
    let room = Room::new();
    std::fs::rename(
        room.path("base/model.safetensors"),
        room.path("bare.safetensors"),
    )
    .unwrap();
    let json = room
        .bert("inspect bare.safetensors --json")
        .succeeded()
        .json();
    assert!(json["config"].is_null());
    assert!(json["total"]["parameters"].as_u64().unwrap() > 1000);
    room.bert("inspect base")
        .failed(1, &["base", "model.safetensors"]);
}
