//! Gives damaged files good checksums, so that the damage gets behind them. Written from the
//! format page, independently of the store.

/// Length of a file's head.
const HEAD: usize = 48;
/// Length of a record's head.
const RECORD: usize = 40;
/// Length of a block's head.
const BLOCK: usize = 20;

/// Recomputes every checksum of a file of this name, as far as its lengths lead.
pub(crate) fn seal(name: &str, bytes: &mut [u8]) {
    let Some(head) = bytes.get_mut(..HEAD) else { return };
    let checksum = crc32c::crc32c(part(head, 0, 44));
    put(head, 44, checksum);
    if name.ends_with(".rlog") {
        seal_records(bytes);
    } else {
        seal_blocks(bytes, checksum);
    }
}

fn seal_records(bytes: &mut [u8]) {
    let salt = crc32c::crc32c(part(bytes, 16, 16));
    let mut chain = number(bytes, 40);
    let mut at = HEAD;
    while let Some(length) = bytes.get(at..at + 4).map(|_| number(bytes, at)) {
        let end = at.saturating_add(RECORD).saturating_add(length as usize);
        let Some(record) = bytes.get_mut(at..end) else { return };
        let sum = crc32c::crc32c_append(chain, part(record, 0, 32));
        chain = crc32c::crc32c_append(sum, record.get(RECORD..).unwrap_or_default());
        put(record, 32, chain);
        let checksum = crc32c::crc32c_append(salt, part(record, 0, 36));
        put(record, 36, checksum);
        at = end;
    }
}

fn seal_blocks(bytes: &mut [u8], head: u32) {
    let (mut chain, mut at) = (head, HEAD);
    while let Some(length) = bytes.get(at..at + BLOCK).map(|_| number(bytes, at + 4)) {
        let end = at.saturating_add(BLOCK).saturating_add(length as usize);
        let Some(block) = bytes.get_mut(at..end) else { return };
        let sum = crc32c::crc32c_append(chain, part(block, 0, 16));
        chain = crc32c::crc32c_append(sum, block.get(BLOCK..).unwrap_or_default());
        put(block, 16, chain);
        at = end;
    }
}

/// Where the records of a good segment end, the head's end included.
pub(crate) fn ends(segment: &[u8]) -> Vec<usize> {
    let (mut ends, mut at) = (vec![HEAD], HEAD);
    while segment.get(at..at + 4).is_some() {
        at += RECORD + number(segment, at) as usize;
        ends.push(at);
    }
    ends
}

fn part(bytes: &[u8], at: usize, count: usize) -> &[u8] {
    bytes.get(at..at + count).unwrap_or_default()
}

fn number(bytes: &[u8], at: usize) -> u32 {
    let field = bytes.get(at..at + 4).and_then(|field| field.try_into().ok());
    u32::from_le_bytes(field.unwrap_or_default())
}

fn put(bytes: &mut [u8], at: usize, number: u32) {
    if let Some(field) = bytes.get_mut(at..at + 4) {
        field.copy_from_slice(&number.to_le_bytes());
    }
}
