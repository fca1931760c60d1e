//! A look over a pickle before it is read: which classes it asks for, how large its tensors are, how deep it nests.
//!
//! The scan follows the stack of the pickle with placeholders for values, so that it can name the key that a fault belongs
//! to. It calls nothing and allocates no more than the pickle is long.

use std::collections::HashMap;
use std::rc::Rc;

use super::fault::{PickleFault, PicklePlace};
use super::input::{Input, little_endian};

/// A dictionary of tensors takes five levels.
const MAX_NESTING: u32 = 100;

/// The classes and functions that a dictionary of tensors is made of.
const NEEDED: [(&str, &[&str]); 3] = [
    ("collections", &["OrderedDict"]),
    (
        "torch._utils",
        &[
            "_rebuild_tensor",
            "_rebuild_tensor_v2",
            "_rebuild_parameter",
        ],
    ),
    (
        "torch",
        &[
            "FloatStorage",
            "DoubleStorage",
            "HalfStorage",
            "BFloat16Storage",
            "LongStorage",
            "IntStorage",
            "ShortStorage",
            "CharStorage",
            "ByteStorage",
            "BoolStorage",
        ],
    ),
];

/// Scans the pickle at the front of `bytes` and returns its length. `file_len` bounds the elements of a tensor.
///
/// # Errors
/// [`PickleFault`]: the first thing that a dictionary of tensors does not have.
pub(super) fn scan(bytes: &[u8], file_len: u64) -> Result<usize, PickleFault> {
    let mut scan = Scan {
        input: Input::new(bytes),
        file_len,
        stack: Vec::new(),
        marks: Vec::new(),
        memo: HashMap::new(),
    };
    loop {
        match scan.step() {
            Ok(Progress::Continues) => {}
            Ok(Progress::Ends) => return Ok(scan.input.position()),
            Err(stop) => return Err(scan.fault(stop)),
        }
    }
}

/// Why a scan stops, before the place is added.
pub(super) enum Stop {
    CutShort,
    Damaged,
    Opcode(u8),
    Class(String),
    Elements(u64),
    Nesting,
}

enum Progress {
    Continues,
    Ends,
}

/// A placeholder for a value on the pickle's stack.
#[derive(Clone)]
struct Item {
    kind: Kind,
    /// Levels of containers in it.
    depth: u32,
}

#[derive(Clone)]
enum Kind {
    Text(Rc<str>),
    Integer(u64),
    /// A tuple of integers: their product.
    Shape(u64),
    Class,
    Other,
}

struct Scan<'a> {
    input: Input<'a>,
    file_len: u64,
    stack: Vec<Item>,
    /// For each open mark the height of the stack below it.
    marks: Vec<usize>,
    memo: HashMap<u64, Item>,
}

impl Scan<'_> {
    /// One instruction; their numbers and names are those of Python's `pickletools`.
    fn step(&mut self) -> Result<Progress, Stop> {
        let opcode = self.input.byte()?;
        if opcode == b'.' {
            return Ok(Progress::Ends);
        }
        if let Some(kind) = self.scalar(opcode)? {
            self.push(kind, 0)?;
        } else if !(self.container(opcode)? || self.memo(opcode)? || self.object(opcode)?) {
            match opcode {
                // PROTO, FRAME
                0x80 => drop(self.input.take(1)?),
                0x95 => drop(self.input.take(8)?),
                _ => return Err(Stop::Opcode(opcode)),
            }
        }
        Ok(Progress::Continues)
    }

    /// The value that an instruction pushes, if it pushes one that is written in the pickle.
    fn scalar(&mut self, opcode: u8) -> Result<Option<Kind>, Stop> {
        let input = &mut self.input;
        Ok(Some(match opcode {
            // NONE, NEWTRUE, NEWFALSE, EMPTY_LIST, EMPTY_DICT, EMPTY_SET
            b'N' | 0x88 | 0x89 | b']' | b'}' | 0x8f => Kind::Other,
            // EMPTY_TUPLE, the shape of a scalar
            b')' => Kind::Shape(1),
            // INT, LONG
            b'I' | b'L' => Kind::Integer(decimal(input.line()?)),
            // BININT1, BININT2, BININT, LONG1, LONG4
            b'K' => Kind::Integer(input.number(1)?),
            b'M' => Kind::Integer(input.number(2)?),
            b'J' => Kind::Integer(not_negative(input.take(4)?)),
            0x8a => Kind::Integer(not_negative(input.counted(1)?)),
            0x8b => Kind::Integer(not_negative(input.counted(4)?)),
            // FLOAT, PERSID, BINFLOAT
            b'F' | b'P' => skipped(input.line()?),
            b'G' => skipped(input.take(8)?),
            // UNICODE, SHORT_BINSTRING, SHORT_BINUNICODE, BINSTRING, BINUNICODE, BINUNICODE8
            b'V' => text(input.line()?),
            b'U' | 0x8c => text(input.counted(1)?),
            b'T' | b'X' => text(input.counted(4)?),
            0x8d => text(input.counted(8)?),
            // SHORT_BINBYTES, BINBYTES, BINBYTES8, BYTEARRAY8
            b'C' => skipped(input.counted(1)?),
            b'B' => skipped(input.counted(4)?),
            0x8e | 0x96 => skipped(input.counted(8)?),
            _ => return Ok(None),
        }))
    }

    /// Whether the instruction was one that makes, fills or drops containers.
    fn container(&mut self, opcode: u8) -> Result<bool, Stop> {
        match opcode {
            // MARK
            b'(' => self.marks.push(self.stack.len()),
            // TUPLE
            b't' => {
                self.check_size()?;
                let items = self.pop_to_mark()?;
                self.push_tuple(&items)?;
            }
            // TUPLE1, TUPLE2, TUPLE3
            0x85..=0x87 => {
                let items = self.pop(usize::from(opcode - 0x84))?;
                self.push_tuple(&items)?;
            }
            // LIST, DICT, FROZENSET
            b'l' | b'd' | 0x91 => {
                let items = self.pop_to_mark()?;
                self.push(Kind::Other, deepest(&items) + 1)?;
            }
            // APPEND, SETITEM
            b'a' => {
                let items = self.pop(1)?;
                self.fill(&items)?;
            }
            b's' => {
                let items = self.pop(2)?;
                self.fill(&items)?;
            }
            // APPENDS, SETITEMS, ADDITEMS
            b'e' | b'u' | 0x90 => {
                let items = self.pop_to_mark()?;
                self.fill(&items)?;
            }
            // POP, of an item or of a mark
            b'0' if self.marks.last() == Some(&self.stack.len()) => drop(self.marks.pop()),
            b'0' => drop(self.pop(1)?),
            // POP_MARK
            b'1' => drop(self.pop_to_mark()?),
            // DUP
            b'2' => {
                let top = self.top()?.clone();
                self.stack.push(top);
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Whether the instruction was one of the memo.
    fn memo(&mut self, opcode: u8) -> Result<bool, Stop> {
        let index = match opcode {
            // GET, PUT; BINGET, BINPUT; LONG_BINGET, LONG_BINPUT; MEMOIZE
            b'g' | b'p' => decimal(self.input.line()?),
            b'h' | b'q' => self.input.number(1)?,
            b'j' | b'r' => self.input.number(4)?,
            0x94 => self.memo.len() as u64,
            _ => return Ok(false),
        };
        match opcode {
            b'g' | b'h' | b'j' => {
                let item = self.memo.get(&index).ok_or(Stop::Damaged)?.clone();
                self.stack.push(item);
            }
            _ => {
                let top = self.top()?.clone();
                self.memo.insert(index, top);
            }
        }
        Ok(true)
    }

    /// Whether the instruction was one of classes and calls.
    fn object(&mut self, opcode: u8) -> Result<bool, Stop> {
        match opcode {
            // GLOBAL
            b'c' => {
                let (module, name) = (self.input.line()?, self.input.line()?);
                self.class(&lossy(module), &lossy(name))?;
            }
            // STACK_GLOBAL
            0x93 => match self.pop(2)?.as_slice() {
                [
                    Item {
                        kind: Kind::Text(module),
                        ..
                    },
                    Item {
                        kind: Kind::Text(name),
                        ..
                    },
                ] => self.class(module, name)?,
                _ => return Err(Stop::Damaged),
            },
            // BINPERSID
            b'Q' => {
                self.pop(1)?;
                self.push(Kind::Other, 0)?;
            }
            // REDUCE, NEWOBJ, BUILD: the result nests as deep as what it is made of.
            b'R' | 0x81 | b'b' => {
                let items = self.pop(2)?;
                self.push(Kind::Other, deepest(&items))?;
            }
            // NEWOBJ_EX
            0x92 => {
                let items = self.pop(3)?;
                self.push(Kind::Other, deepest(&items))?;
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn class(&mut self, module: &str, name: &str) -> Result<(), Stop> {
        let mut needed = NEEDED.iter();
        if needed.any(|(known, names)| *known == module && names.contains(&name)) {
            return self.push(Kind::Class, 0);
        }
        Err(Stop::Class(format!("{module}.{name}")))
    }

    /// Looks at a tuple before it is closed: the arguments of a tensor state its shape in the third place, the identity of a
    /// storage its elements in the fifth.
    fn check_size(&self) -> Result<(), Stop> {
        let &mark = self.marks.last().ok_or(Stop::Damaged)?;
        let items = self.stack.get(mark..).ok_or(Stop::Damaged)?;
        let kinds: Vec<&Kind> = items.iter().map(|item| &item.kind).collect();
        let elements = match kinds.as_slice() {
            [
                _,
                Kind::Integer(_),
                Kind::Shape(elements),
                Kind::Shape(_),
                ..,
            ] => *elements,
            [Kind::Text(_), _, _, _, Kind::Integer(elements), ..] => *elements,
            _ => 0,
        };
        match elements > self.file_len {
            true => Err(Stop::Elements(elements)),
            false => Ok(()),
        }
    }

    fn push(&mut self, kind: Kind, depth: u32) -> Result<(), Stop> {
        if depth > MAX_NESTING {
            return Err(Stop::Nesting);
        }
        self.stack.push(Item { kind, depth });
        Ok(())
    }

    fn push_tuple(&mut self, items: &[Item]) -> Result<(), Stop> {
        let elements = items
            .iter()
            .try_fold(1_u64, |product, item| match item.kind {
                Kind::Integer(size) => Some(product.saturating_mul(size)),
                _ => None,
            });
        self.push(
            elements.map_or(Kind::Other, Kind::Shape),
            deepest(items) + 1,
        )
    }

    /// Puts items into the container on top of the stack.
    fn fill(&mut self, items: &[Item]) -> Result<(), Stop> {
        let container = self.pop(1)?.remove(0);
        self.push(container.kind, container.depth.max(deepest(items) + 1))
    }

    fn top(&self) -> Result<&Item, Stop> {
        self.stack.last().ok_or(Stop::Damaged)
    }

    /// The items on top of the stack; none below the last mark.
    fn pop(&mut self, count: usize) -> Result<Vec<Item>, Stop> {
        let floor = self.marks.last().copied().unwrap_or(0);
        match self.stack.len().checked_sub(count) {
            Some(height) if height >= floor => Ok(self.stack.split_off(height)),
            _ => Err(Stop::Damaged),
        }
    }

    fn pop_to_mark(&mut self) -> Result<Vec<Item>, Stop> {
        let mark = self.marks.pop().ok_or(Stop::Damaged)?;
        Ok(self.stack.split_off(mark))
    }

    /// The key of the dictionary whose value is being made: what stands before the innermost open call, else the last text.
    fn key(&self) -> Option<String> {
        let text = |item: &Item| match &item.kind {
            Kind::Text(text) => Some(text.to_string()),
            _ => None,
        };
        let called = |&mark: &usize| match self.stack.get(..mark)? {
            [
                ..,
                key,
                Item {
                    kind: Kind::Class, ..
                },
            ] => text(key),
            _ => None,
        };
        let mut marks = self.marks.iter().rev();
        let mut items = self.stack.iter().rev();
        marks.find_map(called).or_else(|| items.find_map(text))
    }

    fn fault(&self, stop: Stop) -> PickleFault {
        let place = PicklePlace {
            offset: self.input.position(),
            key: self.key(),
        };
        match stop {
            Stop::CutShort => PickleFault::CutShort { place },
            Stop::Damaged => PickleFault::Damaged { place },
            Stop::Opcode(opcode) => PickleFault::Opcode { opcode, place },
            Stop::Class(class) => PickleFault::Class { class, place },
            Stop::Elements(elements) => PickleFault::Elements {
                elements,
                file_len: self.file_len,
                place,
            },
            Stop::Nesting => PickleFault::Nesting {
                limit: MAX_NESTING,
                place,
            },
        }
    }
}

fn deepest(items: &[Item]) -> u32 {
    items.iter().map(|item| item.depth).max().unwrap_or(0)
}

fn skipped(_: &[u8]) -> Kind {
    Kind::Other
}

fn text(bytes: &[u8]) -> Kind {
    Kind::Text(lossy(bytes).into())
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A number in digits, possibly with an `L` behind it. No size is negative, so what is no natural number is 0 here; the
/// reader refuses it.
fn decimal(line: &[u8]) -> u64 {
    let digits = line.strip_suffix(b"L").unwrap_or(line);
    digits
        .iter()
        .try_fold(0_u64, |number, byte| {
            let digit = byte.is_ascii_digit().then(|| u64::from(byte - b'0'))?;
            Some(number.saturating_mul(10).saturating_add(digit))
        })
        .unwrap_or(0)
}

/// A number in two's complement; 0 for a negative one, which the reader refuses.
fn not_negative(bytes: &[u8]) -> u64 {
    match bytes.last() {
        Some(last) if last & 0x80 == 0 => little_endian(bytes),
        _ => 0,
    }
}
