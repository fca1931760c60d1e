//! Every family with every head: what is written decodes to a graph that holds together.

use std::collections::{BTreeMap, BTreeSet};

use bert_encoder::{DisentangledConfig, EncoderConfig, EncoderError, ModelType, PosAttType};
use bert_onnx::proto::{DataLocation, DataType, GraphProto, ModelProto, TensorProto};
use bert_onnx::{Head, OnnxError, OnnxModel, Precision};
use bert_pretraining::{
    ModelForMaskedLM, ModelForNextSentencePrediction, ModelForPreTraining, PretrainingModel,
};
use bert_question_answering::QuestionAnsweringConfig;
use bert_sentence_embedding::SentenceEncoder;
use bert_text_classification::SequenceClassificationConfig;
use bert_token_classification::TokenClassificationConfig;
use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{Device, Tensor};
use prost::Message;

const LABELS: usize = 5;

/// A small model of a family.
fn small(model_type: ModelType) -> EncoderConfig {
    let defaults = (model_type.family().defaults)();
    EncoderConfig {
        vocab_size: 23,
        embedding_size: defaults.embedding_size.map(|_| 6),
        hidden_size: 12,
        num_hidden_layers: 2,
        num_attention_heads: 3,
        intermediate_size: 20,
        max_position_embeddings: 16,
        pad_token_id: Some(1),
        ..defaults
    }
}

/// One of each family, and DeBERTa with everything that it can have.
fn configs() -> Vec<EncoderConfig> {
    let disentangled = DisentangledConfig {
        relative_attention: true,
        position_buckets: 4,
        pos_att_type: PosAttType {
            c2p: true,
            p2c: true,
        },
        norm_rel_ebd: "layer_norm".into(),
        conv_kernel_size: 3,
        ..DisentangledConfig::default()
    };
    let full = EncoderConfig {
        disentangled: Some(disentangled),
        embedding_size: Some(6),
        type_vocab_size: 2,
        ..small(ModelType::DebertaV2)
    };
    ModelType::ALL
        .map(small)
        .into_iter()
        .chain([full])
        .collect()
}

/// A parameter of a module.
struct Parameter {
    shape: Vec<usize>,
    values: Vec<f32>,
}

#[derive(Default)]
struct Parameters {
    names: Vec<String>,
    found: BTreeMap<String, Parameter>,
}

impl ModuleVisitor for Parameters {
    fn enter_module(&mut self, name: &str, _container_type: &str) {
        self.names.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.names.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let parameter = Parameter {
            shape: param.val().dims().to_vec(),
            values: param.val().into_data().try_to_vec().unwrap(),
        };
        self.found.insert(self.names.join("."), parameter);
    }
}

/// What was exported, and the parameters that it was made from.
struct Exported {
    model: OnnxModel,
    parameters: BTreeMap<String, Parameter>,
}

impl Exported {
    fn of<M: Module>(
        model: Result<M, EncoderError>,
        config: &EncoderConfig,
        head: Head,
        precision: Precision,
    ) -> Option<Self> {
        let model = match model {
            Err(EncoderError::NoHead { .. }) => return None,
            other => other.unwrap(),
        };
        let mut parameters = Parameters::default();
        model.visit(&mut parameters);
        Some(Self {
            model: OnnxModel::new(&model, config, head, precision).unwrap(),
            parameters: parameters.found,
        })
    }

    /// The file's bytes.
    fn file(&self) -> Vec<u8> {
        let mut file = Vec::new();
        self.model.write(&mut file).unwrap();
        assert_eq!(file.len() as u64, self.model.byte_len());
        file
    }

    fn graph(&self) -> GraphProto {
        ModelProto::decode(&*self.file()).unwrap().graph.unwrap()
    }
}

/// `None` where the family has no such head.
fn exported(config: &EncoderConfig, head: Head, precision: Precision) -> Option<Exported> {
    let (device, encoder, num_labels) = (&Device::flex(), config.clone(), LABELS);
    match head {
        Head::None => {
            let model = config
                .init(device)
                .map(|encoder| SentenceEncoder { encoder });
            Exported::of(model, config, head, precision)
        }
        Head::SequenceClassification => {
            let head_config = SequenceClassificationConfig {
                encoder,
                num_labels,
            };
            Exported::of(head_config.init(device), config, head, precision)
        }
        Head::TokenClassification => {
            let head_config = TokenClassificationConfig {
                encoder,
                num_labels,
            };
            Exported::of(head_config.init(device), config, head, precision)
        }
        Head::QuestionAnswering => {
            let head_config = QuestionAnsweringConfig { encoder };
            Exported::of(head_config.init(device), config, head, precision)
        }
        Head::MaskedLM => Exported::of(
            ModelForMaskedLM::init(config, device),
            config,
            head,
            precision,
        ),
        Head::NextSentencePrediction => {
            let model = ModelForNextSentencePrediction::init(config, device);
            Exported::of(model, config, head, precision)
        }
        Head::PreTraining => Exported::of(
            ModelForPreTraining::init(config, device),
            config,
            head,
            precision,
        ),
    }
}

/// Runs `check` for every family and head that there is.
fn for_each(precision: Precision, check: impl Fn(&EncoderConfig, Head, &Exported)) {
    let mut count = 0;
    for config in configs() {
        for head in Head::ALL {
            if let Some(exported) = exported(&config, head, precision) {
                check(&config, head, &exported);
                count += 1;
            }
        }
    }
    // Five heads of every family, and two more of BERT.
    assert_eq!(count, configs().len() * 5 + 2);
}

#[test]
fn every_input_of_a_node_is_there_before_it_and_no_value_is_written_twice() {
    for precision in [Precision::Float32, Precision::Int8] {
        for_each(precision, |config, head, exported| {
            let graph = exported.graph();
            let given = graph.input.iter().map(|value| &value.name);
            let constants = graph.initializer.iter().map(|tensor| &tensor.name);
            let mut known: BTreeSet<&String> = BTreeSet::new();
            for name in given.chain(constants) {
                assert!(known.insert(name), "{name} is there twice");
            }
            for node in &graph.node {
                for name in &node.input {
                    let model_type = config.model_type;
                    assert!(
                        known.contains(name),
                        "{model_type:?} {head:?} {}: {name}",
                        node.name
                    );
                }
                for name in &node.output {
                    assert!(known.insert(name), "{name} is written twice");
                }
            }
            for output in &graph.output {
                assert!(known.contains(&output.name), "{}", output.name);
            }
        });
    }
}

#[test]
fn parameters_are_constants_of_the_same_shape_and_values() {
    for_each(Precision::Float32, |config, head, exported| {
        let graph = exported.graph();
        let constants = graph.initializer.iter();
        let constants: BTreeMap<&str, &TensorProto> = constants
            .map(|tensor| (tensor.name.as_str(), tensor))
            .collect();
        for (path, parameter) in &exported.parameters {
            let found = constants.get(path.as_str());
            let found = found.unwrap_or_else(|| panic!("{:?} {head:?}: {path}", config.model_type));
            let shape: Vec<usize> = found.dims.iter().map(|&size| size as usize).collect();
            assert_eq!(shape, parameter.shape, "{path}");
            assert_eq!(floats(found), parameter.values, "{path}");
        }
    });
}

fn floats(tensor: &TensorProto) -> Vec<f32> {
    assert_eq!(tensor.data_type(), DataType::Float);
    let bytes = tensor.raw_data.as_ref().unwrap();
    let (values, rest) = bytes.as_chunks();
    assert!(rest.is_empty());
    values
        .iter()
        .map(|&value| f32::from_le_bytes(value))
        .collect()
}

#[test]
fn inputs_and_outputs_have_the_names_of_optimum() {
    let names = |model_type, head| {
        let exported = exported(&small(model_type), head, Precision::Float32).unwrap();
        exported.model.names().map(|names| names.join(" "))
    };
    let typed = "input_ids attention_mask token_type_ids";
    for (head, outputs) in [
        (Head::None, "last_hidden_state"),
        (Head::SequenceClassification, "logits"),
        (Head::TokenClassification, "logits"),
        (Head::QuestionAnswering, "start_logits end_logits"),
        (Head::MaskedLM, "logits"),
        (Head::NextSentencePrediction, "logits"),
        (
            Head::PreTraining,
            "prediction_logits seq_relationship_logits",
        ),
    ] {
        assert_eq!(names(ModelType::Bert, head), [typed, outputs]);
    }
    for model_type in [ModelType::Electra, ModelType::Albert] {
        assert_eq!(names(model_type, Head::None)[0], typed);
    }
    for model_type in [
        ModelType::Distilbert,
        ModelType::Mpnet,
        ModelType::Modernbert,
    ] {
        assert_eq!(names(model_type, Head::None)[0], "input_ids attention_mask");
    }
}

#[test]
fn integers_times_their_scales_are_the_weights_within_half_a_step() {
    for_each(Precision::Int8, |_, _, exported| {
        let graph = exported.graph();
        let find = |name: &str| graph.initializer.iter().find(|tensor| tensor.name == name);
        let mut quantized = 0;
        for (path, parameter) in &exported.parameters {
            let Some(integers) = find(&format!("{path}_quantized")) else {
                continue;
            };
            assert!(find(path).is_none(), "{path} is there twice");
            quantized += 1;
            assert_eq!(integers.data_type(), DataType::Int8);
            let scales = find(&format!("{path}_scale")).unwrap();
            let of_rows = scales.dims.len() == 2;
            let (scales, columns) = (floats(scales), parameter.shape[1]);
            let integers = integers.raw_data.as_ref().unwrap().iter();
            for ((position, &integer), value) in integers.enumerate().zip(&parameter.values) {
                let index = if of_rows {
                    position / columns
                } else {
                    position % columns
                };
                let found = f32::from(integer.cast_signed()) * scales[index];
                assert!((found - value).abs() <= scales[index] * 0.5001, "{path}");
            }
        }
        assert!(quantized >= 8, "{quantized}");
    });
}

#[test]
fn weights_in_a_file_of_their_own_are_the_same_at_their_places() {
    let config = EncoderConfig {
        intermediate_size: 40,
        ..small(ModelType::Bert)
    };
    let exported = exported(&config, Head::MaskedLM, Precision::Float32).unwrap();
    let (mut file, mut data) = (Vec::new(), Vec::new());
    exported
        .model
        .write_with_external_data(&mut file, &mut data, "model.onnx_data")
        .unwrap();
    let apart = ModelProto::decode(&*file).unwrap().graph.unwrap();
    let whole = exported.graph();
    assert_eq!(apart.node, whole.node);
    let mut external = 0;
    for (tensor, expected) in apart.initializer.iter().zip(&whole.initializer) {
        assert_eq!(
            (&tensor.name, &tensor.dims),
            (&expected.name, &expected.dims)
        );
        let bytes = expected.raw_data.as_ref().unwrap();
        if tensor.data_location() == DataLocation::Default {
            assert_eq!(tensor.raw_data.as_ref(), Some(bytes));
            continue;
        }
        let entries = tensor.external_data.iter();
        let place: BTreeMap<&str, &str> = entries
            .map(|entry| (entry.key.as_str(), entry.value.as_str()))
            .collect();
        let number = |key: &str| place[key].parse::<usize>().unwrap();
        assert_eq!(
            (place["location"], number("offset") % 4096),
            ("model.onnx_data", 0)
        );
        let range = number("offset")..number("offset") + number("length");
        assert_eq!(&data[range], bytes.as_slice());
        external += 1;
    }
    assert!(external > 1, "{external}");
}

#[test]
fn another_head_than_the_models_is_refused_by_the_parameters() {
    let config = small(ModelType::Bert);
    let model = ModelForMaskedLM::init(&config, &Device::flex()).unwrap();
    let failed = |head| OnnxModel::new(&model, &config, head, Precision::Float32).unwrap_err();
    let missing = failed(Head::QuestionAnswering);
    assert!(matches!(missing, OnnxError::Missing { .. }));
    assert!(
        missing.to_string().contains("qa_outputs.weight"),
        "{missing}"
    );
    let unused = failed(Head::None);
    assert!(matches!(unused, OnnxError::Unused { .. }));
    assert!(
        unused.to_string().contains("predictions.dense.weight"),
        "{unused}"
    );
}
