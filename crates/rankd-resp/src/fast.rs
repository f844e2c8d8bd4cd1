//! Runs of the same question about one board, which pipelines are made of, answered together: the
//! ranks of many members at once cost less than one by one.

use crate::frame;
use crate::number::read_score;
use crate::table::{Command, Hot};
use crate::window::Cx;

/// Frames that were looked up.
pub(crate) struct Frames<'f> {
    pub(crate) frames: &'f frame::Frames,
    pub(crate) input: &'f [u8],
    pub(crate) plan: &'f [Option<&'static Command>],
    pub(crate) until: usize,
}

/// Questions that are answered together at most.
const RUN_MAX: usize = 64;
/// Members that the memory is asked for together.
const PREFETCH_MAX: usize = 16;

/// The board and the members of the commands from `first` on that are `command`, about the same
/// board, at most `max`; `member_of` says what a command's member is, if it is one for this.
fn alike<'f>(
    frames: &Frames<'f>,
    command: &'static Command,
    first: usize,
    max: usize,
    mut member_of: impl FnMut(&[&'f [u8]]) -> Option<&'f [u8]>,
) -> (&'f [u8], Vec<&'f [u8]>) {
    let (mut args, mut key): (Vec<&[u8]>, &[u8]) = (Vec::new(), &[]);
    let mut members = Vec::with_capacity(max);
    for frame in first..frames.until.min(first + max) {
        let is_same = frames.plan[frame].is_some_and(|other| std::ptr::eq(other, command));
        if !is_same {
            break;
        }
        frames.frames.args(frame, frames.input, &mut args);
        let Some(board) = args.get(1) else { break };
        if !members.is_empty() && key != *board {
            break;
        }
        let Some(member) = member_of(&args) else { break };
        key = board;
        members.push(member);
    }
    (key, members)
}

/// Asks the memory for the members of the commands from `first` on that are the same, about the
/// same board. How many they are: for those it need not be asked again.
pub(crate) fn prefetch(cx: &mut Cx<'_, '_>, frames: &Frames<'_>, first: usize) -> usize {
    let Some(command) = frames.plan[first] else { return 1 };
    let (Hot::Member(at) | Hot::Change(at) | Hot::Put(at)) = command.hot else { return 1 };
    let mut scores = Vec::with_capacity(PREFETCH_MAX);
    let (key, members) = alike(frames, command, first, PREFETCH_MAX, |args| {
        let member = *args.get(at)?;
        if let Hot::Put(_) = command.hot {
            scores.extend(read_score(args[at - 1]));
        }
        Some(member)
    });
    if members.len() > 1 {
        // A key of another kind is found out when the command is carried out.
        let _board = cx.turn.board(key, |view| match command.hot {
            Hot::Put(_) => view.prefetch_puts(&members, &scores),
            Hot::Change(_) => view.prefetch_changes(&members),
            _ => view.prefetch(&members),
        });
    }
    members.len().max(1)
}

/// Answers a run of rank look-ups from `first` on. How many it were; `None` if it is none.
pub(crate) fn run(cx: &mut Cx<'_, '_>, frames: &Frames<'_>, first: usize) -> Option<usize> {
    let command = frames.plan[first]?;
    let from_behind = match command.hot {
        Hot::Rank => false,
        Hot::RevRank => true,
        Hot::No | Hot::Member(_) | Hot::Change(_) | Hot::Put(_) => return None,
    };
    let is_plain = cx.session.is_known && cx.session.replies == crate::session::Replies::On;
    if !is_plain || cx.session.subscriptions() > 0 {
        return None;
    }
    let (key, members) = alike(frames, command, first, RUN_MAX, |args| match args {
        [_, _, member] => Some(*member),
        _ => None,
    });
    if members.len() < 2 {
        return None;
    }
    let out = &mut *cx.out;
    let found = cx.turn.board(key, |view| {
        let len = view.len();
        for position in view.positions(&members) {
            match position {
                Some(position) if from_behind => out.count(len - 1 - position),
                Some(position) => out.count(position),
                None => out.null(),
            }
        }
    });
    match found {
        Ok(Some(())) => {}
        Ok(None) => members.iter().for_each(|_| out.null()),
        Err(_wrong) => return None,
    }
    Some(members.len())
}
