//! The files of a data set, byte for byte.

use std::collections::BTreeSet;

use sha2::{Digest as _, Sha256};

use super::synthetic::{Kind, Order};
use super::{readme, write_all};

const KINDS: [Kind; 3] = [Kind::Wintro, Kind::Keepnet, Kind::Capillary];

fn order(kind: Kind) -> Order {
    Order {
        kind,
        users: 300,
        activities: 2_000,
        days: 500,
        seed: 1,
        // 2026-03-16T12:00:00Z
        until_ms: 1_773_662_400_000,
        repeats_per_mille: 10,
    }
}

/// Name and digest of every file that is written.
fn digests(order: &Order) -> Vec<(String, String)> {
    let folder = tempfile::tempdir().expect("a folder");
    write_all(order, folder.path()).expect("room on the disk");
    let entries = std::fs::read_dir(folder.path()).expect("the folder");
    let mut digests: Vec<_> = entries
        .map(|entry| {
            let entry = entry.expect("a file");
            let digest = Sha256::digest(std::fs::read(entry.path()).expect("a file"));
            let text = digest.iter().take(6).map(|byte| format!("{byte:02x}")).collect();
            (entry.file_name().into_string().expect("UTF-8"), text)
        })
        .collect();
    digests.sort();
    digests
}

#[test]
fn the_same_order_writes_the_same_bytes_and_another_seed_others() {
    for kind in KINDS {
        let first = digests(&order(kind));
        assert_eq!(first, digests(&order(kind)));
        let other = digests(&Order { seed: 2, ..order(kind) });
        let same: Vec<_> = first.iter().filter(|file| other.contains(file)).collect();
        // What is set up does not depend on the seed, and neither does who takes part.
        assert!(
            same.iter().all(|(name, _)| [readme::SETUP, readme::ENROLMENTS].contains(&&**name))
        );
    }
}

/// Where these change, everybody's `rankd generate --seed 1` changes: say so in the changelog.
#[test]
fn the_bytes_are_those_of_earlier_releases() {
    let digests = KINDS.map(|kind| {
        let files = digests(&order(kind));
        let lines: Vec<_> = files
            .into_iter()
            .filter(|(name, _)| name != "README.md")
            .map(|(name, digest)| format!("{name} {digest}"))
            .collect();
        lines.join(", ")
    });
    let expected = [
        "activities.jsonl 9c90c351d7cb, orgs.jsonl 6346ea7e385a, users.jsonl b66f1860e053",
        "activities.jsonl 185a2db9c29f, orgs.jsonl 62ee5f94b715, users.jsonl d7bf9a4bd63e",
        "activities.jsonl 4d41d954de00, enrolments.jsonl 14a2e019212a, orgs.jsonl 9a8651ae0873, \
         users.jsonl 0bccbadda58a",
    ];
    assert_eq!(digests, expected);
}

#[test]
fn every_line_is_one_that_an_import_reads() {
    use crate::rows::{ActivityRows, Rows, SetupRows, UserRows};
    let folder = tempfile::tempdir().expect("a folder");
    let mut kinds_of_lines = BTreeSet::new();
    for kind in KINDS {
        let path = folder.path().join(format!("{kind:?}"));
        std::fs::create_dir(&path).expect("room on the disk");
        let written = write_all(&order(kind), &path).expect("room on the disk");
        let text = |name: &str| std::fs::read(path.join(name)).expect("a file");
        let (users, activities) = (text(readme::USERS), text(readme::ACTIVITIES));
        let setup = text(readme::SETUP);
        let mut rows = Rows::jsonl(&*users, UserRows { org: None, from_line: 1, delimiter: b',' });
        let read = std::iter::from_fn(|| rows.next_row()).map(|row| row.expect("a good row"));
        assert_eq!(read.count() as u64, written.users);
        let mut rows = Rows::jsonl(&*activities, ActivityRows { from_line: 1, delimiter: b',' });
        let read = std::iter::from_fn(|| rows.next_row()).map(|row| row.expect("a good row"));
        assert_eq!(read.count() as u64, written.activities);
        let mut rows = Rows::jsonl(&*setup, SetupRows { from_line: 1 });
        while let Some(row) = rows.next_row() {
            let setup = format!("{:?}", row.expect("a good line").setup);
            kinds_of_lines.insert(setup.split('(').next().unwrap_or_default().to_owned());
        }
    }
    assert_eq!(Vec::from_iter(kinds_of_lines), ["Credential", "Org", "TargetGroup"]);
}
