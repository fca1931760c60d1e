//! From a text classifier's logits to the scores of its answers.

use bert_kernels::softmax;
use bert_text_classification::ProblemType;
use serde::Serialize;
use serde_json::{Map, Value};

/// The function between logits and scores.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Activation {
    /// Each score is in [0, 1] on its own.
    Sigmoid,
    /// The scores of a text add up to 1.
    Softmax,
    /// The scores are the logits.
    None,
}

impl Activation {
    /// What the loss of a problem type takes the logits for.
    pub fn of_problem(problem_type: ProblemType) -> Self {
        match problem_type {
            ProblemType::SingleLabelClassification => Self::Softmax,
            ProblemType::MultiLabelClassification => Self::Sigmoid,
            ProblemType::Regression => Self::None,
        }
    }

    /// What transformers' text-classification pipeline applies: the problem type decides where config.json has one.
    ///
    /// One label without a problem type is a sigmoid there, unless config.json names the function as sentence-transformers
    /// does for cross-encoders: `sentence_transformers.activation_fn`, or the older `sbert_ce_default_activation_function`.
    ///
    /// # Errors
    ///
    /// The reason why the function that config.json names is none of these.
    pub(crate) fn of_pipeline(
        config: &Map<String, Value>,
        problem_type: ProblemType,
        num_labels: usize,
    ) -> Result<Self, String> {
        let has_problem_type = config.get("problem_type").is_some_and(|key| !key.is_null());
        if has_problem_type || num_labels != 1 {
            return Ok(Self::of_problem(problem_type));
        }
        named(config).unwrap_or(Ok(Self::Sigmoid))
    }

    /// The scores of logits, in their order.
    pub fn apply(self, logits: &[f32]) -> Vec<f32> {
        match self {
            Self::Sigmoid => logits.iter().map(|&x| sigmoid(x)).collect(),
            Self::Softmax => softmax(logits),
            Self::None => logits.to_vec(),
        }
    }

    /// Its name: `sigmoid`, `softmax` or `none`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sigmoid => "sigmoid",
            Self::Softmax => "softmax",
            Self::None => "none",
        }
    }
}

/// The function that a cross-encoder names; the newer key wins, as in sentence-transformers.
fn named(config: &Map<String, Value>) -> Option<Result<Activation, String>> {
    let new = config
        .get("sentence_transformers")
        .and_then(|section| section.get("activation_fn"))
        .map(|path| ("sentence_transformers.activation_fn", path));
    let old_key = "sbert_ce_default_activation_function";
    let (key, path) = new.or_else(|| config.get(old_key).map(|path| (old_key, path)))?;
    let class = match path {
        Value::Null => return None,
        path => path.as_str().and_then(|path| path.rsplit('.').next()),
    };
    Some(match class {
        Some("Sigmoid") => Ok(Activation::Sigmoid),
        Some("Softmax") => Ok(Activation::Softmax),
        Some("Identity") => Ok(Activation::None),
        _ => Err(format!(
            "config key `{key}` is {path}; known are Sigmoid, Softmax and Identity; choose one with `--activation`"
        )),
    })
}

fn sigmoid(x: f32) -> f32 {
    (1.0 / (1.0 + f64::from(-x).exp())) as f32
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn scores_are_softmax_sigmoid_or_the_logits() {
        let logits = [1000.0, 1000.0, -1000.0];
        assert_eq!(Activation::Softmax.apply(&logits), [0.5, 0.5, 0.0]);
        assert_eq!(Activation::Sigmoid.apply(&logits), [1.0, 1.0, 0.0]);
        assert_eq!(Activation::None.apply(&logits), logits);
    }

    fn of_one_label(config: Value) -> Result<Activation, String> {
        let config = config.as_object().expect("an object");
        Activation::of_pipeline(config, ProblemType::Regression, 1)
    }

    #[test]
    fn one_label_without_a_problem_type_is_a_sigmoid() {
        for config in [
            json!({}),
            json!({"problem_type": null, "sentence_transformers": {"version": "5.0"}}),
            json!({"sbert_ce_default_activation_function": null}),
        ] {
            assert_eq!(of_one_label(config), Ok(Activation::Sigmoid));
        }
        let regression = json!({"problem_type": "regression"});
        assert_eq!(of_one_label(regression), Ok(Activation::None));
    }

    #[test]
    fn a_cross_encoder_names_the_function_of_its_one_label() {
        let identity = "torch.nn.modules.linear.Identity";
        let sigmoid = "torch.nn.modules.activation.Sigmoid";
        let new = json!({"sentence_transformers": {"activation_fn": identity},
            "sbert_ce_default_activation_function": sigmoid});
        assert_eq!(of_one_label(new), Ok(Activation::None));
        let old = json!({"sbert_ce_default_activation_function": identity});
        assert_eq!(of_one_label(old), Ok(Activation::None));
    }

    #[test]
    fn the_function_of_several_labels_is_that_of_their_problem_type() {
        let config =
            json!({"sbert_ce_default_activation_function": "torch.nn.modules.linear.Identity"});
        let config = config.as_object().expect("an object");
        let problem_type = ProblemType::SingleLabelClassification;
        assert_eq!(
            Activation::of_pipeline(config, problem_type, 3),
            Ok(Activation::Softmax)
        );
    }

    #[test]
    fn a_function_that_is_not_known_is_refused_by_its_key() {
        let config = json!({"sentence_transformers": {"activation_fn": "my.module.Cube"}});
        let error = of_one_label(config).unwrap_err();
        assert!(
            error.contains("sentence_transformers.activation_fn"),
            "{error}"
        );
        assert!(error.contains("--activation"), "{error}");
    }
}
