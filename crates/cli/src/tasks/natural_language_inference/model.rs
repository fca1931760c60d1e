//! Models of natural-language inference are text classifiers: everything that is said of them is said of those.

use anyhow::Result;
use bert_nli::ModelForSequenceClassification;
use bert_tasks::natural_language_inference::{NliClassifier, ZeroShotClassifier};
use bert_tasks::{HeadOrigin, Pretrained};
use bert_weights::checkpoint::LoadReport;
use burn::tensor::Device;

use crate::runner::TaskModel;

macro_rules! text_classifier_within {
    ($($model:ty),+) => {$(
        impl TaskModel for $model {
            type Network = ModelForSequenceClassification;

            fn pretrained(&self) -> &Pretrained {
                self.classifier.pretrained()
            }

            fn pretrained_mut(&mut self) -> &mut Pretrained {
                self.classifier.pretrained_mut()
            }

            fn describe(&self) -> String {
                self.classifier.describe()
            }

            fn describe_head(&self, origin: HeadOrigin) -> Option<String> {
                self.classifier.describe_head(origin)
            }

            fn load(
                &self,
                head: HeadOrigin,
                device: &Device,
            ) -> Result<(Self::Network, LoadReport)> {
                TaskModel::load(&self.classifier, head, device)
            }
        }
    )+};
}

text_classifier_within!(NliClassifier, ZeroShotClassifier);
