use std::fmt;
use std::str::FromStr;

use bert_encoder::LowRankConfig;

/// What begins the words of a LoRA on the command line.
const WORD: &str = "lora";

/// Which linear layers of the encoder have an adapter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LoraTargets {
    /// Those that PEFT takes for the family: queries and values.
    OfFamily,
    /// All of the encoder.
    AllLinear,
    /// Those whose names in transformers are these, or end in a dot and one of these.
    Named(Vec<String>),
}

/// A LoRA to train.
#[derive(Debug, Clone, PartialEq)]
pub struct LoraOptions {
    /// Rank, scale, dropout, magnitude.
    pub config: LowRankConfig,
    /// Where adapters stand.
    pub targets: LoraTargets,
}

impl Default for LoraOptions {
    fn default() -> Self {
        Self {
            config: LowRankConfig {
                rank: 8,
                alpha: 16.0,
                dropout: 0.0,
                use_dora: false,
                use_rslora: false,
            },
            targets: LoraTargets::OfFamily,
        }
    }
}

/// The model that an adapter is trained on, as `adapter_config.json` names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseModel {
    /// A path, or a name of the hub.
    pub name: String,
    /// The commit of a model of the hub.
    pub revision: Option<String>,
}

/// `lora`, or `lora:` and settings with commas between them: `rank=8`, `alpha=16`, `dropout=0.1`, `targets=query+value` or
/// `targets=all-linear`, `dora`, `rslora`.
impl FromStr for LoraOptions {
    type Err = String;

    fn from_str(words: &str) -> Result<Self, Self::Err> {
        let mut options = Self::default();
        let settings = match words.split_once(':') {
            None if words == WORD => return Ok(options),
            Some((WORD, settings)) => settings,
            _ => return Err(format!("`{words}` does not begin with `{WORD}`")),
        };
        for setting in settings.split(',') {
            options.set(setting)?;
        }
        Ok(options)
    }
}

impl LoraOptions {
    fn set(&mut self, setting: &str) -> Result<(), String> {
        let config = &mut self.config;
        match setting.split_once('=') {
            None if setting == "dora" => config.use_dora = true,
            None if setting == "rslora" => config.use_rslora = true,
            Some(("rank", rank)) => {
                let rank = rank.parse().ok().filter(|rank| *rank > 0);
                config.rank = rank.ok_or("`rank` of a LoRA needs an integer, at least 1")?;
            }
            Some(("alpha", alpha)) => {
                let is_possible = |alpha: &f64| alpha.is_finite() && *alpha > 0.0;
                let alpha = alpha.parse().ok().filter(is_possible);
                config.alpha = alpha.ok_or("`alpha` of a LoRA needs a number above 0")?;
            }
            Some(("dropout", dropout)) => {
                let is_possible = |dropout: &f64| (0.0..1.0).contains(dropout);
                let dropout = dropout.parse().ok().filter(is_possible);
                config.dropout =
                    dropout.ok_or("`dropout` of a LoRA needs a number, at least 0 and below 1")?;
            }
            Some(("targets", "all-linear")) => self.targets = LoraTargets::AllLinear,
            Some(("targets", names)) if names.split('+').all(|name| !name.is_empty()) => {
                let names = names.split('+').map(str::to_owned);
                self.targets = LoraTargets::Named(names.collect());
            }
            Some(("targets", _)) => {
                return Err(
                    "`targets` of a LoRA needs names with + between them, such as query+value, or all-linear".to_owned(),
                );
            }
            _ => {
                return Err(format!(
                    "`{setting}` is no setting of a LoRA; there are rank=N, alpha=NUMBER, dropout=PROBABILITY, \
                     targets=NAME+NAME, dora and rslora"
                ));
            }
        }
        Ok(())
    }
}

impl fmt::Display for LoraOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let config = &self.config;
        write!(
            f,
            "{WORD}:rank={},alpha={},dropout={}",
            config.rank, config.alpha, config.dropout
        )?;
        match &self.targets {
            LoraTargets::OfFamily => {}
            LoraTargets::AllLinear => f.write_str(",targets=all-linear")?,
            LoraTargets::Named(names) => write!(f, ",targets={}", names.join("+"))?,
        }
        if config.use_dora {
            f.write_str(",dora")?;
        }
        if config.use_rslora {
            f.write_str(",rslora")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_become_options_and_options_words() {
        assert_eq!("lora".parse(), Ok(LoraOptions::default()));
        let words = "lora:rank=4,alpha=2.5,dropout=0.1,targets=query+output.dense,dora,rslora";
        let options: LoraOptions = words.parse().unwrap();
        assert_eq!((options.config.rank, options.config.alpha), (4, 2.5));
        assert!(options.config.use_dora && options.config.use_rslora);
        let names = ["query", "output.dense"].map(str::to_owned);
        assert_eq!(options.targets, LoraTargets::Named(names.into()));
        assert_eq!(options.to_string(), words);
        let all: LoraOptions = "lora:targets=all-linear".parse().unwrap();
        assert_eq!(all.to_string().parse(), Ok(all));
    }

    #[test]
    fn impossible_settings_are_named() {
        for (words, named) in [
            ("lora:rank=0", "rank"),
            ("lora:rank=x", "rank"),
            ("lora:alpha=nan", "alpha"),
            ("lora:alpha=-1", "alpha"),
            ("lora:dropout=1", "dropout"),
            ("lora:targets=", "targets"),
            ("lora:targets=query+", "targets"),
            ("lora:r=8", "`r=8`"),
            ("lora:", "``"),
            ("lora:dora=1", "`dora=1`"),
        ] {
            let message = words.parse::<LoraOptions>().unwrap_err();
            assert!(message.contains(named), "{words}: {message}");
        }
    }
}
