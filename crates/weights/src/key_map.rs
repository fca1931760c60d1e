//! The two-column map between checkpoint names and module paths.

use std::fmt;

/// The second column of a buffer.
const BUFFER: &str = "-";

/// A bijection between the tensor names of a checkpoint and the parameter paths of a module.
///
/// It is written as text, one pair a line, with a tab or spaces between the columns. A line that starts with `#` is a
/// comment. A segment `{n}` stands for a layer number and appears once in both columns or in neither. A `-` in the second
/// column says that the tensor is a buffer: [`load`](crate::load()) skips it.
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
    /// Tensors that belong to no parameter and hold no weight.
    buffers: Vec<Pattern>,
    /// Ends in a dot, or is empty.
    base_prefix: String,
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
    /// A line does not have two columns.
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
        "key map line {line}: `{pattern}` is not a name; one dot separates segments, and only the segment `{{n}}` \
         has braces"
    )]
    Pattern {
        /// The line, counted from 1.
        line: usize,
        /// The pattern.
        pattern: String,
    },
    /// `{n}` appears more than once in a column, or in one column alone.
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
    /// Two maps with different base-model prefixes cannot be joined.
    #[error("key maps with the base-model prefixes `{first}` and `{second}` cannot be joined")]
    BasePrefix {
        /// The prefix of the first map.
        first: String,
        /// The prefix of the second map.
        second: String,
    },
}

impl KeyMap {
    /// Reads the two-column text.
    ///
    /// # Errors
    /// [`KeyMapError`] when a line is malformed or when two lines could match one name in either column.
    pub fn parse(text: &str) -> Result<Self, KeyMapError> {
        let lines = text
            .lines()
            .enumerate()
            .map(|(index, line)| (index + 1, line.trim()))
            .filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
        let mut map = Self::default();
        for (number, line) in lines {
            match Line::parse(number, line)? {
                Line::Parameter(entry) => map.entries.push(entry),
                Line::Buffer(name) => map.buffers.push(name),
            }
        }
        map.bijective()
    }

    /// The same map with a prefix before every name of each column. The last dot may be left out, and an empty prefix
    /// changes nothing.
    #[must_use]
    pub fn with_prefix(mut self, checkpoint: &str, module: &str) -> Self {
        for entry in &mut self.entries {
            entry.checkpoint.prepend(checkpoint);
            entry.module.prepend(module);
        }
        for buffer in &mut self.buffers {
            buffer.prepend(checkpoint);
        }
        self
    }

    /// The same map with a base-model prefix, which is `base_model_prefix` in transformers. A checkpoint of a model with a
    /// head writes this prefix before the tensors of the base model; a checkpoint of the base model alone leaves it out.
    /// With the prefix set, [`load`](crate::load()) and [`first_difference`](crate::first_difference) know every tensor
    /// with and without it, whichever of the two names the map states. The last dot may be left out. A map has no such
    /// prefix to begin with, and an empty one takes it away.
    ///
    /// ```
    /// # use bert_weights::KeyMap;
    /// let head = KeyMap::parse("classifier.weight\tclassifier.weight")?;
    /// let keys = KeyMap::parse("embeddings.weight\tembeddings.weight")?
    ///     .with_prefix("base.", "encoder.")
    ///     .with_base_prefix("base.")
    ///     .join(head)?;
    /// # Ok::<(), bert_weights::KeyMapError>(())
    /// ```
    #[must_use]
    pub fn with_base_prefix(mut self, prefix: &str) -> Self {
        self.base_prefix = match prefix.strip_suffix('.').unwrap_or(prefix) {
            "" => String::new(),
            name => format!("{name}."),
        };
        self
    }

    /// Both maps in one, as a model's map is its encoder's and its head's. The base-model prefix is that of the map that
    /// has one.
    ///
    /// # Errors
    /// [`KeyMapError::Overlap`] when both maps know one name, [`KeyMapError::BasePrefix`] when they have different
    /// base-model prefixes.
    pub fn join(mut self, other: Self) -> Result<Self, KeyMapError> {
        if self.base_prefix.is_empty() {
            self.base_prefix = other.base_prefix;
        } else if !other.base_prefix.is_empty() && other.base_prefix != self.base_prefix {
            return Err(KeyMapError::BasePrefix {
                first: self.base_prefix,
                second: other.base_prefix,
            });
        }
        self.entries.extend(other.entries);
        self.buffers.extend(other.buffers);
        self.bijective()
    }

    /// The module path of a checkpoint's tensor, if the map states this name. The base-model prefix is not considered.
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

    pub(crate) fn is_buffer(&self, checkpoint_name: &str) -> bool {
        let mut buffers = self.buffers.iter();
        buffers.any(|buffer| buffer.capture(checkpoint_name).is_some())
    }

    /// Whether a tensor of this name lies among those of the map: it has the base-model prefix, or its name begins with the
    /// same segment as one of theirs. The base-model prefix may be present or absent in both.
    pub(crate) fn covers(&self, checkpoint_name: &str) -> bool {
        let prefix = self.base_prefix.as_str();
        if !prefix.is_empty() && checkpoint_name.starts_with(prefix) {
            return true;
        }
        let first = first_segment(checkpoint_name);
        self.entries.iter().any(|entry| {
            let known = entry.checkpoint.to_string();
            first_segment(known.strip_prefix(prefix).unwrap_or(&known)) == first
        })
    }

    /// The base-model prefix with its dot; empty where there is none.
    pub fn base_prefix(&self) -> &str {
        &self.base_prefix
    }

    fn bijective(self) -> Result<Self, KeyMapError> {
        let parameters = self.entries.iter().map(|entry| &entry.checkpoint);
        reject_overlap(KeyMapColumn::Checkpoint, parameters.chain(&self.buffers))?;
        let paths = self.entries.iter().map(|entry| &entry.module);
        reject_overlap(KeyMapColumn::Module, paths)?;
        Ok(self)
    }
}

fn first_segment(name: &str) -> &str {
    name.split('.').next().unwrap_or(name)
}

fn reject_overlap<'a>(
    column: KeyMapColumn,
    patterns: impl Iterator<Item = &'a Pattern>,
) -> Result<(), KeyMapError> {
    let patterns: Vec<&Pattern> = patterns.collect();
    for (index, second) in patterns.iter().enumerate() {
        if let Some(first) = patterns[..index]
            .iter()
            .find(|first| first.overlaps(second))
        {
            return Err(KeyMapError::Overlap {
                column,
                first: first.to_string(),
                second: second.to_string(),
            });
        }
    }
    Ok(())
}

/// What one line of the text says.
enum Line {
    Parameter(Entry),
    Buffer(Pattern),
}

impl Line {
    fn parse(line: usize, text: &str) -> Result<Self, KeyMapError> {
        let columns: Vec<&str> = text.split_whitespace().collect();
        let &[checkpoint, module] = columns.as_slice() else {
            return Err(KeyMapError::Columns {
                line,
                found: columns.len(),
            });
        };
        let checkpoint = Pattern::parse(line, checkpoint)?;
        if module == BUFFER {
            return Ok(Self::Buffer(checkpoint));
        }
        let module = Pattern::parse(line, module)?;
        match (checkpoint.layer_numbers(), module.layer_numbers()) {
            (0, 0) | (1, 1) => Ok(Self::Parameter(Entry { checkpoint, module })),
            _ => Err(KeyMapError::LayerNumber { line }),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    checkpoint: Pattern,
    module: Pattern,
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
