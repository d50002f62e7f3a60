//! The `jari` binary: hands its arguments to the library and nothing else.

use std::process::ExitCode;

fn main() -> ExitCode {
    jari::cli::main(std::env::args_os())
}
