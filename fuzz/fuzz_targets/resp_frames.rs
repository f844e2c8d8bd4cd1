//! Any bytes to the parser of Redis commands, whole and in two pieces: the same commands come out,
//! each argument lies within the bytes, and nothing but an error is the answer to nonsense.

#![no_main]

use libfuzzer_sys::fuzz_target;
use rankd_resp::frame::Frames;

fn commands(frames: &Frames, input: &[u8]) -> Vec<Vec<Vec<u8>>> {
    let mut args = Vec::new();
    (0..frames.len())
        .map(|frame| {
            frames.args(frame, input, &mut args);
            args.iter().map(|arg| arg.to_vec()).collect()
        })
        .collect()
}

fuzz_target!(|input: &[u8]| {
    let Some((cut, input)) = input.split_first() else { return };
    let (is_known, cut) = (cut & 1 == 0, usize::from(*cut).min(input.len()));
    let mut whole = Frames::default();
    let parsed = whole.parse(input, is_known);
    assert!(whole.consumed() <= input.len());
    let mut pieces = Frames::default();
    let first = pieces.parse(&input[..cut], is_known);
    let second = first.and_then(|()| pieces.parse(input, is_known));
    assert_eq!(second.is_ok(), parsed.is_ok());
    if parsed.is_ok() {
        assert_eq!(whole.consumed(), pieces.consumed());
        assert_eq!(commands(&whole, input), commands(&pieces, input));
    }
});
