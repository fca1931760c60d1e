use std::fmt;

#[cfg(any(feature = "flex", feature = "ndarray"))]
use std::{
    any::Any,
    sync::{Arc, Mutex, PoisonError},
};

#[cfg(any(feature = "flex", feature = "ndarray"))]
use crate::cpu::panels::Panels;

/// In which numbers a [`PackedWeight`] keeps its elements. What they are multiplied with is rounded in the same way, on every
/// processor; sums are of single precision. Where a processor has an instruction for such products (AVX-512 BF16, AVX-512
/// VNNI), they are much faster than those of single precision, elsewhere about as fast.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum WeightFormat {
    /// As they are.
    #[default]
    F32,
    /// Rounded to the nearest bfloat16, whose relative error is at most 2⁻⁹: half the memory to be read.
    Bf16,
    /// Whole numbers from −127 to 127 times one factor for each output, by which the largest element of that output becomes
    /// 127: a quarter of the memory to be read. What they are multiplied with has one factor for each row of a batch. The
    /// result is the same bit for bit on every processor.
    Int8,
}

/// A weight in the order in which the kernels' innermost loop reads it, made from the first weight that it is used with and
/// kept: what spares short inputs to put the weight in order each time. Where it is later used with another weight, or with
/// the same after an optimiser has changed it, it is made anew, so it is never out of date.
pub struct PackedWeight {
    format: WeightFormat,
    #[cfg(any(feature = "flex", feature = "ndarray"))]
    kept: Mutex<Option<Arc<Kept>>>,
}

impl PackedWeight {
    /// Nothing is kept yet.
    pub fn new(format: WeightFormat) -> Self {
        Self {
            format,
            #[cfg(any(feature = "flex", feature = "ndarray"))]
            kept: Mutex::new(None),
        }
    }
}

impl fmt::Debug for PackedWeight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PackedWeight").field(&self.format).finish()
    }
}

/// The panels of one weight.
#[cfg(any(feature = "flex", feature = "ndarray"))]
pub(crate) struct Kept {
    pub(crate) panels: Panels,
    /// Where the weight's elements lie. Its tensor is held as well, which shares its memory: while it is held, nobody
    /// writes to that memory and nothing else comes to lie there.
    elements: (usize, usize),
    _tensor: Box<dyn Any + Send + Sync>,
}

#[cfg(any(feature = "flex", feature = "ndarray"))]
impl PackedWeight {
    /// The panels of the weight with these elements, which lie in the memory of `tensor`.
    pub(crate) fn of<T: Clone + Send + Sync + 'static>(
        &self,
        elements: &[f32],
        tensor: &T,
        pack: impl FnOnce() -> Panels,
    ) -> Arc<Kept> {
        let place = (elements.as_ptr().addr(), elements.len());
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        match kept.as_ref() {
            Some(kept) if kept.elements == place => kept.clone(),
            _ => kept
                .insert(Arc::new(Kept {
                    panels: pack().in_format(self.format),
                    elements: place,
                    _tensor: Box::new(tensor.clone()),
                }))
                .clone(),
        }
    }
}
