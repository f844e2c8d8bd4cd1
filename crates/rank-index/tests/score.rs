//! Goal: codes order as what they stand for, and decode to it.
//! Method: all pairs of limits and neighbours, then random pairs.

use proptest::prelude::*;
use rank_index::{
    Direction, decode_f64, decode_i64, earliest_ms, encode_f64, encode_i64, latest_ms,
    tie_earliest, tie_latest,
};

const INTEGERS: [i64; 9] =
    [i64::MIN, i64::MIN + 1, -4_294_967_296, -1, 0, 1, 4_294_967_296, i64::MAX - 1, i64::MAX];

const FLOATS: [f64; 17] = [
    f64::NEG_INFINITY,
    f64::MIN,
    -1.000_000_000_000_000_2,
    -1.0,
    -f64::EPSILON,
    -f64::MIN_POSITIVE,
    -5e-324,
    -0.0,
    0.0,
    5e-324,
    f64::MIN_POSITIVE,
    f64::EPSILON,
    1.0,
    1.000_000_000_000_000_2,
    9_007_199_254_740_992.0,
    f64::MAX,
    f64::INFINITY,
];

fn check_integers(one: i64, two: i64) {
    let (code_one, code_two) = (encode_i64(one), encode_i64(two));
    assert_eq!(code_one.cmp(&code_two), one.cmp(&two));
    assert_eq!(decode_i64(code_one), one);
    assert_eq!(tie_earliest(one).cmp(&tie_earliest(two)), one.cmp(&two));
    assert_eq!(tie_latest(one).cmp(&tie_latest(two)), two.cmp(&one));
    assert_eq!((earliest_ms(tie_earliest(one)), latest_ms(tie_latest(one))), (one, one));
    let down = Direction::Descending;
    assert_eq!(down.apply(code_one).cmp(&down.apply(code_two)), two.cmp(&one));
    assert_eq!(down.apply(down.apply(code_one)), code_one);
    assert_eq!(Direction::Ascending.apply(code_one), code_one);
}

fn check_floats(one: f64, two: f64) {
    let (Some(code_one), Some(code_two)) = (encode_f64(one), encode_f64(two)) else {
        assert!(one.is_nan() || two.is_nan());
        return;
    };
    assert_eq!(Some(code_one.cmp(&code_two)), one.partial_cmp(&two), "{one} {two}");
    assert_eq!(decode_f64(code_one), one);
    assert!(!(decode_f64(code_one) == 0.0 && decode_f64(code_one).is_sign_negative()));
}

#[test]
fn limits_keep_their_order() {
    for one in INTEGERS {
        for two in INTEGERS {
            check_integers(one, two);
        }
    }
    for one in FLOATS {
        for two in FLOATS {
            check_floats(one, two);
        }
    }
}

#[test]
fn not_a_number_has_no_code() {
    for bits in [0x7FF0_0000_0000_0001, 0x7FF8_0000_0000_0000, 0xFFF8_0000_0000_0000, u64::MAX] {
        assert_eq!(encode_f64(f64::from_bits(bits)), None);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn integers_keep_their_order(one: i64, two: i64) {
        check_integers(one, two);
    }

    #[test]
    fn floats_keep_their_order(one: u64, two: u64) {
        check_floats(f64::from_bits(one), f64::from_bits(two));
    }
}
