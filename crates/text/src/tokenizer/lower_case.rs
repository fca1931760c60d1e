use tokenizers::NormalizerWrapper;
use tokenizers::normalizers::{Lowercase, Sequence};

use super::patterns::Patterns;
use super::{Tokenizer, TokenizerError};

impl Tokenizer {
    /// The same tokenizer, which makes a text lower-case before it does anything else. Special tokens in a text stay what
    /// they are. This is `do_lower_case` of sentence-transformers, which adds the step to what the checkpoint's tokenizer
    /// does: with it, accents stay where the tokenizer keeps them.
    ///
    /// # Errors
    /// The tokenizer library refuses the step.
    pub fn lower_casing(mut self) -> Result<Self, TokenizerError> {
        let own = self.inner.get_normalizer().cloned();
        if own.as_ref().is_some_and(has_lower_case) {
            return Ok(self);
        }
        let steps = match own {
            Some(NormalizerWrapper::Sequence(steps)) => steps.as_ref().to_vec(),
            own => own.into_iter().collect(),
        };
        let lower = [NormalizerWrapper::from(Lowercase)];
        let steps = lower.into_iter().chain(steps).collect();
        let failed = |source| TokenizerError::LowerCase { source };
        self.inner
            .with_normalizer(Some(Sequence::new(steps)))
            .map_err(failed)?;
        self.patterns = Patterns::of(&self.path, &self.inner).map_err(failed)?;
        Ok(self)
    }
}

/// Whether there is the step itself, alone or in a sequence. A step that makes lower-case among other things is another.
fn has_lower_case(normalizer: &NormalizerWrapper) -> bool {
    let is_step = |one: &NormalizerWrapper| matches!(one, NormalizerWrapper::Lowercase(_));
    match normalizer {
        NormalizerWrapper::Sequence(steps) => steps.as_ref().iter().any(is_step),
        one => is_step(one),
    }
}
