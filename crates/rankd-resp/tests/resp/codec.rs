//! Commands on the wire: whatever is encoded is read back, however it is cut in pieces, and no
//! bytes make the parser fail in another way than by saying so.

use proptest::prelude::*;
use rankd_resp::frame::{Frames, ProtocolError};

type Commands = Vec<Vec<Vec<u8>>>;

fn commands() -> impl Strategy<Value = Commands> {
    let arg = prop::collection::vec(any::<u8>(), 0..20);
    prop::collection::vec(prop::collection::vec(arg, 1..6), 0..8)
}

fn encode(commands: &Commands) -> Vec<u8> {
    let mut out = Vec::new();
    for command in commands {
        out.extend(format!("*{}\r\n", command.len()).bytes());
        for arg in command {
            out.extend(format!("${}\r\n", arg.len()).bytes());
            out.extend(arg);
            out.extend(b"\r\n");
        }
    }
    out
}

fn decoded(frames: &Frames, input: &[u8]) -> Commands {
    let mut args = Vec::new();
    (0..frames.len())
        .map(|frame| {
            frames.args(frame, input, &mut args);
            args.iter().map(|arg| arg.to_vec()).collect()
        })
        .collect()
}

fn parse(input: &[u8]) -> Result<Commands, ProtocolError> {
    let mut frames = Frames::default();
    frames.parse(input, true)?;
    Ok(decoded(&frames, input))
}

proptest! {
    #[test]
    fn what_is_encoded_is_read_back(commands in commands()) {
        prop_assert_eq!(parse(&encode(&commands)), Ok(commands));
    }

    #[test]
    fn pieces_make_the_same_commands_as_the_whole(
        commands in commands(),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
    ) {
        let whole = encode(&commands);
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(whole.len() + 1)).collect();
        cuts.sort_unstable();
        cuts.push(whole.len());
        let mut frames = Frames::default();
        for cut in cuts {
            frames.parse(&whole[..cut], true).expect("a beginning of good commands");
        }
        prop_assert_eq!(frames.consumed(), whole.len());
        prop_assert_eq!(decoded(&frames, &whole), commands);
    }

    #[test]
    fn no_bytes_make_the_parser_fail_otherwise(
        input in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        let mut frames = Frames::default();
        let parsed = frames.parse(&input, false);
        prop_assert!(frames.consumed() <= input.len());
        let commands = decoded(&frames, &input);
        prop_assert!(commands.iter().all(|command| !command.is_empty()));
        if parsed.is_ok() && frames.consumed() == input.len() {
            let mut again = Frames::default();
            again.parse(&encode(&commands), true).expect("what was read can be written");
            prop_assert_eq!(again.len(), commands.len());
        }
    }
}

#[test]
fn lines_are_commands_too() {
    let words = |line: &str| parse(format!("{line}\r\n").as_bytes());
    let expected = |words: &[&[u8]]| Ok(vec![words.iter().map(|word| word.to_vec()).collect()]);
    assert_eq!(words("PING"), expected(&[b"PING"]));
    assert_eq!(words("  SET a  b "), expected(&[b"SET", b"a", b"b"]));
    assert_eq!(words(r#"SET "a b" 'c\'d' "\x41\n""#), expected(&[b"SET", b"a b", b"c'd", b"A\n"]));
    assert_eq!(words(""), Ok(Vec::new()));
    assert_eq!(words("\"open"), Err(ProtocolError::Quotes));
    assert_eq!(words("\"a\"b"), Err(ProtocolError::Quotes));
    assert_eq!(parse(b"PING\n"), expected(&[b"PING"]));
}

#[test]
fn lengths_beyond_their_limits_are_refused_before_anything_is_allocated() {
    let table: [(&[u8], ProtocolError); 9] = [
        (b"*1048577\r\n", ProtocolError::ArgsCount),
        (b"*9223372036854775807\r\n", ProtocolError::ArgsCount),
        (b"*x\r\n", ProtocolError::ArgsCount),
        (b"*1\r\n$1048577\r\n", ProtocolError::BulkLength),
        (b"*1\r\n$-1\r\n", ProtocolError::BulkLength),
        (b"*1\r\n$99999999999999999999\r\n", ProtocolError::BulkLength),
        (b"*1\r\n:1\r\n", ProtocolError::NoBulk(':')),
        (b"*2\r\n$1\r\na\r\n+\r\n", ProtocolError::NoBulk('+')),
        (&[b'a'; 70_000], ProtocolError::InlineLine),
    ];
    for (input, error) in table {
        assert_eq!(parse(input), Err(error), "{}", input[..input.len().min(40)].escape_ascii());
    }
}

#[test]
fn who_is_unknown_may_send_little() {
    let mut frames = Frames::default();
    assert_eq!(frames.parse(b"*11\r\n", false), Err(ProtocolError::UnknownArgsCount));
    let mut frames = Frames::default();
    assert_eq!(frames.parse(b"*1\r\n$16385\r\n", false), Err(ProtocolError::UnknownBulkLength));
}

#[test]
fn nothing_and_less_than_nothing_are_no_commands() {
    assert_eq!(parse(b"*0\r\n*-1\r\n*1\r\n$4\r\nPING\r\n"), Ok(vec![vec![b"PING".to_vec()]]));
}
