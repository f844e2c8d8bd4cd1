//! GNU `pb_ds`: an order-statistic red-black tree beside `std::unordered_map`, in C++.
//!
//! What it is not: able to take scores with times. Invariant: a board is used by its owner alone
//! and freed once.
#![expect(unsafe_code, reason = "another language's structure is reached by its C interface")]

use std::ffi::c_void;
use std::marker::PhantomData;

use super::{Ranked, Structure};
use crate::data::{Id, Member, Number, Sum};

/// A member that the C++ side has a board for.
pub trait Native: Member {
    /// That board's functions.
    const FUNCTIONS: Functions;
}

/// The C interface of one kind of board; see `order_tree.cpp`.
#[derive(Clone, Copy)]
pub struct Functions {
    new: unsafe extern "C" fn() -> *mut c_void,
    free: unsafe extern "C" fn(*mut c_void),
    set: unsafe extern "C" fn(*mut c_void, u64, u64, u64),
    remove: unsafe extern "C" fn(*mut c_void, u64, u64) -> bool,
    rank: unsafe extern "C" fn(*mut c_void, u64, u64) -> usize,
    page: unsafe extern "C" fn(*mut c_void, usize, usize) -> Sum,
    count: unsafe extern "C" fn(*mut c_void, u64, u64) -> usize,
}

/// Declares the functions of one kind of board and gives them to its member.
macro_rules! native {
    ($member:ty: $new:ident $free:ident $set:ident $remove:ident $rank:ident $page:ident
     $count:ident) => {
        // SAFETY: the signatures are those of `order_tree.cpp`, whose `BOARD` defines them.
        unsafe extern "C" {
            fn $new() -> *mut c_void;
            fn $free(board: *mut c_void);
            fn $set(board: *mut c_void, hi: u64, lo: u64, score: u64);
            fn $remove(board: *mut c_void, hi: u64, lo: u64) -> bool;
            fn $rank(board: *mut c_void, hi: u64, lo: u64) -> usize;
            fn $page(board: *mut c_void, start: usize, len: usize) -> Sum;
            fn $count(board: *mut c_void, low: u64, high: u64) -> usize;
        }

        impl Native for $member {
            const FUNCTIONS: Functions = Functions {
                new: $new,
                free: $free,
                set: $set,
                remove: $remove,
                rank: $rank,
                page: $page,
                count: $count,
            };
        }
    };
}

native!(Id: order_tree_text_new order_tree_text_free order_tree_text_set order_tree_text_remove
    order_tree_text_rank order_tree_text_page order_tree_text_count);
native!(Number: order_tree_number_new order_tree_number_free order_tree_number_set
    order_tree_number_remove order_tree_number_rank order_tree_number_page
    order_tree_number_count);

/// See the module's head.
pub struct OrderTree<M: Native> {
    board: *mut c_void,
    members: PhantomData<M>,
}

impl<M: Native> Drop for OrderTree<M> {
    fn drop(&mut self) {
        // SAFETY: `board` is from `new` of the same functions and is not used after this.
        unsafe { (M::FUNCTIONS.free)(self.board) }
    }
}

impl<M: Native> Structure for OrderTree<M> {
    type Member = M;
    type Score = u64;

    fn empty() -> Self {
        // SAFETY: it takes nothing and returns a board, or ends the process for want of memory.
        Self { board: unsafe { (M::FUNCTIONS.new)() }, members: PhantomData }
    }

    fn set(&mut self, member: &M, score: u64) {
        let (hi, lo) = member.words();
        // SAFETY: `board` is alive, and `&mut self` keeps everyone else away from it.
        unsafe { (M::FUNCTIONS.set)(self.board, hi, lo, score) }
    }

    fn remove(&mut self, member: &M) -> bool {
        let (hi, lo) = member.words();
        // SAFETY: as in `set`.
        unsafe { (M::FUNCTIONS.remove)(self.board, hi, lo) }
    }

    fn iterate(&self) -> Sum {
        self.page(0, usize::MAX)
    }
}

impl<M: Native> Ranked for OrderTree<M> {
    fn rank(&self, member: &M) -> Option<usize> {
        let (hi, lo) = member.words();
        // SAFETY: `board` is alive, and reading changes nothing.
        let rank = unsafe { (M::FUNCTIONS.rank)(self.board, hi, lo) };
        (rank != usize::MAX).then_some(rank)
    }

    fn page(&self, start: usize, len: usize) -> Sum {
        // SAFETY: as in `rank`; ranks and lengths beyond the end are cut off there.
        unsafe { (M::FUNCTIONS.page)(self.board, start, len) }
    }

    fn count(&self, low: u64, high: u64) -> usize {
        // SAFETY: as in `rank`.
        unsafe { (M::FUNCTIONS.count)(self.board, low, high) }
    }
}
