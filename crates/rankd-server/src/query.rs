//! Query strings, strictly: an unknown parameter, a repeated one, or a value outside its limits
//! is an error that names it. Values are form-encoded (`%20` or `+` for a space).

use crate::names;
use crate::problem::{Problem, Slug, shown};

/// The parameters of one request, undecoded. At most a handful, so a list.
#[derive(Debug)]
pub(crate) struct Query<'a>(Vec<(&'static str, &'a str)>);

impl<'a> Query<'a> {
    /// Splits `raw`; only `allowed` names may occur, once each.
    pub(crate) fn parse(
        raw: &'a str,
        allowed: impl Iterator<Item = &'static str> + Clone,
    ) -> Result<Self, Problem> {
        let mut pairs: Vec<(&'static str, &'a str)> = Vec::new();
        for pair in raw.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let Some(known) = allowed.clone().find(|known| *known == name) else {
                return Err(unknown(name, allowed));
            };
            if pairs.iter().any(|(seen, _)| *seen == known) {
                let detail = format!("{known} is given more than once");
                return Err(Problem::new(Slug::InvalidParameter, detail));
            }
            pairs.push((known, value));
        }
        Ok(Self(pairs))
    }

    /// The undecoded value.
    pub(crate) fn raw(&self, name: &str) -> Option<&'a str> {
        self.0.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
    }

    /// The decoded bytes.
    pub(crate) fn bytes(&self, name: &str) -> Result<Option<Vec<u8>>, Problem> {
        self.raw(name).map(|raw| decoded(raw, name)).transpose()
    }

    /// The decoded text.
    pub(crate) fn text(&self, name: &str) -> Result<Option<String>, Problem> {
        let Some(bytes) = self.bytes(name)? else { return Ok(None) };
        match String::from_utf8(bytes) {
            Ok(text) => Ok(Some(text)),
            Err(_) => Err(Problem::parameter(name, "not UTF-8", "text")),
        }
    }

    /// A whole number between `min` and `max`.
    pub(crate) fn unsigned(
        &self,
        name: &str,
        min: u64,
        max: u64,
        default: u64,
    ) -> Result<u64, Problem> {
        let Some(text) = self.text(name)? else { return Ok(default) };
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        match text.parse() {
            Ok(value) if digits && (min..=max).contains(&value) => Ok(value),
            _ => Err(Problem::parameter(
                name,
                format!("{:?}", shown(&text)),
                format!("a whole number from {min} to {max}"),
            )),
        }
    }

    /// `true` or `false`; false if absent.
    pub(crate) fn flag(&self, name: &str) -> Result<bool, Problem> {
        match self.text(name)?.as_deref() {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(other) => {
                Err(Problem::parameter(name, format!("{:?}", shown(other)), "true or false"))
            }
        }
    }
}

/// Form-decodes one value.
pub(crate) fn decoded(raw: &str, name: &str) -> Result<Vec<u8>, Problem> {
    let spaced = raw.replace('+', "%20");
    Ok(names::percent_decoded(&spaced, name, Slug::InvalidParameter)?.into_owned())
}

fn unknown(name: &str, allowed: impl Iterator<Item = &'static str>) -> Problem {
    let allowed: Vec<_> = allowed.collect();
    let known = if allowed.is_empty() { "none".to_owned() } else { allowed.join(", ") };
    let detail = format!("{:?} is not a parameter here; known are: {known}", shown(name));
    Problem::new(Slug::UnknownParameter, detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(raw: &str) -> Result<Query<'_>, Problem> {
        Query::parse(raw, ["limit", "prefix", "names"].into_iter())
    }

    #[test]
    fn values_are_form_decoded() {
        let query = query("prefix=a%2Bb+c%20d&&limit=7").unwrap();
        assert_eq!(query.text("prefix").unwrap().unwrap(), "a+b c d");
        assert_eq!(query.unsigned("limit", 1, 10, 3).unwrap(), 7);
        assert!(!query.flag("names").unwrap());
    }

    #[test]
    fn numbers_outside_their_limits_are_named() {
        for bad in ["0", "11", "-1", "abc", "", "+5", "1.0", "18446744073709551616", "%31%30%30"] {
            let raw = format!("limit={bad}");
            let problem = query(&raw).unwrap().unsigned("limit", 1, 10, 3).unwrap_err();
            assert_eq!(problem.slug(), Slug::InvalidParameter);
            let detail = problem.detail();
            assert!(detail.starts_with("limit is ") && detail.contains("1 to 10"), "{detail}");
        }
        let most = format!("limit={}", u64::MAX);
        assert_eq!(query(&most).unwrap().unsigned("limit", 0, u64::MAX, 0).unwrap(), u64::MAX);
    }

    #[test]
    fn unknown_and_repeated_parameters_are_refused() {
        let problem = query("limt=1").unwrap_err();
        assert_eq!(problem.slug(), Slug::UnknownParameter);
        assert!(problem.detail().contains("limt") && problem.detail().contains("limit"));
        assert!(query("limit=1&limit=1").unwrap_err().detail().contains("more than once"));
        assert!(query("names=yes").unwrap().flag("names").is_err());
        assert!(query("prefix=%ff").unwrap().text("prefix").is_err());
    }
}
