//! What is asked, of whom, in which order.

use anyhow::Result;

use crate::clients::{Client, Measured, Question};
use crate::servers::Running;

/// The board that is asked.
pub(crate) const BOARD: &str = "bench";

/// A kind of request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Case {
    Rank,
    Top,
    Update,
}

impl Case {
    pub(crate) const ALL: [Self; 3] = [Self::Rank, Self::Top, Self::Update];

    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Rank => "rank of a random member",
            Self::Top => "top 10",
            Self::Update => "update of a random member",
        }
    }

    /// Its name in a mix.
    pub(crate) fn mix(self) -> &'static str {
        match self {
            Self::Rank => "rank",
            Self::Top => "top",
            Self::Update => "update",
        }
    }

    /// Method, path and body of one such request. An update changes something however often it is
    /// made.
    pub(crate) fn example(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Rank => ("GET", "/v1/boards/bench/members/user:0123456", ""),
            Self::Top => ("GET", "/v1/boards/bench/top?limit=10", ""),
            Self::Update => (
                "PUT",
                "/v1/boards/bench/members/user:0123456",
                "{\"score\":7,\"operator\":\"sum\"}",
            ),
        }
    }

    /// The same as a path of webdis; `{member}` is a random one.
    fn webdis_path(self) -> String {
        match self {
            Self::Rank => format!("/ZREVRANK/{BOARD}/{{member}}"),
            Self::Top => format!("/ZREVRANGE/{BOARD}/0/9/WITHSCORES"),
            Self::Update => format!("/ZINCRBY/{BOARD}/7/{{member}}"),
        }
    }
}

/// What a server did in one case, by both clients, a round each.
#[derive(Debug, Clone)]
pub(crate) struct Figure {
    pub(crate) case: Case,
    pub(crate) pipeline: usize,
    pub(crate) server: &'static str,
    pub(crate) bench: Vec<Measured>,
    pub(crate) wrk: Vec<f64>,
}

/// Asks all servers, round after round.
pub(crate) fn run(running: &Running, client: &Client, rounds: usize) -> Result<Vec<Figure>> {
    let mut figures = Vec::new();
    for pipeline in [1, 16] {
        for case in Case::ALL {
            let mut of_case = contenders(running, case, pipeline);
            for round in 0..rounds {
                for (figure, question) in &mut of_case {
                    figure.pipeline = pipeline;
                    eprintln!("{} x {pipeline}, {}, round {round}", case.title(), figure.server);
                    question.pipeline = pipeline;
                    figure.bench.push(client.bench(question)?);
                    figure.wrk.push(client.wrk(question)?);
                }
            }
            figures.extend(of_case.into_iter().map(|(figure, _)| figure));
        }
    }
    Ok(figures)
}

/// Who is asked in a case. webdis mixes up the answers to a pipeline now and then, and is not sent
/// any.
fn contenders(running: &Running, case: Case, pipeline: usize) -> Vec<(Figure, Question)> {
    let bare = running.bare.iter().find(|(of, _)| *of == case).map(|(_, url)| url);
    let asked = |server, url: &str, path: Option<String>| {
        let (bench, wrk) = (Vec::new(), Vec::new());
        let figure = Figure { case, pipeline: 1, server, bench, wrk };
        (figure, Question { url: url.to_owned(), case, path, pipeline: 1 })
    };
    let mut list: Vec<_> =
        bare.map(|url| asked("hyper, constant", url, None)).into_iter().collect();
    list.push(asked("rankd", &running.rankd, None));
    if case == Case::Rank {
        list.push(asked("nginx, return 200", &running.nginx, None));
    }
    if pipeline == 1 {
        list.push(asked("webdis and Redis", &running.webdis, Some(case.webdis_path())));
    }
    list
}
