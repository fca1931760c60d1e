//! Buckets that distances between two tokens of a sequence fall into, in the single precision in which transformers computes
//! them.

/// The buckets of MPNet, whatever the size of its table: `num_buckets` and `max_distance` of `relative_position_bucket`.
pub(crate) const BIAS_BUCKETS: usize = 32;
const BIAS_MAX_DISTANCE: usize = 128;

/// DeBERTa's bucket of a distance, `make_log_bucket_position` of transformers: up to half of the buckets the distance itself,
/// beyond in logarithmic steps. The sign is kept.
pub(crate) fn log_bucket(distance: i64, buckets: usize, max_distance: usize) -> i64 {
    let middle = (buckets / 2) as i64;
    let size = distance.abs();
    if size <= middle {
        return distance;
    }
    let farthest = (max_distance as f64 - 1.0) / middle as f64;
    let share = (size as f32 / middle as f32).ln() / (farthest as f32).ln();
    let steps = (share * (middle - 1) as f32).ceil() as i64;
    (middle + steps) * distance.signum()
}

/// MPNet's bucket of a key that stands `distance` behind its query, `relative_position_bucket` of transformers: the first half
/// of the buckets for keys before the query and the query itself, the second half for keys after it.
pub fn bias_bucket(distance: i64) -> usize {
    let half = BIAS_BUCKETS / 2;
    let exact = half / 2;
    let size = distance.unsigned_abs() as usize;
    let bucket = if size < exact {
        size
    } else {
        let range = (BIAS_MAX_DISTANCE as f64 / exact as f64).ln() as f32;
        let share = (size as f32 / exact as f32).ln() / range;
        let steps = (share * (half - exact) as f32) as usize;
        (exact + steps).min(half - 1)
    };
    if distance > 0 { half + bucket } else { bucket }
}

/// What a function gives for each distance from −(S − 1) to S − 1, for S positions. The last one, which is not
/// read, repeats the one before.
pub(crate) fn columns<T>(length: usize, of_distance: impl Fn(i64) -> T) -> Vec<T> {
    let farthest = length as i64 - 1;
    let distances = (-farthest..=farthest).chain([farthest]);
    distances.map(of_distance).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The distances at which a bucket begins that is not the one before, of all below `end`.
    fn beginnings<T: PartialEq>(end: i64, bucket: impl Fn(i64) -> T) -> Vec<i64> {
        (1..end)
            .filter(|&distance| bucket(distance) != bucket(distance - 1))
            .collect()
    }

    #[test]
    fn log_buckets_begin_where_transformers_begins_them() {
        let found = beginnings(1300, |distance| log_bucket(distance, 8, 40));
        assert_eq!(found, [1, 2, 3, 4, 5, 9, 19, 40, 84, 178, 381, 813]);
        let found = beginnings(1300, |distance| log_bucket(distance, 6, 23));
        assert_eq!(found, [1, 2, 3, 4, 9, 23, 60, 162, 437, 1184]);
        // DeBERTa-v3.
        let base = beginnings(1300, |distance| log_bucket(distance, 256, 512));
        assert_eq!(
            base[127..136],
            [128, 129, 130, 131, 133, 134, 136, 137, 139]
        );
        assert_eq!(base[250..258], [484, 490, 495, 500, 506, 512, 517, 523]);
        assert_eq!(log_bucket(511, 256, 512), 255);
    }

    #[test]
    fn the_sign_of_a_distance_is_that_of_its_bucket() {
        for distance in 0..600 {
            let bucket = log_bucket(distance, 256, 512);
            assert_eq!(log_bucket(-distance, 256, 512), -bucket);
        }
    }

    #[test]
    fn bias_buckets_begin_where_transformers_begins_them() {
        let begin = [1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 23, 32, 46, 64, 91];
        assert_eq!(beginnings(1300, |distance| bias_bucket(-distance)), begin);
        assert_eq!(beginnings(1300, bias_bucket), begin);
        assert_eq!([bias_bucket(0), bias_bucket(-1300)], [0, 15]);
        assert_eq!([bias_bucket(1), bias_bucket(1300)], [17, 31]);
    }
}
