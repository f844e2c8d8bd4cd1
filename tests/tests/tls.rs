//! Goal: what the README does over HTTP works over HTTPS, with a certificate that the client can
//! verify and with no other. Method: the real program on both sides, and a certificate that is made
//! for the test.

use std::path::Path;
use std::process::{Command, Output};

use rankd_e2e::{Server, command, texts};

/// Makes a certificate for this machine, and its key.
fn certificate(folder: &Path, name: &str) -> [String; 2] {
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]);
    let made = made.expect("a legal name");
    let path = |end: &str| folder.join(format!("{name}.{end}"));
    std::fs::write(path("cert"), made.cert.pem()).expect("the folder is ours");
    std::fs::write(path("key"), made.signing_key.serialize_pem()).expect("the folder is ours");
    ["cert", "key"].map(|end| path(end).to_str().expect("a test's folder is UTF-8").to_owned())
}

/// A command of a client that trusts this certificate and no other.
fn trusting(cert: &str, arguments: &[&str]) -> Command {
    let mut command = command(arguments);
    command.env("SSL_CERT_FILE", cert).env_remove("SSL_CERT_DIR");
    command
}

fn run(mut command: Command) -> Output {
    command.output().expect("rankd can be started")
}

#[test]
fn the_command_line_works_over_https_if_it_can_verify_the_certificate() {
    let folder = tempfile::tempdir().expect("a folder");
    let [cert, key] = certificate(folder.path(), "own");
    let [other, _] = certificate(folder.path(), "other");
    let data = folder.path().join("data");
    let arguments = ["--tls-cert", &*cert, "--tls-key", &*key];
    let server = Server::start_with("serve", &data, &arguments);
    assert!(server.url.starts_with("https://"), "{}", server.url);

    let scores = folder.path().join("scores.csv");
    std::fs::write(&scores, "member,score\nada,7\nbob,9\n").expect("the folder is ours");
    let scores = scores.to_str().expect("a test's folder is UTF-8");
    let import = ["import", "--server", &*server.url, "--board", "b", scores];
    let imported = run(trusting(&cert, &import));
    assert!(imported.status.success(), "{}", texts(&imported).1);
    let top = run(trusting(&cert, &["top", "b", "--server", &*server.url]));
    let (said, _) = texts(&top);
    let (bob, ada) = (said.find("bob"), said.find("ada"));
    assert!(top.status.success() && bob.is_some() && bob < ada, "{said}");

    let refused = run(trusting(&other, &["top", "b", "--server", &*server.url]));
    let (_, error) = texts(&refused);
    assert_eq!(refused.status.code(), Some(1), "{error}");
    assert!(error.contains("certificate"), "{error}");
}
