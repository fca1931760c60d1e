//! The arrays of Parquet and Arrow as JSON.

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrowPrimitiveType, OffsetSizeTrait, types};
use arrow_schema::DataType;
use serde_json::{Map, Number, Value};

use super::unpack::{Limits, UnpackError};

/// What a cell takes beside its text.
const CELL_BYTES: u64 = 24;
/// What an object takes for each of its keys.
const ENTRY_BYTES: u64 = 96;

/// Why an array is not read.
pub(super) enum Refusal {
    /// Its type, which is not one of data.
    Type(DataType),
    /// It is larger than the file allows.
    Size(UnpackError),
}

/// What may come out of a file: a few bytes can stand for any number of rows.
#[derive(Clone, Copy)]
pub(super) struct Room {
    limits: Limits,
    file_bytes: u64,
}

impl Room {
    pub(super) fn of(file_bytes: u64) -> Self {
        Self {
            limits: Limits::from_environment(),
            file_bytes,
        }
    }

    pub(super) fn check_bytes(self, bytes: u64) -> Result<(), UnpackError> {
        self.limits.check(self.file_bytes, bytes)
    }

    /// So many cells without a text.
    pub(super) fn check_cells(self, cells: u64) -> Result<(), UnpackError> {
        self.check_bytes(cells.saturating_mul(CELL_BYTES))
    }
}

/// What the arrays of a batch have taken of the room together: each of many columns may have cells without a byte.
pub(super) struct Taken {
    room: Room,
    bytes: u64,
}

impl Taken {
    pub(super) fn of(room: Room) -> Self {
        Self { room, bytes: 0 }
    }

    fn take_bytes(&mut self, bytes: u64) -> Result<(), Refusal> {
        self.bytes = self.bytes.saturating_add(bytes);
        self.room.check_bytes(self.bytes).map_err(Refusal::Size)
    }

    /// All cells of an array are in memory at once.
    fn take_cells(&mut self, cells: usize) -> Result<(), Refusal> {
        self.take_bytes((cells as u64).saturating_mul(size_of::<Value>() as u64))
    }
}

/// The values of an array as JSON; the type of one that is not of strings, numbers, booleans, or lists and structures of them.
pub(super) fn values(array: &dyn Array, taken: &mut Taken) -> Result<Vec<Value>, Refusal> {
    taken.take_cells(array.len())?;
    let values: Vec<Value> = match array.data_type() {
        DataType::Null => vec![Value::Null; array.len()],
        DataType::Boolean => array.as_boolean().iter().map(Value::from).collect(),
        DataType::Utf8 => array.as_string::<i32>().iter().map(Value::from).collect(),
        DataType::LargeUtf8 => array.as_string::<i64>().iter().map(Value::from).collect(),
        DataType::Utf8View => views(array, taken)?,
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
        DataType::List(_) => lists::<i32>(array, taken)?,
        DataType::LargeList(_) => lists::<i64>(array, taken)?,
        DataType::FixedSizeList(_, size) => fixed_lists(array, *size, taken)?,
        DataType::Struct(_) => objects(array, taken)?,
        DataType::Dictionary(_, _) => words(array, taken)?,
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

/// Any number of views may show the same text.
fn views(array: &dyn Array, taken: &mut Taken) -> Result<Vec<Value>, Refusal> {
    let texts = array.as_string_view();
    let bytes = texts.iter().flatten().map(|text| text.len() as u64);
    taken.take_bytes(bytes.sum())?;
    Ok(texts.iter().map(Value::from).collect())
}

fn lists<O: OffsetSizeTrait>(array: &dyn Array, taken: &mut Taken) -> Result<Vec<Value>, Refusal> {
    let list = array.as_list::<O>();
    let offsets: Vec<usize> = list
        .value_offsets()
        .iter()
        .map(|at| at.as_usize())
        .collect();
    let (Some(&first), Some(&last)) = (offsets.first(), offsets.last()) else {
        return Ok(Vec::new());
    };
    let elements = values(&list.values().slice(first, last - first), taken)?;
    let sizes = offsets.windows(2).map(|ends| ends[1] - ends[0]);
    Ok(grouped(array, elements, sizes))
}

fn fixed_lists(array: &dyn Array, size: i32, taken: &mut Taken) -> Result<Vec<Value>, Refusal> {
    let elements = values(array.as_fixed_size_list().values(), taken)?;
    let size = usize::try_from(size).unwrap_or(0);
    let sizes = std::iter::repeat_n(size, array.len());
    Ok(grouped(array, elements, sizes))
}

/// The elements, which follow each other, as lists.
fn grouped(
    array: &dyn Array,
    elements: Vec<Value>,
    sizes: impl Iterator<Item = usize>,
) -> Vec<Value> {
    let mut elements = elements.into_iter();
    let list = |(row, size)| {
        let list: Vec<Value> = elements.by_ref().take(size).collect();
        match array.is_null(row) {
            true => Value::Null,
            false => Value::Array(list),
        }
    };
    sizes.enumerate().map(list).collect()
}

fn objects(array: &dyn Array, taken: &mut Taken) -> Result<Vec<Value>, Refusal> {
    let array = array.as_struct();
    let entries = (array.len() as u64).saturating_mul(array.num_columns() as u64);
    taken.take_bytes(entries.saturating_mul(ENTRY_BYTES))?;
    let columns = array.columns().iter();
    let mut columns: Vec<Vec<Value>> = columns
        .map(|column| values(column, taken))
        .collect::<Result<_, _>>()?;
    let object = |row: usize| {
        let cells = array.fields().iter().zip(&mut columns);
        let cells = cells.map(|(field, cells)| (field.name().clone(), cells[row].take()));
        Value::Object(cells.collect::<Map<_, _>>())
    };
    Ok((0..array.len()).map(object).collect())
}

/// The words of a dictionary, each as often as its key stands there.
fn words(array: &dyn Array, taken: &mut Taken) -> Result<Vec<Value>, Refusal> {
    let dictionary = array.as_any_dictionary();
    let words = values(dictionary.values(), taken)?;
    if words.is_empty() {
        return Ok(vec![Value::Null; array.len()]);
    }
    let keys = dictionary.normalized_keys();
    let bytes = keys.iter().filter_map(|&key| words.get(key)).map(bytes_of);
    taken.take_bytes(bytes.sum())?;
    let word = |(row, key): (usize, usize)| match array.is_null(row) {
        true => Value::Null,
        false => words.get(key).cloned().unwrap_or_default(),
    };
    Ok(keys.into_iter().enumerate().map(word).collect())
}

/// What a value takes in memory, roughly.
fn bytes_of(value: &Value) -> u64 {
    CELL_BYTES
        + match value {
            Value::String(text) => text.len() as u64,
            Value::Array(values) => values.iter().map(bytes_of).sum(),
            Value::Object(object) => bytes_of_entries(object),
            Value::Null | Value::Bool(_) | Value::Number(_) => 0,
        }
}

/// What an object takes in memory, roughly: one without a cell, too.
pub(super) fn bytes_of_entries(object: &Map<String, Value>) -> u64 {
    let cells = object.values();
    ENTRY_BYTES + cells.map(|cell| ENTRY_BYTES + bytes_of(cell)).sum::<u64>()
}
