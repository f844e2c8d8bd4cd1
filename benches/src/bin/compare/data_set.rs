//! A board's contents, the questions about it, and who takes part.

use anyhow::Result;
use rankd_benches::data::{Id, Member, Number, Score, Sequence, Timed, shuffled, zipf};
use rankd_benches::structures::{
    IndexSet, OrderTree, Ours, SKIP_LIST_MEMBERS_MAX, SkipList, StdTree,
};

use crate::in_process::{Plain, WithRanks};
use crate::ops::Contender;
use crate::redis::Redis;

/// The list of questions is repeated until it has this many.
const ASKED_MIN: usize = 1 << 16;
const ZIPF_EXPONENT: f64 = 0.99;

pub(crate) type Contenders<M, S> = Vec<Box<dyn Contender<M, S>>>;

/// What every contender of a comparison is loaded with, and asked.
pub(crate) struct DataSet<M, S> {
    pub(crate) entries: Vec<(M, S)>,
    pub(crate) asked: Vec<M>,
    /// Different scores that there may be.
    pub(crate) scores: usize,
}

impl<M: Member, S: Score> DataSet<M, S> {
    /// `size` members with random scores, about `per_score` to each; every one is asked for once
    /// before any is asked for again.
    pub(crate) fn new(size: usize, per_score: usize) -> Self {
        let scores = size.div_ceil(per_score);
        let entries = entries(size, scores);
        let mut asked = shuffled(size, 3);
        while asked.len() < ASKED_MIN {
            asked.extend_from_within(..size);
        }
        Self { entries, asked, scores }
    }

    pub(crate) fn size(&self) -> usize {
        self.entries.len()
    }

    /// Questions about the same board of which a few members get most.
    pub(crate) fn skewed_questions(&self) -> Vec<M> {
        zipf(&self.asked[..self.size()], ZIPF_EXPONENT, self.asked.len(), 4)
    }
}

/// Members in random order with random scores.
pub(crate) fn entries<M: Member, S: Score>(size: usize, scores: usize) -> Vec<(M, S)> {
    let mut numbers = Sequence::new(1);
    let members = shuffled::<M>(size, 2);
    members.into_iter().map(|member| (member, S::draw(&mut numbers, scores))).collect()
}

/// Everyone, for ids that are text.
pub(crate) fn text_contenders(size: usize) -> Result<Contenders<Id, u64>> {
    let mut all: Contenders<Id, u64> = vec![
        Box::new(WithRanks::<Ours<Id, u64>>::new("rank-index")),
        Box::new(WithRanks::<IndexSet<Id, u64>>::new("indexset")),
        Box::new(WithRanks::<OrderTree<Id>>::new("pb_ds")),
        Box::new(Redis::start()?),
        Box::new(Plain::<StdTree<Id, u64>>::new("BTreeSet")),
    ];
    if size <= SKIP_LIST_MEMBERS_MAX {
        all.insert(3, Box::new(WithRanks::<SkipList<Id, u64>>::new("skiplist")));
    }
    Ok(all)
}

/// Everyone, for ids that are numbers.
pub(crate) fn number_contenders() -> Result<Contenders<Number, u64>> {
    Ok(vec![
        Box::new(WithRanks::<Ours<Number, u64>>::new("rank-index")),
        Box::new(WithRanks::<IndexSet<Number, u64>>::new("indexset")),
        Box::new(WithRanks::<OrderTree<Number>>::new("pb_ds")),
        Box::new(WithRanks::<SkipList<Number, u64>>::new("skiplist")),
        Box::new(Redis::start()?),
        Box::new(Plain::<StdTree<Number, u64>>::new("BTreeSet")),
    ])
}

/// Those that take keys of a score and a time.
pub(crate) fn timed_contenders() -> Contenders<Id, Timed> {
    vec![
        Box::new(WithRanks::<Ours<Id, Timed>>::new("rank-index")),
        Box::new(WithRanks::<IndexSet<Id, Timed>>::new("indexset")),
        Box::new(WithRanks::<SkipList<Id, Timed>>::new("skiplist")),
        Box::new(Plain::<StdTree<Id, Timed>>::new("BTreeSet")),
    ]
}
