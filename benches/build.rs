//! Builds the C++ structure that the index is compared with, and notes the compilers' versions.
//!
//! What it is not: needed for lints and documentation; a machine without a C++ compiler fails only
//! where the programs are linked, and the warning printed here says why. Cost: one small file.

use std::env;
use std::process::Command;

const SOURCE: &str = "src/cpp/order_tree.cpp";

fn main() {
    println!("cargo:rerun-if-changed={SOURCE}");
    let mut build = cc::Build::new();
    build.cpp(true).std("c++17").opt_level(3).flag("-Wall").file(SOURCE);
    if let Err(error) = build.try_compile("order_tree") {
        println!("cargo:warning=the benches need a C++ compiler (Debian: apt-get install g++)");
        println!("cargo:warning={error}");
    }
    let cpp = build.try_get_compiler().ok().and_then(|tool| first_line(&mut tool.to_command()));
    println!("cargo:rustc-env=CPP_VERSION={}", cpp.unwrap_or_default());
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    println!(
        "cargo:rustc-env=RUSTC_VERSION={}",
        first_line(&mut Command::new(rustc)).unwrap_or_default()
    );
}

/// The first line of what a compiler says of its version.
fn first_line(compiler: &mut Command) -> Option<String> {
    let output = compiler.arg("--version").output().ok()?;
    Some(String::from_utf8_lossy(&output.stdout).lines().next()?.to_owned())
}
