//! Work shared among threads.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Runs all jobs on `threads` threads, this one included; a panic in one is a panic here.
/// Each job must write only what is its own, so that who runs it makes no difference.
pub fn run_all<Job: FnOnce() + Send>(threads: usize, jobs: Vec<Job>) {
    let threads = threads.min(jobs.len());
    if threads <= 1 {
        jobs.into_iter().for_each(|job| job());
        return;
    }
    let jobs: Vec<Mutex<Option<Job>>> = jobs.into_iter().map(|job| Mutex::new(Some(job))).collect();
    let next = AtomicUsize::new(0);
    let work = || {
        while let Some(slot) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
            let job = slot.lock().expect("a job is taken before it runs").take();
            if let Some(job) = job {
                job();
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..threads {
            scope.spawn(work);
        }
        work();
    });
}
