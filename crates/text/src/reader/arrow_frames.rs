//! The frames of an Arrow file. Their reader allocates what a frame says it has before it looks whether the file has it.

use arrow_ipc::{Block, root_as_footer, root_as_message};

/// How Arrow's file format begins and ends; the stream has neither.
pub(super) const ARROW_FILE: &[u8] = b"ARROW1";
/// Before the length of a message, in all but old streams.
const CONTINUES: u32 = u32::MAX;

/// Makes sure that every frame lies within the content. What is no frame at all is left to the reader.
pub(super) fn check(content: &[u8]) -> Result<(), String> {
    match content.starts_with(ARROW_FILE) {
        true => check_file(content),
        false => check_stream(content),
    }
}

fn check_file(content: &[u8]) -> Result<(), String> {
    let Some(blocks) = blocks(content) else {
        return Ok(());
    };
    let fits = |block: &Block| {
        let ends = [
            block.offset(),
            i64::from(block.metaDataLength()),
            block.bodyLength(),
        ];
        let parts = ends.map(|part| usize::try_from(part).ok());
        let end = parts
            .into_iter()
            .try_fold(0_usize, |end, part| end.checked_add(part?));
        end.is_some_and(|end| end <= content.len())
    };
    match blocks.iter().position(|block| !fits(block)) {
        None => Ok(()),
        Some(index) => Err(format!("block {index} of its footer lies beyond its end")),
    }
}

/// The blocks that the footer lists.
fn blocks(content: &[u8]) -> Option<Vec<Block>> {
    let (content, length) = content.strip_suffix(ARROW_FILE)?.split_last_chunk()?;
    let length = usize::try_from(i32::from_le_bytes(*length)).ok()?;
    let footer = &content[content.len().checked_sub(length)?..];
    let footer = root_as_footer(footer).ok()?;
    let lists = [footer.dictionaries(), footer.recordBatches()];
    Some(lists.into_iter().flatten().flatten().copied().collect())
}

fn check_stream(content: &[u8]) -> Result<(), String> {
    let mut rest = content;
    let beyond = |rest: &[u8], what: &str, length: i64| {
        let at = content.len() - rest.len();
        format!("the {what} at its byte {at} says it has {length} bytes, more than there are")
    };
    while let Some((length, behind)) = length(rest) {
        let Some(message) = behind.get(..length) else {
            return Err(beyond(behind, "message", length as i64));
        };
        let behind = &behind[length..];
        let Ok(message) = root_as_message(message) else {
            return Ok(());
        };
        let body = usize::try_from(message.bodyLength()).ok();
        let Some(next) = body.and_then(|length| behind.get(length..)) else {
            return Err(beyond(behind, "body", message.bodyLength()));
        };
        rest = next;
    }
    Ok(())
}

/// The length of the next message, and what stands behind it; `None` at the end.
fn length(content: &[u8]) -> Option<(usize, &[u8])> {
    let word = |content: &[u8]| Some(u32::from_le_bytes(*content.first_chunk()?));
    let (length, behind) = match word(content)? {
        CONTINUES => (word(&content[4..])?, &content[8..]),
        length => (length, &content[4..]),
    };
    (length != 0).then_some((length as usize, behind))
}
