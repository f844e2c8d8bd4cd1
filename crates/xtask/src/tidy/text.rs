//! The rules for text of any kind.
//!
//! What it is: no white space at line ends, no folders of somebody's machine. What it is not: a
//! rule about content; licence texts and data stay as they are, but for those folders. Invariant:
//! white space matters only in files that people write. Cost: O(length) a rule.

use super::Finding;

/// Extensions of files that people write.
const WRITTEN: [&str; 8] = ["rs", "toml", "md", "py", "sh", "yml", "yaml", "json"];

/// Folders at the top of a machine that hold somebody's checkout or home.
const MACHINE_FOLDERS: [&str; 3] = ["work", "root", "home"];

/// Every finding of every rule.
pub(super) fn check(extension: Option<&str>, text: &str) -> Vec<Finding> {
    let mut found = machine_paths(text);
    if extension.is_some_and(|extension| WRITTEN.contains(&extension)) {
        found.extend(trailing_whitespace(text));
    }
    found
}

fn trailing_whitespace(text: &str) -> Vec<Finding> {
    // Not `lines()`: it would swallow a carriage return.
    let bad = (1..).zip(text.split('\n')).filter(|(_, line)| line.ends_with(char::is_whitespace));
    bad.map(|(line, _)| Finding::new(line, "trailing-whitespace", "the line ends in white space"))
        .collect()
}

fn machine_paths(text: &str) -> Vec<Finding> {
    let mut found = Vec::new();
    for folder in MACHINE_FOLDERS {
        let path = format!("/{folder}/");
        let lines = (1..).zip(text.lines()).filter(|(_, line)| holds_absolute(line, &path));
        let message = format!("`{path}` is a path of one machine");
        found.extend(lines.map(|(line, _)| Finding::new(line, "machine-path", message.clone())));
    }
    found
}

/// Whether `path` stands in the line as the beginning of a path, not further down in one.
fn holds_absolute(line: &str, path: &str) -> bool {
    line.match_indices(path).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        !before.is_some_and(|char| char.is_alphanumeric() || "._-/~}*)>".contains(char))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(found: &[Finding]) -> Vec<usize> {
        found.iter().map(|finding| finding.line).collect()
    }

    #[test]
    fn white_space_at_line_ends_is_found() {
        assert_eq!(numbers(&trailing_whitespace("a\nb \n\nc\t\nd\r\n")), [2, 4, 5]);
    }

    #[test]
    fn white_space_matters_only_in_written_files() {
        assert_eq!(numbers(&check(Some("md"), "a \n")), [1]);
        assert_eq!(numbers(&check(Some("tsv"), "a \n")), [0; 0]);
        assert_eq!(numbers(&check(None, "a \n")), [0; 0]);
    }

    #[test]
    fn paths_of_a_machine_are_found_in_every_file() {
        for folder in MACHINE_FOLDERS {
            for before in ["", "cd ", "\"", "A=", "(", "`", ":"] {
                let found = check(None, &format!("\n{before}/{folder}/x"));
                let expected = format!("2: machine-path: `/{folder}/` is a path of one machine");
                let lines: Vec<_> = found.iter().map(Finding::to_string).collect();
                assert_eq!(lines, [expected], "{before}");
            }
        }
    }

    #[test]
    fn the_same_names_further_down_in_a_path_are_not_found() {
        for folder in MACHINE_FOLDERS {
            for before in ["https://a.example", ".", "..", "~", "${DIR}", "src", "<dir>"] {
                let text = format!("{before}/{folder}/x and {folder}/x");
                assert_eq!(numbers(&machine_paths(&text)), [0; 0], "{text}");
            }
        }
    }
}
