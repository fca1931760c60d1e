/// A part of an [`Encoder`](crate::Encoder), as the module path of a parameter names it. Lower parts come first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum EncoderPart {
    /// The embeddings with their projection, and the tables of relative positions.
    Embeddings,
    /// One of [`Encoder::layers`](crate::Encoder::layers), by its index.
    Layer(usize),
    /// The LayerNorm after the last layer.
    FinalNorm,
}

impl EncoderPart {
    /// The name that heads give to their field of the encoder, which begins the module paths of its parameters.
    pub const FIELD: &'static str = "encoder";

    /// The part of the encoder that a parameter of a model with a head belongs to; `None` for the head's own.
    pub fn of(path: &str) -> Option<Self> {
        let path = path.strip_prefix(Self::FIELD)?.strip_prefix('.')?;
        match path.split_once('.')? {
            ("embeddings" | "relative", _) => Some(Self::Embeddings),
            ("convolution", _) => Some(Self::Layer(0)),
            ("final_norm", _) => Some(Self::FinalNorm),
            ("layers", rest) => {
                let index = rest.split('.').next()?;
                index.parse().ok().map(Self::Layer)
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_says_which_part_it_is_of() {
        let embeddings = Some(EncoderPart::Embeddings);
        let words = "encoder.embeddings.word_embeddings.weight";
        assert_eq!(EncoderPart::of(words), embeddings);
        let distances = "encoder.relative.Bias.weight";
        assert_eq!(EncoderPart::of(distances), embeddings);
        let query = "encoder.layers.11.PostNorm.attention.query.weight";
        assert_eq!(EncoderPart::of(query), Some(EncoderPart::Layer(11)));
        let norm = "encoder.final_norm.gamma";
        assert_eq!(EncoderPart::of(norm), Some(EncoderPart::FinalNorm));
        for head in [
            "classifier.weight",
            "pooler.dense.bias",
            "encoder_2.layers.0.x",
        ] {
            assert_eq!(EncoderPart::of(head), None);
        }
    }
}
