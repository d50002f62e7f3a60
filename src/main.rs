//! The `jari` binary: hands its arguments to the library and nothing else; never does anything of its own.

use std::process::ExitCode;

fn main() -> ExitCode {
    jari::cli::main(std::env::args_os())
}
