//! The rules for the packages' Cargo.toml files.
//!
//! What it is: members inherit the lints and take every dependency from the workspace, so that
//! versions and lints are stated once; the workspace names its own crates by relative paths. What
//! it is not: a rule for the fuzz package, which is built on its own. Invariant: a dependency whose
//! form is not understood is a finding. Cost: one parse.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::Finding;

const RULE: &str = "manifest";
const DEPENDENCY_TABLES: [&str; 3] = ["dependencies", "dev-dependencies", "build-dependencies"];
/// Excluded from the workspace, so it has nothing to inherit from.
const OUTSIDE_WORKSPACE: &str = "fuzz/";

/// Every finding of every rule.
pub(super) fn check(path: &str, text: &str) -> Vec<Finding> {
    let table = match DeTable::parse(text) {
        Ok(table) => table.into_inner(),
        Err(error) => {
            let line = error.span().map_or(1, |span| line_at(text, span.start));
            return vec![Finding::new(line, RULE, error.message())];
        }
    };
    if let Some(workspace) = sub_table(&table, "workspace") {
        return absolute_paths(text, workspace);
    }
    if path.starts_with(OUTSIDE_WORKSPACE) {
        return Vec::new();
    }
    let mut found = Vec::from_iter(lints(&table));
    found.extend(dependencies(text, &table));
    let targets = sub_table(&table, "target").into_iter().flatten();
    for target in targets.filter_map(|(_, target)| target.get_ref().as_table()) {
        found.extend(dependencies(text, target));
    }
    found
}

fn lints(table: &DeTable<'_>) -> Option<Finding> {
    let inherits = sub_table(table, "lints").is_some_and(inherits);
    (!inherits).then(|| Finding::new(1, RULE, "no `[lints] workspace = true`"))
}

/// The dependencies of one table that do not come from the workspace.
fn dependencies(text: &str, table: &DeTable<'_>) -> Vec<Finding> {
    let tables = DEPENDENCY_TABLES.iter().filter_map(|name| sub_table(table, name));
    let own = tables.flatten().filter(|(_, value)| !from_workspace(value));
    own.map(|(name, _)| {
        let line = line_at(text, name.span().start);
        let message = format!("`{}` must be `.workspace = true`", name.get_ref());
        Finding::new(line, RULE, message)
    })
    .collect()
}

/// The dependencies of a workspace that only one machine has.
fn absolute_paths(text: &str, workspace: &DeTable<'_>) -> Vec<Finding> {
    let dependencies = sub_table(workspace, "dependencies").into_iter().flatten();
    let absolute = dependencies.filter(|(_, value)| {
        let path = value.get_ref().get("path").and_then(|path| path.as_ref().as_str());
        path.is_some_and(|path| path.starts_with('/'))
    });
    absolute
        .map(|(name, _)| {
            let line = line_at(text, name.span().start);
            let message = format!("the path of `{}` must be relative", name.get_ref());
            Finding::new(line, RULE, message)
        })
        .collect()
}

fn from_workspace(dependency: &Spanned<DeValue<'_>>) -> bool {
    dependency.get_ref().as_table().is_some_and(inherits)
}

fn inherits(table: &DeTable<'_>) -> bool {
    table.get("workspace").and_then(|value| value.get_ref().as_bool()) == Some(true)
}

fn sub_table<'t, 'i>(table: &'t DeTable<'i>, name: &str) -> Option<&'t DeTable<'i>> {
    table.get(name)?.get_ref().as_table()
}

fn line_at(text: &str, offset: usize) -> usize {
    1 + text.bytes().take(offset).filter(|byte| *byte == b'\n').count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(path: &str, text: &str) -> Vec<String> {
        check(path, text).iter().map(Finding::to_string).collect()
    }

    const LINTS: &str = "[lints]\nworkspace = true\n";

    #[test]
    fn a_member_that_inherits_everything_passes() {
        let text = "[dependencies]\na.workspace = true\n\
                    b = { workspace = true, features = [\"c\"] }\n[dev-dependencies.d]\n\
                    workspace = true\n";
        assert_eq!(lines("a/Cargo.toml", &format!("{LINTS}{text}")), [""; 0]);
    }

    #[test]
    fn a_member_inherits_the_lints() {
        let missing = ["1: manifest: no `[lints] workspace = true`"];
        assert_eq!(lines("a/Cargo.toml", "[package]\nname = \"a\"\n"), missing);
        assert_eq!(lines("a/Cargo.toml", "[lints]\nworkspace = false\n"), missing);
        assert_eq!(lines("a/Cargo.toml", "[lints.rust]\nunsafe_code = \"deny\"\n"), missing);
    }

    #[test]
    fn versions_paths_and_sources_stand_in_the_root_alone() {
        for value in ["\"1\"", "{ version = \"1\" }", "{ path = \"../b\" }", "{ git = \"c\" }"] {
            for table in ["dependencies", "dev-dependencies", "build-dependencies"] {
                let text = format!("{LINTS}[{table}]\nok.workspace = true\nbad = {value}\n");
                let expected = ["5: manifest: `bad` must be `.workspace = true`"];
                assert_eq!(lines("a/Cargo.toml", &text), expected);
            }
        }
    }

    #[test]
    fn dependencies_of_one_platform_are_dependencies() {
        let text = format!("{LINTS}[target.'cfg(unix)'.dependencies]\nbad = \"1\"\n");
        let expected = ["4: manifest: `bad` must be `.workspace = true`"];
        assert_eq!(lines("a/Cargo.toml", &text), expected);
    }

    #[test]
    fn roots_and_the_fuzz_package_state_their_own_versions() {
        let text = "[workspace]\n[workspace.dependencies]\na = \"1\"\n[dependencies]\nb = \"1\"\n";
        assert_eq!(lines("Cargo.toml", text), [""; 0]);
        assert_eq!(lines("fuzz/Cargo.toml", "[dependencies]\na = \"1\"\n"), [""; 0]);
    }

    #[test]
    fn a_workspace_has_its_own_crates_at_relative_paths() {
        let text = "[workspace.dependencies]\na = { path = \"crates/a\" }\n\
                    b = { path = \"/b\" }\nc = { version = \"1\" }\n";
        let expected = ["3: manifest: the path of `b` must be relative"];
        assert_eq!(lines("Cargo.toml", text), expected);
    }

    #[test]
    fn what_is_not_toml_is_found_where_it_breaks() {
        let found = check("a/Cargo.toml", "[lints]\nworkspace = \n");
        assert_eq!(found.iter().map(|f| (f.line, f.rule)).collect::<Vec<_>>(), [(2, RULE)]);
    }
}
