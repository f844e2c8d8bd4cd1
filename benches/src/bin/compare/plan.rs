//! How much is measured: the whole of it, or as much as tells that everything works.

/// Members of the largest board that a plan may name.
pub(crate) const MEMBERS_MAX: usize = 100_000_000;
/// Members of the smallest one; a page has 100.
pub(crate) const MEMBERS_MIN: usize = 100;

/// What is run.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    /// Members of the boards on which everything is measured.
    pub(crate) sizes: Vec<usize>,
    /// Interleaved rounds.
    pub(crate) rounds: usize,
    /// What one timing is to last, at least.
    pub(crate) lot_ms: u64,
    /// Members of the boards with other data; none: they are left out.
    pub(crate) variation_size: Option<usize>,
    /// Members of the boards whose memory is measured.
    pub(crate) memory_sizes: Vec<usize>,
    /// Boards of ten members.
    pub(crate) small_boards: usize,
    /// Members of the board that grows and is then written to beside snapshots.
    pub(crate) writes_size: usize,
}

impl Plan {
    /// What the published page shows.
    pub(crate) fn full() -> Self {
        Self {
            sizes: vec![1_000, 100_000, 1_000_000, 10_000_000],
            rounds: 9,
            lot_ms: 20,
            variation_size: Some(1_000_000),
            memory_sizes: vec![1_000_000, 10_000_000],
            small_boards: 1_000_000,
            writes_size: 10_000_000,
        }
    }

    /// Every part of it at a small size: for checking that it runs and that all agree.
    pub(crate) fn quick() -> Self {
        Self {
            sizes: vec![1_000, 100_000],
            rounds: 3,
            lot_ms: 4,
            variation_size: Some(100_000),
            memory_sizes: vec![100_000],
            small_boards: 10_000,
            writes_size: 100_000,
        }
    }

    /// The same at other sizes; the other parts shrink to what is asked for.
    pub(crate) fn limited_to(mut self, sizes: Vec<usize>) -> Self {
        let largest = sizes.iter().copied().max().unwrap_or(MEMBERS_MIN);
        self.sizes = sizes;
        self.variation_size = self.variation_size.filter(|&size| size <= largest);
        self.memory_sizes.retain(|&size| size <= largest);
        self.writes_size = self.writes_size.min(largest);
        self
    }
}
