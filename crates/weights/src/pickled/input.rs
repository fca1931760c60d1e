//! The bytes of a pickle, read from the front.

use super::scan::Stop;

pub(super) struct Input<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Input<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// How many bytes have been read.
    pub(super) fn position(&self) -> usize {
        self.at
    }

    pub(super) fn take(&mut self, length: usize) -> Result<&'a [u8], Stop> {
        let rest = &self.bytes[self.at..];
        let taken = rest.get(..length).ok_or(Stop::CutShort)?;
        self.at += length;
        Ok(taken)
    }

    pub(super) fn byte(&mut self) -> Result<u8, Stop> {
        Ok(self.take(1)?[0])
    }

    /// A little-endian number of so many bytes, at most 8.
    pub(super) fn number(&mut self, length: usize) -> Result<u64, Stop> {
        Ok(little_endian(self.take(length)?))
    }

    /// Bytes with their count before them, a number of `length` bytes.
    pub(super) fn counted(&mut self, length: usize) -> Result<&'a [u8], Stop> {
        let count = self.number(length)?;
        self.take(usize::try_from(count).map_err(|_| Stop::CutShort)?)
    }

    /// What stands before the next end of line.
    pub(super) fn line(&mut self) -> Result<&'a [u8], Stop> {
        let rest = &self.bytes[self.at..];
        let length = rest.iter().position(|&byte| byte == b'\n');
        let line = self.take(length.ok_or(Stop::CutShort)?)?;
        self.at += 1;
        Ok(line)
    }
}

/// The number that these bytes mean; a larger one than 64 bits take becomes the largest of 64 bits.
pub(super) fn little_endian(bytes: &[u8]) -> u64 {
    let (low, high) = bytes.split_at(bytes.len().min(8));
    if high.iter().any(|&byte| byte != 0) {
        return u64::MAX;
    }
    let digits = low.iter().rev();
    digits.fold(0, |number, &byte| number << 8 | u64::from(byte))
}
