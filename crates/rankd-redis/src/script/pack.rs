//! MessagePack, as far as arguments of the script need it: one array of texts and numbers.
//!
//! What it is not: it reads nothing; the servers' own reader does. Invariant: what is pushed is one
//! element, and the length at the beginning is their number. Cost: one copy of each text.

/// An array under way.
#[derive(Debug, Default)]
pub(super) struct Array {
    elements: Vec<u8>,
    len: u32,
}

impl Array {
    /// Adds a text.
    pub(super) fn text(&mut self, text: &[u8]) {
        let (head, bytes) = (&mut self.elements, text.len());
        match (u8::try_from(bytes), u16::try_from(bytes)) {
            (Ok(short @ ..32), _) => head.push(0xa0 | short),
            (Ok(byte), _) => head.extend([0xd9, byte]),
            (_, Ok(two)) => {
                head.push(0xda);
                head.extend(two.to_be_bytes());
            }
            // Longer than four bytes tell is longer than any call may be.
            _ => {
                head.push(0xdb);
                head.extend(u32::try_from(bytes).unwrap_or(u32::MAX).to_be_bytes());
            }
        }
        head.extend_from_slice(text);
        self.len += 1;
    }

    /// Adds a number.
    pub(super) fn number(&mut self, number: usize) {
        // As large as a count of intents can be.
        let number = u32::try_from(number).unwrap_or(u32::MAX);
        match u8::try_from(number) {
            Ok(small @ ..128) => self.elements.push(small),
            _ => {
                self.elements.push(0xce);
                self.elements.extend(number.to_be_bytes());
            }
        }
        self.len += 1;
    }

    /// Adds all elements of another one, which is empty after that.
    pub(super) fn append(&mut self, other: &mut Self) {
        self.elements.append(&mut other.elements);
        self.len += std::mem::take(&mut other.len);
    }

    /// The array as the script reads it.
    pub(super) fn finish(self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(5 + self.elements.len());
        bytes.push(0xdd);
        bytes.extend(self.len.to_be_bytes());
        bytes.extend(self.elements);
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_and_numbers_have_the_bytes_of_the_specification() {
        let mut array = Array::default();
        array.text(b"ab");
        array.number(127);
        let mut more = Array::default();
        more.number(128);
        more.text(b"");
        array.append(&mut more);
        let expected = b"\xdd\0\0\0\x04\xa2ab\x7f\xce\0\0\0\x80\xa0";
        assert_eq!(array.finish(), expected);
        for (bytes, head) in [
            (31, &b"\xbf"[..]),
            (32, b"\xd9\x20"),
            (256, b"\xda\x01\0"),
            (65_536, b"\xdb\0\x01\0\0"),
        ] {
            let mut array = Array::default();
            array.text(&vec![b'x'; bytes]);
            let packed = array.finish();
            assert_eq!((&packed[5..5 + head.len()], packed.len()), (head, 5 + head.len() + bytes));
        }
    }
}
