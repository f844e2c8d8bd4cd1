//! Where an export goes, and that what is there already stays what it is.

use std::os::unix::fs::{FileTypeExt as _, PermissionsExt};

use super::host::run;
use super::import::{Place, text};

/// A place whose data folder has the board `b`, and the export of it.
fn place() -> (Place, String) {
    let place = Place::new();
    let file = place.file("s.csv", "member,score,at\nada,2,0\n");
    run(&["import", "--board", "b", "--data", &place.data(), &file]).ok();
    (place, "rank,member,score,at\n1,ada,2,1970-01-01T00:00:00Z\n".to_owned())
}

fn export_to(place: &Place, output: &str) -> String {
    run(&["export", "--board", "b", "--data", &place.data(), "-o", output]).ok()
}

#[test]
fn a_dash_is_standard_output() {
    let (place, expected) = place();
    assert_eq!(export_to(&place, "-"), expected);
    assert_eq!(export_to(&place, "/dev/stdout"), expected);
}

#[test]
fn a_pipe_is_written_into_and_stays_a_pipe() {
    let (place, expected) = place();
    let pipe = place.path("pipe");
    let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
    rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, mode, 0).unwrap();
    let reader = std::thread::spawn({
        let pipe = pipe.clone();
        move || std::fs::read_to_string(pipe)
    });
    assert_eq!(export_to(&place, &text(&pipe)), "");
    assert!(std::fs::symlink_metadata(&pipe).unwrap().file_type().is_fifo());
    assert_eq!(reader.join().unwrap().unwrap(), expected);
}

#[test]
fn a_link_stays_a_link_to_the_file_that_is_replaced() {
    let (place, expected) = place();
    for (name, is_there) in [("old.csv", true), ("new.csv", false)] {
        let (file, link) = (place.path(name), place.path(&format!("link-to-{name}")));
        if is_there {
            std::fs::write(&file, "old").unwrap();
            std::fs::set_permissions(&file, PermissionsExt::from_mode(0o640)).unwrap();
        }
        std::os::unix::fs::symlink(&file, &link).unwrap();
        export_to(&place, &text(&link));
        assert!(link.is_symlink());
        assert_eq!(std::fs::read_to_string(&file).unwrap(), expected);
    }
    let mode = std::fs::metadata(place.path("old.csv")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o640);
}

#[test]
fn a_folder_without_data_is_refused_and_not_made_into_one() {
    let place = Place::new();
    let (missing, empty) = (place.path("missing"), place.path("empty"));
    std::fs::create_dir(&empty).unwrap();
    for folder in [&missing, &empty] {
        let error = run(&["export", "--board", "b", "--data", &text(folder)]).fails_with(2);
        let expected = format!("--data {}: there is no data folder there", folder.display());
        assert_eq!(error, format!("rankd: {expected}\n"));
    }
    assert!(!missing.exists());
    assert_eq!(std::fs::read_dir(&empty).unwrap().count(), 0);
}

#[test]
fn floats_come_in_the_fewest_digits() {
    let place = Place::new();
    let scores = ["9007199254740992", "2", "0.1", "5e-324", "-1.5e+300"];
    let mut rows = "member,score\n".to_owned();
    scores.iter().for_each(|score| rows.push_str(&format!("m{score},{score}\n")));
    let (data, file) = (place.data(), place.file("s.csv", rows));
    run(&["import", "--board", "b", "--score", "float", "--data", &data, &file]).ok();
    let csv = run(&["export", "--board", "b", "--data", &data]).ok();
    let exported: Vec<_> =
        csv.lines().skip(1).map(|line| line.split(',').nth(2).unwrap()).collect();
    assert_eq!(exported, scores);
}
