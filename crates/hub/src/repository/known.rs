//! Well-known models of the hub, to suggest in the place of a name that the hub does not know.

use crate::manifest::{Manifest, Source};
use crate::suggest;

const NAMES: [&str; 58] = [
    "google-bert/bert-base-uncased",
    "google-bert/bert-base-cased",
    "google-bert/bert-large-uncased",
    "google-bert/bert-large-cased",
    "google-bert/bert-base-multilingual-cased",
    "google-bert/bert-base-multilingual-uncased",
    "google-bert/bert-base-chinese",
    "google-bert/bert-base-german-cased",
    "FacebookAI/roberta-base",
    "FacebookAI/roberta-large",
    "FacebookAI/xlm-roberta-base",
    "FacebookAI/xlm-roberta-large",
    "distilbert/distilbert-base-uncased",
    "distilbert/distilbert-base-cased",
    "distilbert/distilbert-base-multilingual-cased",
    "distilbert/distilbert-base-uncased-finetuned-sst-2-english",
    "distilbert/distilroberta-base",
    "albert/albert-base-v2",
    "albert/albert-large-v2",
    "almanach/camembert-base",
    "google/electra-small-discriminator",
    "google/electra-base-discriminator",
    "google/electra-large-discriminator",
    "microsoft/mpnet-base",
    "microsoft/deberta-v3-xsmall",
    "microsoft/deberta-v3-small",
    "microsoft/deberta-v3-base",
    "microsoft/deberta-v3-large",
    "answerdotai/ModernBERT-base",
    "answerdotai/ModernBERT-large",
    "dslim/bert-base-NER",
    "dslim/bert-large-NER",
    "dbmdz/bert-large-cased-finetuned-conll03-english",
    "dbmdz/bert-base-german-cased",
    "ProsusAI/finbert",
    "yiyanghkust/finbert-tone",
    "allenai/scibert_scivocab_uncased",
    "allenai/scibert_scivocab_cased",
    "dmis-lab/biobert-base-cased-v1.2",
    "emilyalsentzer/Bio_ClinicalBERT",
    "SpanBERT/spanbert-base-cased",
    "prajjwal1/bert-tiny",
    "prajjwal1/bert-mini",
    "prajjwal1/bert-small",
    "prajjwal1/bert-medium",
    "nlptown/bert-base-multilingual-uncased-sentiment",
    "cardiffnlp/twitter-roberta-base-sentiment-latest",
    "deepset/roberta-base-squad2",
    "deepset/bert-base-cased-squad2",
    "typeform/distilbert-base-uncased-mnli",
    "sentence-transformers/all-MiniLM-L12-v2",
    "sentence-transformers/all-mpnet-base-v2",
    "sentence-transformers/paraphrase-multilingual-MiniLM-L12-v2",
    "cross-encoder/ms-marco-MiniLM-L6-v2",
    "cross-encoder/nli-deberta-v3-base",
    "BAAI/bge-small-en-v1.5",
    "BAAI/bge-base-en-v1.5",
    "intfloat/e5-small-v2",
];

/// Each with its similarity to a name whose owner a user has left out.
pub(crate) fn models_like(name: &str) -> impl Iterator<Item = (f64, &str)> {
    NAMES
        .iter()
        .map(move |known| (suggest::similarity(name, last_part(known)), *known))
}

/// Repositories like `repo`, of those above and of the manifest.
pub(super) fn repositories_like(repo: &str) -> Vec<String> {
    // The built-in manifest is sound, as a test holds; suggestions are no place for its errors.
    let manifest = Manifest::builtin().ok();
    let of_manifest = manifest
        .iter()
        .flat_map(Manifest::entries)
        .flat_map(|entry| &entry.sources)
        .filter_map(|source| match source {
            Source::Hub(hub) => Some(hub.repo.as_str()),
            _ => None,
        });
    let all = of_manifest.chain(NAMES).filter(|name| *name != repo);
    let similarity = |name: &str| {
        let of_whole = suggest::similarity(repo, name);
        // A right name of a wrong owner.
        of_whole.max(suggest::similarity(last_part(repo), last_part(name)))
    };
    suggest::likest(all.map(|name| (similarity(name), name)))
}

fn last_part(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::HubName;

    #[test]
    fn every_known_name_is_a_name_of_the_hub_and_stands_here_once() {
        for name in NAMES {
            assert!(HubName::parse(name).is_some(), "{name}");
            assert_eq!(
                NAMES.iter().filter(|other| **other == name).count(),
                1,
                "{name}"
            );
        }
    }

    #[test]
    fn slips_in_owner_and_name_are_answered_with_the_likest() {
        for (slip, meant) in [
            ("dslim/bert-base-ner", "dslim/bert-base-NER"),
            ("google/bert-base-uncased", "google-bert/bert-base-uncased"),
            ("facebook/roberta-base", "FacebookAI/roberta-base"),
            (
                "microsoft/MiniLM-L12-H384",
                "microsoft/MiniLM-L12-H384-uncased",
            ),
        ] {
            assert_eq!(
                repositories_like(slip).first().map(String::as_str),
                Some(meant),
                "{slip}"
            );
        }
    }
}
