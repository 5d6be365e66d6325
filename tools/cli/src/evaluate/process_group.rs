//! A recognizer together with what it starts: stopped as one, also where a signal ends this program, which the system
//! sends to this program alone, since the recognizer has a process group of its own.

use std::{
    io,
    process::{Child, Command, ExitStatus},
};

/// A process that is stopped, with what it started, when it is no longer waited for.
pub(super) struct ProcessGroup(Child);

impl ProcessGroup {
    pub(super) fn spawn(command: &mut Command) -> io::Result<Self> {
        system::spawn(command).map(Self)
    }

    pub(super) fn child(&mut self) -> &mut Child {
        &mut self.0
    }

    /// How it ended, if it has.
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

    /// Those that run. Held while one is started and while all are stopped, so that none is missed.
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
        // Only once: afterwards its number may be another's.
        if let Some(at) = running.iter().position(|&other| other == group) {
            running.swap_remove(at);
            let _ = kill_process_group(group, Signal::KILL);
        }
    }

    /// From the first time on, whatever runs ends before a signal ends this program.
    fn stop_all_on_signal() {
        static ONCE: Once = Once::new();
        ONCE.call_once(|| {
            // Where signals cannot be caught they end this program alone, as they did before.
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

    /// There are no groups: what it started stays.
    pub(super) fn stop(_: &Child) {}
}
