//! Arrow files whose messages lie about their arrays.

use std::sync::Arc;

use arrow_array::builder::StringViewBuilder;
use arrow_array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use arrow_ipc::writer::{FileWriter, StreamWriter};
use arrow_ipc::{
    BodyCompression, BodyCompressionArgs, Buffer, CompressionType, FieldNode, Message, MessageArgs,
    MessageHeader, MetadataVersion, RecordBatchArgs, root_as_footer, root_as_message,
};
use bert_text::{ColumnOptions, Dataset};
use flatbuffers::FlatBufferBuilder;

use crate::{file, with_cause};

/// Not the number of anything else in the files.
const ROWS: usize = 1237;
const MAGIC: &[u8] = b"ARROW1";

fn honest() -> RecordBatch {
    let texts: ArrayRef = Arc::new(StringArray::from(vec!["a word"; ROWS]));
    let labels: ArrayRef = Arc::new(Int64Array::from(vec![1; ROWS]));
    RecordBatch::try_from_iter([("text", texts), ("label", labels)]).expect("a batch")
}

fn file_of(batch: &RecordBatch) -> Vec<u8> {
    let mut writer = FileWriter::try_new(Vec::new(), &batch.schema()).expect("a writer");
    writer.write(batch).expect("a batch");
    writer.into_inner().expect("a file")
}

fn stream_of(batch: &RecordBatch) -> Vec<u8> {
    let mut writer = StreamWriter::try_new(Vec::new(), &batch.schema()).expect("a writer");
    writer.write(batch).expect("a batch");
    writer.into_inner().expect("a stream")
}

/// The file's rows, or the words of its refusal.
fn read(content: &[u8]) -> Result<Dataset, String> {
    let (_folder, path) = file("a.arrow", content);
    Dataset::read(&path, &ColumnOptions::default()).map_err(|error| with_cause(&error))
}

fn number(content: &[u8], at: usize) -> usize {
    let bytes = content[at..].first_chunk().expect("four bytes");
    u32::from_le_bytes(*bytes) as usize
}

/// Where the last message begins that holds a batch, and where its body does.
fn batch_at(content: &[u8]) -> (usize, usize) {
    if let Some(content) = content.strip_suffix(MAGIC) {
        let end = content.len() - 4;
        let footer = &content[end - number(content, end)..end];
        let footer = root_as_footer(footer).expect("a footer");
        let block = footer.recordBatches().expect("batches").get(0);
        let start = block.offset() as usize;
        return (start + 8, start + block.metaDataLength() as usize);
    }
    let schema = 8 + number(content, 4);
    (schema + 8, schema + 8 + number(content, schema + 4))
}

/// A part of a batch's message that is 64 bits wide.
#[derive(Clone, Copy)]
enum Part {
    /// How many rows it has.
    Rows,
    /// An array's length and how many of its values are missing.
    Length(usize),
    Missing(usize),
    /// A buffer's place and its length.
    Offset(usize),
    Size(usize),
}

/// The content with another number in one place.
fn changed(content: &[u8], part: Part, value: i64) -> Vec<u8> {
    let (start, end) = batch_at(content);
    let message = root_as_message(&content[start..end]).expect("a message");
    let batch = message.header_as_record_batch().expect("a batch");
    let place = |bytes: &[u8], index: usize| {
        let bytes: &[u8] = &bytes[index * 8..];
        bytes.as_ptr() as usize - content.as_ptr() as usize
    };
    let nodes = batch.nodes().expect("arrays").bytes();
    let buffers = batch.buffers().expect("buffers").bytes();
    let at = match part {
        Part::Rows => {
            let rows = (ROWS as u64).to_le_bytes();
            let mut words = content[start..end].windows(8);
            start + words.position(|word| word == rows).expect("the rows")
        }
        Part::Length(index) => place(nodes, 2 * index),
        Part::Missing(index) => place(nodes, 2 * index + 1),
        Part::Offset(index) => place(buffers, 2 * index),
        Part::Size(index) => place(buffers, 2 * index + 1),
    };
    let mut content = content.to_vec();
    content[at..at + 8].copy_from_slice(&value.to_le_bytes());
    content
}

#[test]
fn a_number_in_a_message_that_cannot_be_true_is_refused_in_a_file_and_in_a_stream() {
    const MANY: i64 = 1 << 40;
    let lies = [
        (
            Part::Rows,
            MANY,
            "1099511627776 rows, and its first column 1237",
        ),
        (Part::Rows, -1, "-1 rows, and its first column 1237"),
        (
            Part::Length(0),
            MANY,
            "1237 rows, and its first column 1099511627776",
        ),
        (
            Part::Length(1),
            MANY,
            "array 1 has 1099511627776 rows and unpacks to more than",
        ),
        (Part::Length(1), -7, "array 1 has -7 rows"),
        (
            Part::Missing(0),
            -1,
            "-1 of the 1237 rows of its array 0 are missing",
        ),
        (
            Part::Missing(1),
            1238,
            "1238 of the 1237 rows of its array 1 are missing",
        ),
        (
            Part::Offset(1),
            MANY,
            "buffer 1 has 4952 bytes from byte 1099511627776",
        ),
        (Part::Offset(1), -8, "buffer 1 has 4952 bytes from byte -8"),
        (
            Part::Offset(0),
            MANY,
            "buffer 0 has 0 bytes from byte 1099511627776",
        ),
        (Part::Size(2), MANY, "buffer 2 has 1099511627776 bytes"),
        (Part::Size(2), -1, "buffer 2 has -1 bytes"),
        (
            Part::Size(2),
            i64::MAX,
            "buffer 2 has 9223372036854775807 bytes",
        ),
        (Part::Size(0), 20_000, "its buffers have 42"),
    ];
    for content in [file_of(&honest()), stream_of(&honest())] {
        assert_eq!(read(&content).expect("an honest file").examples.len(), ROWS);
        for (part, value, words) in lies {
            let message = read(&changed(&content, part, value)).expect_err(words);
            assert!(message.contains("a.arrow"), "{message}");
            assert!(message.contains(words), "{message}\n{words}");
        }
    }
}

/// The rows of all arrays agree, and none of them takes a byte.
#[test]
fn rows_without_a_byte_are_refused_before_there_is_a_cell() {
    let content = stream_of(&honest());
    let content = changed(&content, Part::Length(0), 1 << 24);
    let message = read(&changed(&content, Part::Rows, 1 << 24)).expect_err("a lie");
    assert!(message.contains("200 times its size"), "{message}");
}

#[test]
fn a_footer_that_says_it_is_longer_than_the_file_is_refused() {
    let mut content = file_of(&honest());
    let at = content.len() - MAGIC.len() - 4;
    content[at..at + 4].copy_from_slice(&i32::MAX.to_le_bytes());
    let message = read(&content).expect_err("a lie");
    let words = "its footer says it has 2147483647 bytes";
    assert!(message.contains(words), "{message}");
}

/// Every block of the footer is the first, which is most of the file.
#[test]
fn blocks_that_overlap_are_refused() {
    let batch = honest();
    let mut writer = FileWriter::try_new(Vec::new(), &batch.schema()).expect("a writer");
    writer.write(&batch).expect("a batch");
    for _ in 0..4 {
        writer.write(&batch.slice(0, 1)).expect("a batch");
    }
    let mut content = writer.into_inner().expect("a file");
    let rows = read(&content).expect("an honest file").examples.len();
    assert_eq!(rows, ROWS + 4);
    let end = content.len() - MAGIC.len() - 4;
    let footer = &content[end - number(&content, end)..end];
    let blocks = root_as_footer(footer).expect("a footer").recordBatches();
    let blocks = blocks.expect("batches").bytes();
    let (at, size) = (
        blocks.as_ptr() as usize - content.as_ptr() as usize,
        blocks.len() / 5,
    );
    for block in 1..5 {
        content.copy_within(at..at + size, at + block * size);
    }
    let message = read(&content).expect_err("a lie");
    assert!(
        message.contains("the blocks of its footer overlap"),
        "{message}"
    );
}

/// A stream of one column of integers whose one buffer is compressed.
fn compressed(buffer: &[u8]) -> Vec<u8> {
    let labels: ArrayRef = Arc::new(Int64Array::from(vec![1]));
    let schema = stream_of(&RecordBatch::try_from_iter([("text", labels)]).expect("a batch"));
    let mut content = schema[..8 + number(&schema, 4)].to_vec();
    let mut message = FlatBufferBuilder::new();
    let nodes = message.create_vector(&[FieldNode::new(1, 0)]);
    let size = buffer.len() as i64;
    let buffers = message.create_vector(&[Buffer::new(0, 0), Buffer::new(0, size)]);
    let compression = BodyCompressionArgs {
        codec: CompressionType::ZSTD,
        ..BodyCompressionArgs::default()
    };
    let compression = BodyCompression::create(&mut message, &compression);
    let batch = RecordBatchArgs {
        length: 1,
        nodes: Some(nodes),
        buffers: Some(buffers),
        compression: Some(compression),
        variadicBufferCounts: None,
    };
    let batch = arrow_ipc::RecordBatch::create(&mut message, &batch);
    let whole = MessageArgs {
        version: MetadataVersion::V5,
        header_type: MessageHeader::RecordBatch,
        header: Some(batch.as_union_value()),
        bodyLength: size,
        custom_metadata: None,
    };
    let whole = Message::create(&mut message, &whole);
    message.finish(whole, None);
    let message = message.finished_data();
    content.extend(u32::MAX.to_le_bytes());
    content.extend((message.len() as u32).to_le_bytes());
    content.extend(message);
    content.extend(buffer);
    content
}

#[test]
fn a_compressed_buffer_that_says_it_unpacks_to_too_much_is_refused() {
    let bomb = |length: i64| [&length.to_le_bytes()[..], &[0; 8]].concat();
    for (buffer, words) in [
        (bomb(1 << 40), "its body unpacks to more than"),
        (bomb(-2), "buffer 1 unpacks to -2 bytes"),
        (vec![0; 3], "buffer 1 is too short"),
    ] {
        let message = read(&compressed(&buffer)).expect_err(words);
        assert!(message.contains(words), "{message}\n{words}");
    }
}

/// Each of the views shows the same text.
#[test]
fn views_that_show_one_text_too_often_are_refused() {
    let mut views = StringViewBuilder::new().with_deduplicate_strings();
    for _ in 0..4000 {
        views.append_value("a".repeat(100_000));
    }
    let texts: ArrayRef = Arc::new(views.finish());
    let labels: ArrayRef = Arc::new(Int64Array::from(vec![1; 4000]));
    let batch = RecordBatch::try_from_iter([("text", texts), ("label", labels)]).expect("a batch");
    for content in [file_of(&batch), stream_of(&batch)] {
        assert!(content.len() < 300_000);
        let message = read(&content).expect_err("a bomb");
        assert!(message.contains("200 times its size"), "{message}");
    }
}

#[test]
fn views_in_more_buffers_than_there_are_are_refused() {
    let mut views = StringViewBuilder::new();
    views.append_value("a text that is too long for a view of its own");
    let texts: ArrayRef = Arc::new(views.finish());
    let batch = RecordBatch::try_from_iter([("text", texts)]).expect("a batch");
    for mut content in [file_of(&batch), stream_of(&batch)] {
        let (start, end) = batch_at(&content);
        let message = root_as_message(&content[start..end]).expect("a message");
        let batch = message.header_as_record_batch().expect("a batch");
        let counts = batch.variadicBufferCounts().expect("counts").bytes();
        let at = counts.as_ptr() as usize - content.as_ptr() as usize;
        content[at..at + 8].copy_from_slice(&(1_i64 << 40).to_le_bytes());
        let message = read(&content).expect_err("a lie");
        let words = "in 1099511627776 of its 3 buffers";
        assert!(message.contains(words), "{message}");
    }
}

/// The schema has one field ten thousand times, by its place.
#[test]
fn a_schema_that_would_be_thousands_of_times_as_large_is_refused() {
    let mut message = FlatBufferBuilder::new();
    let name = message.create_string(&"a".repeat(50_000));
    let kind = arrow_ipc::Utf8::create(&mut message, &arrow_ipc::Utf8Args {});
    let none: [flatbuffers::WIPOffset<arrow_ipc::Field<'_>>; 0] = [];
    let children = message.create_vector(&none);
    let field = arrow_ipc::FieldArgs {
        name: Some(name),
        type_type: arrow_ipc::Type::Utf8,
        type_: Some(kind.as_union_value()),
        children: Some(children),
        ..arrow_ipc::FieldArgs::default()
    };
    let field = arrow_ipc::Field::create(&mut message, &field);
    let fields = message.create_vector(&vec![field; 10_000]);
    let schema = arrow_ipc::SchemaArgs {
        fields: Some(fields),
        ..arrow_ipc::SchemaArgs::default()
    };
    let schema = arrow_ipc::Schema::create(&mut message, &schema);
    let whole = MessageArgs {
        version: MetadataVersion::V5,
        header_type: MessageHeader::Schema,
        header: Some(schema.as_union_value()),
        ..MessageArgs::default()
    };
    let whole = Message::create(&mut message, &whole);
    message.finish(whole, None);
    let message = message.finished_data();
    assert!(message.len() < 100_000);
    let mut content = u32::MAX.to_le_bytes().to_vec();
    content.extend((message.len() as u32).to_le_bytes());
    content.extend(message);
    let message = read(&content).expect_err("a bomb");
    assert!(message.contains("ApparentSizeTooLarge"), "{message}");
}
