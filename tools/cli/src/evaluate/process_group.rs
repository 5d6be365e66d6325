//! A recognizer and its child processes, which are stopped together, also when a signal ends this program. The system
//! sends such a signal to this program only, because the recognizer has its own process group.

use std::{
    io,
    process::{Child, Command, ExitStatus},
};

/// A process that is stopped on drop, with its children.
pub(super) struct ProcessGroup(Child);

impl ProcessGroup {
    pub(super) fn spawn(command: &mut Command) -> io::Result<Self> {
        system::spawn(command).map(Self)
    }

    pub(super) fn child(&mut self) -> &mut Child {
        &mut self.0
    }

    /// The exit status; `None` while the process runs.
    pub(super) fn ended(&mut self) -> io::Result<Option<ExitStatus>> {
        self.0.try_wait()
    }

    pub(super) fn stop(&mut self) {
        system::stop(&self.0);
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Drop for ProcessGroup {
    fn drop(&mut self) {
        self.stop();
    }
}

#[cfg(unix)]
mod system {
    use std::{
        io,
        os::unix::process::CommandExt as _,
        process::{Child, Command},
        sync::{Mutex, MutexGuard, Once, PoisonError},
        thread,
    };

    use rustix::process::{Pid, Signal, kill_process_group};
    use signal_hook::{
        consts::{SIGHUP, SIGINT, SIGTERM},
        iterator::Signals,
        low_level::emulate_default_handler,
    };

    /// The running groups. Locked while one starts and while all are stopped, so that none is missed.
    static RUNNING: Mutex<Vec<Pid>> = Mutex::new(Vec::new());

    pub(super) fn spawn(command: &mut Command) -> io::Result<Child> {
        stop_all_on_signal();
        let mut running = running();
        let child = command.process_group(0).spawn()?;
        running.push(Pid::from_child(&child));
        Ok(child)
    }

    pub(super) fn stop(child: &Child) {
        let group = Pid::from_child(child);
        let mut running = running();
        // Only once: afterwards the id may belong to another process.
        if let Some(at) = running.iter().position(|&other| other == group) {
            running.swap_remove(at);
            let _ = kill_process_group(group, Signal::KILL);
        }
    }

    /// Stops all running groups before a signal ends this program.
    fn stop_all_on_signal() {
        static ONCE: Once = Once::new();
        ONCE.call_once(|| {
            // If signals cannot be caught, they end this program only.
            let Ok(mut signals) = Signals::new([SIGINT, SIGTERM, SIGHUP]) else {
                return;
            };
            thread::spawn(move || {
                for signal in signals.forever() {
                    let running = running();
                    for &group in &*running {
                        let _ = kill_process_group(group, Signal::KILL);
                    }
                    let _ = emulate_default_handler(signal);
                }
            });
        });
    }

    fn running() -> MutexGuard<'static, Vec<Pid>> {
        RUNNING.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(not(unix))]
mod system {
    use std::{
        io,
        process::{Child, Command},
    };

    pub(super) fn spawn(command: &mut Command) -> io::Result<Child> {
        command.spawn()
    }

    /// Without process groups, children keep running.
    pub(super) fn stop(_: &Child) {}
}
