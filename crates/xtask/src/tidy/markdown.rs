//! The rule for Markdown: a link to a file of the project leads somewhere.
//!
//! What it is: a search for inline links, images and link definitions outside of code. What it is
//! not: a Markdown parser, or a look at the network: links with a scheme are passed over, and so
//! are headings (`#...`). Invariant: a link leads to a file that git tracks or would track, or to
//! a folder of such files. Cost: O(length), and a look-up among the files for each link.

use std::collections::BTreeSet;

use super::Finding;

/// Every link that leads nowhere.
pub(super) fn check(path: &str, text: &str, all_paths: &BTreeSet<String>) -> Vec<Finding> {
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut found = Vec::new();
    for (line, target) in links(text) {
        let Some(file) = file_of(&target) else { continue };
        let resolved = resolve(folder, file);
        if !resolved.as_deref().is_some_and(|path| exists(path, all_paths)) {
            let where_to = resolved.unwrap_or_else(|| "outside of the project".into());
            let message = format!("{file} does not exist ({where_to})");
            found.push(Finding::new(line, "link", message));
        }
    }
    found
}

/// The targets of all links with their lines, code left out.
fn links(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut fence: Option<&str> = None;
    for (number, line) in (1..).zip(text.lines()) {
        let start = line.trim_start();
        let mark = ["```", "~~~"].into_iter().find(|mark| start.starts_with(mark));
        match (fence, mark) {
            (None, Some(_)) => fence = mark,
            (Some(open), Some(mark)) if open == mark => fence = None,
            (Some(_), _) => {}
            (None, None) => {
                let line = without_code(line);
                let targets = inline_targets(&line).chain(definition_target(&line));
                found.extend(targets.map(|target| (number, target.to_owned())));
            }
        }
    }
    found
}

/// The line without its code spans: every second piece between backticks.
fn without_code(line: &str) -> String {
    line.split('`').step_by(2).collect::<Vec<_>>().join("`")
}

/// What stands in the parentheses of `[text](target "title")`.
fn inline_targets(line: &str) -> impl Iterator<Item = &str> {
    let after = line.match_indices("](").map(|(at, mark)| &line[at + mark.len()..]);
    after.filter_map(|rest| rest.split([')', ' ']).next())
}

/// The target of a line `[label]: target`.
fn definition_target(line: &str) -> Option<&str> {
    let (label, target) = line.strip_prefix('[')?.split_once("]: ")?;
    if label.contains(']') { None } else { target.split_whitespace().next() }
}

/// The file that a target names, if it is one of the project's.
fn file_of(target: &str) -> Option<&str> {
    let target = target.trim_start_matches('<').trim_end_matches('>');
    let file = target.split('#').next().filter(|file| !file.is_empty())?;
    let has_scheme = file.contains("://") || file.starts_with("mailto:");
    (!has_scheme).then_some(file)
}

/// The file's path from the workspace, with `.` and `..` resolved; none if it leaves the workspace.
fn resolve(folder: &str, file: &str) -> Option<String> {
    // A link that begins with a slash counts from the top of the repository.
    let (folder, file) = match file.strip_prefix('/') {
        Some(file) => ("", file),
        None => (folder, file),
    };
    let mut parts = Vec::new();
    for part in folder.split('/').chain(file.split('/')) {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            _ => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// Whether the path is a file, or the folder of one; the empty path is the workspace's.
fn exists(path: &str, all_paths: &BTreeSet<String>) -> bool {
    if path.is_empty() || all_paths.contains(path) {
        return true;
    }
    let folder = format!("{path}/");
    all_paths.range(folder.clone()..).next().is_some_and(|next| next.starts_with(&folder))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(path: &str, text: &str) -> Vec<String> {
        let all = ["README.md", "docs/a.md", "docs/b/c.md", "docs-old.md"];
        let all = all.into_iter().map(str::to_owned).collect();
        check(path, text, &all).iter().map(Finding::to_string).collect()
    }

    #[test]
    fn links_to_files_and_folders_pass() {
        let text = "[a](a.md), [b](b), [b](./b/), ![c](b/c.md#part)\n[r](../README.md \"title\")\n\
                    [top](/docs/a.md) [root](..) [heading](#here)\n[d]: a.md\n";
        assert_eq!(lines("docs/a.md", text), [""; 0]);
    }

    #[test]
    fn links_with_a_scheme_are_not_looked_up() {
        let text = "[a](https://a.example/b.md) [m](mailto:a@b.example)\n[d]: <http://a.example>\n";
        assert_eq!(lines("README.md", text), [""; 0]);
    }

    #[test]
    fn links_to_nothing_are_found() {
        let expected = ["2: link: a.md does not exist (a.md)"];
        assert_eq!(lines("README.md", "\nsee [a](a.md#part)\n"), expected);
        assert_eq!(lines("README.md", "\n![a](a.md)\n"), expected);
        assert_eq!(lines("README.md", "\n[a]: a.md\n"), expected);
    }

    #[test]
    fn a_path_is_resolved_from_the_folder_of_the_file() {
        let found = lines("docs/b/c.md", "[x](../c.md) [y](../a.md)\n");
        assert_eq!(found, ["1: link: ../c.md does not exist (docs/c.md)"]);
    }

    #[test]
    fn a_link_out_of_the_project_is_found() {
        let found = lines("docs/a.md", "[x](../../a.md)\n");
        assert_eq!(found, ["1: link: ../../a.md does not exist (outside of the project)"]);
    }

    #[test]
    fn the_beginning_of_a_name_is_no_folder() {
        assert_eq!(lines("README.md", "[x](doc)\n"), ["1: link: doc does not exist (doc)"]);
    }

    #[test]
    fn code_holds_no_links() {
        let text = "```\n[a](a.md)\n~~~\n[a](a.md)\n```\n`[a](a.md)` and [r](README.md)\n";
        assert_eq!(lines("README.md", text), [""; 0]);
        let after = "```\n```\n[a](a.md) `x` [b](b.md)\n";
        let expected =
            ["3: link: a.md does not exist (a.md)", "3: link: b.md does not exist (b.md)"];
        assert_eq!(lines("README.md", after), expected);
    }
}
