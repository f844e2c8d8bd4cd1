//! Random commands: all of them, with all options, sense and nonsense.

use rand::rngs::ChaCha8Rng;
use rand::{RngExt as _, SeedableRng as _};

use crate::compare::Rule;
use crate::wire::Command;

/// Makes commands, the same ones for the same seed.
pub(crate) struct Generator {
    random: ChaCha8Rng,
    /// Commands until the transaction that is under way ends.
    left_in_multi: u32,
    /// Times to live that were made so far, in turns.
    times: usize,
}

const BOARDS: [&str; 5] = ["z1", "z2", "z3", "z4", "{t}z5"];
const OTHERS: [&str; 8] = ["s1", "s2", "h1", "h2", "t1", "t2", "none", ""];
const SCORES: [&str; 34] = [
    "0",
    "1",
    "2",
    "3",
    "-1",
    "-2.5",
    "1.5",
    "0.1",
    "0.2",
    "3.0000000000000004",
    "1e3",
    "100",
    "inf",
    "-inf",
    "+inf",
    "+1",
    ".5",
    "5.",
    "1e17",
    "1e19",
    "12345678901234567",
    "9007199254740993",
    "1e-7",
    "0.0001",
    "1.7976931348623157e308",
    "-0.0",
    "nan",
    "abc",
    "",
    "1e999",
    "--1",
    "1 ",
    "infinity",
    "123456.789",
];
const WHOLE: [&str; 18] = [
    "0",
    "1",
    "2",
    "3",
    "-1",
    "-2",
    "-5",
    "5",
    "10",
    "100",
    "-100",
    "9223372036854775807",
    "-9223372036854775808",
    "9223372036854775808",
    "x",
    "",
    "1.5",
    "01",
];
const BOUNDS: [&str; 22] = [
    "-inf", "+inf", "inf", "0", "1", "2", "(1", "(0", "(2", "3", "-1", "1.5", "(1.5", "(-inf",
    "(+inf", "(inf", "100", "abc", "nan", "(", "((1", "1e3",
];
const LEX: [&str; 16] =
    ["-", "+", "[a", "(a", "[b", "(b", "[", "(", "[m1", "(m5", "[zz", "a", "", "+x", "-x", "[m"];

impl Generator {
    pub(crate) fn new(seed: u64) -> Self {
        Self { random: ChaCha8Rng::seed_from_u64(seed), left_in_multi: 0, times: 0 }
    }

    fn below(&mut self, end: usize) -> usize {
        self.random.random_range(0..end)
    }

    fn one_in(&mut self, count: usize) -> bool {
        self.below(count) == 0
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.below(from.len())]
    }

    /// A key that holds a board, as a rule.
    fn board(&mut self) -> Vec<u8> {
        if self.one_in(25) { self.any_key() } else { self.pick(&BOARDS).into() }
    }

    fn any_key(&mut self) -> Vec<u8> {
        match self.below(3) {
            0 => self.pick(&BOARDS).into(),
            _ => self.pick(&OTHERS).into(),
        }
    }

    fn typed(&mut self, first: &str, second: &str) -> Vec<u8> {
        if self.one_in(15) {
            return self.any_key();
        }
        self.pick(&[first, second]).into()
    }

    fn member(&mut self) -> Vec<u8> {
        match self.below(40) {
            0 => Vec::new(),
            1 => vec![0, 255, 13, 10, 128],
            2 => vec![b'a'; 70],
            3 => b"-5".to_vec(),
            4 => b"9223372036854775808".to_vec(),
            n if n < 12 => [b'a' + u8::try_from(self.below(5)).unwrap()].to_vec(),
            n if n < 30 => format!("m{}", self.below(12)).into_bytes(),
            _ => format!("{}", self.below(300)).into_bytes(),
        }
    }

    fn score(&mut self) -> Vec<u8> {
        match self.below(10) {
            0..4 => self.below(7).to_string().into_bytes(),
            4 => format!("{}", self.random.random_range(-1000.0..1000.0)).into_bytes(),
            5 => self.random.random_range(-10_000_i64..10_000).to_string().into_bytes(),
            _ if self.one_in(3) => self.pick(&SCORES).into(),
            _ => self.pick(&SCORES[..24]).into(),
        }
    }

    fn whole(&mut self) -> Vec<u8> {
        if self.one_in(3) { self.pick(&WHOLE).into() } else { self.pick(&WHOLE[..11]).into() }
    }

    fn text(&mut self) -> Vec<u8> {
        match self.below(3) {
            0 => self.whole(),
            1 => self.score(),
            _ => self.member(),
        }
    }

    /// Seconds or milliseconds. None is used again soon, so that GT and LT do not depend on how
    /// much time passed in between.
    fn time_left(&mut self) -> Vec<u8> {
        if self.one_in(3) {
            return self.pick(&["0", "-1", "x", "9223372036854775807"]).into();
        }
        self.times = (self.times + 1) % 1000;
        (10_000_000 * (1 + self.below(3)) + 5_000 * self.times).to_string().into()
    }

    /// Words in random case, now and then a wrong one.
    fn word(&mut self, word: &str) -> Vec<u8> {
        match self.below(60) {
            0 => b"nonsense".to_vec(),
            1..20 => word.to_uppercase().into_bytes(),
            _ => word.into(),
        }
    }

    /// Some of the words, in random order.
    fn words(&mut self, words: &[&str], one_in: usize, out: &mut Command) {
        for _ in 0..words.len() {
            if self.one_in(one_in) {
                let word = self.pick(words);
                out.push(self.word(word));
            }
        }
    }

    fn many(
        &mut self,
        max: usize,
        out: &mut Command,
        mut make: impl FnMut(&mut Self, &mut Command),
    ) {
        for _ in 0..=self.below(max) {
            make(self, out);
        }
    }

    /// The next command, and how its replies are compared.
    pub(crate) fn next(&mut self) -> (Command, Rule) {
        if self.left_in_multi > 0 {
            self.left_in_multi -= 1;
            if self.left_in_multi == 0 {
                let name = if self.one_in(8) { "discard" } else { "exec" };
                return (vec![name.into()], Rule::Transaction);
            }
            // Replies within a transaction are compared as they are.
            loop {
                let (command, rule) = self.command();
                if rule == Rule::Exact {
                    return (command, rule);
                }
            }
        }
        if self.one_in(150) {
            self.left_in_multi = 2 + u32::try_from(self.below(6)).unwrap();
            return (vec![b"multi".to_vec()], Rule::Exact);
        }
        let (mut command, rule) = self.command();
        if self.one_in(200) {
            // Too few or too many arguments.
            if self.one_in(2) {
                command.truncate(1 + self.below(command.len()));
            } else {
                let extra = self.text();
                command.push(extra);
            }
        }
        (command, rule)
    }

    fn command(&mut self) -> (Command, Rule) {
        match self.below(100) {
            0..24 => self.write_board(),
            24..50 => self.read_board(),
            50..62 => self.range(),
            62..70 => self.combine(),
            70..77 => self.hash(),
            77..84 => self.set(),
            84..90 => self.string(),
            _ => self.key(),
        }
    }

    fn write_board(&mut self) -> (Command, Rule) {
        let mut command: Command = Vec::new();
        match self.below(20) {
            0..9 => {
                command.extend([b"zadd".to_vec(), self.board()]);
                if self.one_in(3) {
                    self.words(&["nx", "xx", "gt", "lt", "ch", "incr"], 4, &mut command);
                }
                let max = if self.one_in(4) { 8 } else { 1 };
                self.many(max, &mut command, |me, out| {
                    let pair = [me.score(), me.member()];
                    out.extend(pair);
                });
            }
            9..12 => {
                command.extend([b"zincrby".to_vec(), self.board(), self.score(), self.member()]);
            }
            12..14 => {
                command.extend([b"zrem".to_vec(), self.board()]);
                self.many(4, &mut command, |me, out| out.push(me.member()));
            }
            14 | 15 => {
                let name = self.pick(&["zpopmin", "zpopmax"]);
                command.extend([name.into(), self.board()]);
                if self.one_in(2) {
                    command.push(self.whole());
                }
            }
            16 => {
                let (start, stop) = (self.whole(), self.whole());
                command.extend([b"zremrangebyrank".to_vec(), self.board(), start, stop]);
            }
            17 => {
                let (min, max) = (self.pick(&BOUNDS), self.pick(&BOUNDS));
                let bounds = [min.into(), max.into()];
                command.extend([b"zremrangebyscore".to_vec(), self.board()]);
                command.extend(bounds);
            }
            18 => command = self.lex("zremrangebylex"),
            _ => {
                command.push(b"zmpop".to_vec());
                self.pop_many(&mut command);
            }
        }
        (command, Rule::Exact)
    }

    fn pop_many(&mut self, command: &mut Command) {
        let count = 1 + self.below(3);
        command.push(if self.one_in(12) { self.whole() } else { count.to_string().into() });
        for _ in 0..count {
            command.push(self.board());
        }
        let side = self.pick(&["min", "max"]);
        command.push(self.word(side));
        if self.one_in(3) {
            command.extend([self.word("count"), self.whole()]);
        }
    }

    /// A command over a range of members; on a board of its own, whose scores are all equal.
    fn lex(&mut self, name: &str) -> Command {
        if self.one_in(6) {
            let member = self.member();
            return vec![b"zadd".to_vec(), b"lex".to_vec(), b"0".to_vec(), member];
        }
        let (min, max) = (self.pick(&LEX), self.pick(&LEX));
        vec![name.into(), b"lex".to_vec(), min.into(), max.into()]
    }

    fn read_board(&mut self) -> (Command, Rule) {
        let mut command: Command = Vec::new();
        match self.below(12) {
            0 | 1 => command.extend([b"zscore".to_vec(), self.board(), self.member()]),
            2 => {
                command.extend([b"zmscore".to_vec(), self.board()]);
                self.many(4, &mut command, |me, out| out.push(me.member()));
            }
            3 => command.extend([b"zcard".to_vec(), self.board()]),
            4 => {
                let (min, max) = (self.pick(&BOUNDS), self.pick(&BOUNDS));
                command.extend([b"zcount".to_vec(), self.board(), min.into(), max.into()]);
            }
            5 => command = self.lex("zlexcount"),
            6..9 => {
                let name = self.pick(&["zrank", "zrevrank"]);
                command.extend([name.into(), self.board(), self.member()]);
                // Redis 7.0 refuses it; in a transaction, the two would go apart after that.
                if self.one_in(4) && self.left_in_multi == 0 {
                    command.push(self.word("withscore"));
                }
            }
            9 => {
                command.extend([b"zscan".to_vec(), b"small".to_vec(), self.whole()]);
                if self.one_in(2) {
                    command.extend([self.word("match"), b"m*".to_vec()]);
                }
                if self.one_in(2) {
                    command.extend([self.word("count"), self.whole()]);
                }
            }
            10 => {
                command.extend([b"zadd".to_vec(), b"small".to_vec(), self.score()]);
                command.push(format!("m{}", self.below(20)).into_bytes());
            }
            _ => {
                command.push(b"zrandmember".to_vec());
                command.extend([b"never".to_vec(), self.whole()]);
            }
        }
        (command, Rule::Exact)
    }

    fn range(&mut self) -> (Command, Rule) {
        let names = [
            "zrange",
            "zrange",
            "zrange",
            "zrevrange",
            "zrangebyscore",
            "zrevrangebyscore",
            "zrangebylex",
            "zrevrangebylex",
            "zrangestore",
        ];
        let name = self.pick(&names);
        let mut command: Command = vec![name.into()];
        if name == "zrangestore" {
            command.push(self.board());
        }
        let by = if name == "zrange" || name == "zrangestore" {
            self.pick(&["", "byscore", "bylex"])
        } else if name.ends_with("score") {
            "score"
        } else if name.ends_with("lex") {
            "lex"
        } else {
            ""
        };
        if by.ends_with("lex") {
            command.push(b"lex".to_vec());
        } else {
            command.push(self.board());
        }
        for _ in 0..2 {
            command.push(match by {
                "" => self.whole(),
                by if by.ends_with("score") => self.pick(&BOUNDS).into(),
                _ => self.pick(&LEX).into(),
            });
        }
        if by.starts_with("by") {
            command.push(self.word(by));
        }
        if self.one_in(2) && name.starts_with("zrange") {
            self.words(&["rev"], 2, &mut command);
        }
        if self.one_in(3) {
            self.words(&["withscores"], 1, &mut command);
        }
        if self.one_in(3) {
            // An offset below zero is nothing for Redis and zero for Valkey: what is stored would
            // go apart.
            let offset = if name == "zrangestore" { b"1".to_vec() } else { self.whole() };
            command.extend([self.word("limit"), offset, self.whole()]);
        }
        (command, Rule::Exact)
    }

    fn combine(&mut self) -> (Command, Rule) {
        let names =
            ["zunion", "zinter", "zdiff", "zunionstore", "zinterstore", "zdiffstore", "zintercard"];
        let name = self.pick(&names);
        let mut command: Command = vec![name.into()];
        if name.ends_with("store") {
            command.push(self.board());
        }
        let count = 1 + self.below(3);
        command.push(if self.one_in(15) { self.whole() } else { count.to_string().into() });
        for _ in 0..count {
            command.push(if self.one_in(6) { self.typed("s1", "s2") } else { self.board() });
        }
        if self.one_in(3) {
            command.push(self.word("weights"));
            for _ in 0..count {
                command.push(self.score());
            }
        }
        if self.one_in(3) {
            let how = self.pick(&["sum", "min", "max"]);
            command.extend([self.word("aggregate"), self.word(how)]);
        }
        self.words(&["withscores"], 3, &mut command);
        if name == "zintercard" && self.one_in(2) {
            command.extend([self.word("limit"), self.whole()]);
        }
        (command, Rule::Exact)
    }

    fn hash(&mut self) -> (Command, Rule) {
        let field = |me: &mut Self| format!("f{}", me.below(12)).into_bytes();
        let key = self.typed("h1", "h2");
        let mut command: Command = Vec::new();
        let mut rule = Rule::Exact;
        match self.below(14) {
            0..4 => {
                let name = self.pick(&["hset", "hset", "hmset"]);
                command.extend([name.into(), key]);
                self.many(3, &mut command, |me, out| {
                    let pair = [field(me), me.text()];
                    out.extend(pair);
                });
            }
            4 => command.extend([b"hsetnx".to_vec(), key, field(self), self.text()]),
            5 => command.extend([b"hget".to_vec(), key, field(self)]),
            6 => {
                command.extend([b"hmget".to_vec(), key]);
                self.many(3, &mut command, |me, out| out.push(field(me)));
            }
            7 => {
                let name = self.pick(&["hgetall", "hkeys", "hvals"]);
                command.extend([name.into(), key]);
                rule = Rule::Unordered { pairs: name == "hgetall" };
            }
            8 | 9 => {
                command.extend([b"hdel".to_vec(), key]);
                self.many(3, &mut command, |me, out| out.push(field(me)));
            }
            10 => {
                let name = self.pick(&["hexists", "hstrlen"]);
                command.extend([name.into(), key, field(self)]);
            }
            11 => command.extend([b"hlen".to_vec(), key]),
            12 => command.extend([b"hincrby".to_vec(), key, field(self), self.whole()]),
            _ => command.extend([b"hrandfield".to_vec(), b"never".to_vec(), self.whole()]),
        }
        (command, rule)
    }

    fn set(&mut self) -> (Command, Rule) {
        let key = self.typed("s1", "s2");
        let mut command: Command = Vec::new();
        let mut rule = Rule::Exact;
        match self.below(14) {
            0..4 => {
                command.extend([b"sadd".to_vec(), key]);
                self.many(3, &mut command, |me, out| out.push(me.member()));
            }
            4 | 5 => {
                command.extend([b"srem".to_vec(), key]);
                self.many(3, &mut command, |me, out| out.push(me.member()));
            }
            6 => {
                command.extend([b"smembers".to_vec(), key]);
                rule = Rule::Unordered { pairs: false };
            }
            7 => command.extend([b"sismember".to_vec(), key, self.member()]),
            8 => {
                command.extend([b"smismember".to_vec(), key]);
                self.many(3, &mut command, |me, out| out.push(me.member()));
            }
            9 => command.extend([b"scard".to_vec(), key]),
            10 => command.extend([b"smove".to_vec(), key, self.typed("s1", "s2"), self.member()]),
            11 => {
                let name = self.pick(&["sunion", "sinter", "sdiff"]);
                command.extend([name.into(), key, self.typed("s1", "s2")]);
                rule = Rule::Unordered { pairs: false };
            }
            12 => {
                let name = self.pick(&["sunionstore", "sinterstore", "sdiffstore"]);
                let target = self.typed("s1", "s2");
                command.extend([name.into(), target, key, self.typed("s1", "s2")]);
            }
            _ => {
                command.extend([b"sintercard".to_vec(), self.whole(), key, b"s1".to_vec()]);
                if self.one_in(2) {
                    command.extend([self.word("limit"), self.whole()]);
                }
            }
        }
        (command, rule)
    }

    fn string(&mut self) -> (Command, Rule) {
        let key = self.typed("t1", "t2");
        let mut command: Command = Vec::new();
        match self.below(14) {
            0..3 => {
                command.extend([b"set".to_vec(), key, self.text()]);
                self.words(&["nx", "xx", "get", "keepttl"], 5, &mut command);
                if self.one_in(6) {
                    let unit = self.pick(&["ex", "px"]);
                    let time = self.pick(&["100000", "1000000", "0", "-1", "x"]);
                    command.extend([self.word(unit), time.into()]);
                }
            }
            3 | 4 => {
                let name = self.pick(&["get", "getdel", "strlen", "getex"]);
                command.extend([name.into(), key]);
            }
            5 => {
                let name = self.pick(&["incr", "decr"]);
                command.extend([name.into(), key]);
            }
            6 | 7 => {
                let name = self.pick(&["incrby", "decrby"]);
                command.extend([name.into(), key, self.whole()]);
            }
            8 => {
                let name = self.pick(&["append", "setnx", "getset"]);
                command.extend([name.into(), key, self.text()]);
            }
            9 => command.extend([b"getrange".to_vec(), key, self.whole(), self.whole()]),
            10 => {
                let name = self.pick(&["mset", "msetnx"]);
                command.push(name.into());
                self.many(2, &mut command, |me, out| {
                    let pair = [me.typed("t1", "t2"), me.text()];
                    out.extend(pair);
                });
            }
            11 => {
                command.push(b"mget".to_vec());
                self.many(3, &mut command, |me, out| out.push(me.any_key()));
            }
            _ => {
                let name = self.pick(&["setex", "psetex"]);
                let time = self.pick(&["100000", "1000000", "0", "-1", "x"]);
                command.extend([name.into(), key, time.into(), self.text()]);
            }
        }
        (command, Rule::Exact)
    }

    fn key(&mut self) -> (Command, Rule) {
        let mut command: Command = Vec::new();
        let mut rule = Rule::Exact;
        match self.below(24) {
            0 | 1 => {
                let name = self.pick(&["del", "unlink"]);
                command.push(name.into());
                self.many(2, &mut command, |me, out| out.push(me.any_key()));
            }
            2 | 3 => {
                let name = self.pick(&["exists", "touch"]);
                command.push(name.into());
                self.many(3, &mut command, |me, out| out.push(me.any_key()));
            }
            4 | 5 => command.extend([b"type".to_vec(), self.any_key()]),
            6 | 7 => {
                let name = self.pick(&["rename", "renamenx"]);
                command.extend([name.into(), self.any_key(), self.any_key()]);
            }
            8 | 9 => {
                command.extend([b"copy".to_vec(), self.any_key(), self.any_key()]);
                self.words(&["replace"], 2, &mut command);
            }
            10..13 => {
                let name = self.pick(&["expire", "pexpire"]);
                let time = self.time_left();
                command.extend([name.into(), self.any_key(), time]);
                self.words(&["nx", "xx", "gt", "lt"], 6, &mut command);
            }
            13 => {
                let name = self.pick(&["expireat", "pexpireat"]);
                let time = self.pick(&["33000000000", "33000000001", "1", "x"]);
                command.extend([name.into(), self.any_key(), time.into()]);
            }
            14 | 15 => {
                let name = self.pick(&["ttl", "pttl", "expiretime", "pexpiretime"]);
                command.extend([name.into(), self.any_key()]);
                rule = Rule::Time;
            }
            16 => command.extend([b"persist".to_vec(), self.any_key()]),
            place => return self.server(place),
        }
        (command, rule)
    }

    fn server(&mut self, place: usize) -> (Command, Rule) {
        let mut command: Command = Vec::new();
        let mut rule = Rule::Exact;
        match place {
            17 => {
                command.extend([b"keys".to_vec(), self.pick(&["*", "z*", "[hs]1", "t?"]).into()]);
                rule = Rule::Unordered { pairs: false };
            }
            18 => command.push(b"dbsize".to_vec()),
            19 => {
                command.extend([b"ping".to_vec()]);
                if self.one_in(2) {
                    command.push(self.text());
                }
            }
            20 => command.extend([b"echo".to_vec(), self.text()]),
            21 => command.extend([b"select".to_vec(), self.pick(&["0", "x"]).into()]),
            22 => {
                let name = self.pick(&["nosuchcommand", "zad", "exec", "discard"]);
                command.push(name.into());
                self.many(2, &mut command, |me, out| out.push(me.member()));
            }
            _ => {
                if self.one_in(40) {
                    command.push(self.pick(&["flushall", "flushdb"]).into());
                } else {
                    command.push(b"bzpopmin".to_vec());
                    command.extend([b"z1".to_vec(), b"z2".to_vec()]);
                    command.push(self.pick(&["0.001", "0.001", "-1", "x"]).into());
                }
            }
        }
        (command, rule)
    }
}
