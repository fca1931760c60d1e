//! Files of weights.

use bert_weights::{Checkpoint, PICKLED_FILE, WEIGHTS_FILE, read_tensors, summary_of};

use crate::room::Room;

/// `model.safetensors`, or the index and the shards of several.
pub fn safetensors(input: &[u8]) {
    let room = Room::new(&[("config.json", b"{}")], WEIGHTS_FILE, input);
    read(&room);
}

/// `pytorch_model.bin`, of any age of `torch.save`.
pub fn pickle(input: &[u8]) {
    let room = Room::new(&[("config.json", b"{}")], PICKLED_FILE, input);
    read(&room);
}

fn read(room: &Room) {
    let Ok(tensors) = read_tensors(room.path()) else {
        return;
    };
    for tensor in &tensors {
        let _ = tensor.floats();
        let _ = tensor.data();
    }
    let _ = summary_of(&tensors);
    let _ = Checkpoint::open(room.path());
}
