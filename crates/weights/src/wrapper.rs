//! Prefixes that a wrapper around a model has left before the names of its tensors.

use std::collections::BTreeSet;

use crate::{KeyMap, TensorInfo, names};

/// What wrappers and dictionaries around the weights are called.
const WRAPPERS: [&str; 7] = [
    // torch.nn.DataParallel and DistributedDataParallel
    "module.",
    // torch.compile
    "_orig_mod.",
    // Lightning modules, by custom
    "model.",
    "net.",
    // Dictionaries of training scripts
    "state_dict.",
    "model_state_dict.",
    "model_state.",
];

/// The prefix without which the map knows tensors of the checkpoint. There is none where the map knows one as it stands, or
/// where two prefixes would do, as for two copies of a model.
pub(crate) fn prefix(tensors: &[TensorInfo], keys: &KeyMap) -> Option<String> {
    let names = || tensors.iter().map(|tensor| tensor.name.as_str());
    if names().any(|name| names::is_mapped(name, keys)) {
        return None;
    }
    let fits = |name: &str, length: &usize| names::is_mapped(&name[*length..], keys);
    let fitting: BTreeSet<&str> = names()
        .filter_map(|name| {
            let length = chain(name).find(|length| fits(name, length))?;
            Some(&name[..length])
        })
        .collect();
    match fitting.into_iter().collect::<Vec<_>>().as_slice() {
        [prefix] => Some((*prefix).to_owned()),
        _ => None,
    }
}

/// The lengths of the prefixes of a name that are made of wrappers, the shortest first.
fn chain(name: &str) -> impl Iterator<Item = usize> {
    let next = move |&length: &usize| {
        let rest = &name[length..];
        let wrapper = WRAPPERS
            .iter()
            .find(|wrapper| rest.starts_with(**wrapper))?;
        Some(length + wrapper.len())
    };
    std::iter::successors(Some(0), next).skip(1)
}
