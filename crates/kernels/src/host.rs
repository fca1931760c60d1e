//! Functions over slices, for logits on the host.

/// The softmax of some logits, summed in double precision; finite for finite logits of any size.
pub fn softmax(logits: &[f32]) -> Vec<f32> {
    let highest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let powers: Vec<f64> = logits
        .iter()
        .map(|&x| f64::from(x - highest).exp())
        .collect();
    let sum: f64 = powers.iter().sum();
    powers.iter().map(|power| (power / sum) as f32).collect()
}

/// `−log softmax(logits)[class]`, in double precision. A class beyond the logits costs nothing.
pub fn cross_entropy(logits: &[f32], class: usize) -> f64 {
    let Some(&logit) = logits.get(class) else {
        return 0.0;
    };
    let highest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let powers = logits
        .iter()
        .map(|&x| (f64::from(x) - f64::from(highest)).exp());
    powers.sum::<f64>().ln() + f64::from(highest) - f64::from(logit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_logits_do_not_overflow() {
        assert_eq!(softmax(&[1000.0, 1000.0, -1000.0]), [0.5, 0.5, 0.0]);
        assert!(softmax(&[]).is_empty());
        assert_eq!(cross_entropy(&[1000.0, 0.0], 1), 1000.0);
        let difference = cross_entropy(&[1000.0, 999.0], 1) - (1.0_f64.exp() + 1.0).ln();
        assert!(difference.abs() < 1e-12, "off by {difference}");
    }
}
