//! `bert embed`

mod flags;
mod npy;
mod sink;

use anyhow::Result;
use bert_tasks::sentence_embedding::SentenceEmbedder;
use bert_tasks::sentence_embedding::head::{PoolingMode, SentenceEmbeddingModel};
use bert_tasks::{HeadOrigin, Pretrained, TaskError};
use bert_text::PredictInput;
use bert_weights::LoadReport;
use burn::tensor::Device;
use clap::Args;

use self::flags::{EmbedFiles, VectorFlags};
use self::sink::Sink;
use crate::format::counted;
use crate::runner::inputs::{Answers, Failure};
use crate::runner::{InferenceFlags, Loaded, TaskModel};

/// The vector of each text. A directory of sentence-transformers gives the same vectors as there; of any other encoder the
/// vectors of all tokens are averaged
#[derive(Debug, Args)]
#[command(
    mut_arg("model", |arg| arg.help(
        "Model of sentence embeddings, or any encoder: a directory, a name that `bert models` lists, or a model of the hub \
         (OWNER/NAME)"
    )),
    mut_arg("max_length", |arg| arg.help(
        "Longest text in tokens; by default what the model's directory says (max_seq_length, model_max_length), at most what \
         the model takes"
    )),
)]
pub(crate) struct EmbedArgs {
    #[command(flatten)]
    flags: InferenceFlags<EmbedFiles>,
    #[command(flatten)]
    vectors: VectorFlags,
}

impl EmbedArgs {
    pub(crate) fn run(&self) -> Result<()> {
        let flags = &self.flags;
        let source = flags.find_model()?;
        let texts = flags.files.open()?;
        let sink = flags.files.sink()?;
        let device = flags.runtime.open()?;
        let embedder = flags.open(&source, |dir, max_length| {
            self.vectors.open(dir, max_length)
        })?;
        self.say_what_is_done(&embedder);
        let mut vectors = Vectors {
            loaded: flags.load(embedder, device)?,
            sink,
        };
        let cut = texts.each_chunk(&mut vectors)?;
        let Vectors { loaded, sink } = vectors;
        sink.finish(cut.all(), loaded.model.dimension())?;
        cut.note(loaded.model.pretrained.max_length);
        Ok(())
    }

    /// What a caller may not expect: no settings in the directory, and a text before each text.
    fn say_what_is_done(&self, embedder: &SentenceEmbedder) {
        if embedder.is_plain_encoder && !self.vectors.chooses_pooling() {
            say!(
                "note    {}: it has no modules.json, so it is a plain encoder; sentence-transformers would average its tokens, \
                 too, and not normalise",
                self.flags.model
            );
        }
        if !embedder.prompt().is_empty() {
            say!("prompt  {:?} stands before each text", embedder.prompt());
        }
    }
}

/// Vectors on their way to where they go.
struct Vectors {
    loaded: Loaded<SentenceEmbedder>,
    sink: Sink,
}

impl Answers<PredictInput> for Vectors {
    fn answer(&mut self, texts: &[PredictInput]) -> Result<usize> {
        let texts: Vec<(&str, Option<&str>)> = texts
            .iter()
            .map(|input| (input.text.as_str(), input.text_pair.as_deref()))
            .collect();
        let Loaded { model, network, .. } = &self.loaded;
        let encodings = model.encode(&texts)?;
        let mut progress = |_| {};
        let vectors = model.embed_encoded(network, &encodings, self.loaded.run(&mut progress))?;
        self.sink.write(&vectors)?;
        let is_cut = |encoding: &&bert_text::Encoding| encoding.truncated_tokens > 0;
        Ok(encodings.iter().filter(is_cut).count())
    }

    fn fail(&mut self, failure: &Failure) -> Result<()> {
        self.sink.fail(failure, self.loaded.model.dimension())
    }

    fn flush(&mut self) -> Result<()> {
        self.sink.flush()
    }
}

impl TaskModel for SentenceEmbedder {
    type Network = SentenceEmbeddingModel;

    fn pretrained(&mut self) -> &mut Pretrained {
        &mut self.pretrained
    }

    fn describe(&self) -> String {
        let encoder = &self.pretrained.encoder;
        let modes = self
            .pooling()
            .modes()
            .iter()
            .map(|mode| PoolingMode::name(*mode));
        let length = if self.is_normalized() {
            "normalised to length 1"
        } else {
            "not normalised"
        };
        format!(
            "{} of width {}, up to {} tokens, {} pooling, vectors of {}, {length}",
            counted(encoder.num_hidden_layers, "layer"),
            encoder.hidden_size,
            self.pretrained.max_length,
            modes.collect::<Vec<_>>().join(" + "),
            counted(self.dimension(), "number"),
        )
    }

    /// There is no head that could be new.
    fn load(
        &self,
        _head: HeadOrigin,
        device: &Device,
    ) -> Result<(SentenceEmbeddingModel, LoadReport), TaskError> {
        SentenceEmbedder::load(self, device)
    }
}
