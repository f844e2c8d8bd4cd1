//! The format page, written down a second time and independently: files made by hand from the
//! page are read, and files written by the store are what the page says.

use std::path::Path;

use rankd_engine::Storage;

use crate::support::{Contents, NOW_MS, create, files, label, open, write};

pub(crate) const STORE: [u8; 16] = *b"0123456789abcdef";

const KEY: [u8; 32] = *b"0123456789abcdef0123456789ABCDEF";

/// CRC-32C, one bit at a time.
pub(crate) fn crc(start: u32, bytes: &[u8]) -> u32 {
    let mut crc = !start;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ 0x82f6_3b78 } else { crc >> 1 };
        }
    }
    !crc
}

pub(crate) struct RawRecord {
    pub(crate) kind: u32,
    pub(crate) sequence: u64,
    pub(crate) durable: u64,
    pub(crate) body: Vec<u8>,
}

impl RawRecord {
    pub(crate) fn new(sequence: u64, body: Vec<u8>) -> Self {
        Self { kind: 1, sequence, durable: sequence - 1, body }
    }
}

/// The version that the page describes.
const VERSION: u32 = 4;

fn head(version: u32, magic: &[u8; 8], sequence: u64, chain: u32) -> Vec<u8> {
    let mut bytes = magic.to_vec();
    bytes.extend(version.to_le_bytes());
    bytes.extend([0; 4]);
    bytes.extend(STORE);
    bytes.extend(sequence.to_le_bytes());
    bytes.extend(chain.to_le_bytes());
    bytes.extend(crc(0, &bytes).to_le_bytes());
    bytes
}

/// A record's bytes; `length` may lie. Moves `chain` on.
pub(crate) fn record(raw: &RawRecord, length: u32, chain: &mut u32) -> Vec<u8> {
    let mut bytes = length.to_le_bytes().to_vec();
    bytes.extend(raw.kind.to_le_bytes());
    bytes.extend(raw.sequence.to_le_bytes());
    bytes.extend(raw.durable.to_le_bytes());
    bytes.extend(NOW_MS.to_le_bytes());
    *chain = crc(crc(*chain, &bytes), &raw.body);
    bytes.extend(chain.to_le_bytes());
    bytes.extend(crc(crc(0, &STORE), &bytes).to_le_bytes());
    bytes.extend(&raw.body);
    bytes
}

/// A whole first segment.
pub(crate) fn segment(records: &[RawRecord]) -> Vec<u8> {
    let mut chain = crc(0, &STORE);
    let mut bytes = head(VERSION, b"RANKDLOG", 1, chain);
    for raw in records {
        bytes.extend(record(raw, u32::try_from(raw.body.len()).unwrap(), &mut chain));
    }
    bytes
}

/// Kind, items, payload.
pub(crate) type Block = (u8, u32, Vec<u8>);

/// A whole snapshot of uncompressed blocks.
pub(crate) fn snapshot(sequence: u64, blocks: &[Block]) -> Vec<u8> {
    snapshot_of_version(VERSION, sequence, blocks)
}

pub(crate) fn snapshot_of_version(version: u32, sequence: u64, blocks: &[Block]) -> Vec<u8> {
    let mut bytes = head(version, b"RANKDSNP", sequence, 0);
    let mut chain = crc(0, &bytes[..44]);
    for (kind, items, payload) in blocks {
        let length = u32::try_from(payload.len()).unwrap().to_le_bytes();
        let mut block = vec![*kind, 0, 0, 0];
        block.extend([length, length].concat());
        block.extend(items.to_le_bytes());
        chain = crc(crc(chain, &block), payload);
        block.extend(chain.to_le_bytes());
        block.extend(payload);
        bytes.extend(block);
    }
    bytes
}

pub(crate) fn text(text: &str) -> Vec<u8> {
    [&(text.len() as u64).to_le_bytes(), text.as_bytes()].concat()
}

/// The default definition: descending, integer, latest, ties earliest, keep_at.
fn definition() -> Vec<u8> {
    let numbers: [u32; 4] = [0, 0, 0, 0];
    [numbers.map(u32::to_le_bytes).concat(), vec![1]].concat()
}

pub(crate) fn changes(changes: &[Vec<u8>]) -> Vec<u8> {
    [(changes.len() as u64).to_le_bytes().to_vec(), changes.concat()].concat()
}

pub(crate) fn board_created(id: u64, name: &str) -> Vec<u8> {
    [0_u32.to_le_bytes().to_vec(), id.to_le_bytes().to_vec(), text(name), definition()].concat()
}

fn score(score: i64) -> Vec<u8> {
    [&0_u32.to_le_bytes()[..], &score.to_le_bytes()].concat()
}

pub(crate) fn member_set(id: u64, member: &str, value: i64) -> Vec<u8> {
    let tag = 2_u32.to_le_bytes().to_vec();
    let at = NOW_MS.to_le_bytes().to_vec();
    [tag, id.to_le_bytes().to_vec(), text(member), score(value), at].concat()
}

/// A change of organisations: the first of theirs.
fn signing_key() -> Vec<u8> {
    [&6_u32.to_le_bytes()[..], &0_u32.to_le_bytes(), &KEY].concat()
}

fn labelled(member: &str, label: &str) -> Vec<u8> {
    [4_u32.to_le_bytes().to_vec(), text(member), vec![1], text(label)].concat()
}

/// Boards, members, labels, keys, pieces of organisations, of values, blocks; version 1 has no
/// pieces, version 2 none of values.
pub(crate) fn footer<const N: usize>(sequence: u64, counts: [u64; N]) -> Block {
    let numbers = counts.map(u64::to_le_bytes).concat();
    let finished = NOW_MS.to_le_bytes().to_vec();
    (6, 1, [sequence.to_le_bytes().to_vec(), numbers, finished].concat())
}

pub(crate) fn board_header(id: u64, name: &str, members: u64) -> Vec<u8> {
    let times = [NOW_MS.to_le_bytes(), NOW_MS.to_le_bytes()].concat();
    let members = members.to_le_bytes().to_vec();
    [id.to_le_bytes().to_vec(), text(name), definition(), times, members].concat()
}

pub(crate) fn row(member: &str, value: i64) -> Vec<u8> {
    [text(member), score(value), vec![1], NOW_MS.to_le_bytes().to_vec()].concat()
}

pub(crate) fn put(folder: &Path, name: &str, bytes: &[u8]) {
    std::fs::write(folder.join(name), bytes).unwrap();
}

/// What the four records of these tests say.
fn model() -> Contents {
    let mut model = Contents::default();
    model.set("board", "ada", 42, NOW_MS);
    model.set("board", "bob", -7, NOW_MS);
    model.labels.insert(b"ada".to_vec(), "Ada".to_owned());
    model.signing_key = Some(KEY);
    model
}

fn records() -> Vec<RawRecord> {
    vec![
        RawRecord::new(1, changes(&[board_created(1, "board")])),
        RawRecord::new(2, changes(&[member_set(1, "ada", 42), member_set(1, "bob", -7)])),
        RawRecord::new(3, changes(&[labelled("ada", "Ada")])),
        RawRecord::new(4, changes(&[signing_key()])),
    ]
}

#[test]
fn the_checksum_is_the_published_one() {
    assert_eq!(crc(0, b"123456789"), 0xe306_9283);
}

#[test]
fn a_log_made_by_hand_is_read() {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "log-00000000000000000001.rlog", &segment(&records()));
    let opened = open(folder.path()).unwrap();
    assert_eq!(opened.contents(), model());
    assert_eq!((opened.report.sequence, opened.report.records), (4, 4));
}

#[tokio::test]
async fn a_log_written_by_the_store_is_what_the_page_says() {
    let folder = tempfile::tempdir().unwrap();
    let opened = open(folder.path()).unwrap();
    opened.submit(vec![create("board")]).await;
    opened.submit(vec![write("board", "ada", 42), write("board", "bob", -7)]).await;
    opened.submit(vec![label("ada", "Ada")]).await;
    opened.offer(KEY).await;
    let written = files(folder.path());
    assert_eq!(written["log-00000000000000000001.rlog"], segment(&records()));
}

/// The snapshot that holds what [`model`] says.
pub(crate) fn snapshot_of_model() -> Vec<u8> {
    let blocks = [
        (1, 1, 2_u64.to_le_bytes().to_vec()),
        (2, 1, board_header(1, "board", 2)),
        (3, 2, [row("ada", 42), row("bob", -7)].concat()),
        (4, 1, [text("ada"), text("Ada")].concat()),
        (7, 1, [&0_u32.to_le_bytes()[..], &KEY].concat()),
        footer(4, [1, 2, 1, 0, 1, 0, 5]),
    ];
    snapshot(4, &blocks)
}

#[test]
fn a_snapshot_made_by_hand_is_read() {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "log-00000000000000000001.rlog", &segment(&records()));
    put(folder.path(), "snapshot-00000000000000000004.rsnap", &snapshot_of_model());
    let opened = open(folder.path()).unwrap();
    assert_eq!(opened.contents(), model());
    assert_eq!(opened.report.records, 0);
    let report = opened.report.snapshot.as_ref().unwrap();
    assert_eq!((report.members, report.org_items), (2, 1));
}

#[tokio::test]
async fn a_snapshot_written_by_the_store_is_what_the_page_says() {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "log-00000000000000000001.rlog", &segment(&records()));
    let opened = open(folder.path()).unwrap();
    let report = opened.store.snapshot().await.unwrap();
    let written = files(folder.path())[&report.file].clone();
    assert_eq!(decompressed(&written), snapshot_of_model());
}

/// The same snapshot with every block uncompressed.
fn decompressed(bytes: &[u8]) -> Vec<u8> {
    let u32_at = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
    let sequence = u64::from_le_bytes(bytes[32..40].try_into().unwrap());
    let mut chain = crc(0, &bytes[..44]);
    let mut blocks = Vec::new();
    let mut at = 48;
    while at < bytes.len() {
        let (stored, raw) = (u32_at(at + 4) as usize, u32_at(at + 8) as usize);
        let payload = &bytes[at + 20..at + 20 + stored];
        chain = crc(crc(chain, &bytes[at..at + 16]), payload);
        assert_eq!(u32_at(at + 16), chain, "chain of the block at {at}");
        let payload = match bytes[at + 1] {
            0 => payload.to_vec(),
            1 => lz4_flex::block::decompress(payload, raw).unwrap(),
            codec => panic!("codec {codec}"),
        };
        blocks.push((bytes[at], u32_at(at + 12), payload));
        at += 20 + stored;
    }
    snapshot(sequence, &blocks)
}
