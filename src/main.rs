//! The `jari` binary: hands its arguments to the library and nothing else.

use std::process::ExitCode;

fn main() -> ExitCode {
    jari::postgres::child::dispatch(std::env::args_os()).unwrap_or(ExitCode::SUCCESS)
}
