//! Several heads on one loaded encoder.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::Path;

use bert_tasks::heads::{Head, HeadInput, Heads, TextReader};
use bert_tasks::text_classification::{Prediction, TextClassifier};
use bert_tasks::{HeadOrigin, RunOptions};
use bert_testing::{Golden, TestDevice, on_every_device};
use bert_text::TokensInput;
use safetensors::SafeTensors;
use safetensors::tensor::TensorView;

on_every_device!(predictions_are_those_of_separate_runs_bit_for_bit);

const TEXTS: [(&str, Option<&str>); 3] = [
    ("the movie is great", Some("the film is good")),
    ("hello world", None),
    ("not bad and not good and not great", Some("hello")),
];
/// Tensors that a head has of its own.
const OF_THE_HEAD: [&str; 2] = ["classifier.", "bert.pooler."];

/// A copy of the case `nli` with the values of some tensors negated.
fn copy(folder: &Path, is_changed: impl Fn(&str) -> bool) -> anyhow::Result<()> {
    let golden = Golden::open("nli")?;
    for file in ["config.json", "vocab.txt"] {
        std::fs::copy(golden.path().join(file), folder.join(file))?;
    }
    let bytes = std::fs::read(golden.path().join("model.safetensors"))?;
    let old = SafeTensors::deserialize(&bytes)?;
    let changed = |name: &str, data: &[u8]| -> Vec<u8> {
        let floats = data.as_chunks::<4>().0.iter();
        let sign = if is_changed(name) { -1.0 } else { 1.0 };
        floats
            .flat_map(|four| (sign * f32::from_le_bytes(*four)).to_le_bytes())
            .collect()
    };
    let tensors: Vec<(String, Vec<u8>)> = old
        .tensors()
        .into_iter()
        .map(|(name, view)| (name.clone(), changed(&name, view.data())))
        .collect();
    let views: BTreeMap<&str, TensorView<'_>> = tensors
        .iter()
        .map(|(name, data)| {
            let view = old.tensor(name)?;
            Ok((
                name.as_str(),
                TensorView::new(view.dtype(), view.shape().to_vec(), data)?,
            ))
        })
        .collect::<anyhow::Result<_>>()?;
    Ok(std::fs::write(
        folder.join("model.safetensors"),
        safetensors::serialize(views, None)?,
    )?)
}

fn is_of_the_head(name: &str) -> bool {
    OF_THE_HEAD.iter().any(|prefix| name.starts_with(prefix))
}

/// Batches of two rows.
fn pairs<'a>(device: &'a TestDevice, progress: &'a mut dyn FnMut(f64)) -> RunOptions<'a> {
    RunOptions {
        batch_size: NonZeroUsize::MIN.saturating_add(1),
        device: device.plain(),
        progress,
        peers: None,
    }
}

fn separate(folder: &Path, device: &TestDevice) -> anyhow::Result<Vec<Prediction>> {
    let classifier = TextClassifier::open(folder, None)?;
    let (model, _) = classifier.load(HeadOrigin::Checkpoint, device.plain())?;
    Ok(classifier.predict(&model, &TEXTS, pairs(device, &mut |_| {}))?)
}

fn predictions_are_those_of_separate_runs_bit_for_bit(device: &TestDevice) -> anyhow::Result<()> {
    let (first, second) = (tempfile::tempdir()?, tempfile::tempdir()?);
    copy(first.path(), |_| false)?;
    copy(second.path(), is_of_the_head)?;
    let open = |folder: &Path| TextReader::open(folder, None);
    let mut heads = Heads::load(open(first.path())?, device.plain())?;
    heads.add(open(second.path())?, device.plain())?;
    let inputs = TEXTS.map(|(text, text_pair)| HeadInput {
        text: TokensInput::Text(text.to_owned()),
        text_pair: text_pair.map(str::to_owned),
    });
    let together = heads.predict(&inputs, pairs(device, &mut |_| {}))?;
    let together: Vec<&[Prediction]> = together
        .iter()
        .filter_map(|of_head| Some(of_head.as_text()?.1))
        .collect();
    assert_eq!(together.len(), 2);
    assert_ne!(together[0], together[1], "each head is its own");
    for (found, folder) in together.iter().zip([&first, &second]) {
        let expected = separate(folder.path(), device)?;
        let bits = |predictions: &[Prediction]| -> Vec<u32> {
            predictions
                .iter()
                .flat_map(|one| one.logits.iter().map(|x| x.to_bits()))
                .collect()
        };
        assert_eq!(bits(found), bits(&expected));
        assert_eq!(*found, expected);
    }
    Ok(())
}

#[test]
fn another_encoder_is_refused_by_its_first_tensor() -> anyhow::Result<()> {
    let device = TestDevice::open(bert_device::Backend::Flex)?;
    let (first, other) = (tempfile::tempdir()?, tempfile::tempdir()?);
    copy(first.path(), |_| false)?;
    copy(other.path(), |name| {
        name.contains("layer.0.output") || name.contains("layer.0.intermediate")
    })?;
    let load = || Heads::load(TextReader::open(first.path(), None)?, device.plain());
    let refused = |words: &[&str]| -> anyhow::Result<()> {
        let other = TextReader::open(other.path(), None)?;
        let error = load()?
            .add(other, device.plain())
            .expect_err("another encoder")
            .to_string();
        for word in words {
            assert!(error.contains(word), "no {word:?} in {error}");
        }
        Ok(())
    };
    refused(&[
        "`bert.encoder.layer.0.intermediate.dense.bias` has other values",
        "--tune head",
    ])?;

    copy(other.path(), |_| false)?;
    let config = std::fs::read_to_string(other.path().join("config.json"))?;
    let changed = config.replace("\"num_attention_heads\": 3", "\"num_attention_heads\": 2");
    assert_ne!(config, changed);
    std::fs::write(other.path().join("config.json"), changed)?;
    refused(&["config.json"])?;

    copy(other.path(), |_| false)?;
    let settings = other.path().join("tokenizer_config.json");
    std::fs::write(settings, "{\"do_lower_case\": false}")?;
    refused(&["tokenizer"])
}

/// Flex says where the values of a tensor lie.
#[cfg(feature = "flex")]
mod memory {
    use std::sync::Arc;

    use burn::backend::Flex;
    use burn::module::{Module, ModuleVisitor, Param};
    use burn::tensor::Tensor;

    use super::*;

    /// Where each parameter's values lie, by path.
    #[derive(Default)]
    struct Places {
        path: Vec<String>,
        found: BTreeMap<String, usize>,
    }

    impl ModuleVisitor for Places {
        fn enter_module(&mut self, name: &str, _container_type: &str) {
            self.path.push(name.to_owned());
        }

        fn exit_module(&mut self, _name: &str, _container_type: &str) {
            self.path.pop();
        }

        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            let tensor = param.val().try_into_primitive::<Flex>();
            let place = tensor.map(|tensor| Arc::as_ptr(&tensor.data_arc()).addr());
            self.found
                .insert(self.path.join("."), place.expect("the model is on flex"));
        }
    }

    fn places<M: Module>(model: &M) -> BTreeMap<String, usize> {
        let mut places = Places::default();
        model.visit(&mut places);
        places.found
    }

    #[test]
    fn a_second_head_adds_its_own_parameters_and_none_of_the_encoder() -> anyhow::Result<()> {
        let device = TestDevice::open(bert_device::Backend::Flex)?;
        let folder = tempfile::tempdir()?;
        copy(folder.path(), is_of_the_head)?;
        let first = TextReader::open(Golden::open("nli")?.path(), None)?;
        let mut heads = Heads::load(first, device.plain())?;
        heads.add(TextReader::open(folder.path(), None)?, device.plain())?;
        let of_each: Vec<_> = heads
            .heads()
            .iter()
            .map(|head| match head {
                Head::Text(_, model) => places(model),
                Head::Tokens(_, model) => places(model),
            })
            .collect();
        let [first, second] = of_each.as_slice() else {
            anyhow::bail!("two heads");
        };
        let own = |path: &str| path.starts_with("classifier.") || path.starts_with("pooler.");
        let mut shared = 0;
        for (path, place) in first {
            assert_eq!(second[path] != *place, own(path), "{path}");
            shared += usize::from(!own(path));
        }
        assert_eq!(shared, first.len() - 4, "all but pooler and classifier");
        Ok(())
    }
}
