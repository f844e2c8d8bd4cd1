//! Live boards beside a sorted list.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;

use std::collections::HashMap;

use common::Rng;
use rankd_activity::{LiveBoard, LiveEntry, LiveError};

#[test]
fn a_live_board_is_a_sorted_list() {
    let mut rng = Rng(5);
    let mut board = LiveBoard::new();
    let mut list: HashMap<u64, (i64, i64)> = HashMap::new();
    for _ in 0..4_000 {
        let user = rng.below(200);
        let (value, at_ms) = (rng.within(-50, 50), rng.within(0, 1_000));
        match rng.below(10) {
            0 => assert_eq!(board.remove(user), list.remove(&user).is_some()),
            1 | 2 => {
                board.set(user, value, at_ms).unwrap();
                list.insert(user, (value, at_ms));
            }
            _ => {
                let (sum, last_ms) = list.get(&user).copied().unwrap_or((0, at_ms));
                list.insert(user, (sum + value, last_ms.max(at_ms)));
                assert_eq!(board.add(user, value, at_ms), Ok(sum + value));
            }
        }
        let mut sorted: Vec<LiveEntry> = list
            .iter()
            .map(|(&user, &(value, last_ms))| LiveEntry { user, value, last_ms })
            .collect();
        sorted.sort_by_key(|entry| (-entry.value, entry.last_ms, entry.user));
        assert_eq!(board.total(), sorted.len() as u64);
        let at = sorted.iter().position(|entry| entry.user == user);
        assert_eq!(board.rank_of(user), at.map(|at| (at as u64 + 1, sorted[at])));
        let offset = usize::try_from(rng.below(210)).unwrap();
        let page: Vec<LiveEntry> = sorted.iter().skip(offset).take(7).copied().collect();
        assert_eq!(board.page(offset, 7), page);
    }
}

#[test]
fn a_sum_that_does_not_fit_changes_nothing() {
    let mut board = LiveBoard::new();
    board.set(1, i64::MAX, 10).unwrap();
    let refused = LiveError::Overflow { value: i64::MAX, delta: 1 };
    assert_eq!(board.add(1, 1, 20), Err(refused));
    let entry = LiveEntry { user: 1, value: i64::MAX, last_ms: 10 };
    assert_eq!(board.rank_of(1), Some((1, entry)));
    assert_eq!(board.add(1, -1, 20), Ok(i64::MAX - 1));
}
