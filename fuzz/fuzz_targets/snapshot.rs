//! A snapshot of any bytes, and one of good checksums around blocks of any bytes.

#![no_main]

use libfuzzer_sys::fuzz_target;
use rankd_fuzz::{LOG, MemFs, head, open_and_judge, segment, version};

/// Kind, codec, raw length, items, payload.
type Block = (u8, bool, u32, u32, Vec<u8>);

fn framed(version: u32, blocks: &[Block]) -> Vec<u8> {
    let mut bytes = head(version, b"RANKDSNP", 0, 0);
    let mut chain = crc32c::crc32c(&bytes[..44]);
    for (kind, is_compressed, raw, items, payload) in blocks {
        let stored = u32::try_from(payload.len()).unwrap_or(u32::MAX);
        let raw = if *is_compressed { *raw } else { stored };
        let mut block = vec![kind % 8, u8::from(*is_compressed), 0, 0];
        block.extend([stored.to_le_bytes(), raw.to_le_bytes(), items.to_le_bytes()].concat());
        chain = crc32c::crc32c_append(crc32c::crc32c_append(chain, &block), payload);
        block.extend(chain.to_le_bytes());
        bytes.extend(block);
        bytes.extend(payload);
    }
    bytes
}

fuzz_target!(|input: (bool, Option<Vec<Block>>, Vec<u8>)| {
    let (is_old, blocks, bytes) = input;
    let version = version(is_old);
    let fs = MemFs::default();
    fs.put(LOG, segment(version, &[]));
    let snapshot = blocks.map_or(bytes, |blocks| framed(version, &blocks));
    fs.put("snapshot-00000000000000000000.rsnap", snapshot);
    open_and_judge(&fs);
});
