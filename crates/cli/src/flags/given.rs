//! Every flag of a command as it was given.

use std::collections::BTreeMap;

use clap::{ArgMatches, Args, Command, FromArgMatches, Id};

/// The values of all flags of a command, defaults included. It has no flag of its own. It must be the first of the parts
/// of a command's arguments, because the others take theirs out.
#[derive(Debug, Clone, Default)]
pub(crate) struct GivenFlags(BTreeMap<String, Vec<String>>);

impl GivenFlags {
    /// The flags, such as `--batch-size`, with their values as text.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &[String])> {
        let pairs = self.0.iter();
        pairs.map(|(flag, values)| (flag.as_str(), values.as_slice()))
    }
}

impl FromArgMatches for GivenFlags {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let is_flag = |id: &&Id| !matches!(matches.try_get_many::<Id>(id.as_str()), Ok(Some(_)));
        let values = |id: &Id| {
            let raw = matches.try_get_raw(id.as_str()).ok().flatten();
            let words = raw.into_iter().flatten();
            words
                .map(|word| word.to_string_lossy().into_owned())
                .collect()
        };
        let flags = matches.ids().filter(is_flag);
        let named = flags.map(|id| (format!("--{}", id.as_str().replace('_', "-")), values(id)));
        Ok(Self(named.collect()))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Args for GivenFlags {
    fn augment_args(command: Command) -> Command {
        command
    }

    fn augment_args_for_update(command: Command) -> Command {
        command
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        given: GivenFlags,
        #[command(flatten)]
        _part: Part,
        #[arg(long, id = "switch")]
        _switch: bool,
    }

    #[derive(Debug, Args)]
    struct Part {
        #[arg(long, id = "batch_size", default_value_t = 8)]
        _batch_size: usize,
        #[arg(long, id = "train", num_args = 1..)]
        _train: Vec<String>,
        #[arg(long, id = "eval")]
        _eval: Option<String>,
    }

    #[test]
    fn flags_have_their_values_and_defaults_as_text() {
        let line = Line::parse_from(["bert", "--train", "a", "b"]);
        let flags: Vec<(&str, String)> = line
            .given
            .iter()
            .map(|(flag, values)| (flag, values.join(" ")))
            .collect();
        assert_eq!(
            flags,
            [
                ("--batch-size", "8".to_owned()),
                ("--switch", "false".to_owned()),
                ("--train", "a b".to_owned())
            ]
        );
    }
}
