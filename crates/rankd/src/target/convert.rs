//! The same words in two crates: the client knows the API, the engine knows the store, and
//! neither knows the other.

use rankd_client as api;
use rankd_engine as engine;

/// Two functions that translate an enum whose variants have the same names on both sides.
macro_rules! mirrored {
    ($name:ident, $to_engine:ident, $to_api:ident, [$($variant:ident),+]) => {
        pub(super) fn $to_engine(value: api::$name) -> engine::$name {
            match value { $(api::$name::$variant => engine::$name::$variant),+ }
        }

        fn $to_api(value: engine::$name) -> api::$name {
            match value { $(engine::$name::$variant => api::$name::$variant),+ }
        }
    };
}

mirrored!(Order, engine_order, api_order, [Descending, Ascending]);
mirrored!(ScoreKind, engine_score_kind, api_score_kind, [Integer, Float]);
mirrored!(Operator, engine_operator, api_operator, [Latest, Best, Sum, Min, Max]);
mirrored!(Ties, engine_ties, api_ties, [Earliest, Latest, Member]);

pub(super) fn engine_definition(definition: &api::Definition) -> engine::Definition {
    engine::Definition {
        order: engine_order(definition.order),
        score: engine_score_kind(definition.score),
        operator: engine_operator(definition.operator),
        ties: engine_ties(definition.ties),
        keep_at: definition.keep_at.unwrap_or(false),
    }
    .normalised()
}

pub(super) fn api_definition(definition: &engine::Definition) -> api::Definition {
    api::Definition {
        order: api_order(definition.order),
        score: api_score_kind(definition.score),
        operator: api_operator(definition.operator),
        ties: api_ties(definition.ties),
        keep_at: (definition.ties == engine::Ties::Member).then_some(definition.keep_at),
    }
}

pub(super) fn api_score(score: engine::Score) -> api::Score {
    match score {
        engine::Score::Integer(score) => score.into(),
        engine::Score::Float(score) => score.into(),
    }
}
