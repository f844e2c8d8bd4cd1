//! The same random commands to three servers: ours, Redis and Valkey. Where those two agree, ours
//! says the same, byte for byte in RESP2 and in RESP3; where they do not, it agrees with one of
//! them. At the end all three hold the same.
//!
//! `RANKD_DIFFERENTIAL_COMMANDS` and `RANKD_DIFFERENTIAL_SEED` make it longer and other.

use std::collections::BTreeMap;

use crate::compare::{Rule, same, same_as_either};
use crate::generate::Generator;
use crate::servers::{Ours, Theirs};
use crate::wire::{self, Client, Command, encode, parse};

/// Commands that are sent together.
const BATCH: usize = 100;
/// Differences that are shown.
const SHOWN_MAX: usize = 40;

fn number(variable: &str, default: u64) -> u64 {
    match std::env::var(variable) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{variable} is not a number: {text}")),
        Err(_) => default,
    }
}

/// The three, in the order ours, Redis, Valkey.
struct Three([Client; 3]);

/// What was found.
#[derive(Default)]
struct Findings {
    compared: u64,
    /// Commands in whose replies Redis and Valkey differ, by name, with how often.
    between_them: BTreeMap<String, u64>,
    /// The first few of these.
    examples: Vec<String>,
    differences: Vec<String>,
}

impl Three {
    fn call_all(&mut self, args: &[&str]) -> [wire::Value; 3] {
        let [ours, redis, valkey] = &mut self.0;
        [ours.call(args), redis.call(args), valkey.call(args)]
    }

    fn batch(&mut self, commands: &[(Command, Rule)], findings: &mut Findings) {
        let mut bytes = Vec::new();
        commands.iter().for_each(|(command, _)| encode(command, &mut bytes));
        for client in &mut self.0 {
            client.send(&bytes);
        }
        for (command, rule) in commands {
            let [ours, redis, valkey] = &mut self.0;
            let (ours, redis, valkey) = (ours.reply(), redis.reply(), valkey.reply());
            findings.compared += 1;
            if ours == valkey && ours == redis {
                continue;
            }
            findings.compare(command, *rule, &ours, &redis, &valkey);
        }
    }
}

impl Findings {
    fn compare(&mut self, command: &Command, rule: Rule, ours: &[u8], redis: &[u8], valkey: &[u8]) {
        let [mine, redis_says, valkey_says] = [ours, redis, valkey].map(parse);
        if !same(rule, &redis_says, &valkey_says) {
            let name = String::from_utf8_lossy(&command[0]).to_lowercase();
            let count = self.between_them.entry(name).or_default();
            *count += 1;
            if *count == 1 {
                self.examples.push(told(command, ours, redis, valkey));
            }
        }
        if !same_as_either(rule, &mine, [&redis_says, &valkey_says]) {
            self.differences.push(told(command, ours, redis, valkey));
        }
    }

    fn check(&self, label: &str) {
        eprintln!("{label}: {} replies compared", self.compared);
        eprintln!("  Redis and Valkey differ from each other: {:?}", self.between_them);
        self.examples.iter().for_each(|example| eprintln!("  {example}"));
        let count = self.differences.len();
        let shown = self.differences[..count.min(SHOWN_MAX)].join("\n");
        assert!(self.differences.is_empty(), "{label}: {count} differences\n{shown}");
    }
}

/// A command with the three replies.
fn told(command: &Command, ours: &[u8], redis: &[u8], valkey: &[u8]) -> String {
    let words: Vec<_> = command.iter().map(|arg| arg.escape_ascii().to_string()).collect();
    let shown = |raw: &[u8]| raw[..raw.len().min(300)].escape_ascii().to_string();
    format!(
        "{}\n    ours   {}\n    redis  {}\n    valkey {}",
        words.join(" "),
        shown(ours),
        shown(redis),
        shown(valkey)
    )
}

/// The whole state, key by key.
fn compare_states(three: &mut Three, findings: &mut Findings) {
    let [keys, ..] = three.call_all(&["KEYS", "*"]);
    let wire::Value::List(_, keys) = keys else { panic!("KEYS answers a list") };
    let mut commands: Vec<(Command, Rule)> = vec![
        (vec![b"keys".to_vec(), b"*".to_vec()], Rule::Unordered { pairs: false }),
        (vec![b"dbsize".to_vec()], Rule::Exact),
    ];
    for key in keys {
        let wire::Value::Bulk(key) = key else { panic!("a key is a bulk string") };
        let mut add = |words: &[&str], rule| {
            let mut command: Command = words.iter().map(|word| word.as_bytes().to_vec()).collect();
            command.insert(1, key.clone());
            commands.push((command, rule));
        };
        add(&["type"], Rule::Exact);
        add(&["pttl"], Rule::Time);
        add(&["zrange", "0", "-1", "withscores"], Rule::Exact);
        add(&["hgetall"], Rule::Unordered { pairs: true });
        add(&["smembers"], Rule::Unordered { pairs: false });
        add(&["get"], Rule::Exact);
    }
    three.batch(&commands, findings);
}

fn run(version: &str, count: u64, seed: u64) {
    let (ours, redis, valkey) = (Ours::start(), Theirs::redis(), Theirs::valkey());
    let mut three = Three([ours.address, redis.address, valkey.address].map(Client::connect));
    three.call_all(&["HELLO", version]);
    let mut generator = Generator::new(seed);
    let mut findings = Findings::default();
    while findings.compared < count && findings.differences.len() < SHOWN_MAX {
        let commands: Vec<_> = (0..BATCH).map(|_| generator.next()).collect();
        three.batch(&commands, &mut findings);
    }
    // A transaction may be under way.
    three.call_all(&["DISCARD"]);
    compare_states(&mut three, &mut findings);
    findings.check(&format!("RESP{version}, seed {seed}"));
}

#[test]
fn random_commands_get_the_replies_of_redis_and_valkey_in_resp2() {
    let count = number("RANKD_DIFFERENTIAL_COMMANDS", 1_000_000) / 2;
    run("2", count, number("RANKD_DIFFERENTIAL_SEED", 1));
}

#[test]
fn random_commands_get_the_replies_of_redis_and_valkey_in_resp3() {
    let count = number("RANKD_DIFFERENTIAL_COMMANDS", 1_000_000) / 2;
    run("3", count, number("RANKD_DIFFERENTIAL_SEED", 1) + 1);
}
