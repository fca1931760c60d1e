//! The frames of an Arrow file. Their reader allocates what a frame says it has before it looks whether the file has it.

use arrow_ipc::{Block, Footer, Message, root_as_footer_with_opts, root_as_message_with_opts};
use flatbuffers::VerifierOptions;

use super::arrow_messages;
use super::cells::Room;

/// How Arrow's file format begins and ends; the stream has neither.
pub(super) const ARROW_FILE: &[u8] = b"ARROW1";
/// Before the length of a message, in all but old streams.
const CONTINUES: u32 = u32::MAX;
/// Parts of a message may stand for several. One with every part written out is so many times as large at most, or as small.
const MOST_TIMES: usize = 16;
const SMALL: usize = 1 << 20;

/// Makes sure that every frame lies within the content, and that its message keeps what it promises.
pub(super) fn check(content: &[u8], room: Room) -> Result<(), String> {
    match content.starts_with(ARROW_FILE) {
        true => check_file(content, room),
        false => check_stream(content, room),
    }
}

fn check_file(content: &[u8], room: Room) -> Result<(), String> {
    let Some(footer) = footer(content)? else {
        return Ok(());
    };
    let footer = read_footer(footer).map_err(|error| format!("its footer is damaged: {error}"))?;
    let lists = [footer.dictionaries(), footer.recordBatches()];
    let mut left = content.len();
    for (index, block) in lists.into_iter().flatten().flatten().enumerate() {
        let (message, body) = parts(content, block)
            .ok_or_else(|| format!("block {index} of its footer lies beyond its end"))?;
        let length = message.len() + body.len();
        let fewer = left.checked_sub(length);
        left = fewer.ok_or("the blocks of its footer overlap")?;
        check_block(message, body, room).map_err(|what| format!("block {index}: {what}"))?;
    }
    Ok(())
}

/// The footer without the length behind it; `None` where the file does not end as it has to.
fn footer(content: &[u8]) -> Result<Option<&[u8]>, String> {
    let content = content.strip_suffix(ARROW_FILE);
    let Some((content, length)) = content.and_then(<[u8]>::split_last_chunk) else {
        return Ok(None);
    };
    let length = i32::from_le_bytes(*length);
    let start = usize::try_from(length).ok();
    let start = start.and_then(|length| content.len().checked_sub(length));
    let start = start
        .ok_or_else(|| format!("its footer says it has {length} bytes, more than there are"))?;
    Ok(Some(&content[start..]))
}

/// The message of a block and its body.
fn parts<'a>(content: &'a [u8], block: &Block) -> Option<(&'a [u8], &'a [u8])> {
    let behind = content.get(usize::try_from(block.offset()).ok()?..)?;
    let (message, behind) =
        behind.split_at_checked(usize::try_from(block.metaDataLength()).ok()?)?;
    let body = behind.get(..usize::try_from(block.bodyLength()).ok()?)?;
    Some((message, body))
}

fn check_block(message: &[u8], body: &[u8], room: Room) -> Result<(), String> {
    let (_, message) = length(message).ok_or("it has no message")?;
    let message = read_message(message)?;
    if usize::try_from(message.bodyLength()).ok() != Some(body.len()) {
        let (said, listed) = (message.bodyLength(), body.len());
        return Err(format!(
            "its body has {said} bytes, and by the footer {listed}"
        ));
    }
    arrow_messages::check(&message, body, room)
}

fn check_stream(content: &[u8], room: Room) -> Result<(), String> {
    let mut rest = content;
    let place = |rest: &[u8]| content.len() - rest.len();
    let beyond = |rest: &[u8], what: &str, length: i64| {
        let at = place(rest);
        format!("the {what} at its byte {at} says it has {length} bytes, more than there are")
    };
    while let Some((length, behind)) = length(rest) {
        let at = place(behind);
        let wrong = |what: String| format!("the message at its byte {at}: {what}");
        let Some((message, behind)) = behind.split_at_checked(length) else {
            return Err(beyond(behind, "message", length as i64));
        };
        let message = read_message(message).map_err(wrong)?;
        let body = usize::try_from(message.bodyLength()).ok();
        let Some((body, next)) = body.and_then(|length| behind.split_at_checked(length)) else {
            return Err(beyond(behind, "body", message.bodyLength()));
        };
        arrow_messages::check(&message, body, room).map_err(wrong)?;
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

fn read_message(message: &[u8]) -> Result<Message<'_>, String> {
    root_as_message_with_opts(&bounds(message), message).map_err(damage)
}

fn read_footer(footer: &[u8]) -> Result<Footer<'_>, String> {
    root_as_footer_with_opts(&bounds(footer), footer).map_err(damage)
}

fn bounds(message: &[u8]) -> VerifierOptions {
    VerifierOptions {
        max_apparent_size: SMALL.saturating_add(message.len().saturating_mul(MOST_TIMES)),
        ..VerifierOptions::default()
    }
}

/// The error's own words have several lines.
fn damage(error: flatbuffers::InvalidFlatbuffer) -> String {
    format!("{error:?}")
}
