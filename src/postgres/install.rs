//! Installs the server package with the system's package manager where no server is installed. Never
//! downloads anything itself, never leaves the system's own database cluster running.

use std::io::{self, BufRead, IsTerminal, Write};
use std::os::fd::AsFd;
use std::path::Path;
use std::process::{Command, Stdio};

use super::{Binaries, LaunchError, MAJOR_MIN, Search};

/// Debian makes and starts a cluster with every new server version, unless told before.
const DEBIAN_DROP_IN: &str = "/etc/postgresql-common/createcluster.d/jari.conf";

/// A package manager that we know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manager {
    /// Debian, Ubuntu.
    Apt,
    /// Fedora, RHEL.
    Dnf,
    /// Alpine.
    Apk,
    /// Homebrew: macOS, some Linux.
    Brew,
}

/// With what right a package can be installed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rights {
    /// We are root.
    Root,
    /// `sudo` asks no password.
    Sudo,
    /// `sudo` asks for a password, and a person is there to type it.
    Password,
    /// None.
    None,
}

impl Manager {
    const ALL: [Self; 4] = [Self::Apt, Self::Dnf, Self::Apk, Self::Brew];

    fn program(self) -> &'static str {
        match self {
            Self::Apt => "apt-get",
            Self::Dnf => "dnf",
            Self::Apk => "apk",
            Self::Brew => "brew",
        }
    }

    /// The first that this system has.
    fn find(search: &Search) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|manager| search.program(manager.program()).is_some())
    }

    /// What to run, in order, each as a program with its arguments. `None` without the rights.
    #[must_use]
    pub fn install_commands(self, rights: Rights) -> Option<Vec<Vec<String>>> {
        let prefix: &[&str] = match (self, rights) {
            // Homebrew installs for the user who owns it, and refuses root.
            (Self::Brew, Rights::Sudo | Rights::Password | Rights::None)
            | (Self::Apt | Self::Dnf | Self::Apk, Rights::Root) => &[],
            (Self::Apt | Self::Dnf | Self::Apk, Rights::Sudo) => &["sudo", "-n"],
            (Self::Apt | Self::Dnf | Self::Apk, Rights::Password) => &["sudo"],
            (Self::Apt | Self::Dnf | Self::Apk, Rights::None) | (Self::Brew, Rights::Root) => return None,
        };
        let drop_in = format!(
            "mkdir -p {} && echo create_main_cluster = false > {DEBIAN_DROP_IN}",
            Path::new(DEBIAN_DROP_IN)
                .parent()
                .unwrap_or(Path::new("/"))
                .display()
        );
        let commands: Vec<Vec<&str>> = match self {
            Self::Apt => vec![
                vec!["sh", "-c", &drop_in],
                vec!["apt-get", "-o", "DPkg::Lock::Timeout=300", "update"],
                vec![
                    "env",
                    "DEBIAN_FRONTEND=noninteractive",
                    "apt-get",
                    "-o",
                    "DPkg::Lock::Timeout=300",
                    "install",
                    "--yes",
                    "--no-install-recommends",
                    "postgresql",
                ],
                // It has done its work; the system's own habits come back.
                vec!["rm", "-f", DEBIAN_DROP_IN],
            ],
            Self::Dnf => vec![vec!["dnf", "install", "--assumeyes", "postgresql-server"]],
            Self::Apk => vec![vec!["apk", "add", "--update-cache", "postgresql"]],
            Self::Brew => vec![vec!["brew", "install", "postgresql@17"]],
        };
        let words = |command: Vec<&str>| prefix.iter().copied().chain(command).map(str::to_owned).collect();
        Some(commands.into_iter().map(words).collect())
    }

    /// The one command a person would type.
    fn by_hand(self) -> String {
        let sudo = if rustix::process::geteuid().is_root() {
            ""
        } else {
            "sudo "
        };
        match self {
            Self::Apt => format!("{sudo}apt-get update && {sudo}apt-get install postgresql"),
            Self::Dnf => format!("{sudo}dnf install postgresql-server"),
            Self::Apk => format!("{sudo}apk add postgresql"),
            Self::Brew => "brew install postgresql@17".to_owned(),
        }
    }
}

/// What the caller wants done where no server is installed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consent {
    /// Never install; name the command (`--no-install`).
    Refused,
    /// Ask on a terminal, go ahead elsewhere.
    AskOnTerminal,
}

/// Whom to ask and to tell.
pub struct Dialogue<'a> {
    /// Whether a person sits there.
    pub terminal: bool,
    /// Where the answer comes from.
    pub input: &'a mut dyn BufRead,
    /// Where the question and the news go.
    pub output: &'a mut dyn Write,
}

/// Finds server binaries, or installs them, asking and telling on standard input and error.
pub fn ensure_installed(search: &Search, consent: Consent) -> Result<Binaries, LaunchError> {
    let terminal = io::stdin().is_terminal() && io::stderr().is_terminal();
    let mut dialogue = Dialogue {
        terminal,
        input: &mut io::stdin().lock(),
        output: &mut io::stderr(),
    };
    ensure_installed_with(search, consent, &mut dialogue)
}

/// The same with a dialogue of the caller's.
pub fn ensure_installed_with(
    search: &Search,
    consent: Consent,
    dialogue: &mut Dialogue<'_>,
) -> Result<Binaries, LaunchError> {
    if let Some(binaries) = Binaries::find(search, None) {
        return Ok(binaries);
    }
    let manager = Manager::find(search);
    let refused = |reason: &str| refusal(manager, reason);
    match consent {
        Consent::Refused => return Err(refused(", and --no-install forbids installing it")),
        Consent::AskOnTerminal => {}
    }
    let Some(manager) = manager else {
        return Err(refused(", and no package manager that Jari knows was found"));
    };
    let root = rustix::process::geteuid().is_root();
    let Some(commands) = manager.install_commands(rights(search, root, dialogue.terminal)) else {
        return Err(refused(
            ", and installing it needs rights that this process lacks",
        ));
    };
    if dialogue.terminal {
        let question = format!(
            "PostgreSQL {MAJOR_MIN} or newer is not installed. Install it now with `{}`? [y/N] ",
            manager.by_hand()
        );
        if !asked(dialogue, &question).map_err(LaunchError::io("asking"))? {
            return Err(refused(""));
        }
    } else {
        let news = format!(
            "PostgreSQL is not installed: installing it with {}",
            manager.program()
        );
        writeln!(dialogue.output, "{news}").map_err(LaunchError::io("telling"))?;
    }
    run_all(search, &commands, dialogue.terminal)?;
    Binaries::find(search, None).ok_or_else(|| {
        LaunchError::InstallFailed(format!("this system's package is older than version {MAJOR_MIN}"))
    })
}

/// Runs the commands. A failed one ends it, but for the last, which only cleans up.
fn run_all(search: &Search, commands: &[Vec<String>], terminal: bool) -> Result<(), LaunchError> {
    let mut result = Ok(());
    for (at, words) in commands.iter().enumerate() {
        let cleans_up = at > 0 && at + 1 == commands.len();
        if result.is_ok() || cleans_up {
            result = result.and(run(search, words, terminal));
        }
    }
    result
}

fn run(search: &Search, words: &[String], terminal: bool) -> Result<(), LaunchError> {
    let line = words.join(" ");
    let failed = || LaunchError::io(line.clone());
    let Some((program, arguments)) = words.split_first() else {
        return Ok(());
    };
    let program = search.program(program).unwrap_or_else(|| program.into());
    // Standard output is for our own answers.
    let output = io::stderr().as_fd().try_clone_to_owned().map_err(failed())?;
    // A password is typed on the terminal.
    let input = if terminal { Stdio::inherit() } else { Stdio::null() };
    let mut command = Command::new(program);
    command
        .args(arguments)
        .env("PATH", search.path())
        .stdin(input)
        .stdout(output);
    let status = command.status().map_err(failed())?;
    status
        .success()
        .then_some(())
        .ok_or_else(|| LaunchError::InstallFailed(format!("`{line}` ended with {status}")))
}

/// With what right this process can install packages, as root or not, with a person at a terminal or not.
#[must_use]
pub fn rights(search: &Search, root: bool, terminal: bool) -> Rights {
    if root {
        return Rights::Root;
    }
    let Some(sudo) = search.program("sudo") else {
        return Rights::None;
    };
    let mut command = Command::new(sudo);
    command
        .args(["-n", "true"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    if command.status().is_ok_and(|status| status.success()) {
        Rights::Sudo
    } else if terminal {
        Rights::Password
    } else {
        Rights::None
    }
}

fn asked(dialogue: &mut Dialogue<'_>, question: &str) -> io::Result<bool> {
    dialogue.output.write_all(question.as_bytes())?;
    dialogue.output.flush()?;
    let mut answer = String::new();
    dialogue.input.read_line(&mut answer)?;
    Ok(matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
}

/// The error for a server that is needed but not there.
pub(super) fn missing(search: &Search) -> LaunchError {
    refusal(Manager::find(search), "")
}

fn refusal(manager: Option<Manager>, reason: &str) -> LaunchError {
    let unknown = || "your system's package manager (package: PostgreSQL server)".to_owned();
    let command = manager.map_or_else(unknown, Manager::by_hand);
    LaunchError::NotInstalled {
        reason: reason.to_owned(),
        command,
    }
}
