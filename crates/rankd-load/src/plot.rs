//! Reports as a picture: latency by percentile, and latency over time, as SVG written by hand.
//!
//! Invariant: the picture needs nothing from elsewhere, and any report can be drawn, an empty one
//! too. Cost: some hundred points.

use std::fmt::Write as _;

use crate::report::Report;

const WIDTH: f64 = 900.0;
const HEIGHT: f64 = 640.0;
/// The left and right edges of both panels.
const LEFT: f64 = 80.0;
const RIGHT: f64 = 870.0;
/// One colour a report, told apart also without colour vision.
const COLOURS: [&str; 6] = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9"];
/// Percentiles with a label.
const PERCENTILES: [(f64, &str); 7] = [
    (0.0, "0"),
    (50.0, "50"),
    (90.0, "90"),
    (99.0, "99"),
    (99.9, "99.9"),
    (99.99, "99.99"),
    (99.999, "99.999"),
];

/// A rectangle of the picture with a logarithmic axis of latencies.
struct Panel {
    top: f64,
    bottom: f64,
    /// Powers of ten of microseconds at the lower and the upper edge.
    decades: (f64, f64),
}

impl Panel {
    fn y(&self, latency_us: f64) -> f64 {
        let (low, high) = self.decades;
        let place = (latency_us.max(0.1).log10().clamp(low, high) - low) / (high - low);
        self.bottom - place * (self.bottom - self.top)
    }
}

/// Draws the reports into one picture.
#[must_use]
pub fn plot(reports: &[&Report]) -> String {
    let mut out = String::new();
    let size = format!("width=\"{WIDTH}\" height=\"{HEIGHT}\" viewBox=\"0 0 {WIDTH} {HEIGHT}\"");
    line(&mut out, &format!("<svg xmlns=\"http://www.w3.org/2000/svg\" {size}>"));
    line(&mut out, "<style>text{font:12px sans-serif;fill:#333}</style>");
    line(&mut out, "<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>");
    let decades = decades(reports);
    by_percentile(&mut out, reports, &Panel { top: 60.0, bottom: 300.0, decades });
    over_time(&mut out, reports, &Panel { top: 360.0, bottom: 590.0, decades });
    for (index, report) in reports.iter().enumerate() {
        legend(&mut out, index, report);
    }
    line(&mut out, "</svg>");
    out
}

fn by_percentile(out: &mut String, reports: &[&Report], panel: &Panel) {
    frame(out, panel, "latency by percentile");
    let nines = |percentile: f64| -(1.0 - (percentile / 100.0).min(1.0 - 1e-6)).log10();
    let x = |percentile: f64| LEFT + nines(percentile) / 6.0 * (RIGHT - LEFT);
    for (percentile, text) in PERCENTILES {
        tick(out, panel, x(percentile), text);
    }
    for (report, colour) in reports.iter().zip(COLOURS.iter().cycle()) {
        let points = report.percentiles.iter().map(|p| (x(p.percentile), panel.y(p.latency_us)));
        curve(out, points, colour, "");
    }
}

fn over_time(out: &mut String, reports: &[&Report], panel: &Panel) {
    frame(out, panel, "latency over time: p99 (line), p50 (dashes)");
    let ends = reports.iter().filter_map(|report| report.intervals.last());
    let end_s = ends.map(|interval| interval.at_s).fold(1.0, f64::max);
    let x = |at_s: f64| LEFT + at_s / end_s * (RIGHT - LEFT);
    for share in [0.0, 0.25, 0.5, 0.75, 1.0] {
        tick(out, panel, x(share * end_s), &format!("{:.1} s", share * end_s));
    }
    for (report, colour) in reports.iter().zip(COLOURS.iter().cycle()) {
        let at = |latency: fn(&crate::report::Interval) -> f64| {
            report.intervals.iter().map(move |i| (x(i.at_s), panel.y(latency(i))))
        };
        curve(out, at(|interval| interval.p99_us), colour, "");
        curve(out, at(|interval| interval.p50_us), colour, " stroke-dasharray=\"5 4\"");
    }
}

/// The powers of ten that hold every latency of the reports.
fn decades(reports: &[&Report]) -> (f64, f64) {
    let curves = reports.iter().flat_map(|report| &report.percentiles);
    let spans = reports.iter().flat_map(|report| &report.intervals);
    let values = curves.map(|p| p.latency_us).chain(spans.flat_map(|i| [i.p50_us, i.p99_us]));
    let logs: Vec<_> = values.filter(|us| *us > 0.0).map(f64::log10).collect();
    let low = logs.iter().copied().fold(f64::INFINITY, f64::min).floor();
    let high = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max).ceil();
    if low < high { (low, high) } else { (1.0, 4.0) }
}

/// A panel's border, its title, and a line for each power of ten.
fn frame(out: &mut String, panel: &Panel, title: &str) {
    let Panel { top, bottom, decades: (low, high) } = *panel;
    line(out, &format!("<text x=\"{LEFT}\" y=\"{:.1}\">{title}</text>", top - 8.0));
    let mut decade = low;
    while decade <= high {
        let us = 10_f64.powf(decade);
        let y = panel.y(us);
        rule(out, (LEFT, y), (RIGHT, y));
        let text = if us >= 1e6 {
            format!("{} s", us / 1e6)
        } else if us >= 1e3 {
            format!("{} ms", us / 1e3)
        } else {
            format!("{us} us")
        };
        let place = format!("x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\"", LEFT - 6.0, y + 4.0);
        line(out, &format!("<text {place}>{text}</text>"));
        decade += 1.0;
    }
    rule(out, (LEFT, top), (LEFT, bottom));
    rule(out, (RIGHT, top), (RIGHT, bottom));
}

fn tick(out: &mut String, panel: &Panel, x: f64, text: &str) {
    rule(out, (x, panel.top), (x, panel.bottom));
    let place = format!("x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\"", panel.bottom + 16.0);
    line(out, &format!("<text {place}>{text}</text>"));
}

fn rule(out: &mut String, (x1, y1): (f64, f64), (x2, y2): (f64, f64)) {
    let ends = format!("x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\"");
    line(out, &format!("<line {ends} stroke=\"#ddd\"/>"));
}

fn curve(out: &mut String, points: impl Iterator<Item = (f64, f64)>, colour: &str, dashes: &str) {
    let mut list = String::new();
    for (x, y) in points {
        let _ = write!(list, "{x:.1},{y:.1} ");
    }
    let look = format!("fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"{dashes}");
    line(out, &format!("<polyline points=\"{}\" {look}/>", list.trim_end()));
}

fn legend(out: &mut String, index: usize, report: &Report) {
    let colour = COLOURS.iter().cycle().nth(index).unwrap_or(&"#000");
    let text = format!(
        "{} ({}, {}, {} connections): {:.0} requests/s",
        report.target, report.workload, report.pace, report.connections, report.requests_per_s
    );
    #[expect(clippy::cast_precision_loss, reason = "a handful of reports")]
    let y = 20.0 + 16.0 * index as f64;
    let mark = format!("x=\"{LEFT}\" y=\"{:.1}\" width=\"10\" height=\"10\"", y - 9.0);
    line(out, &format!("<rect {mark} fill=\"{colour}\"/>"));
    let place = format!("x=\"{:.1}\" y=\"{y:.1}\"", LEFT + 16.0);
    line(out, &format!("<text {place}>{}</text>", escaped(&text)));
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn line(out: &mut String, text: &str) {
    out.push_str(text);
    out.push('\n');
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::mix::Operation;
    use crate::plan::Plan;
    use crate::recorder::Tally;
    use crate::report::Interval;
    use crate::target::Target;

    fn report(latencies_us: &[u64]) -> Report {
        let mut tally = Tally::default();
        for us in latencies_us {
            tally.latency(Operation::Rank, Duration::from_micros(*us));
        }
        let second = Duration::from_secs(1);
        let intervals = vec![Interval::new(second, second, &tally)];
        let plan = Plan { path: Some("/a&<b>".to_owned()), ..Plan::default() };
        let target = Target::parse("http://localhost:1").unwrap();
        Report::new(&target, &plan, &tally, intervals, None)
    }

    /// The y of every point of the picture's `index`-th curve.
    fn heights(svg: &str, index: usize) -> Vec<f64> {
        let curve = svg.split("<polyline points=\"").nth(index + 1).unwrap();
        let points = curve.split('"').next().unwrap().split(' ').filter(|point| !point.is_empty());
        points.map(|point| point.split_once(',').unwrap().1.parse().unwrap()).collect()
    }

    #[test]
    fn a_decade_is_as_high_as_the_next() {
        // The axis is from 10 us to 10 ms, three decades on 240 points.
        let svg = plot(&[&report(&[11, 110, 1100, 9000])]);
        let mut heights = heights(&svg, 0);
        heights.dedup_by(|a, b| (*a - *b).abs() < 1.0);
        assert_eq!(heights.len(), 4, "{heights:?}");
        assert!((heights[0] - heights[1] - 80.0).abs() < 1.0, "{heights:?}");
        assert!((heights[1] - heights[2] - 80.0).abs() < 1.0, "{heights:?}");
        assert!(svg.contains("10 us") && svg.contains("10 ms"), "{svg}");
        assert!(svg.contains("/a&amp;&lt;b&gt;"), "{svg}");
    }

    #[test]
    fn nothing_can_be_drawn_as_well() {
        let svg = plot(&[&report(&[]), &report(&[5])]);
        assert_eq!(svg.matches("<polyline").count(), 6);
        assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
        assert!(plot(&[]).ends_with("</svg>\n"));
    }
}
