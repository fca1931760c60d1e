//! Models of natural-language inference wrap a text classifier, which does the work.

use bert_tasks::natural_language_inference::{NliClassifier, ZeroShotClassifier};
use bert_tasks::text_classification::head::ModelForSequenceClassification;
use bert_tasks::{HeadOrigin, Pretrained, TaskError};
use bert_weights::LoadReport;
use burn::tensor::Device;

use crate::runner::TaskModel;

macro_rules! text_classifier_within {
    ($($model:ty),+) => {$(
        impl TaskModel for $model {
            type Network = ModelForSequenceClassification;

            fn pretrained(&mut self) -> &mut Pretrained {
                self.classifier.pretrained()
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
            ) -> Result<(Self::Network, LoadReport), TaskError> {
                self.classifier.load(head, device)
            }
        }
    )+};
}

text_classifier_within!(NliClassifier, ZeroShotClassifier);
