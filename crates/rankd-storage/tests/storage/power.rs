//! An acknowledged write is there after a power cut, of which nothing survives but what was
//! fsynced.

use rankd_engine::Storage;
use rankd_storage::EmbeddedOptions;

use crate::power_fs::PowerFs;
use crate::support::{Contents, Opened, create, open, open_with, options};

fn small_segments() -> EmbeddedOptions {
    EmbeddedOptions { segment_bytes: 4096, ..options() }
}

/// Whether a start after a power cut now finds what `model` says.
fn assert_on_disk(fs: &PowerFs, model: &Contents) {
    let image = fs.after_power_cut();
    assert_eq!(open(image.path()).unwrap().contents(), *model);
}

#[tokio::test]
async fn acknowledged_writes_survive_a_power_cut() {
    let folder = tempfile::tempdir().unwrap();
    let fs = PowerFs::default();
    let mut model = Contents::default();
    for _start in 0..3 {
        let opened = open_with(folder.path(), small_segments(), fs.arc()).unwrap();
        for index in 0..90 {
            opened.fill(&mut model, 1).await;
            if index % 40 == 39 {
                opened.store.snapshot().await.unwrap();
            }
            if index % 7 == 0 {
                assert_on_disk(&fs, &model);
            }
        }
        opened.store.close().await.unwrap();
        assert_on_disk(&fs, &model);
    }
}

/// Ends the process between giving a new file its name and making the name durable.
async fn kill_between_rename_and_sync(opened: &Opened, fs: &PowerFs, model: &mut Contents) {
    fs.kill_at_folder_sync();
    for number in 0.. {
        let name = format!("board-{number}");
        let batch = rankd_engine::Batch::new(vec![create(&name)], crate::support::NOW_MS);
        let submitted = opened.store.submit(batch).await;
        if submitted.is_err() {
            return;
        }
        model.boards.insert(name.into_bytes(), std::collections::BTreeMap::default());
    }
}

#[tokio::test]
async fn a_segment_whose_name_was_not_durable_is_made_so_before_it_is_written_to() {
    let folder = tempfile::tempdir().unwrap();
    let fs = PowerFs::default();
    // The first segment of a new store.
    fs.kill_at_folder_sync();
    assert!(open_with(folder.path(), small_segments(), fs.arc()).is_err());
    let opened = open_with(folder.path(), small_segments(), fs.arc()).unwrap();
    let mut model = Contents::default();
    opened.fill(&mut model, 1).await;
    assert_on_disk(&fs, &model);

    // One that was begun because the one before was full.
    kill_between_rename_and_sync(&opened, &fs, &mut model).await;
    drop(opened);
    let opened = open_with(folder.path(), small_segments(), fs.arc()).unwrap();
    assert_eq!(opened.contents(), model);
    opened.fill(&mut model, 1).await;
    assert_on_disk(&fs, &model);
}
