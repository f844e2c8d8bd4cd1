//! How many bytes something takes when it is encoded.
//!
//! What it is: a serializer that only counts: fixed-width integers, a length of 8 bytes before
//! texts and lists, one byte before options, four for a variant. What it is not: the encoder, which
//! is the store's. Invariant: what is counted is what `bincode` 1.3 writes with fixed-width
//! integers. Cost: a walk over the value.

use std::fmt::Display;

use serde::ser::{self, Serialize, Serializer};

/// Bytes of a value when encoded.
pub(crate) fn encoded_bytes<T: Serialize + ?Sized>(value: &T) -> usize {
    let mut counter = Counter { bytes: 0 };
    value.serialize(&mut counter).expect("counting does not fail");
    counter.bytes
}

struct Counter {
    bytes: usize,
}

/// Never happens.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Never(String);

impl ser::Error for Never {
    fn custom<T: Display>(message: T) -> Self {
        Self(message.to_string())
    }
}

type Done = Result<(), Never>;

impl Counter {
    fn add(&mut self, bytes: usize) -> Done {
        self.bytes += bytes;
        Ok(())
    }
}

macro_rules! numbers {
    ($($name:ident $number:ty),*) => {
        $(fn $name(self, _: $number) -> Done {
            self.add(size_of::<$number>())
        })*
    };
}

impl<'c> Serializer for &'c mut Counter {
    type Ok = ();
    type Error = Never;
    type SerializeSeq = &'c mut Counter;
    type SerializeTuple = &'c mut Counter;
    type SerializeTupleStruct = &'c mut Counter;
    type SerializeTupleVariant = &'c mut Counter;
    type SerializeMap = &'c mut Counter;
    type SerializeStruct = &'c mut Counter;
    type SerializeStructVariant = &'c mut Counter;

    numbers! {
        serialize_bool bool, serialize_i8 i8, serialize_i16 i16, serialize_i32 i32,
        serialize_i64 i64, serialize_i128 i128, serialize_u8 u8, serialize_u16 u16,
        serialize_u32 u32, serialize_u64 u64, serialize_u128 u128, serialize_f32 f32,
        serialize_f64 f64
    }

    fn serialize_char(self, value: char) -> Done {
        self.add(value.len_utf8())
    }
    fn serialize_str(self, value: &str) -> Done {
        self.add(8 + value.len())
    }
    fn serialize_bytes(self, value: &[u8]) -> Done {
        self.add(8 + value.len())
    }
    fn serialize_none(self) -> Done {
        self.add(1)
    }
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Done {
        self.add(1)?;
        value.serialize(self)
    }
    fn serialize_unit(self) -> Done {
        Ok(())
    }
    fn serialize_unit_struct(self, _: &'static str) -> Done {
        Ok(())
    }
    fn serialize_unit_variant(self, _: &'static str, _: u32, _: &'static str) -> Done {
        self.add(4)
    }
    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Done {
        value.serialize(self)
    }
    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        value: &T,
    ) -> Done {
        self.add(4)?;
        value.serialize(self)
    }
    fn serialize_seq(self, _: Option<usize>) -> Result<Self, Never> {
        self.add(8)?;
        Ok(self)
    }
    fn serialize_tuple(self, _: usize) -> Result<Self, Never> {
        Ok(self)
    }
    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Self, Never> {
        Ok(self)
    }
    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self, Never> {
        self.add(4)?;
        Ok(self)
    }
    fn serialize_map(self, _: Option<usize>) -> Result<Self, Never> {
        self.add(8)?;
        Ok(self)
    }
    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self, Never> {
        Ok(self)
    }
    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self, Never> {
        self.add(4)?;
        Ok(self)
    }
    fn is_human_readable(&self) -> bool {
        false
    }
}

macro_rules! compounds {
    ($($compound:ident $method:ident),*) => {
        $(impl ser::$compound for &mut Counter {
            type Ok = ();
            type Error = Never;
            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Done {
                value.serialize(&mut **self)
            }
            fn end(self) -> Done {
                Ok(())
            }
        })*
    };
}

compounds! {
    SerializeSeq serialize_element, SerializeTuple serialize_element,
    SerializeTupleStruct serialize_field, SerializeTupleVariant serialize_field
}

macro_rules! structs {
    ($($compound:ident),*) => {
        $(impl ser::$compound for &mut Counter {
            type Ok = ();
            type Error = Never;
            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                _: &'static str,
                value: &T,
            ) -> Done {
                value.serialize(&mut **self)
            }
            fn end(self) -> Done {
                Ok(())
            }
        })*
    };
}

structs! { SerializeStruct, SerializeStructVariant }

impl ser::SerializeMap for &mut Counter {
    type Ok = ();
    type Error = Never;
    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Done {
        key.serialize(&mut **self)
    }
    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Done {
        value.serialize(&mut **self)
    }
    fn end(self) -> Done {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::change::{OrgChange, TreeChange};
    use crate::ids::{OrgId, UserId};

    #[test]
    fn bytes_are_those_of_fixed_width_encoding() {
        assert_eq!(encoded_bytes(&(1_u8, 2_u128, true)), 18);
        assert_eq!(encoded_bytes("abc"), 11);
        assert_eq!(encoded_bytes(&vec![Some(1_u32), None]), 8 + 5 + 1);
        assert_eq!(encoded_bytes(&BTreeMap::from([("a", 1_u16)])), 8 + 9 + 2);
        assert_eq!(encoded_bytes(&[0_u8; 32]), 32);
        let change = TreeChange::UserDeleted(UserId(7));
        let change = OrgChange::Tree { root: OrgId(1), number: 3, change };
        assert_eq!(encoded_bytes(&change), 4 + 8 + 8 + 4 + 8);
    }
}
