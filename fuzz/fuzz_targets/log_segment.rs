//! A log segment of any bytes, and one of good checksums around bodies of any bytes.

#![no_main]

use libfuzzer_sys::fuzz_target;
use rankd_fuzz::{LOG, MemFs, open_and_judge, segment, version};

fuzz_target!(|input: (bool, bool, Vec<u8>)| {
    let (is_framed, is_old, bytes) = input;
    let fs = MemFs::default();
    if is_framed {
        // 0xff separates the bodies; it is rare in what the codec writes.
        let bodies: Vec<_> = bytes.split(|byte| *byte == 0xff).collect();
        fs.put(LOG, segment(version(is_old), &bodies));
    } else {
        fs.put(LOG, bytes);
    }
    open_and_judge(&fs);
});
