//! Parquet and Arrow files as rows of JSON objects.

use std::fs::File;
use std::io::{self, BufReader, Cursor, Read, Seek};
use std::path::PathBuf;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrowPrimitiveType, OffsetSizeTrait, RecordBatch, types};
use arrow_ipc::reader::{FileReader, StreamReader};
use arrow_schema::{ArrowError, DataType, Schema, SchemaRef};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::file::reader::ChunkReader;
use serde_json::{Map, Number, Value};

use super::arrow_frames::{self, ARROW_FILE};
use super::rows::Object;
use super::unpack::{Limits, UnpackError};
use super::{Format, ReadError, Source};
use crate::guard::guarded;

/// The key of the metadata in which `datasets` keeps the features.
const HUGGINGFACE: &str = "huggingface";

/// Rows, some at a time.
pub(super) type Batches = Box<dyn Iterator<Item = Result<RecordBatch, Unreadable>>>;
type ArrowBatches = Box<dyn Iterator<Item = Result<RecordBatch, ArrowError>>>;
type Unreadable = Box<dyn std::error::Error + Send + Sync>;

/// Of a larger batch so many rows are taken at a time.
const MOST_ROWS: usize = 1 << 14;
/// What a cell takes beside its text.
const CELL_BYTES: u64 = 16;

/// Why an array is not read.
enum Refusal {
    /// Its type, which is not one of data.
    Type(DataType),
    /// It is larger than the file allows.
    Size(UnpackError),
}

/// What may come out of a file: a few bytes can stand for any number of rows.
#[derive(Clone, Copy)]
struct Room {
    limits: Limits,
    file_bytes: u64,
}

impl Room {
    fn check(self, cells: usize, bytes: u64) -> Result<(), Refusal> {
        let bytes = (cells as u64)
            .saturating_mul(CELL_BYTES)
            .saturating_add(bytes);
        self.limits
            .check(self.file_bytes, bytes)
            .map_err(Refusal::Size)
    }
}

/// A file whose schema has been read.
pub(crate) struct Table {
    path: PathBuf,
    format: Format,
    content: Content,
    room: Room,
    schema: SchemaRef,
}

/// Where the bytes are.
enum Content {
    Memory(bytes::Bytes),
    /// A file, of which only what is needed is read.
    File(File),
}

impl Table {
    /// Reads the content into memory.
    pub(crate) fn open(source: Source, format: Format) -> Result<Self, ReadError> {
        let path = source.path.clone();
        let content = Content::Memory(bytes::Bytes::from(source.into_bytes()?));
        Self::of(path, format, content)
    }

    /// Leaves the content in its file where the format's reader can be trusted with it: frames of Arrow are checked in memory.
    pub(super) fn open_in_place(source: Source, format: Format) -> Result<Self, ReadError> {
        if format == Format::Arrow {
            return Self::open(source, format);
        }
        let path = source.path.clone();
        let content = Content::File(source.into_file()?);
        Self::of(path, format, content)
    }

    fn of(path: PathBuf, format: Format, content: Content) -> Result<Self, ReadError> {
        let file_bytes = content.length().map_err(boxed);
        let schema = file_bytes.and_then(|file_bytes| {
            let schema = guarded(|| content.schema(format));
            let schema = schema.unwrap_or_else(|panicked| Err(boxed(panicked)))?;
            Ok((file_bytes, schema))
        });
        let (file_bytes, schema) = schema.map_err(|source| unreadable(&path, format, source))?;
        let room = Room {
            limits: Limits::from_environment(),
            file_bytes,
        };
        Ok(Self {
            path,
            format,
            content,
            room,
            schema,
        })
    }

    /// The names of the columns.
    pub(crate) fn names(&self) -> Vec<&str> {
        let fields = self.schema.fields().iter();
        fields.map(|field| field.name().as_str()).collect()
    }

    /// The features of a hub data set by column, where the metadata has them.
    pub(crate) fn features(&self) -> Option<Value> {
        let metadata = self.schema.metadata().get(HUGGINGFACE)?;
        let mut metadata: Value = serde_json::from_str(metadata).ok()?;
        Some(metadata.get_mut("info")?.get_mut("features")?.take())
    }

    /// Gives each row as an object of some columns, with its number from 1.
    pub(crate) fn rows(
        self,
        columns: &[usize],
        mut each: impl FnMut(usize, Object) -> Result<(), ReadError>,
    ) -> Result<(), ReadError> {
        let (mut row, mut bytes) = (0, 0);
        for batch in self.batches(columns)? {
            let batch = batch.map_err(|source| self.unreadable(source))?;
            let table = self.columns(&batch)?;
            for index in 0..batch.num_rows() {
                let cells = table.iter();
                let cells = cells.map(|(name, cells)| (name.clone(), cells[index].clone()));
                let object: Object = cells.collect();
                bytes += object.values().map(bytes_of).sum::<u64>();
                let fits = self.room.check(0, bytes);
                fits.map_err(|refusal| self.refused("", refusal))?;
                row += 1;
                each(row, object)?;
            }
        }
        Ok(())
    }

    /// The batches of some columns, none of them large.
    pub(super) fn batches(&self, columns: &[usize]) -> Result<Batches, ReadError> {
        let batches = guarded(|| self.content.batches(self.format, columns));
        let batches = batches.unwrap_or_else(|panicked| Err(boxed(panicked)));
        let mut batches = batches.map_err(|source| self.unreadable(source))?;
        let next = move || match guarded(|| batches.next()) {
            Ok(batch) => Some(batch?.map_err(boxed)),
            Err(panicked) => Some(Err(boxed(panicked))),
        };
        Ok(Box::new(std::iter::from_fn(next).flat_map(pieces)))
    }

    /// The columns of a batch with their names.
    pub(super) fn columns(
        &self,
        batch: &RecordBatch,
    ) -> Result<Vec<(String, Vec<Value>)>, ReadError> {
        let schema: &Schema = batch.schema_ref();
        let columns = schema.fields().iter().zip(batch.columns());
        columns
            .map(
                |(field, array)| match guarded(|| values(array, self.room)) {
                    Ok(Ok(values)) => Ok((field.name().clone(), values)),
                    Ok(Err(refusal)) => Err(self.refused(field.name(), refusal)),
                    Err(panicked) => Err(self.unreadable(boxed(panicked))),
                },
            )
            .collect()
    }

    fn refused(&self, column: &str, refusal: Refusal) -> ReadError {
        let path = self.path.clone();
        match refusal {
            Refusal::Type(found) => ReadError::ColumnType {
                path,
                column: column.to_owned(),
                found: found.to_string(),
            },
            Refusal::Size(source) => ReadError::Unpack { path, source },
        }
    }

    pub(super) fn unreadable(&self, source: Unreadable) -> ReadError {
        unreadable(&self.path, self.format, source)
    }
}

/// Something that can be read from any place.
trait ReadSeek: Read + Seek {}

impl<R: Read + Seek> ReadSeek for R {}

impl Content {
    /// In bytes.
    fn length(&self) -> io::Result<u64> {
        match self {
            Self::Memory(bytes) => Ok(bytes.len() as u64),
            Self::File(file) => Ok(file.metadata()?.len()),
        }
    }

    fn schema(&self, format: Format) -> Result<SchemaRef, Unreadable> {
        match (self, format) {
            (Self::Memory(bytes), Format::Parquet) => parquet_schema(bytes.clone()),
            (Self::File(file), Format::Parquet) => parquet_schema(file.try_clone()?),
            (Self::Memory(bytes), _) => {
                arrow_frames::check(bytes)?;
                arrow_schema(self.reader()?)
            }
            (Self::File(_), _) => arrow_schema(self.reader()?),
        }
    }

    fn batches(&self, format: Format, columns: &[usize]) -> Result<ArrowBatches, Unreadable> {
        match (self, format) {
            (Self::Memory(bytes), Format::Parquet) => parquet_batches(bytes.clone(), columns),
            (Self::File(file), Format::Parquet) => parquet_batches(file.try_clone()?, columns),
            (content, _) => arrow_batches(content.reader()?, columns),
        }
    }

    /// The content from its beginning.
    fn reader(&self) -> io::Result<Box<dyn ReadSeek>> {
        Ok(match self {
            Self::Memory(bytes) => Box::new(Cursor::new(bytes.clone())),
            Self::File(file) => {
                let mut reader = BufReader::new(file.try_clone()?);
                reader.rewind()?;
                Box::new(reader)
            }
        })
    }
}

fn parquet_schema(content: impl ChunkReader + 'static) -> Result<SchemaRef, Unreadable> {
    let builder = ParquetRecordBatchReaderBuilder::try_new(content).map_err(boxed)?;
    Ok(builder.schema().clone())
}

fn parquet_batches(
    content: impl ChunkReader + 'static,
    columns: &[usize],
) -> Result<ArrowBatches, Unreadable> {
    let builder = ParquetRecordBatchReaderBuilder::try_new(content).map_err(boxed)?;
    let mask = ProjectionMask::roots(builder.parquet_schema(), columns.iter().copied());
    let reader = builder.with_projection(mask).build().map_err(boxed)?;
    Ok(Box::new(reader))
}

/// Whether this is Arrow's file format, not its stream.
fn is_arrow_file(reader: &mut dyn ReadSeek) -> io::Result<bool> {
    let mut start = Vec::new();
    let beginning = ARROW_FILE.len() as u64;
    Read::take(&mut *reader, beginning).read_to_end(&mut start)?;
    reader.rewind()?;
    Ok(start == ARROW_FILE)
}

fn arrow_schema(mut reader: Box<dyn ReadSeek>) -> Result<SchemaRef, Unreadable> {
    let is_file = is_arrow_file(reader.as_mut()).map_err(boxed)?;
    Ok(match is_file {
        true => FileReader::try_new(reader, None).map_err(boxed)?.schema(),
        false => StreamReader::try_new(reader, None).map_err(boxed)?.schema(),
    })
}

fn arrow_batches(
    mut reader: Box<dyn ReadSeek>,
    columns: &[usize],
) -> Result<ArrowBatches, Unreadable> {
    let columns = Some(columns.to_vec());
    let is_file = is_arrow_file(reader.as_mut()).map_err(boxed)?;
    Ok(match is_file {
        true => Box::new(FileReader::try_new(reader, columns).map_err(boxed)?),
        false => Box::new(StreamReader::try_new(reader, columns).map_err(boxed)?),
    })
}

/// Slices of a batch of at most [`MOST_ROWS`] rows.
fn pieces(batch: Result<RecordBatch, Unreadable>) -> Vec<Result<RecordBatch, Unreadable>> {
    match batch {
        Err(error) => vec![Err(error)],
        Ok(batch) => (0..batch.num_rows())
            .step_by(MOST_ROWS)
            .map(|start| Ok(batch.slice(start, MOST_ROWS.min(batch.num_rows() - start))))
            .collect(),
    }
}

fn boxed<E: std::error::Error + Send + Sync + 'static>(error: E) -> Unreadable {
    error.into()
}

fn unreadable(path: &std::path::Path, format: Format, source: Unreadable) -> ReadError {
    ReadError::Columnar {
        path: path.to_owned(),
        format: match format {
            Format::Parquet => "Parquet",
            _ => "Arrow",
        },
        source,
    }
}

/// The values of an array as JSON; the type of one that is not of strings, numbers, booleans, or lists and structures of them.
fn values(array: &dyn Array, room: Room) -> Result<Vec<Value>, Refusal> {
    room.check(array.len(), 0)?;
    let values: Vec<Value> = match array.data_type() {
        DataType::Null => vec![Value::Null; array.len()],
        DataType::Boolean => array.as_boolean().iter().map(Value::from).collect(),
        DataType::Utf8 => array.as_string::<i32>().iter().map(Value::from).collect(),
        DataType::LargeUtf8 => array.as_string::<i64>().iter().map(Value::from).collect(),
        DataType::Utf8View => array.as_string_view().iter().map(Value::from).collect(),
        DataType::Int8 => integers::<types::Int8Type>(array),
        DataType::Int16 => integers::<types::Int16Type>(array),
        DataType::Int32 => integers::<types::Int32Type>(array),
        DataType::Int64 => integers::<types::Int64Type>(array),
        DataType::UInt8 => integers::<types::UInt8Type>(array),
        DataType::UInt16 => integers::<types::UInt16Type>(array),
        DataType::UInt32 => integers::<types::UInt32Type>(array),
        DataType::UInt64 => integers::<types::UInt64Type>(array),
        DataType::Float16 => floats::<types::Float16Type>(array, |value| shortest(value.to_f32())),
        DataType::Float32 => floats::<types::Float32Type>(array, shortest),
        DataType::Float64 => floats::<types::Float64Type>(array, |value| value),
        DataType::List(_) => lists::<i32>(array, room)?,
        DataType::LargeList(_) => lists::<i64>(array, room)?,
        DataType::FixedSizeList(_, size) => {
            let size = usize::try_from(*size).unwrap_or(0);
            let list = array.as_fixed_size_list();
            let elements = values(list.values(), room)?;
            let list = |row: usize| list_or_null(array, row, &elements[row * size..][..size]);
            (0..array.len()).map(list).collect()
        }
        DataType::Struct(fields) => {
            let columns = array.as_struct().columns().iter();
            let columns: Vec<Vec<Value>> = columns
                .map(|column| values(column, room))
                .collect::<Result<_, _>>()?;
            let object = |row: usize| {
                let cells = fields.iter().zip(&columns);
                let cells = cells.map(|(field, cells)| (field.name().clone(), cells[row].clone()));
                Value::Object(cells.collect::<Map<_, _>>())
            };
            (0..array.len()).map(object).collect()
        }
        DataType::Dictionary(_, _) => {
            let dictionary = array.as_any_dictionary();
            let words = values(dictionary.values(), room)?;
            if words.is_empty() {
                return Ok(vec![Value::Null; array.len()]);
            }
            let keys = dictionary.normalized_keys();
            let bytes = keys.iter().filter_map(|&key| words.get(key)).map(bytes_of);
            room.check(0, bytes.sum())?;
            let word = |(row, key): (usize, usize)| match array.is_null(row) {
                true => Value::Null,
                false => words.get(key).cloned().unwrap_or_default(),
            };
            keys.into_iter().enumerate().map(word).collect()
        }
        other => return Err(Refusal::Type(other.clone())),
    };
    Ok(values)
}

fn integers<T>(array: &dyn Array) -> Vec<Value>
where
    T: ArrowPrimitiveType,
    T::Native: Into<Number>,
{
    let numbers = array.as_primitive::<T>().iter();
    numbers
        .map(|number| number.map_or(Value::Null, |number| Value::Number(number.into())))
        .collect()
}

fn floats<T: ArrowPrimitiveType>(
    array: &dyn Array,
    widen: impl Fn(T::Native) -> f64,
) -> Vec<Value> {
    let numbers = array.as_primitive::<T>().iter();
    numbers
        .map(|number| number.map_or(Value::Null, |number| Value::from(widen(number))))
        .collect()
}

/// The decimal number with the fewest digits that is this one in single precision, as people wrote it.
fn shortest(number: f32) -> f64 {
    number.to_string().parse().unwrap_or(f64::from(number))
}

fn lists<O: OffsetSizeTrait>(array: &dyn Array, room: Room) -> Result<Vec<Value>, Refusal> {
    let list = array.as_list::<O>();
    let offsets: Vec<usize> = list
        .value_offsets()
        .iter()
        .map(|at| at.as_usize())
        .collect();
    let (Some(&first), Some(&last)) = (offsets.first(), offsets.last()) else {
        return Ok(Vec::new());
    };
    let elements = values(&list.values().slice(first, last - first), room)?;
    let ends = offsets.windows(2).enumerate();
    let lists = ends.map(|(row, ends)| {
        let elements = &elements[ends[0] - first..ends[1] - first];
        list_or_null(array, row, elements)
    });
    Ok(lists.collect())
}

/// What a value takes in memory, roughly.
fn bytes_of(value: &Value) -> u64 {
    CELL_BYTES
        + match value {
            Value::String(text) => text.len() as u64,
            Value::Array(values) => values.iter().map(bytes_of).sum(),
            Value::Object(object) => object.values().map(bytes_of).sum(),
            Value::Null | Value::Bool(_) | Value::Number(_) => 0,
        }
}

fn list_or_null(array: &dyn Array, row: usize, elements: &[Value]) -> Value {
    match array.is_null(row) {
        true => Value::Null,
        false => Value::Array(elements.to_vec()),
    }
}
