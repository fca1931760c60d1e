//! The two-column map between checkpoint names and module paths.

use std::fmt;

/// A bijection between the tensor names of a checkpoint and the parameter paths of a module.
///
/// Written as text, one pair a line, the columns apart by a tab or spaces; lines that start with `#` are comments.
/// A segment `{n}` stands for a layer number and appears once in both columns or in neither:
///
/// ```
/// # use bert_weights::KeyMap;
/// let keys = KeyMap::parse("encoder.layer.{n}.output.LayerNorm.weight\tlayers.{n}.output.layer_norm.gamma")?;
/// let path = keys.module_path("encoder.layer.11.output.LayerNorm.weight");
/// assert_eq!(path.as_deref(), Some("layers.11.output.layer_norm.gamma"));
/// # Ok::<(), bert_weights::KeyMapError>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeyMap {
    entries: Vec<Entry>,
}

/// One side of a [`KeyMap`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyMapColumn {
    /// The tensor names of the checkpoint.
    Checkpoint,
    /// The parameter paths of the module.
    Module,
}

impl fmt::Display for KeyMapColumn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Checkpoint => "checkpoint name",
            Self::Module => "module path",
        })
    }
}

/// What is wrong with the text of a [`KeyMap`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyMapError {
    /// A line has not two columns.
    #[error(
        "key map line {line}: expected two columns (checkpoint name, module path), found {found}"
    )]
    Columns {
        /// The line, counted from 1.
        line: usize,
        /// How many columns it has.
        found: usize,
    },
    /// A pattern that is not made of segments with dots between them.
    #[error(
        "key map line {line}: `{pattern}` is not a name; segments are apart by one dot and a brace may only be \
         part of the segment `{{n}}`"
    )]
    Pattern {
        /// The line, counted from 1.
        line: usize,
        /// The pattern.
        pattern: String,
    },
    /// `{n}` is not once in both columns or in neither.
    #[error("key map line {line}: `{{n}}` must appear once in both columns or in neither")]
    LayerNumber {
        /// The line, counted from 1.
        line: usize,
    },
    /// Two patterns of one column match the same name, so the map is no bijection.
    #[error(
        "key map is ambiguous: the {column} patterns `{first}` and `{second}` match the same name"
    )]
    Overlap {
        /// The column with the two patterns.
        column: KeyMapColumn,
        /// The earlier pattern.
        first: String,
        /// The later pattern.
        second: String,
    },
}

impl KeyMap {
    /// Reads the two-column text.
    ///
    /// # Errors
    /// [`KeyMapError`] when a line is malformed or when two lines could match one name in either column.
    pub fn parse(text: &str) -> Result<Self, KeyMapError> {
        let entries = text
            .lines()
            .enumerate()
            .map(|(index, line)| (index + 1, line.trim()))
            .filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
            .map(|(number, line)| Entry::parse(number, line))
            .collect::<Result<_, _>>()?;
        Self::bijective(entries)
    }

    /// The same map with a prefix such as `bert.` before every name of each column. The last dot may be left out, and
    /// an empty prefix changes nothing.
    #[must_use]
    pub fn with_prefix(mut self, checkpoint: &str, module: &str) -> Self {
        for entry in &mut self.entries {
            entry.checkpoint.prepend(checkpoint);
            entry.module.prepend(module);
        }
        self
    }

    /// Both maps in one, as a model's map is its encoder's and its head's.
    ///
    /// # Errors
    /// [`KeyMapError::Overlap`] when both maps know one name.
    pub fn join(mut self, other: Self) -> Result<Self, KeyMapError> {
        self.entries.extend(other.entries);
        Self::bijective(self.entries)
    }

    /// The module path of a checkpoint's tensor, if the map knows the name.
    pub fn module_path(&self, checkpoint_name: &str) -> Option<String> {
        self.entries.iter().find_map(|entry| {
            entry
                .module
                .fill(&entry.checkpoint.capture(checkpoint_name)?)
        })
    }

    /// The checkpoint's name of a module's parameter, if the map knows the path.
    pub fn checkpoint_name(&self, module_path: &str) -> Option<String> {
        self.entries
            .iter()
            .find_map(|entry| entry.checkpoint.fill(&entry.module.capture(module_path)?))
    }

    fn bijective(entries: Vec<Entry>) -> Result<Self, KeyMapError> {
        for (index, later) in entries.iter().enumerate() {
            for earlier in &entries[..index] {
                reject_overlap(
                    KeyMapColumn::Checkpoint,
                    &earlier.checkpoint,
                    &later.checkpoint,
                )?;
                reject_overlap(KeyMapColumn::Module, &earlier.module, &later.module)?;
            }
        }
        Ok(Self { entries })
    }
}

fn reject_overlap(
    column: KeyMapColumn,
    first: &Pattern,
    second: &Pattern,
) -> Result<(), KeyMapError> {
    if first.overlaps(second) {
        return Err(KeyMapError::Overlap {
            column,
            first: first.to_string(),
            second: second.to_string(),
        });
    }
    Ok(())
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    checkpoint: Pattern,
    module: Pattern,
}

impl Entry {
    fn parse(line: usize, text: &str) -> Result<Self, KeyMapError> {
        let columns: Vec<&str> = text.split_whitespace().collect();
        let &[checkpoint, module] = columns.as_slice() else {
            return Err(KeyMapError::Columns {
                line,
                found: columns.len(),
            });
        };
        let entry = Self {
            checkpoint: Pattern::parse(line, checkpoint)?,
            module: Pattern::parse(line, module)?,
        };
        match (
            entry.checkpoint.layer_numbers(),
            entry.module.layer_numbers(),
        ) {
            (0, 0) | (1, 1) => Ok(entry),
            _ => Err(KeyMapError::LayerNumber { line }),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Segment {
    Literal(String),
    LayerNumber,
}

impl Segment {
    fn overlaps(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Literal(left), Self::Literal(right)) => left == right,
            (Self::LayerNumber, Self::LayerNumber) => true,
            (Self::LayerNumber, Self::Literal(text)) | (Self::Literal(text), Self::LayerNumber) => {
                is_layer_number(text)
            }
        }
    }
}

/// A name with at most one segment left open for a layer number.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Pattern {
    segments: Vec<Segment>,
}

impl Pattern {
    fn parse(line: usize, text: &str) -> Result<Self, KeyMapError> {
        let segment = |segment: &str| match segment {
            "{n}" => Some(Segment::LayerNumber),
            literal if literal.is_empty() || literal.contains(['{', '}']) => None,
            literal => Some(Segment::Literal(literal.to_owned())),
        };
        let segments = text.split('.').map(segment).collect::<Option<_>>();
        segments
            .map(|segments| Self { segments })
            .ok_or_else(|| KeyMapError::Pattern {
                line,
                pattern: text.to_owned(),
            })
    }

    fn prepend(&mut self, prefix: &str) {
        let prefix = prefix.strip_suffix('.').unwrap_or(prefix);
        if !prefix.is_empty() {
            let literals = prefix
                .split('.')
                .map(|segment| Segment::Literal(segment.to_owned()));
            self.segments.splice(0..0, literals);
        }
    }

    fn layer_numbers(&self) -> usize {
        self.segments
            .iter()
            .filter(|segment| **segment == Segment::LayerNumber)
            .count()
    }

    fn overlaps(&self, other: &Self) -> bool {
        self.segments.len() == other.segments.len()
            && self
                .segments
                .iter()
                .zip(&other.segments)
                .all(|(left, right)| left.overlaps(right))
    }

    /// What `{n}` stands for in `name`, or `None` when the name does not match.
    fn capture<'a>(&self, name: &'a str) -> Option<Captured<'a>> {
        let mut captured = Captured(None);
        let mut parts = name.split('.');
        for segment in &self.segments {
            let part = parts.next()?;
            match segment {
                Segment::Literal(literal) if literal == part => {}
                Segment::LayerNumber if is_layer_number(part) => captured.0 = Some(part),
                _ => return None,
            }
        }
        parts.next().is_none().then_some(captured)
    }

    fn fill(&self, captured: &Captured<'_>) -> Option<String> {
        let parts: Option<Vec<&str>> = self
            .segments
            .iter()
            .map(|segment| match segment {
                Segment::Literal(literal) => Some(literal.as_str()),
                Segment::LayerNumber => captured.0,
            })
            .collect();
        Some(parts?.join("."))
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, segment) in self.segments.iter().enumerate() {
            let dot = if index == 0 { "" } else { "." };
            match segment {
                Segment::Literal(literal) => write!(f, "{dot}{literal}")?,
                Segment::LayerNumber => write!(f, "{dot}{{n}}")?,
            }
        }
        Ok(())
    }
}

/// The layer number of a matching name, if its pattern has one.
struct Captured<'a>(Option<&'a str>);

/// Only the canonical spelling counts: were `07` a layer number, two names would share one module path.
fn is_layer_number(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|byte| byte.is_ascii_digit())
        && (text == "0" || !text.starts_with('0'))
}
