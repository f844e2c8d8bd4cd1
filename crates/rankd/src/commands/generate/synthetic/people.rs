//! People who do not exist. Family names are birds and trees, and every address is under a
//! top-level domain that is reserved for examples, so that nobody takes them for anybody.

use super::random::Draws;

const GIVEN: [&str; 48] = [
    "Ada", "Amir", "Anouk", "Asha", "Bela", "Bruno", "Carla", "Chidi", "Dana", "Dev", "Elif",
    "Emre", "Farid", "Freya", "Goran", "Hana", "Hugo", "Ines", "Ivo", "Jana", "Jonas", "Kavya",
    "Kemal", "Lena", "Luca", "Maja", "Marek", "Mina", "Nadia", "Niko", "Noor", "Oskar", "Paola",
    "Petra", "Rafi", "Rosa", "Sami", "Sofia", "Taro", "Tilda", "Uma", "Viktor", "Wanda", "Yara",
    "Yusuf", "Zara", "Zeno", "Zofia",
];

const FAMILY: [&str; 48] = [
    "Alder",
    "Ash",
    "Avocet",
    "Bittern",
    "Blackthorn",
    "Bullfinch",
    "Cedar",
    "Chestnut",
    "Crane",
    "Curlew",
    "Cypress",
    "Dunlin",
    "Elder",
    "Fieldfare",
    "Finch",
    "Goldcrest",
    "Goshawk",
    "Hawthorn",
    "Hazel",
    "Heron",
    "Hornbeam",
    "Kestrel",
    "Kingfisher",
    "Lapwing",
    "Larch",
    "Linden",
    "Linnet",
    "Maple",
    "Merlin",
    "Nightjar",
    "Nuthatch",
    "Osprey",
    "Ouzel",
    "Pipit",
    "Plover",
    "Redstart",
    "Rowan",
    "Sandpiper",
    "Siskin",
    "Skylark",
    "Spruce",
    "Starling",
    "Stonechat",
    "Sycamore",
    "Teal",
    "Whimbrel",
    "Willow",
    "Yew",
];

/// Somebody.
#[derive(Debug, Clone, Copy)]
pub(super) struct Person {
    pub(super) given: &'static str,
    pub(super) family: &'static str,
}

impl Person {
    pub(super) fn draw(draws: &mut Draws) -> Self {
        Self { given: draws.pick(&GIVEN), family: draws.pick(&FAMILY) }
    }

    /// `given.family.number`, in lower case: a part of addresses.
    pub(super) fn slug(self, number: u32) -> String {
        format!("{}.{}.{number}", self.given, self.family).to_lowercase()
    }
}

/// An entry of a profile.
pub(super) fn entry(key: &str, value: impl Into<Box<str>>) -> (Box<str>, Box<str>) {
    (key.into(), value.into())
}
