//! Floats in JSON that come back bit for bit: serde_json may read a number one unit in the last place off.

use serde_json::{Map, Value, json};

/// The key of a float that is spelled as text.
const KEY: &str = "f64";

/// The same figures with every float as text.
pub(super) fn spelled(figures: &Map<String, Value>) -> Map<String, Value> {
    let pairs = figures.iter();
    pairs
        .map(|(name, value)| (name.clone(), spell(value)))
        .collect()
}

/// The inverse of [`spelled`].
pub(super) fn read(figures: &Map<String, Value>) -> Map<String, Value> {
    let pairs = figures.iter();
    pairs
        .map(|(name, value)| (name.clone(), unspell(value)))
        .collect()
}

fn spell(value: &Value) -> Value {
    match value {
        Value::Number(number) if number.is_f64() => json!({KEY: number.to_string()}),
        Value::Array(values) => values.iter().map(spell).collect(),
        Value::Object(figures) => Value::Object(spelled(figures)),
        value => value.clone(),
    }
}

fn unspell(value: &Value) -> Value {
    match value {
        Value::Array(values) => values.iter().map(unspell).collect(),
        Value::Object(figures) => match figures.get(KEY).and_then(Value::as_str) {
            Some(text) => text.parse::<f64>().map_or(Value::Null, Value::from),
            None => Value::Object(read(figures)),
        },
        value => value.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_come_back_bit_for_bit() {
        let Value::Object(figures) = json!({
            "accuracy": 0.1 + 0.2, "count": 3, "by_type": {"PER": {"f1": 1.0 / 3.0}}, "row": [1e-300, null, "x"],
        }) else {
            panic!("an object");
        };
        let text = serde_json::to_string(&spelled(&figures)).unwrap();
        assert_eq!(read(&serde_json::from_str(&text).unwrap()), figures);
    }
}
