//! NumPy's file format, version 1.0: a header of text, and the numbers row by row. Source: `numpy.lib.format`.

use std::path::Path;

use anyhow::Result;

use crate::whole_file::WholeFile;

/// The file begins so: its name, and the version.
const MAGIC: &[u8; 8] = b"\x93NUMPY\x01\x00";
/// Bytes of the whole header. A multiple of 64, as the format wants it, in which the largest shape has room.
const HEADER_SIZE: usize = 128;

/// A two-dimensional array of little-endian f32 that grows row by row.
pub(crate) struct NpyFile(WholeFile);

impl NpyFile {
    /// Makes sure that the file can be written. The header is that of an empty array until the shape is known.
    pub(super) fn begin(path: &Path) -> Result<Self> {
        let mut file = WholeFile::begin(path)?;
        file.bytes(&header([0, 0]))?;
        Ok(Self(file))
    }

    /// Adds a row.
    pub(super) fn row(&mut self, row: &[f32]) -> Result<()> {
        let bytes: Vec<u8> = row.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.0.bytes(&bytes)
    }

    /// Writes the shape and gives the file its name.
    pub(super) fn commit(mut self, shape: [usize; 2]) -> Result<()> {
        self.0.replace_start(&header(shape))?;
        self.0.commit()
    }
}

fn header([rows, columns]: [usize; 2]) -> Vec<u8> {
    let dictionary =
        format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({rows}, {columns}), }}");
    let text_size = HEADER_SIZE - MAGIC.len() - size_of::<u16>();
    let mut header = MAGIC.to_vec();
    header.extend((text_size as u16).to_le_bytes());
    header.extend(dictionary.as_bytes());
    header.resize(HEADER_SIZE - 1, b' ');
    header.push(b'\n');
    header
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_is_as_long_as_it_says_for_every_shape() {
        for shape in [[0, 384], [1000, 384], [usize::MAX, usize::MAX]] {
            let header = header(shape);
            assert_eq!(header.len(), 128);
            assert_eq!(header[..10], *b"\x93NUMPY\x01\x00\x76\x00");
            let text = str::from_utf8(&header[10..]).unwrap();
            assert!(
                text.contains(&format!("({}, {})", shape[0], shape[1])),
                "{text}"
            );
            assert!(text.ends_with("\n"), "{text}");
        }
    }
}
