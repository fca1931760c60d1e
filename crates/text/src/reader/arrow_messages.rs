//! What the messages of an Arrow file say of their arrays. Their reader believes some of it, and takes the memory.

use arrow_ipc::{Message, RecordBatch};

use super::cells::Room;

/// A compressed buffer begins with its length before it was compressed.
type Length = [u8; 8];
/// It stands for a buffer that was not compressed after all.
const NOT_COMPRESSED: i64 = -1;

/// Compares the arrays of a message, if it has some, with each other, with its body and with what a file of this size may hold.
pub(super) fn check(message: &Message<'_>, body: &[u8], room: Room) -> Result<(), String> {
    let batch = message.header_as_record_batch();
    let batch = batch.or_else(|| message.header_as_dictionary_batch()?.data());
    let Some(batch) = batch else {
        return Ok(());
    };
    check_rows(&batch, room)?;
    check_variadic_counts(&batch)?;
    check_buffers(&batch, body, room)
}

fn check_rows(batch: &RecordBatch<'_>, room: Room) -> Result<(), String> {
    let cells = |what: &str, cells: i64| {
        let count = u64::try_from(cells).map_err(|_| format!("{what} has {cells} rows"))?;
        let fits = room.check_cells(count);
        fits.map_err(|error| format!("{what} has {cells} rows and {error}"))
    };
    let rows = batch.length();
    for (index, node) in batch.nodes().into_iter().flatten().enumerate() {
        let (length, nulls) = (node.length(), node.null_count());
        // The first array is that of the first column.
        if index == 0 && length != rows {
            return Err(format!("it has {rows} rows, and its first column {length}"));
        }
        cells(&format!("its array {index}"), length)?;
        if !(0..=length).contains(&nulls) {
            return Err(format!(
                "{nulls} of the {length} rows of its array {index} are missing"
            ));
        }
    }
    cells("it", rows)
}

fn check_variadic_counts(batch: &RecordBatch<'_>) -> Result<(), String> {
    let buffers = batch.buffers().map_or(0, |buffers| buffers.len());
    let mut left = buffers;
    for count in batch.variadicBufferCounts().into_iter().flatten() {
        let fewer = usize::try_from(count).ok();
        let fewer = fewer.and_then(|count| left.checked_sub(count));
        left = fewer.ok_or_else(|| {
            format!("the texts of a column lie in {count} of its {buffers} buffers")
        })?;
    }
    Ok(())
}

fn check_buffers(batch: &RecordBatch<'_>, body: &[u8], room: Room) -> Result<(), String> {
    let (mut together, mut unpacked) = (0_usize, 0_u64);
    for (index, buffer) in batch.buffers().into_iter().flatten().enumerate() {
        let (offset, length) = (buffer.offset(), buffer.length());
        let bytes = part(body, offset, length).ok_or_else(|| {
            let body = body.len();
            format!(
                "its buffer {index} has {length} bytes from byte {offset}, and its body has {body}"
            )
        })?;
        together = together.saturating_add(bytes.len());
        if batch.compression().is_some() {
            let length =
                unpacked_length(bytes).map_err(|what| format!("its buffer {index} {what}"))?;
            unpacked = unpacked.saturating_add(length);
        }
    }
    if together > body.len() {
        let body = body.len();
        return Err(format!(
            "its buffers have {together} bytes, and its body has {body}"
        ));
    }
    let fits = room.check_bytes(unpacked);
    fits.map_err(|error| format!("its body {error}"))
}

fn part(body: &[u8], offset: i64, length: i64) -> Option<&[u8]> {
    let (offset, length) = (usize::try_from(offset).ok()?, usize::try_from(length).ok()?);
    body.get(offset..offset.checked_add(length)?)
}

/// What a buffer of a compressed message unpacks to, in bytes.
fn unpacked_length(bytes: &[u8]) -> Result<u64, String> {
    if bytes.is_empty() {
        return Ok(0);
    }
    let length: &Length = bytes.first_chunk().ok_or("is too short for its length")?;
    match i64::from_le_bytes(*length) {
        NOT_COMPRESSED => Ok(0),
        length => u64::try_from(length).map_err(|_| format!("unpacks to {length} bytes")),
    }
}
