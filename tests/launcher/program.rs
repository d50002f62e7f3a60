//! Another program that uses a server: `jari postgres-child run`. Never outlives its test.

use std::cell::RefCell;
use std::io::{BufRead, BufReader};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

pub struct Program {
    child: RefCell<Child>,
    output: RefCell<BufReader<ChildStdout>>,
    pid: Pid,
}

impl Program {
    /// Starts it, in a process group of its own, as a shell does.
    pub fn run(data_dir: &Path) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_jari"));
        command
            .args(["postgres-child", "run"])
            .arg(data_dir)
            .process_group(0)
            .stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let output = RefCell::new(BufReader::new(child.stdout.take().unwrap()));
        let pid = Pid::from_child(&child);
        Self {
            child: RefCell::new(child),
            output,
            pid,
        }
    }

    /// The next line it prints; the first comes when the server is ready.
    pub fn line(&self) -> String {
        let mut line = String::new();
        self.output.borrow_mut().read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    pub fn ends_after(&self, signal: Signal) -> ExitStatus {
        kill_process(self.pid, signal).unwrap();
        self.child.borrow_mut().wait().unwrap()
    }

    pub fn group_ends_after(&self, signal: Signal) -> ExitStatus {
        kill_process_group(self.pid, signal).unwrap();
        let status = self.child.borrow_mut().wait().unwrap();
        assert_eq!(status.signal(), None, "it ended by itself");
        status
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // Ended already, as a rule.
        let _ = self.child.borrow_mut().kill();
        let _ = self.child.borrow_mut().wait();
    }
}
