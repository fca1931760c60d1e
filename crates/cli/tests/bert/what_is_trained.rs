//! `--tune bitfit`, `--freeze-embeddings`, `--head-lr` and `--layer-decay`: what moves and what stays, in the files.

use std::collections::BTreeMap;

use safetensors::SafeTensors;

use super::support::{Room, TRAIN, json_lines};

/// The bytes of every tensor of a checkpoint, by the name that a model with a head has for it.
fn tensors(room: &Room, checkpoint: &str) -> BTreeMap<String, Vec<u8>> {
    let bytes = std::fs::read(room.path(checkpoint).join("model.safetensors")).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let named = file.tensors().into_iter().map(|(name, view)| {
        let is_of_base = name.starts_with("embeddings.") || name.starts_with("encoder.");
        let prefix = if is_of_base { "bert." } else { "" };
        (format!("{prefix}{name}"), view.data().to_vec())
    });
    named.collect()
}

/// The encoder's tensors that training has changed.
fn changed(room: &Room) -> Vec<String> {
    let (before, after) = (tensors(room, "base"), tensors(room, "trained"));
    let changed = after.into_iter().filter(|(name, bytes)| {
        let is_of_encoder = name.contains(".encoder.") || name.contains(".embeddings.");
        is_of_encoder && before[name] != *bytes
    });
    changed.map(|(name, _)| name).collect()
}

#[test]
fn bitfit_changes_biases_alone() {
    let room = Room::new();
    room.bert(&format!("{TRAIN} --epochs 1 --tune bitfit"))
        .succeeded();
    let changed = changed(&room);
    assert!(changed.iter().all(|name| name.ends_with(".bias")));
    assert!(changed.contains(&"bert.embeddings.LayerNorm.bias".to_owned()));
    let value = "bert.encoder.layer.0.attention.self.value.bias";
    assert!(changed.contains(&value.to_owned()), "{changed:?}");
}

#[test]
fn frozen_embeddings_stay_bit_for_bit() {
    let room = Room::new();
    room.bert(&format!("{TRAIN} --epochs 1 --freeze-embeddings"))
        .succeeded();
    let changed = changed(&room);
    let is_of_embeddings = |name: &&String| name.contains(".embeddings.");
    assert_eq!(changed.iter().find(is_of_embeddings), None);
    let value = "bert.encoder.layer.0.attention.self.value.weight";
    assert!(changed.contains(&value.to_owned()), "{changed:?}");
}

#[test]
fn rates_of_parts_are_logged_and_matter() {
    let room = Room::new();
    let losses = |output: &str, further: &str| {
        let line = TRAIN.replace("--output trained", &format!("--output {output}"));
        room.bert(&format!("{line} --max-steps 3 --dropout 0 {further}"))
            .succeeded();
        let log = json_lines(&room.read(&format!("{output}/training.jsonl")));
        let steps = log.iter().filter(|line| line["event"] == "step");
        let losses: Vec<f64> = steps.map(|line| line["loss"].as_f64().unwrap()).collect();
        (log[0]["options"].clone(), losses)
    };
    let (_, plain) = losses("plain", "");
    let (options, decayed) = losses("decayed", "--layer-decay 0.5 --head-lr 1e-2");
    assert_eq!(options["layer_decay"], 0.5);
    assert_eq!(options["head_lr"], 1e-2);
    assert_eq!(plain[0], decayed[0]);
    assert_ne!(plain[2], decayed[2]);
    // The same rates spelled out.
    let (_, uniform) = losses("uniform", "--layer-decay 1 --head-lr 1e-3");
    assert_eq!(plain, uniform);
}
