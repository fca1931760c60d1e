//! Files of data.

use std::path::Path;

use bert_text::{
    ColumnOptions, Dataset, Documents, LabelSet, LabelWeights, PredictInput, PredictInputs,
    SquadDataset, TagColumns, TaggedDataset, TextPieces, TokensInput,
};

use crate::room::Room;

/// TSV, CSV and JSON Lines, by the name of each file: texts with labels, inputs of predictions, weights of labels.
pub fn tables(input: &[u8]) {
    each_file(input, "data.tsv", |path| {
        read_rows(path);
        if let Ok(inputs) = PredictInputs::<_, PredictInput>::open(path) {
            inputs.for_each(drop);
        }
        let _ = LabelWeights::read(path);
    });
}

/// CoNLL and JSON Lines of tagged words.
pub fn tagged(input: &[u8]) {
    each_file(input, "data.conll", |path| {
        read_tagged(path);
        if let Ok(inputs) = PredictInputs::<_, TokensInput>::open(path) {
            inputs.for_each(drop);
        }
    });
}

/// Questions with their answers.
pub fn squad(input: &[u8]) {
    each_file(input, "data.json", |path| drop(SquadDataset::read(path)));
}

/// Parquet and Arrow.
pub fn columnar(input: &[u8]) {
    each_file(input, "data.parquet", |path| {
        read_rows(path);
        read_tagged(path);
        let _ = SquadDataset::read(path);
    });
}

/// Plain text.
pub fn plain_text(input: &[u8]) {
    each_file(input, "data.txt", |path| {
        if let Ok(pieces) = TextPieces::open(path) {
            pieces.for_each(drop);
        }
        let _ = Documents::open(path);
    });
}

/// Data that is compressed with gzip or Zstandard, or a zip archive.
pub fn packed(input: &[u8]) {
    each_file(input, "data.tsv", |path| {
        read_rows(path);
        if let Ok(pieces) = TextPieces::open(path) {
            pieces.for_each(drop);
        }
    });
}

fn each_file(input: &[u8], usual: &str, read: impl Fn(&Path)) {
    let room = Room::new(&[], usual, input);
    room.files().iter().for_each(|path| read(path));
}

fn read_rows(path: &Path) {
    let unlabelled = ColumnOptions {
        unlabelled: true,
        ..ColumnOptions::default()
    };
    for options in [ColumnOptions::default(), unlabelled] {
        if let Ok(dataset) = Dataset::read(path, &options) {
            let _ = LabelSet::from_dataset(&dataset);
        }
    }
}

fn read_tagged(path: &Path) {
    let _ = TaggedDataset::read(path, &TagColumns::default());
}
