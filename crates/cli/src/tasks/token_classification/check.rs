//! `bert check token-classification`

use anyhow::Result;
use bert_tasks::Pretrained;
use bert_tasks::token_classification::head::tags::{
    Scheme, begun_inside, entities, unfinished, without_prefix,
};
use bert_text::check::{Portion, UnknownSummary, label_counts, vanished_words};
use bert_text::{Pieces, TaggedDataset};
use clap::Args;

use super::DEFAULT_MAX_LENGTH;
use super::files::TagFileFlags;
use crate::format::counted;
use crate::runner::check::report::{Finding, Report, Severity};
use crate::runner::check::rows::{self, Nouns, Places, Rows};
use crate::runner::check::{CheckFlags, print_warnings, tokens};

/// Malformed entities, tags seen once, sentences that both files have, entity types, lengths, words without a token
#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    #[command(flatten)]
    flags: CheckFlags,
    #[command(flatten)]
    files: TagFileFlags,
}

impl CheckArgs {
    pub(crate) fn run(&self) -> Result<()> {
        let datasets = self.flags.read(|files| self.files.read(files))?;
        let pretrained = self.flags.pretrained(DEFAULT_MAX_LENGTH)?;
        let splits = datasets.map(Split::of);
        let mut report = Report::default();
        for (name, split) in splits.named() {
            report.findings(split.data.notes.iter().map(Finding::of_note));
            split.describe(name, &mut report);
            split.check(name, pretrained.as_ref(), &mut report)?;
        }
        let (train, eval) = (&splits.data, splits.eval.as_ref());
        report.findings(cheap_findings(train, eval));
        if let Some(eval) = eval {
            report.findings(eval.malformed());
            report.findings(eval.without_prefix());
            report.findings(eval.texts_for_words());
            report.findings(rows::labels_of_one_side(&train.words(), &eval.words()));
        }
        report.print(self.flags.json)
    }
}

/// The quick checks, which `bert train` makes as well: tags seen once, sentences that both files have and malformed entities
/// become warnings.
pub(crate) fn warn(train: &TaggedDataset, eval: Option<&TaggedDataset>) {
    let train = Split::of(train);
    let eval = eval.map(Split::of);
    print_warnings(cheap_findings(&train, eval.as_ref()));
}

fn cheap_findings(train: &Split<'_>, eval: Option<&Split<'_>>) -> Vec<Finding> {
    let once = rows::labels_seen_once(&train.words());
    let shared = eval.and_then(|eval| rows::shared_rows(&train.sentences(), &eval.sentences()));
    let words = eval.map(Split::words);
    let alike = rows::labels_that_look_alike(&train.words(), words.as_ref());
    once.into_iter()
        .chain(alike)
        .chain(shared)
        .chain(train.malformed())
        .chain(train.without_prefix())
        .chain(train.texts_for_words())
        .collect()
}

/// A data set, with its sentences as texts.
struct Split<'a> {
    data: &'a TaggedDataset,
    texts: Vec<String>,
    /// `None`: parts of speech or the like.
    scheme: Option<Scheme>,
}

impl<'a> Split<'a> {
    fn of(data: &'a TaggedDataset) -> Self {
        let tags: Vec<&String> = data.sentences.iter().flat_map(|one| &one.tags).collect();
        Self {
            data,
            texts: data
                .sentences
                .iter()
                .map(|one| one.words.join(" "))
                .collect(),
            scheme: Scheme::of(&tags),
        }
    }

    fn places(&self) -> Places {
        Places::of(self.data.sentences.iter().map(|one| &one.file))
    }

    /// One row a sentence, with all its tags.
    fn sentences(&self) -> Rows<'_> {
        let sentences = &self.data.sentences;
        let tags = sentences
            .iter()
            .map(|one| one.tags.iter().map(|tag| tag.as_str().into()).collect());
        let places = self.places();
        Rows {
            path: &self.data.path,
            nouns: Nouns {
                row: "sentence",
                label: Some("tagging"),
            },
            texts: self
                .texts
                .iter()
                .map(|text| (text.as_str(), None))
                .collect(),
            labels: tags.collect(),
            places: sentences
                .iter()
                .map(|one| places.name(&one.file, one.lines.first().copied().unwrap_or_default()))
                .collect(),
        }
    }

    /// One row a word, with its tag.
    fn words(&self) -> Rows<'_> {
        let sentences = &self.data.sentences;
        let words = sentences.iter().flat_map(|one| &one.words);
        let tags = sentences.iter().flat_map(|one| &one.tags);
        let places = self.places();
        let lines = sentences.iter();
        let lines = lines.flat_map(|one| one.lines.iter().map(|&line| (&one.file, line)));
        Rows {
            path: &self.data.path,
            nouns: Nouns {
                row: "word",
                label: Some("tag"),
            },
            texts: words.map(|word| (word.as_str(), None)).collect(),
            labels: tags.map(|tag| vec![tag.as_str().into()]).collect(),
            places: lines
                .map(|(file, number)| places.name(file, number))
                .collect(),
        }
    }

    /// The tables of tags and of entity types.
    fn describe(&self, name: &str, report: &mut Report) {
        let words = self.words();
        let further = [("word", self.data.words())];
        rows::title(name, &self.sentences(), &further, report);
        rows::label_table(name, &words, report);
        if self.scheme.is_some() {
            let sentences = self.data.sentences.iter();
            let spans = sentences.flat_map(|one| entities(&one.tags));
            let counts = label_counts(spans.map(|span| span.entity_type));
            rows::count_table(name, ["entity type", "mention"], &counts, report);
        }
    }

    fn check(
        &self,
        name: &str,
        pretrained: Option<&Pretrained>,
        report: &mut Report,
    ) -> Result<()> {
        let sentences = self.sentences();
        rows::check_texts(&sentences, report);
        let Some(pretrained) = pretrained else {
            let lengths: Vec<usize> = self
                .data
                .sentences
                .iter()
                .map(|one| one.words.len())
                .collect();
            tokens::lengths_of(name, "word", &lengths, &sentences, report);
            return Ok(());
        };
        let words: Vec<&[String]> = self.data.sentences.iter().map(|one| &*one.words).collect();
        let pieces = pretrained.tokenizer.word_pieces_batch(&words)?;
        self.lengths(name, &pieces, pretrained, report)?;
        let unknown = UnknownSummary::of_pieces(&pieces);
        tokens::unknown_tokens(name, unknown, &sentences, report);
        self.vanished(name, &pieces, report);
        Ok(())
    }

    /// Lengths in tokens, special ones included, and sentences that do not fit.
    fn lengths(
        &self,
        name: &str,
        pieces: &[Pieces],
        pretrained: &Pretrained,
        report: &mut Report,
    ) -> Result<()> {
        let max_length = pretrained.max_length;
        let special_tokens = max_length - pretrained.tokenizer.capacity(max_length)?;
        let lengths: Vec<usize> = pieces
            .iter()
            .map(|one| one.len() + special_tokens)
            .collect();
        let sentences = self.sentences();
        tokens::lengths_of(name, "token", &lengths, &sentences, report);
        let long = lengths
            .iter()
            .filter(|&&length| length > max_length)
            .count();
        let long = Portion::of(long, lengths.len());
        if long.rows > 0 {
            let message = format!(
                "{}: {} ({:.1} %) longer than {max_length} tokens: the model reads them in overlapping windows and loses nothing",
                self.data.path.display(),
                sentences.counted(long.rows),
                100.0 * long.share
            );
            report.findings([Finding::new(tokens::severity(long.share), message)]);
        }
        report.figures(name, "in_windows", long, Vec::new());
        Ok(())
    }

    /// Words without a token: nothing is learned from their tags, and they are predicted `O`.
    fn vanished(&self, name: &str, pieces: &[Pieces], report: &mut Report) {
        let mut places = Vec::new();
        let named = self.places();
        for (sentence, pieces) in self.data.sentences.iter().zip(pieces) {
            for word in vanished_words(sentence.words.len(), pieces) {
                let text = sentence.words[word].escape_default();
                let place = named.name(&sentence.file, sentence.lines[word]);
                places.push(format!("\"{text}\" ({place})"));
            }
        }
        report.findings(Finding::at(Severity::Warning, &places, || {
            let (path, number) = (self.data.path.display(), counted(places.len(), "word"));
            format!("{path}: {number} without a token: training learns nothing from the tag")
        }));
        report.figures(name, "vanished_words", places.len(), Vec::new());
    }

    /// Entities that the scheme does not allow. If most entities begin with `I-`, the file is in the older scheme IOB1; then
    /// that is the one finding.
    fn malformed(&self) -> Vec<Finding> {
        let Some(scheme @ (Scheme::Iob2 | Scheme::Iobes)) = self.scheme else {
            return Vec::new();
        };
        let sentences = &self.data.sentences;
        let all: usize = sentences.iter().map(|one| entities(&one.tags).len()).sum();
        let begun = self.places_of(begun_inside);
        let path = self.data.path.display();
        if 2 * begun.len() > all {
            let message = format!(
                "{path}: {} of {} begin with I-, so the file is probably in the scheme IOB1; --scheme bio writes it in \
                 the usual one",
                begun.len(),
                counted(all, "mention")
            );
            return vec![Finding::new(Severity::Warning, message)];
        }
        let finding = |places: Vec<String>, what: &str| {
            Finding::at(Severity::Warning, &places, || {
                format!("{path}: {} {what}", counted(places.len(), "mention"))
            })
        };
        let begun = finding(begun, "without a B- tag, begun by I- or E-");
        let unfinished = match scheme {
            Scheme::Iobes => finding(self.places_of(unfinished), "without an end, by E- or S-"),
            _ => None,
        };
        begun.into_iter().chain(unfinished).collect()
    }

    /// Tags without a prefix in data whose other tags have one.
    fn without_prefix(&self) -> Option<Finding> {
        let tags = self.data.sentences.iter().flat_map(|one| &one.tags);
        let odd = without_prefix(tags.map(String::as_str));
        let places = self.places_of(|tags| {
            let positions = tags.iter().enumerate();
            let positions = positions.filter(|(_, tag)| odd.contains(tag.as_str()));
            positions.map(|(position, _)| position).collect()
        });
        Finding::at(Severity::Warning, &places, || {
            let (path, words) = (self.data.path.display(), counted(places.len(), "word"));
            format!(
                "{path}: {words} with a tag that has no prefix among tags with B- or I-, which is no entity of that name to \
                 the scores, as in seqeval"
            )
        })
    }

    /// A file of texts and labels reads as one of words and tags.
    fn texts_for_words(&self) -> Option<Finding> {
        let words = self.data.sentences.iter().flat_map(|one| &one.words);
        let spaced = words.filter(|word| word.contains(' ')).count();
        (2 * spaced > self.data.words()).then(|| {
            let path = self.data.path.display();
            let all = counted(self.data.words(), "word");
            let message = format!(
                "{path}: {all}, {spaced} of them with spaces, so the file probably has a text and its label in each line; \
                 text-classification reads those"
            );
            Finding::new(Severity::Warning, message)
        })
    }

    /// Tags at some positions of each sentence, with their lines.
    fn places_of(&self, positions: impl Fn(&[String]) -> Vec<usize>) -> Vec<String> {
        let sentences = self.data.sentences.iter();
        let named = self.places();
        let places = sentences.flat_map(|one| {
            let place = |word: usize| {
                let place = named.name(&one.file, one.lines[word]);
                format!("{} ({place})", one.tags[word])
            };
            positions(&one.tags)
                .into_iter()
                .map(place)
                .collect::<Vec<_>>()
        });
        places.collect()
    }
}
