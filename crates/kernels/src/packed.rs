use std::fmt;

#[cfg(any(feature = "flex", feature = "ndarray"))]
use std::{
    any::Any,
    sync::{Arc, Mutex, PoisonError},
};

#[cfg(any(feature = "flex", feature = "ndarray"))]
use crate::cpu::gemm::pack_rhs::RhsPanels;
use crate::params::WeightFormat;

/// A weight packed for the kernels' innermost loop. It packs the first weight that it is used with and keeps the result, which
/// spares short inputs the packing. Used with another weight, or with the same one after an optimiser has changed it, it packs
/// again, so it is never out of date.
pub struct PackedWeight {
    format: WeightFormat,
    #[cfg(any(feature = "flex", feature = "ndarray"))]
    kept: Mutex<Option<Arc<Kept>>>,
}

impl PackedWeight {
    /// Keeps nothing yet.
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

/// One weight, packed.
#[cfg(any(feature = "flex", feature = "ndarray"))]
pub(crate) struct Kept {
    pub(crate) panels: RhsPanels,
    /// The address and the length of the weight's elements. The tensor is held as well: while it shares the memory, nobody writes
    /// to it and nothing else is allocated there.
    elements: (usize, usize),
    _tensor: Box<dyn Any + Send + Sync>,
}

#[cfg(any(feature = "flex", feature = "ndarray"))]
impl PackedWeight {
    /// The packed weight of these elements, which are in the memory of `tensor`.
    pub(crate) fn of<T: Clone + Send + Sync + 'static>(
        &self,
        elements: &[f32],
        tensor: &T,
        pack: impl FnOnce() -> RhsPanels,
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
