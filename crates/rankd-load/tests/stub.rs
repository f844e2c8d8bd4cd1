//! Load tests against servers whose delays are known: what was put in has to come out.

use std::future::Future;
use std::time::Duration;

use rankd_load::{LoadError, Mix, Operation, Pace, Plan, Prepared, Target, prepare, run};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// How a stub treats the requests of a connection, which are counted from 1.
#[derive(Clone, Copy)]
struct Stub {
    /// What ends a request.
    mark: &'static str,
    answer: &'static str,
    /// This request of a connection is answered late.
    stalls_at: Option<(usize, Duration)>,
    /// The connection is closed after so many.
    closes_after: Option<usize>,
}

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";
const HTTP: Stub = Stub { mark: "\r\n\r\n", answer: OK, stalls_at: None, closes_after: None };

/// Serves on a free port for as long as `work` takes, on threads of its own.
fn with_stub<T>(stub: Stub, scheme: &str, work: impl AsyncFnOnce(Target) -> T) -> T {
    let server = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .expect("a runtime");
    let listener = server.block_on(TcpListener::bind("127.0.0.1:0")).expect("a free port");
    let url = format!("{scheme}://{}", listener.local_addr().expect("it is bound"));
    server.spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stub, stream));
        }
    });
    block_on(work(Target::parse(&url).expect("a legal URL")))
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime")
        .block_on(future)
}

async fn serve(stub: Stub, mut stream: TcpStream) {
    let (mut input, mut answered) = (String::new(), 0);
    let mut bytes = [0; 4096];
    while let Ok(count @ 1..) = stream.read(&mut bytes).await {
        input.push_str(std::str::from_utf8(&bytes[..count]).expect("ASCII"));
        while let Some(end) = input.find(stub.mark) {
            input.drain(..end + stub.mark.len());
            answered += 1;
            if let Some((at, delay)) = stub.stalls_at
                && at == answered
            {
                tokio::time::sleep(delay).await;
            }
            stream.write_all(stub.answer.as_bytes()).await.expect("a client that reads");
            if stub.closes_after == Some(answered) {
                return;
            }
        }
    }
}

fn plan() -> Plan {
    Plan {
        connections: 1,
        pipeline: 1000,
        warmup: Duration::ZERO,
        duration: Duration::from_secs(2),
        path: Some("/".to_owned()),
        ..Plan::default()
    }
}

/// A stall of 800 ms in 2 s at a fixed rate: 4 of 10 requests were due in it, and waited 800 ms
/// and less in even steps. So one in five waited more than 400 ms, and half of all did not wait.
#[test]
fn an_open_loop_counts_what_a_stall_keeps_waiting() {
    let stub = Stub { stalls_at: Some((500, Duration::from_millis(800))), ..HTTP };
    let plan = Plan { pace: Pace::Open { rate_per_s: 1000 }, ..plan() };
    let report = with_stub(stub, "http", async |target| run(&target, &plan, |_| ()).await);
    let report = report.unwrap();
    assert_eq!(report.latency.count, 2000, "every request that was due is counted");
    assert_eq!((report.errors, report.unanswered), (0, 0));
    let curve = &report.percentiles;
    let at = |percentile: f64| {
        curve.iter().find(|point| point.percentile >= percentile).unwrap().latency_us / 1e3
    };
    assert!(report.latency.max_us >= 800e3, "{:?}", report.latency);
    assert!((350.0..560.0).contains(&at(80.0)), "{curve:?}");
    assert!(report.latency.p50_us < 200e3, "{:?}", report.latency);
}

/// The same stall in a closed loop keeps one request waiting, and the test hardly notices.
#[test]
fn a_closed_loop_notices_a_stall_once() {
    let stub = Stub { stalls_at: Some((500, Duration::from_millis(800))), ..HTTP };
    let plan = Plan { pipeline: 1, ..plan() };
    let report = with_stub(stub, "http", async |target| run(&target, &plan, |_| ()).await);
    let report = report.unwrap();
    assert!(report.latency.max_us >= 800e3 && report.latency.p90_us < 200e3, "{report:?}");
    assert!(report.requests > 1000, "{report:?}");
    assert_eq!(report.intervals.len(), 2);
}

/// A server that never answers: what was due had waited until the end, and a bit.
#[test]
fn what_is_never_answered_is_counted_as_waiting() {
    let stub = Stub { stalls_at: Some((1, Duration::from_secs(600))), ..HTTP };
    let pace = Pace::Open { rate_per_s: 100 };
    let plan = Plan { pace, pipeline: 5, duration: Duration::from_secs(1), ..plan() };
    let report = with_stub(stub, "http", async |target| run(&target, &plan, |_| ()).await);
    let report = report.unwrap();
    assert_eq!((report.requests, report.unanswered, report.latency.count), (0, 100, 100));
    assert!(report.latency.p50_us >= 450e3, "{:?}", report.latency);
}

#[test]
fn a_connection_that_ends_is_made_again() {
    let stub = Stub { closes_after: Some(10), ..HTTP };
    let plan = Plan { pipeline: 1, duration: Duration::from_secs(1), ..plan() };
    let report = with_stub(stub, "http", async |target| run(&target, &plan, |_| ()).await);
    let report = report.unwrap();
    assert!(report.reconnects > 0, "{report:?}");
    assert!(report.requests > 10 && report.requests <= 10 * (report.reconnects + 1));
}

#[test]
fn refusals_are_errors_and_the_first_is_shown() {
    let answer = "HTTP/1.1 503 x\r\ncontent-length: 9\r\n\r\ntoo busy\n";
    let plan = Plan { pipeline: 1, duration: Duration::from_secs(1), ..plan() };
    let stub = Stub { answer, ..HTTP };
    let report = with_stub(stub, "http", async |target| run(&target, &plan, |_| ()).await);
    let report = report.unwrap();
    assert_eq!((report.requests, report.first_error.as_deref()), (0, Some("too busy")));
    assert!(report.errors > 0);
}

/// In Redis' protocol a bulk read is so many answers, and `around` two requests one by one.
#[test]
fn operations_of_several_answers_are_counted_once() {
    // Every command of these mixes names the board once.
    let stub = Stub { mark: "rankd-bench\r\n", answer: ":7\r\n", ..HTTP };
    for (operation, answers) in [(Operation::Bulk, 4), (Operation::Around, 2)] {
        let plan = Plan {
            path: None,
            mix: Mix::only(operation),
            bulk: 4,
            pipeline: 3,
            pace: Pace::Open { rate_per_s: 200 },
            duration: Duration::from_secs(1),
            ..plan()
        };
        let report = with_stub(stub, "redis", async |target| run(&target, &plan, |_| ()).await);
        let report = report.unwrap();
        assert_eq!(report.latency.count, 200, "{answers} answers each: {report:?}");
        assert_eq!(report.errors, 0);
    }
}

#[test]
fn a_board_is_filled_once_and_never_mixed() {
    let stub = Stub { mark: "rankd-bench\r\n", answer: ":30\r\n", ..HTTP };
    let plan = Plan { path: None, members: 30, ..plan() };
    let other = Plan { members: 31, ..plan.clone() };
    let (ready, refused) = with_stub(stub, "redis", async |target| {
        (prepare(&target, &plan, |_| ()).await, prepare(&target, &other, |_| ()).await)
    });
    assert_eq!(ready.unwrap(), Prepared::Ready);
    let text = refused.unwrap_err().to_string();
    assert!(text.contains("has 30 members and the test wants 31"), "{text}");
}

#[test]
fn what_answers_otherwise_is_told_before_the_test() {
    let plan = Plan { path: None, ..plan() };
    for (answer, expected) in [
        ("-NOAUTH please\r\n", "refused to tell the board's size: NOAUTH please"),
        ("+OK\r\n", "does not tell the board's size"),
        ("HTTP/1.1 400\r\n", "a type that RESP does not have"),
    ] {
        let stub = Stub { mark: "rankd-bench\r\n", answer, ..HTTP };
        let error = with_stub(stub, "redis", async |target| prepare(&target, &plan, |_| ()).await);
        let text = error.unwrap_err().to_string();
        assert!(text.contains(expected), "{text}");
    }
}

#[test]
fn nobody_there_is_told() {
    // The port was free a moment ago, and a listener that is dropped leaves it so.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let target = Target::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    drop(listener);
    let error = block_on(run(&target, &plan(), |_| ())).unwrap_err();
    assert!(matches!(error, LoadError::Connect { .. }), "{error}");
    assert!(error.to_string().contains("cannot connect to 127.0.0.1:"), "{error}");
}
