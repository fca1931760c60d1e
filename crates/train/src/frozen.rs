//! The part of a model that is not trained: how it is computed, and whether what comes out is kept.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use bert_encoder::{EncoderPart, FrozenStates};
use bert_tasks::Task;

use crate::TrainOptions;
use crate::feature_cache::FeatureStore;

/// Has the frozen part of the encoder computed as in evaluation, and kept where that pays: in the store that other runs read,
/// or in one of its own. Says whether it is kept.
pub(crate) fn freeze<T: Task>(
    task: &T,
    model: &mut T::Model,
    trained: &BTreeSet<String>,
    options: &TrainOptions,
    (shared, output): (Option<Arc<FeatureStore>>, Option<&Path>),
) -> bool {
    let lowest = trained
        .iter()
        .filter_map(|path| EncoderPart::of(path))
        .min();
    if options.frozen_dropout || lowest == Some(EncoderPart::Embeddings) {
        return false;
    }
    let is_worth_it = lowest != Some(EncoderPart::Layer(0)) && task.has_fixed_inputs();
    let own = || {
        let store = FeatureStore::empty(options.feature_cache, output);
        store.filter(|_| options.passes_again()).map(Arc::new)
    };
    let store = is_worth_it.then(|| shared.or_else(own)).flatten();
    let states = store.map(|store| store as Arc<dyn FrozenStates>);
    let is_kept = states.is_some();
    task.encoder_mut(model).freeze_below(lowest, states);
    is_kept
}
