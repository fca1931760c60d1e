//! Which columns of a file of rows an input is read from.

/// The columns of an input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InputColumns {
    /// Names that are those of the input's own keys. A file that has them all is read by them.
    pub own: &'static [&'static str],
    /// Else the columns of texts, which are named, have a usual name, or are the only ones.
    pub texts: Texts,
}

/// How many texts an input has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Texts {
    /// None: the input has its own columns alone.
    None,
    /// One; a second text is left out.
    One,
    /// One, and a second one where there is one.
    OneOrTwo,
    /// Two.
    Two,
}

impl InputColumns {
    /// Columns of texts alone.
    pub const fn texts(texts: Texts) -> Self {
        Self { own: &[], texts }
    }
}
