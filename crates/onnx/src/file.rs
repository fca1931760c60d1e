//! The bytes of a model, written constant by constant, so that no second copy of the weights is in memory.

use std::io::{self, Write};

use prost::Message;
use prost::encoding::{WireType, encode_key, encode_varint, encoded_len_varint, key_len};

use crate::initializer::Initializer;
use crate::proto::{DataLocation, ModelProto, StringStringEntryProto, TensorProto};
use crate::{OnnxError, OnnxModel};

/// Fields of `onnx.proto` that are written piece by piece.
const GRAPH_OF_MODEL: u32 = 7;
const INITIALIZER_OF_GRAPH: u32 = 5;
const RAW_DATA_OF_TENSOR: u32 = 9;
/// protobuf reads no larger message.
const LARGEST_FILE: u64 = i32::MAX as u64;
/// A smaller constant stays with the graph: shapes are read before weights are.
const SMALLEST_EXTERNAL: u64 = 1024;
/// Weights in a file of their own begin at a page, so that it can be mapped.
const PAGE: u64 = 4096;

impl OnnxModel {
    /// Bytes of the model in one file.
    pub fn byte_len(&self) -> u64 {
        let graph = self.graph_len(&self.entries());
        self.start().encoded_len() as u64 + field_len(GRAPH_OF_MODEL, graph)
    }

    /// Whether the model is too large for one file: protobuf ends at 2 GiB.
    pub fn needs_external_data(&self) -> bool {
        self.byte_len() > LARGEST_FILE
    }

    /// Writes the model as one file.
    ///
    /// # Errors
    ///
    /// The model is too large for that, or the file cannot be written.
    pub fn write(&self, file: impl Write) -> Result<(), OnnxError> {
        if self.needs_external_data() {
            return Err(OnnxError::TooLarge {
                bytes: self.byte_len(),
            });
        }
        Ok(self.write_graph(file, &self.entries())?)
    }

    /// Writes the model as one file without weights, and its weights as another. `name` is what this one is called in
    /// the directory of the first.
    ///
    /// # Errors
    ///
    /// A file cannot be written.
    pub fn write_with_external_data(
        &self,
        file: impl Write,
        mut data: impl Write,
        name: &str,
    ) -> Result<(), OnnxError> {
        let mut end = 0u64;
        let mut entries = Vec::with_capacity(self.initializers.len());
        for initializer in &self.initializers {
            let mut header = initializer.header();
            let length = initializer.byte_len();
            let is_external = length >= SMALLEST_EXTERNAL;
            if is_external {
                let offset = end.next_multiple_of(PAGE);
                write_zeros(&mut data, offset - end)?;
                data.write_all(&initializer.bytes())?;
                end = offset + length;
                header.data_location = DataLocation::External.into();
                header.external_data = location(name, offset, length);
            }
            entries.push(Entry {
                header,
                inline: (!is_external).then_some(initializer),
            });
        }
        data.flush()?;
        Ok(self.write_graph(file, &entries)?)
    }

    fn entries(&self) -> Vec<Entry<'_>> {
        let entries = self.initializers.iter();
        entries
            .map(|initializer| Entry {
                header: initializer.header(),
                inline: Some(initializer),
            })
            .collect()
    }

    /// The model without its graph.
    fn start(&self) -> ModelProto {
        ModelProto {
            graph: None,
            ..self.proto.clone()
        }
    }

    fn graph_len(&self, entries: &[Entry<'_>]) -> u64 {
        let graph = self.proto.graph.as_ref();
        let constants = entries
            .iter()
            .map(|entry| field_len(INITIALIZER_OF_GRAPH, entry.len()));
        graph.map_or(0, |graph| graph.encoded_len() as u64) + constants.sum::<u64>()
    }

    fn write_graph(&self, mut file: impl Write, entries: &[Entry<'_>]) -> io::Result<()> {
        file.write_all(&self.start().encode_to_vec())?;
        write_field(&mut file, GRAPH_OF_MODEL, self.graph_len(entries))?;
        if let Some(graph) = &self.proto.graph {
            file.write_all(&graph.encode_to_vec())?;
        }
        for entry in entries {
            write_field(&mut file, INITIALIZER_OF_GRAPH, entry.len())?;
            file.write_all(&entry.header.encode_to_vec())?;
            if let Some(initializer) = entry.inline {
                write_field(&mut file, RAW_DATA_OF_TENSOR, initializer.byte_len())?;
                file.write_all(&initializer.bytes())?;
            }
        }
        file.flush()
    }
}

/// A constant as the file has it: with its values, or with the place of these in another file.
struct Entry<'a> {
    header: TensorProto,
    inline: Option<&'a Initializer>,
}

impl Entry<'_> {
    fn len(&self) -> u64 {
        let values = self.inline.map(Initializer::byte_len);
        let values = values.map_or(0, |length| field_len(RAW_DATA_OF_TENSOR, length));
        self.header.encoded_len() as u64 + values
    }
}

fn location(file: &str, offset: u64, length: u64) -> Vec<StringStringEntryProto> {
    let entries = [
        ("location", file.to_owned()),
        ("offset", offset.to_string()),
        ("length", length.to_string()),
    ];
    let entries = entries.into_iter();
    entries
        .map(|(key, value)| StringStringEntryProto {
            key: key.to_owned(),
            value,
        })
        .collect()
}

/// Bytes of a field of so many bytes, its key included.
fn field_len(tag: u32, length: u64) -> u64 {
    (key_len(tag) + encoded_len_varint(length)) as u64 + length
}

/// What stands before the bytes of a field.
fn write_field(file: &mut impl Write, tag: u32, length: u64) -> io::Result<()> {
    let mut start = Vec::new();
    encode_key(tag, WireType::LengthDelimited, &mut start);
    encode_varint(length, &mut start);
    file.write_all(&start)
}

fn write_zeros(file: &mut impl Write, count: u64) -> io::Result<()> {
    io::copy(&mut io::Read::take(io::repeat(0), count), file).map(drop)
}
