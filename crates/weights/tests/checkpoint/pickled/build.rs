//! Files of `torch.save`, written by hand.

use std::fs;
use std::io::{Cursor, Write};

use bert_weights::{Checkpoint, CheckpointError, Dtype};
use tempfile::TempDir;
use zip::write::SimpleFileOptions;

use crate::support::{Stored, Tensors};

/// The instructions of a pickle, in the second protocol.
pub(super) struct Pickle(pub(super) Vec<u8>);

impl Pickle {
    pub(super) fn new() -> Self {
        Self(vec![0x80, 2])
    }

    pub(super) fn raw(mut self, bytes: &[u8]) -> Self {
        self.0.extend(bytes);
        self
    }

    pub(super) fn text(self, text: &str) -> Self {
        let length = (text.len() as u32).to_le_bytes();
        self.raw(b"X").raw(&length).raw(text.as_bytes())
    }

    /// A number of any size, as LONG1.
    pub(super) fn integer(self, number: u64) -> Self {
        let bytes = u128::from(number).to_le_bytes();
        self.raw(&[0x8a, 9]).raw(&bytes[..9])
    }

    pub(super) fn class(self, module: &str, name: &str) -> Self {
        self.raw(format!("c{module}\n{name}\n").as_bytes())
    }

    pub(super) fn integers(self, numbers: &[u64]) -> Self {
        let open = self.raw(b"(");
        let filled = numbers
            .iter()
            .fold(open, |pickle, number| pickle.integer(*number));
        filled.raw(b"t")
    }

    /// A tensor as `_rebuild_tensor_v2` makes it of a storage.
    pub(super) fn tensor(self, storage: &Storage<'_>, shape: &[u64], strides: &[u64]) -> Self {
        self.class("torch._utils", "_rebuild_tensor_v2")
            .raw(b"((")
            .text("storage")
            .class("torch", storage.class)
            .text(storage.key)
            .text("cpu")
            .integer(storage.elements)
            .raw(b"tQ")
            .integer(storage.offset)
            .integers(shape)
            .integers(strides)
            .raw(b"\x89")
            .class("collections", "OrderedDict")
            .raw(b")RtR")
    }

    /// The same with the end.
    pub(super) fn done(self) -> Vec<u8> {
        self.raw(b".").0
    }
}

/// What a tensor says about its storage.
pub(super) struct Storage<'a> {
    pub(super) class: &'a str,
    pub(super) key: &'a str,
    pub(super) elements: u64,
    pub(super) offset: u64,
}

/// Four numbers in the storage `0`.
pub(super) const FOUR: Storage<'static> = Storage {
    class: "FloatStorage",
    key: "0",
    elements: 4,
    offset: 0,
};

/// A dictionary with what `fill` puts in.
pub(super) fn dictionary(fill: impl FnOnce(Pickle) -> Pickle) -> Vec<u8> {
    fill(Pickle::new().raw(b"}(")).raw(b"u").done()
}

/// The zip archive around a pickle and its storages.
pub(super) fn archive(pickle: &[u8], storages: &[Vec<u8>]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    let mut add = |name: &str, content: &[u8]| {
        zip.start_file(name, options).unwrap();
        zip.write_all(content).unwrap();
    };
    add("archive/data.pkl", pickle);
    add("archive/byteorder", b"little");
    for (key, storage) in storages.iter().enumerate() {
        add(&format!("archive/data/{key}"), storage);
    }
    add("archive/version", b"3\n");
    zip.finish().unwrap().into_inner()
}

/// The file of PyTorch 1.5 around a pickle and its storages, with the elements of each.
pub(super) fn legacy(pickle: &[u8], storages: &[(u64, Vec<u8>)]) -> Vec<u8> {
    let magic = b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.";
    let protocol = Pickle::new().integer(1001).done();
    let system = dictionary(|pickle| {
        let pickle = pickle.text("protocol_version").integer(1001);
        pickle.text("little_endian").raw(b"\x88")
    });
    let keys = (0..storages.len()).fold(Pickle::new().raw(b"]("), |pickle, key| {
        pickle.text(&key.to_string())
    });
    let mut file = [magic, protocol.as_slice(), &system, pickle].concat();
    file.extend(keys.raw(b"e").done());
    for (elements, storage) in storages {
        file.extend(elements.to_le_bytes());
        file.extend(storage);
    }
    file
}

fn storage_class(dtype: Dtype) -> &'static str {
    match dtype {
        Dtype::F16 => "HalfStorage",
        Dtype::F32 => "FloatStorage",
        Dtype::I64 => "LongStorage",
        other => panic!("the tests pickle no {other:?}"),
    }
}

fn elements(tensor: &Stored) -> u64 {
    tensor.shape.iter().product::<usize>() as u64
}

/// The pickle of contiguous tensors, each in a storage of its own.
fn state_dict(tensors: &Tensors) -> Vec<u8> {
    dictionary(|pickle| {
        let numbered = tensors.iter().enumerate();
        numbered.fold(pickle, |pickle, (index, (name, tensor))| {
            let shape: Vec<u64> = tensor.shape.iter().map(|&size| size as u64).collect();
            let strides: Vec<u64> = (0..shape.len())
                .map(|axis| shape[axis + 1..].iter().product())
                .collect();
            let storage = Storage {
                class: storage_class(tensor.dtype),
                key: &index.to_string(),
                elements: elements(tensor),
                offset: 0,
            };
            pickle.text(name).tensor(&storage, &shape, &strides)
        })
    })
}

/// `pytorch_model.bin` with these tensors.
pub(super) fn pickled(tensors: &Tensors) -> Vec<u8> {
    let storages: Vec<Vec<u8>> = tensors
        .values()
        .map(|tensor| tensor.bytes.clone())
        .collect();
    archive(&state_dict(tensors), &storages)
}

/// The same in the layout of PyTorch 1.5.
pub(super) fn pickled_legacy(tensors: &Tensors) -> Vec<u8> {
    let storages: Vec<(u64, Vec<u8>)> = tensors
        .values()
        .map(|tensor| (elements(tensor), tensor.bytes.clone()))
        .collect();
    legacy(&state_dict(tensors), &storages)
}

/// A directory whose weights are this `pytorch_model.bin`.
pub(super) fn directory_with(file: &[u8]) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("config.json"), "{}").unwrap();
    fs::write(directory.path().join("pytorch_model.bin"), file).unwrap();
    directory
}

pub(super) fn open(file: &[u8]) -> Result<(Checkpoint, TempDir), CheckpointError> {
    let directory = directory_with(file);
    Checkpoint::open(directory.path()).map(|checkpoint| (checkpoint, directory))
}
