//! Work shared among threads.

use crate::denormals::DenormalsAreZero;
use std::panic::resume_unwind;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Runs all jobs on `threads` threads, this one included; a panic in one is propagated.
/// Each job must write only its own data, so that results do not depend on the thread.
/// In a job, denormal numbers are zero.
pub fn run_all<Job: FnOnce() + Send>(threads: usize, jobs: Vec<Job>) {
    let threads = threads.min(jobs.len());
    if threads <= 1 {
        let _zero = DenormalsAreZero::here();
        jobs.into_iter().for_each(|job| job());
        return;
    }
    let jobs: Vec<Mutex<Option<Job>>> = jobs.into_iter().map(|job| Mutex::new(Some(job))).collect();
    let next = AtomicUsize::new(0);
    let work = || {
        let _zero = DenormalsAreZero::here();
        while let Some(slot) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
            let job = slot.lock().expect("a job is taken before it runs").take();
            if let Some(job) = job {
                job();
            }
        }
    };
    std::thread::scope(|scope| {
        // If the system allows no more threads, the existing ones do the work.
        let helpers: Vec<_> =
            (1..threads).map_while(|_| std::thread::Builder::new().spawn_scoped(scope, work).ok()).collect();
        work();
        for helper in helpers {
            helper.join().unwrap_or_else(|panic| resume_unwind(panic));
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_job_runs_once_and_a_panic_keeps_its_payload() {
        let mut done = vec![0; 100];
        run_all(4, done.iter_mut().map(|done| move || *done += 1).collect());
        assert_eq!(done, vec![1; 100]);
        let jobs: Vec<_> = (0..8i32)
            .map(|job| {
                move || {
                    if job >= 0 {
                        resume_unwind(Box::new(job));
                    }
                }
            })
            .collect();
        let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| run_all(3, jobs))).unwrap_err();
        assert!(panic.is::<i32>());
    }
}
