use std::cmp::Ordering;

use bert_kernels::softmax;

/// A token of the vocabulary with its probability.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TokenScore {
    /// Id of the token.
    pub token: usize,
    /// Its share of the softmax over the vocabulary.
    pub score: f32,
}

/// The `k` most probable tokens given the logits of all V, the most probable first and the lower id first where two are
/// equal; all of them when `k` is more than V.
pub fn top_k(logits: &[f32], k: usize) -> Vec<TokenScore> {
    let mut ids: Vec<usize> = (0..logits.len()).collect();
    let order = |a: &usize, b: &usize| {
        let by_logit = logits[*b].partial_cmp(&logits[*a]);
        by_logit.unwrap_or(Ordering::Equal).then(a.cmp(b))
    };
    if k < ids.len() {
        ids.select_nth_unstable_by(k, order);
    }
    ids.truncate(k);
    ids.sort_unstable_by(order);
    let scores = softmax(logits);
    ids.into_iter()
        .map(|token| TokenScore {
            token,
            score: scores[token],
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(logits: &[f32], k: usize) -> Vec<usize> {
        top_k(logits, k).iter().map(|one| one.token).collect()
    }

    #[test]
    fn the_most_probable_tokens_come_first_and_ties_by_id() {
        let logits = [1.0, 3.0, -2.0, 3.0, 0.5];
        assert_eq!(tokens(&logits, 3), [1, 3, 0]);
        assert!(tokens(&logits, 0).is_empty());
        assert_eq!(tokens(&logits, 5), [1, 3, 0, 4, 2]);
        assert_eq!(tokens(&logits, 99), [1, 3, 0, 4, 2]);
        assert!(tokens(&[], 2).is_empty());
    }

    #[test]
    fn scores_are_of_the_softmax_over_all_tokens() {
        let found = top_k(&[0.0, 3.0_f32.ln()], 1);
        assert!((found[0].score - 0.75).abs() < 1e-6, "{found:?}");
    }
}
