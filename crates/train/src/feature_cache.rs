//! The hidden states of the frozen part of a model: in memory up to a size, the rest in a temporary file.

use std::collections::HashMap;
use std::fmt;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bert_encoder::FrozenStates;
use burn::tensor::bf16;
use serde::{Serialize, Serializer};

/// Memory that hidden states may take before they go to the disk: 2 GiB.
const DEFAULT_MEMORY_BYTES: u64 = 2 << 30;
/// How much larger than that the file may become. What finds no room is computed again.
const DISK_FACTOR: u64 = 8;

/// Whether and how a run keeps what the frozen part of its model computes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FeatureCache {
    /// The numbers; `None` computes everything anew in each epoch.
    pub format: Option<FeatureFormat>,
    /// Bytes in memory. Eight times as much goes to the disk after that.
    pub memory_bytes: u64,
}

/// The numbers in which hidden states are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FeatureFormat {
    /// As they are: the run gives the same bytes as one without a cache.
    F32,
    /// Rounded to bfloat16: half of the room.
    Bf16,
}

impl Default for FeatureCache {
    fn default() -> Self {
        Self {
            format: Some(FeatureFormat::F32),
            memory_bytes: DEFAULT_MEMORY_BYTES,
        }
    }
}

impl FromStr for FeatureCache {
    type Err = String;

    fn from_str(words: &str) -> Result<Self, Self::Err> {
        let (word, size) = match words.split_once(':') {
            Some((word, size)) => (word, Some(size)),
            None => (words, None),
        };
        let format = match word {
            "off" if size.is_none() => None,
            "f32" => Some(FeatureFormat::F32),
            "bf16" => Some(FeatureFormat::Bf16),
            _ => {
                return Err(format!(
                    "`{words}` is none of `f32[:SIZE]`, `bf16[:SIZE]` and `off`"
                ));
            }
        };
        let memory_bytes = size.map_or(Ok(DEFAULT_MEMORY_BYTES), bytes)?;
        Ok(Self {
            format,
            memory_bytes,
        })
    }
}

/// A size such as `500MB` or `4GB`, in powers of 1000.
fn bytes(size: &str) -> Result<u64, String> {
    let units = [("GB", 1_000_000_000), ("MB", 1_000_000)];
    let split = units
        .iter()
        .find_map(|(unit, bytes)| Some((size.strip_suffix(unit)?, bytes)));
    let number = split.and_then(|(number, unit)| number.parse::<u64>().ok()?.checked_mul(*unit));
    number.ok_or_else(|| format!("`{size}` is no size such as 500MB or 4GB"))
}

impl fmt::Display for FeatureCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match self.format {
            None => return f.write_str("off"),
            Some(FeatureFormat::F32) => "f32",
            Some(FeatureFormat::Bf16) => "bf16",
        };
        match self.memory_bytes {
            DEFAULT_MEMORY_BYTES => f.write_str(word),
            bytes => write!(f, "{word}:{}MB", bytes / 1_000_000),
        }
    }
}

impl Serialize for FeatureCache {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Hidden states by the tokens of their sequences. Several runs may read one store, if their frozen parts are equal: runs of
/// one checkpoint and one [`Tune`](crate::Tune).
#[derive(Debug)]
pub struct FeatureStore {
    format: FeatureFormat,
    memory_bytes: u64,
    /// Where the file goes; `None` keeps everything that has room in memory.
    dir: Option<PathBuf>,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    places: HashMap<Box<[i32]>, Place>,
    memory: u64,
    disk: u64,
    file: Option<File>,
}

#[derive(Debug)]
enum Place {
    Memory(Box<[u8]>),
    Disk { start: u64, bytes: usize },
}

impl FeatureStore {
    /// An empty store, if `cache` keeps anything; `dir` is where its file goes when memory is full.
    pub fn empty(cache: FeatureCache, dir: Option<&Path>) -> Option<Self> {
        let format = cache.format?;
        Some(Self::new(format, cache.memory_bytes, dir))
    }

    fn new(format: FeatureFormat, memory_bytes: u64, dir: Option<&Path>) -> Self {
        Self {
            format,
            memory_bytes,
            dir: dir.map(Path::to_owned),
            kept: Mutex::new(Kept::default()),
        }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        // Every change is complete before anything in it can panic.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn bytes_of(&self, states: &[f32]) -> Box<[u8]> {
        match self.format {
            FeatureFormat::F32 => states
                .iter()
                .flat_map(|value| value.to_le_bytes())
                .collect(),
            FeatureFormat::Bf16 => {
                let rounded = states.iter().map(|&value| bf16::from_f32(value));
                rounded.flat_map(|value| value.to_le_bytes()).collect()
            }
        }
    }

    fn states_of(&self, bytes: &[u8]) -> Vec<f32> {
        match self.format {
            FeatureFormat::F32 => {
                let values = bytes.as_chunks::<4>().0.iter();
                values.map(|value| f32::from_le_bytes(*value)).collect()
            }
            FeatureFormat::Bf16 => {
                let values = bytes.as_chunks::<2>().0.iter();
                values
                    .map(|value| bf16::from_le_bytes(*value).to_f32())
                    .collect()
            }
        }
    }

    fn write(&self, kept: &mut Kept, bytes: &[u8]) -> io::Result<Option<Place>> {
        let size = bytes.len() as u64;
        if kept.memory + size <= self.memory_bytes {
            kept.memory += size;
            return Ok(Some(Place::Memory(bytes.into())));
        }
        let Some(dir) = &self.dir else {
            return Ok(None);
        };
        if kept.disk + size > self.memory_bytes.saturating_mul(DISK_FACTOR) {
            return Ok(None);
        }
        let in_dir = |error: io::Error| {
            let message = format!(
                "{}: hidden states cannot be kept on the disk: {error}",
                dir.display()
            );
            io::Error::new(error.kind(), message)
        };
        let file = match &mut kept.file {
            Some(file) => file,
            none => none.insert(tempfile::tempfile_in(dir).map_err(in_dir)?),
        };
        let start = kept.disk;
        let written = file
            .seek(SeekFrom::Start(start))
            .and_then(|_| file.write_all(bytes));
        written.map_err(in_dir)?;
        kept.disk += size;
        let bytes = bytes.len();
        Ok(Some(Place::Disk { start, bytes }))
    }
}

impl FrozenStates for FeatureStore {
    fn get(&self, key: &[i32]) -> io::Result<Option<Vec<f32>>> {
        let mut kept = self.kept();
        let Kept { places, file, .. } = &mut *kept;
        match (places.get(key), file) {
            (Some(Place::Memory(bytes)), _) => Ok(Some(self.states_of(bytes))),
            (Some(Place::Disk { start, bytes }), Some(file)) => {
                let mut read = vec![0; *bytes];
                file.seek(SeekFrom::Start(*start))?;
                file.read_exact(&mut read)?;
                Ok(Some(self.states_of(&read)))
            }
            _ => Ok(None),
        }
    }

    fn put(&self, key: Vec<i32>, states: Vec<f32>) -> io::Result<Vec<f32>> {
        let bytes = self.bytes_of(&states);
        let mut kept = self.kept();
        if !kept.places.contains_key(key.as_slice())
            && let Some(place) = self.write(&mut kept, &bytes)?
        {
            kept.places.insert(key.into(), place);
        }
        Ok(match self.format {
            FeatureFormat::F32 => states,
            FeatureFormat::Bf16 => self.states_of(&bytes),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_round_trip_and_others_are_refused() {
        for word in ["off", "f32", "bf16", "f32:500MB", "bf16:4000MB"] {
            assert_eq!(word.parse::<FeatureCache>().unwrap().to_string(), word);
        }
        assert_eq!(
            "f32:4GB".parse::<FeatureCache>().unwrap().memory_bytes,
            4_000_000_000
        );
        for word in ["", "on", "off:4GB", "f32:", "f32:4", "f16:1GB", "f32:-1GB"] {
            assert!(word.parse::<FeatureCache>().is_err(), "{word} was taken");
        }
    }

    #[test]
    fn states_come_back_from_memory_and_from_the_disk_and_room_ends() {
        let dir = tempfile::tempdir().unwrap();
        let store = FeatureStore::new(FeatureFormat::F32, 16, Some(dir.path()));
        let states = |row: i32| vec![row as f32 + 0.1, f32::MIN_POSITIVE, -0.0];
        for row in 0..20 {
            assert_eq!(store.put(vec![row], states(row)).unwrap(), states(row));
        }
        for row in 0..20 {
            // One in memory, ten on the disk, of twelve bytes each.
            let expected = (row < 11).then(|| states(row));
            assert_eq!(store.get(&[row]).unwrap(), expected, "{row}");
        }
        assert_eq!(store.get(&[0, 1]).unwrap(), None);
    }

    #[test]
    fn rounded_states_are_used_rounded_from_the_first_time_on() {
        let store = FeatureStore::new(FeatureFormat::Bf16, 1000, None);
        let put = store.put(vec![1], vec![1.0, 1.001, 3.1]).unwrap();
        assert_eq!(put, [1.0, 1.0, 3.09375]);
        assert_eq!(store.get(&[1]).unwrap(), Some(put));
    }
}
