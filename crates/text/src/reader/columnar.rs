//! Parquet and Arrow files as rows of JSON objects.

use std::fs::File;
use std::io::{self, BufReader, Cursor, Read, Seek};
use std::path::PathBuf;

use arrow_array::RecordBatch;
use arrow_ipc::reader::{FileReader, StreamReader};
use arrow_schema::{ArrowError, Schema, SchemaRef};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::file::reader::ChunkReader;
use serde_json::Value;

use super::arrow_frames::{self, ARROW_FILE};
use super::cells::{Refusal, Room, Taken, bytes_of_entries, values};
use super::rows::Object;
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
        let room = content.length().map(Room::of).map_err(boxed);
        let schema = room.and_then(|room| {
            let schema = guarded(|| content.schema(format, room));
            let schema = schema.unwrap_or_else(|panicked| Err(boxed(panicked)))?;
            Ok((room, schema))
        });
        let (room, schema) = schema.map_err(|source| unreadable(&path, format, source))?;
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
                bytes += bytes_of_entries(&object);
                let fits = self.room.check_bytes(bytes).map_err(Refusal::Size);
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
        let (room, mut rows) = (self.room, 0);
        // Rows without a column take nothing of the file.
        let mut fits = move |batch: RecordBatch| {
            rows += batch.num_rows() as u64;
            room.check_cells(rows).map_err(boxed)?;
            Ok(batch)
        };
        let next = move || match guarded(|| batches.next()) {
            Ok(batch) => Some(batch?.map_err(boxed).and_then(&mut fits)),
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
        let mut taken = Taken::of(self.room);
        columns
            .map(
                |(field, array)| match guarded(|| values(array, &mut taken)) {
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

    fn schema(&self, format: Format, room: Room) -> Result<SchemaRef, Unreadable> {
        match (self, format) {
            (Self::Memory(bytes), Format::Parquet) => parquet_schema(bytes.clone()),
            (Self::File(file), Format::Parquet) => parquet_schema(file.try_clone()?),
            (Self::Memory(bytes), _) => {
                arrow_frames::check(bytes, room)?;
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
fn pieces(
    batch: Result<RecordBatch, Unreadable>,
) -> impl Iterator<Item = Result<RecordBatch, Unreadable>> {
    let (batch, error) = match batch {
        Ok(batch) => (Some(batch), None),
        Err(error) => (None, Some(Err(error))),
    };
    let slices = batch.into_iter().flat_map(|batch| {
        let rows = batch.num_rows();
        let starts = (0..rows).step_by(MOST_ROWS);
        starts.map(move |start| Ok(batch.slice(start, MOST_ROWS.min(rows - start))))
    });
    slices.chain(error)
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
