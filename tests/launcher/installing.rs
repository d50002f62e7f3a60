//! Where no server is installed, one is, or the one command is named. Runs only package managers that the
//! test made itself.

use std::fs;
use std::io::{BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use jari::postgres::install::{Consent, Dialogue, Manager, Rights, ensure_installed_with, rights};
use jari::postgres::{Binaries, Cluster, LaunchError, Search};
use rstest::rstest;

use super::scratch::Scratch;
use crate::support::process::program;

/// A machine without PostgreSQL, whose package manager notes what it is told and "installs" by linking.
struct Machine {
    scratch: Scratch,
    tools: PathBuf,
    installed: PathBuf,
}

impl Machine {
    fn new(manager: &str) -> Self {
        let scratch = Scratch::new();
        let (tools, installed) = (scratch.path().join("tools"), scratch.path().join("installed"));
        fs::create_dir(&tools).unwrap();
        fs::create_dir(&installed).unwrap();
        let real = Binaries::find(&Search::system(), None).unwrap();
        let script = format!(
            "#!/bin/sh\necho \"${{0##*/}} $*\" >> {log}\ncase \" $* \" in *' install '*) \
             /bin/ln -sf {real}/postgres {real}/initdb {installed}/;; esac\n",
            log = scratch.path().join("commands").display(),
            real = real.directory().display(),
            installed = installed.display(),
        );
        for tool in [manager, "sh", "env", "rm", "sudo"] {
            write_program(&tools.join(tool), &script);
        }
        Self {
            scratch,
            tools,
            installed,
        }
    }

    fn search(&self) -> Search {
        Search::only(&[&self.tools, &self.installed])
    }

    fn ensure(&self, consent: Consent, answer: Option<&str>) -> (Result<Binaries, LaunchError>, String) {
        let mut output = Vec::new();
        let mut input = BufReader::new(answer.unwrap_or_default().as_bytes());
        let mut dialogue = Dialogue {
            terminal: answer.is_some(),
            input: &mut input,
            output: &mut output,
        };
        let result = ensure_installed_with(&self.search(), consent, &mut dialogue);
        (result, String::from_utf8(output).unwrap())
    }

    fn commands(&self) -> String {
        fs::read_to_string(self.scratch.path().join("commands")).unwrap_or_default()
    }

    /// The commands but for the question whether `sudo` needs a password.
    fn changes(&self) -> Vec<String> {
        self.commands()
            .lines()
            .filter(|line| *line != "sudo -n true")
            .map(str::to_owned)
            .collect()
    }
}

/// Written by a process of its own: a child that another test starts meanwhile would inherit the open file, and a file
/// that is open for writing cannot be run.
fn write_program(path: &Path, script: &str) {
    let mut writer = Command::new("/bin/sh")
        .args(["-c", "cat > \"$1\" && chmod 755 \"$1\"", "sh"])
        .arg(path)
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    writer.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
    assert!(writer.wait().unwrap().success());
}

fn is_unavailable(error: &LaunchError) -> bool {
    format!("{:?}", error.exit_code()) == format!("{:?}", ExitCode::from(69))
}

#[test]
fn without_a_terminal_the_server_is_installed_at_once_and_it_is_said() {
    let machine = Machine::new("apt-get");
    let (result, said) = machine.ensure(Consent::AskOnTerminal, None);
    assert_eq!(result.unwrap().directory(), machine.installed);
    assert_eq!(said, "PostgreSQL is not installed: installing it with apt-get\n");
    let changes = machine.changes();
    assert!(
        changes[0].contains("create_main_cluster = false"),
        "no cluster of the system's: {changes:?}"
    );
    assert!(changes[1].ends_with("update"), "{changes:?}");
    assert!(changes[2].ends_with("postgresql"), "{changes:?}");
    assert!(changes[3].contains("rm -f"), "{changes:?}");
}

#[rstest]
#[case("y\n", true)]
#[case("YES\n", true)]
#[case("\n", false)]
#[case("n\n", false)]
#[case("", false)]
fn on_a_terminal_only_a_yes_installs(#[case] answer: &str, #[case] installs: bool) {
    let machine = Machine::new("apt-get");
    let (result, said) = machine.ensure(Consent::AskOnTerminal, Some(answer));
    assert!(said.ends_with("[y/N] "), "{said}");
    assert_eq!(result.is_ok(), installs);
    assert_eq!(machine.changes().is_empty(), !installs);
}

#[rstest]
#[case("apt-get", "apt-get install postgresql")]
#[case("dnf", "dnf install postgresql-server")]
#[case("apk", "apk add postgresql")]
#[case("brew", "brew install postgresql@17")]
fn who_forbids_installing_is_told_the_command(#[case] manager: &str, #[case] command: &str) {
    let machine = Machine::new(manager);
    let (result, _) = machine.ensure(Consent::Refused, None);
    let error = result.unwrap_err();
    assert!(error.to_string().contains(command), "{error}");
    assert!(is_unavailable(&error));
    assert_eq!(machine.commands(), "");
}

#[tokio::test]
async fn starting_without_binaries_names_the_command_too() {
    let machine = Machine::new("apt-get");
    let mut settings = machine.scratch.settings();
    settings.search = machine.search();
    let error = Cluster::start(settings).await.unwrap_err();
    assert!(
        error.to_string().contains("apt-get install postgresql"),
        "{error}"
    );
    assert!(is_unavailable(&error));
}

#[test]
fn an_installed_server_is_left_as_it_is() {
    let machine = Machine::new("apt-get");
    machine.ensure(Consent::AskOnTerminal, None).0.unwrap();
    let before = machine.commands();
    assert_eq!(
        machine.ensure(Consent::Refused, None).0.unwrap().directory(),
        machine.installed
    );
    assert_eq!(machine.commands(), before);
}

#[test]
fn a_failing_package_manager_is_reported_and_cleaned_up_after() {
    let machine = Machine::new("apt-get");
    for tool in ["env", "sudo"] {
        // `sudo -n true` must still work.
        let script = fs::read_to_string(machine.tools.join(tool)).unwrap();
        let failing = format!(
            "{script}case \" $* \" in *' install '*) /bin/rm {}/*; exit 100;; esac\n",
            machine.installed.display()
        );
        write_program(&machine.tools.join(tool), &failing);
    }
    let error = machine.ensure(Consent::AskOnTerminal, None).0.unwrap_err();
    assert!(error.to_string().contains("100"), "{error}");
    assert!(is_unavailable(&error));
    assert!(machine.changes().last().unwrap().contains("rm -f"));
}

#[test]
fn a_machine_without_a_known_package_manager_is_told_what_is_missing() {
    let search = Search::only(&[Path::new("/nonexistent")]);
    let mut dialogue = Dialogue {
        terminal: false,
        input: &mut std::io::empty(),
        output: &mut std::io::sink(),
    };
    let error = ensure_installed_with(&search, Consent::AskOnTerminal, &mut dialogue).unwrap_err();
    assert!(error.to_string().contains("no package manager"), "{error}");
    assert!(is_unavailable(&error));
}

/// The program on this machine, and what it said when it could not start.
fn jari_on(machine: &Machine, more: &[&str]) -> std::process::Output {
    let path = std::env::join_paths([&machine.tools, &machine.installed]).unwrap();
    let mut command = program();
    command
        .env("JARI_PROGRAM_PATH", path)
        .args(["migrate", "--data-dir"])
        .arg(machine.scratch.path())
        .args(more);
    command.output().unwrap()
}

fn named_the_command(output: &std::process::Output, command: &str) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(69), "{said}");
    assert!(said.contains(command), "{said}");
    assert_eq!(output.stdout, b"");
}

#[test]
fn the_program_without_a_server_and_forbidden_to_install_names_the_command() {
    let machine = Machine::new("apt-get");
    let output = jari_on(&machine, &["--no-install"]);
    named_the_command(&output, "apt-get install postgresql");
    assert_eq!(machine.commands(), "");
    assert!(!machine.scratch.path().join("postgres").exists());
}

#[test]
fn the_program_without_the_rights_to_install_names_the_command() {
    // Homebrew refuses root, and everyone else lacks `sudo` here.
    let (manager, command) = if rustix::process::geteuid().is_root() {
        ("brew", "brew install postgresql@17")
    } else {
        ("apt-get", "sudo apt-get install postgresql")
    };
    let machine = Machine::new(manager);
    fs::remove_file(machine.tools.join("sudo")).unwrap();
    let output = jari_on(&machine, &[]);
    named_the_command(&output, command);
    assert!(String::from_utf8_lossy(&output.stderr).contains("needs rights that this process lacks"));
    assert_eq!(machine.commands(), "");
}

#[test]
fn the_program_starts_its_server_whatever_the_path_of_its_caller() {
    let scratch = Scratch::new();
    let output = program()
        .env("PATH", "/nonexistent")
        .args(["migrate", "--data-dir"])
        .arg(scratch.path())
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
}

#[rstest]
#[case(true, true, Rights::Root)]
#[case(false, false, Rights::None)]
#[case(false, true, Rights::Password)]
fn a_sudo_that_wants_a_password_is_of_use_where_somebody_can_type_it(
    #[case] root: bool,
    #[case] terminal: bool,
    #[case] found: Rights,
) {
    let machine = Machine::new("apt-get");
    let asks = "#!/bin/sh\ntest \"$1\" != -n\n";
    fs::write(machine.tools.join("sudo"), asks).unwrap();
    assert_eq!(rights(&machine.search(), root, terminal), found);
    let commands = Manager::Apt.install_commands(Rights::Password).unwrap();
    assert!(
        commands
            .iter()
            .all(|command| command[0] == "sudo" && command[1] != "-n")
    );
}

#[rstest]
#[case(Manager::Apt, Rights::Root, Some("apt-get"))]
#[case(Manager::Apt, Rights::Sudo, Some("sudo -n"))]
#[case(Manager::Apt, Rights::None, None)]
#[case(Manager::Dnf, Rights::Root, Some("dnf install --assumeyes postgresql-server"))]
#[case(Manager::Dnf, Rights::Sudo, Some("sudo -n dnf install"))]
#[case(Manager::Dnf, Rights::None, None)]
#[case(Manager::Apk, Rights::Root, Some("apk add --update-cache postgresql"))]
#[case(Manager::Apk, Rights::Sudo, Some("sudo -n apk add"))]
#[case(Manager::Apk, Rights::None, None)]
#[case(Manager::Brew, Rights::Root, None)]
#[case(Manager::Brew, Rights::Sudo, Some("brew install postgresql@17"))]
#[case(Manager::Brew, Rights::None, Some("brew install postgresql@17"))]
fn each_package_manager_is_called_in_its_own_way(
    #[case] manager: Manager,
    #[case] rights: Rights,
    #[case] contains: Option<&str>,
) {
    let commands = manager.install_commands(rights);
    let lines: Option<Vec<String>> =
        commands.map(|commands| commands.iter().map(|command| command.join(" ")).collect());
    assert_eq!(lines.is_some(), contains.is_some());
    if let (Some(lines), Some(contains)) = (lines, contains) {
        assert!(lines.iter().any(|line| line.contains(contains)), "{lines:?}");
        let sudo = lines.iter().filter(|line| line.starts_with("sudo -n ")).count();
        assert!(
            sudo == 0 || sudo == lines.len(),
            "all of them with the same right: {lines:?}"
        );
    }
}
