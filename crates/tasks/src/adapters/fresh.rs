use bert_encoder::{Encoder, ModelType};
use burn::tensor::Device;

use super::targets::{is_called, linears};
use super::{AdapterError, BaseModel, LoraOptions};
use crate::Pretrained;

/// An adapter to train, and what its configuration will say of its base.
#[derive(Debug, Clone)]
pub(crate) struct FreshAdapter {
    pub(super) options: LoraOptions,
    pub(super) base: BaseModel,
}

impl Pretrained {
    /// Has [`load`](Self::load) put fresh adapters beside the linear layers of the encoder, and [`save`](Self::save) write an
    /// adapter of `base` in PEFT's layout instead of a checkpoint.
    ///
    /// # Errors
    ///
    /// The model is an adapter itself.
    pub fn train_adapter(
        &mut self,
        options: LoraOptions,
        base: BaseModel,
    ) -> Result<(), AdapterError> {
        if self.adapter.is_some() {
            return Err(AdapterError::OnAdapter {
                path: self.checkpoint().path().to_owned(),
            });
        }
        self.fresh_adapter = Some(FreshAdapter { options, base });
        Ok(())
    }

    /// Puts fresh adapters beside the linear layers of a loaded encoder, if some are to be trained.
    ///
    /// # Errors
    ///
    /// As [`adapt`].
    pub(crate) fn add_fresh_adapter(
        &self,
        encoder: &mut Encoder,
        device: &Device,
    ) -> Result<(), AdapterError> {
        match &self.fresh_adapter {
            Some(adapter) => adapt(encoder, self.encoder.model_type, &adapter.options, device),
            None => Ok(()),
        }
    }

    /// Refuses to train an adapter for a task that has none.
    pub(crate) fn refuse_adapter(&self, task: &'static str) -> Result<(), AdapterError> {
        match self.fresh_adapter {
            None => Ok(()),
            Some(_) => Err(AdapterError::Task { task }),
        }
    }
}

/// Puts fresh adapters beside linear layers of an encoder of this family, whose weights must be loaded.
///
/// # Errors
///
/// The targets match no map, or the rank is above the width of one.
pub fn adapt(
    encoder: &mut Encoder,
    model_type: ModelType,
    options: &LoraOptions,
    device: &Device,
) -> Result<(), AdapterError> {
    let linears = linears(encoder, model_type);
    let names: Vec<String> = linears.iter().map(|one| one.module.clone()).collect();
    let targets = options.targets.modules(model_type, &names)?;
    let is_target = |module: &str| targets.iter().any(|name| is_called(module, name));
    let targets: Vec<_> = linears
        .into_iter()
        .filter(|one| is_target(&one.module))
        .collect();
    let rank = options.config.rank;
    for target in &targets {
        let [inputs, outputs] = target.linear.sizes();
        if rank > inputs.min(outputs) {
            return Err(AdapterError::Rank {
                rank,
                module: target.module.clone(),
                inputs,
                outputs,
            });
        }
    }
    for target in targets {
        target.linear.adapt(&options.config, device);
    }
    Ok(())
}
