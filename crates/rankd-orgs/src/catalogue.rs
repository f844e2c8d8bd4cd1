//! The catalogue of the Keepnet surface: products, difficulties and actions with their numbers and
//! names, and the points that the public guide gives for them.
//!
//! What it is: constants, and look-ups in them. What it is not: an organisation's own rules, which
//! come first (`rules.rs`). Invariant: names and numbers belong to each other one to one; surfaces
//! print from here and parse with this. Cost: a few dozen comparisons.

/// Longest text that can be a name; anything longer is not looked at.
const NAME_BYTES_MAX: usize = 64;

/// Whether two names are the same, without regard to case, blanks and underscores.
fn same(a: &str, b: &str) -> bool {
    letters(a).eq(letters(b))
}

fn letters(text: &str) -> impl Iterator<Item = u8> {
    let kept = text.bytes().filter(|byte| !byte.is_ascii_whitespace() && *byte != b'_');
    kept.map(|byte| byte.to_ascii_lowercase())
}

fn number_in(text: &str) -> Option<u8> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit());
    if plain { text.parse().ok() } else { None }
}

macro_rules! numbered {
    ($(#[$about:meta])* $name:ident: $($constant:ident = $number:literal $text:literal,)*;
     aliases: $($alias:literal = $of:ident),*) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(u8);

        impl $name {
            $(
                #[doc = concat!("`", $text, "`.")]
                pub const $constant: Self = Self($number);
            )*
            /// All of them, by number.
            pub const ALL: &'static [Self] = &[$(Self::$constant),*];

            /// The one of this number.
            #[must_use]
            pub fn from_number(number: u8) -> Option<Self> {
                (usize::from(number) < Self::ALL.len()).then_some(Self(number))
            }

            /// Its number.
            #[must_use]
            pub const fn number(self) -> u8 {
                self.0
            }

            /// Its name as surfaces print it.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self.0 {
                    $($number => $text,)*
                    _ => "",
                }
            }

            /// The one of this name, without regard to case, blanks and underscores.
            #[must_use]
            pub fn by_name(name: &str) -> Option<Self> {
                if name.len() > NAME_BYTES_MAX {
                    return None;
                }
                $(if same(name, $alias) { return Some(Self::$of); })*
                Self::ALL.iter().copied().find(|one| same(one.name(), name))
            }

            /// The one of this name, or of this number written as text.
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                match number_in(text.trim()) {
                    Some(number) => Self::from_number(number),
                    None => Self::by_name(text),
                }
            }
        }
    };
}

numbered! {
    /// What an activity belongs to.
    Product:
    PHISHING = 0 "PHISHING SIMULATOR",
    CALLBACK = 1 "CALLBACK SIMULATOR",
    VISHING = 2 "VISHING SIMULATOR",
    SMISHING = 3 "SMISHING SIMULATOR",
    QUISHING = 4 "QUISHING SIMULATOR",
    AWARENESS = 5 "SECURITY AWARENESS",
    INCIDENT = 6 "INCIDENT RESPONDER",;
    aliases: "Awareness Educator" = AWARENESS
}

numbered! {
    /// How hard a simulation was.
    Difficulty:
    EASY = 0 "Easy",
    MEDIUM = 1 "Medium",
    HARD = 2 "Hard",;
    aliases:
}

numbered! {
    /// What was done.
    Action:
    CLICKED_LINK = 0 "Clicked Link",
    SUBMITTED_DATA = 1 "Submitted Data",
    SUBMITTED_MFA_CODE = 2 "Submitted MFA Code",
    OPENED_ATTACHMENT = 3 "Opened Attachment",
    REPORTED = 4 "Reported",
    CALLED_BACK = 5 "Called Back",
    ENTERED_DIGITS = 6 "Entered Digits",
    ANSWERED = 7 "Answered",
    VISHED = 8 "Vished (Dialed Number)",
    SCANNED_QR_LINK = 9 "Scanned QR Link",
    TRAINING_COMPLETED = 10 "Training Completed",
    TRAINING_NOT_COMPLETED = 11 "Training Not Completed",
    EXAM_PASSED = 12 "Exam Passed",
    EXAM_FAILED = 13 "Exam Failed",
    DOWNLOADED_POSTER = 14 "Downloaded Poster",
    DOWNLOADED_INFOGRAPHIC = 15 "Downloaded Infographic",
    OPENED_EMAIL = 16 "Opened Email",
    CLICKED_TRAINING_LINK = 17 "Clicked Training Link",
    JOINED_TRAINING = 18 "Joined Training",;
    aliases: "Vished" = VISHED, "Dialed Number" = VISHED, "VishedDialedNumber" = VISHED
}

/// The action that is reported but counts nowhere.
#[must_use]
pub fn is_no_response(action: &str) -> bool {
    action.len() <= NAME_BYTES_MAX && same(action, "No Response")
}

impl Product {
    /// Whether it simulates an attack.
    #[must_use]
    pub const fn is_simulation(self) -> bool {
        self.0 <= Self::QUISHING.0
    }
}

impl Action {
    /// Whether it counts as failed.
    #[must_use]
    pub fn failed(self) -> bool {
        const FAILED: [Action; 9] = [
            Action::CLICKED_LINK,
            Action::SUBMITTED_DATA,
            Action::SUBMITTED_MFA_CODE,
            Action::OPENED_ATTACHMENT,
            Action::CALLED_BACK,
            Action::ENTERED_DIGITS,
            Action::VISHED,
            Action::SCANNED_QR_LINK,
            Action::TRAINING_NOT_COMPLETED,
        ];
        FAILED.contains(&self) || self == Self::EXAM_FAILED
    }

    /// The product of an activity that names none: the first that the catalogue has for the action.
    #[must_use]
    pub fn usual_product(self) -> Product {
        let row = ROWS.iter().find(|row| row.action == self);
        row.and_then(|row| row.products.first()).copied().unwrap_or(Product::PHISHING)
    }
}

/// When a row of the catalogue applies.
#[derive(Debug, Clone, Copy)]
enum When {
    Always,
    /// The reaction took less than this many seconds.
    Within(i64),
    /// The reaction took at least this many seconds.
    From(i64),
    Confirmed,
}

/// A row of the catalogue; the first that applies counts.
struct Row {
    action: Action,
    products: &'static [Product],
    when: When,
    /// Easy, medium, hard.
    points: [i32; 3],
    name: &'static str,
}

const fn row(
    action: Action,
    products: &'static [Product],
    when: When,
    points: [i32; 3],
    name: &'static str,
) -> Row {
    Row { action, products, when, points, name }
}

const DAY_S: i64 = 24 * 60 * 60;
const PHISHING: &[Product] = &[Product::PHISHING];
const CALLBACK: &[Product] = &[Product::CALLBACK];
const VISHING: &[Product] = &[Product::VISHING];
const QUISHING: &[Product] = &[Product::QUISHING];
const AWARENESS: &[Product] = &[Product::AWARENESS];
const INCIDENT: &[Product] = &[Product::INCIDENT];
const MAIL_AND_TEXT: &[Product] = &[Product::PHISHING, Product::SMISHING];
const TEXT_AND_CODE: &[Product] = &[Product::SMISHING, Product::QUISHING];
const MAIL_TEXT_CODE: &[Product] = &[Product::PHISHING, Product::SMISHING, Product::QUISHING];
const SIMULATIONS: &[Product] =
    &[Product::PHISHING, Product::CALLBACK, Product::VISHING, Product::SMISHING, Product::QUISHING];

const ROWS: &[Row] = {
    use When::{Always, Confirmed, From, Within};
    &[
        row(Action::CLICKED_LINK, MAIL_AND_TEXT, Always, [-200, -100, -50], "Clicked Link"),
        row(Action::SUBMITTED_DATA, PHISHING, Always, [-400, -200, -100], "Submitted Data"),
        row(Action::SUBMITTED_DATA, TEXT_AND_CODE, Always, [-300, -150, -75], "Submitted Data"),
        row(
            Action::SUBMITTED_MFA_CODE,
            MAIL_TEXT_CODE,
            Always,
            [-400, -200, -100],
            "Submitted MFA Code",
        ),
        row(Action::OPENED_ATTACHMENT, PHISHING, Always, [-300, -150, -75], "Opened Attachment"),
        row(
            Action::REPORTED,
            SIMULATIONS,
            Within(300),
            [100, 200, 400],
            "Reported within 5 minutes",
        ),
        row(
            Action::REPORTED,
            SIMULATIONS,
            Within(600),
            [75, 150, 300],
            "Reported within 10 minutes",
        ),
        row(Action::REPORTED, SIMULATIONS, Always, [50, 100, 200], "Reported after 10 minutes"),
        row(Action::REPORTED, INCIDENT, Confirmed, [500; 3], "Reported a confirmed threat"),
        row(Action::CALLED_BACK, CALLBACK, Always, [-200, -100, -50], "Called Back"),
        row(Action::ENTERED_DIGITS, CALLBACK, Always, [-300, -150, -75], "Entered Digits"),
        row(Action::ANSWERED, VISHING, Always, [-100, -50, -25], "Answered"),
        row(Action::VISHED, VISHING, Always, [-300, -150, -75], "Vished (Dialed Number)"),
        row(Action::SCANNED_QR_LINK, QUISHING, Always, [-200, -100, -50], "Scanned QR Link"),
        row(Action::TRAINING_COMPLETED, AWARENESS, Always, [100; 3], "Training Completed"),
        row(Action::TRAINING_NOT_COMPLETED, AWARENESS, Always, [0; 3], "Training Not Completed"),
        row(Action::EXAM_PASSED, AWARENESS, Always, [200; 3], "Exam Passed"),
        row(Action::EXAM_FAILED, AWARENESS, Always, [-150; 3], "Exam Failed"),
        row(Action::DOWNLOADED_POSTER, AWARENESS, Always, [0; 3], "Downloaded Poster"),
        row(Action::DOWNLOADED_INFOGRAPHIC, AWARENESS, Always, [0; 3], "Downloaded Infographic"),
        row(Action::OPENED_EMAIL, SIMULATIONS, Always, [0; 3], "Opened Email"),
        row(Action::OPENED_EMAIL, AWARENESS, Always, [-100; 3], "Opened Email, not clicked"),
        row(Action::CLICKED_TRAINING_LINK, AWARENESS, Always, [50; 3], "Clicked Training Link"),
        row(Action::JOINED_TRAINING, AWARENESS, Within(DAY_S), [100; 3], "Joined within 24 hours"),
        row(Action::JOINED_TRAINING, AWARENESS, From(3 * DAY_S), [-50; 3], "Joined after 3 days"),
        row(Action::JOINED_TRAINING, AWARENESS, Always, [0; 3], "Joined within 3 days"),
    ]
};

/// What the catalogue says of an activity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Worth {
    /// Name of the rule.
    pub name: &'static str,
    /// Points.
    pub points: i32,
}

/// What an action is worth; `None` where the catalogue has no points for it in that product. An
/// unknown difficulty counts as medium. Times are in seconds, and a bound belongs to what is above
/// it; a report without a time is one after 10 minutes, joining without a time is worth nothing.
#[must_use]
pub fn worth(
    action: Action,
    product: Product,
    difficulty: Option<Difficulty>,
    response_seconds: Option<i64>,
    confirmed: bool,
) -> Option<Worth> {
    let applies = |row: &&Row| {
        let when = match row.when {
            When::Always => true,
            When::Within(seconds) => response_seconds.is_some_and(|took| took < seconds),
            When::From(seconds) => response_seconds.is_some_and(|took| took >= seconds),
            When::Confirmed => confirmed,
        };
        row.action == action && when && row.products.contains(&product)
    };
    let found = ROWS.iter().find(applies)?;
    let column = difficulty.unwrap_or(Difficulty::MEDIUM).number();
    Some(Worth { name: found.name, points: found.points[usize::from(column)] })
}

/// The most that a campaign can bring: for simulations the best report, for trainings everything
/// together. An unknown difficulty counts as medium.
#[must_use]
pub fn possible(product: Product, difficulty: Option<Difficulty>) -> i32 {
    match product {
        Product::AWARENESS => 450,
        Product::INCIDENT => 500,
        _ => [100, 200, 400][usize::from(difficulty.unwrap_or(Difficulty::MEDIUM).number())],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_without_regard_to_case_blanks_and_underscores() {
        for (text, expected) in [
            ("Clicked Link", Some(Action::CLICKED_LINK)),
            ("CLICKED_LINK", Some(Action::CLICKED_LINK)),
            ("clickedlink", Some(Action::CLICKED_LINK)),
            ("18", Some(Action::JOINED_TRAINING)),
            ("0", Some(Action::CLICKED_LINK)),
            ("vished", Some(Action::VISHED)),
            ("Vished (Dialed Number)", Some(Action::VISHED)),
            ("19", None),
            ("+4", None),
            ("", None),
            ("256", None),
            ("Clicked-Link", None),
            ("No Response", None),
        ] {
            assert_eq!(Action::parse(text), expected, "{text:?}");
        }
        assert_eq!(Product::parse("awareness_educator"), Some(Product::AWARENESS));
        assert_eq!(Product::parse("Phishing Simulator"), Some(Product::PHISHING));
        assert_eq!(Action::by_name("4"), None, "numbers are names only where surfaces say so");
        assert!(is_no_response("NO_RESPONSE"));
    }

    #[test]
    fn numbers_and_names_belong_to_each_other() {
        for (number, action) in (0..).zip(Action::ALL) {
            assert_eq!(action.number(), number);
            assert_eq!(Action::parse(action.name()), Some(*action));
            assert_eq!(Action::parse(&number.to_string()), Some(*action));
        }
        assert_eq!(Action::from_number(19), None);
        assert_eq!(Product::ALL.len(), 7);
        assert_eq!(Difficulty::ALL.len(), 3);
    }

    /// The guide's figures, written down again by hand.
    #[test]
    fn points_are_the_published_ones() {
        let of = |action: &str, product: u8, difficulty: u8, seconds: Option<i64>, confirmed| {
            worth(
                Action::parse(action).unwrap(),
                Product::from_number(product).unwrap(),
                Difficulty::from_number(difficulty),
                seconds,
                confirmed,
            )
            .map(|worth| worth.points)
        };
        assert_eq!(of("Clicked Link", 0, 0, None, false), Some(-200));
        assert_eq!(of("Clicked Link", 3, 2, None, false), Some(-50));
        assert_eq!(of("Clicked Link", 2, 2, None, false), None);
        assert_eq!(of("Submitted Data", 0, 1, None, false), Some(-200));
        assert_eq!(of("Submitted Data", 4, 1, None, false), Some(-150));
        assert_eq!(of("Reported", 1, 2, Some(299), false), Some(400));
        assert_eq!(of("Reported", 1, 2, Some(300), false), Some(300));
        assert_eq!(of("Reported", 1, 2, Some(599), false), Some(300));
        assert_eq!(of("Reported", 1, 2, Some(600), false), Some(200));
        assert_eq!(of("Reported", 1, 0, None, false), Some(50));
        assert_eq!(of("Reported", 6, 0, None, true), Some(500));
        assert_eq!(of("Reported", 6, 0, None, false), None);
        assert_eq!(of("Reported", 0, 9, Some(10), false), Some(200), "unknown is medium");
        assert_eq!(of("Answered", 2, 0, None, false), Some(-100));
        assert_eq!(of("Opened Email", 0, 0, None, false), Some(0));
        assert_eq!(of("Opened Email", 5, 0, None, false), Some(-100));
        assert_eq!(of("Joined Training", 5, 0, Some(DAY_S - 1), false), Some(100));
        assert_eq!(of("Joined Training", 5, 0, Some(DAY_S), false), Some(0));
        assert_eq!(of("Joined Training", 5, 0, Some(3 * DAY_S), false), Some(-50));
        assert_eq!(of("Joined Training", 5, 0, None, false), Some(0));
    }

    #[test]
    fn failed_actions_are_those_of_the_catalogue() {
        let failed = Action::ALL.iter().filter(|action| action.failed());
        let numbers: Vec<u8> = failed.map(|action| action.number()).collect();
        assert_eq!(numbers, [0, 1, 2, 3, 5, 6, 8, 9, 11, 13]);
    }

    #[test]
    fn possible_points_are_those_of_the_best_outcome() {
        assert_eq!(possible(Product::QUISHING, Some(Difficulty::HARD)), 400);
        assert_eq!(possible(Product::PHISHING, None), 200);
        assert_eq!(possible(Product::AWARENESS, None), 450);
        assert_eq!(possible(Product::INCIDENT, Some(Difficulty::EASY)), 500);
        assert_eq!(Action::OPENED_EMAIL.usual_product(), Product::PHISHING);
        assert_eq!(Action::JOINED_TRAINING.usual_product(), Product::AWARENESS);
        assert_eq!(Action::VISHED.usual_product(), Product::VISHING);
    }
}
