//! Fixed-width little-endian fields of heads. Not a parser: offsets come from the format page,
//! and arrays have the width of their head, so that no offset can miss.

/// Copies `field` to `at`.
pub(crate) fn put(head: &mut [u8], at: usize, field: &[u8]) {
    let place = head.get_mut(at..at + field.len());
    place.expect("heads are as long as their fields need").copy_from_slice(field);
}

/// The `N` bytes at `at`.
pub(crate) fn get<const N: usize>(head: &[u8], at: usize) -> [u8; N] {
    let field = head.get(at..at + N).and_then(|field| field.try_into().ok());
    field.expect("heads are as long as their fields need")
}

/// The u32 at `at`.
pub(crate) fn get_u32(head: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(get(head, at))
}

/// The u64 at `at`.
pub(crate) fn get_u64(head: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(get(head, at))
}

/// The part of a head before `end`.
pub(crate) fn before(head: &[u8], end: usize) -> &[u8] {
    head.get(..end).expect("heads are as long as their fields need")
}
