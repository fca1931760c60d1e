/// The most memory that the process has had so far, in MiB; `None` where the system does not tell it the Linux way.
pub(crate) fn peak_rss_mib() -> Option<f64> {
    peak_in(&std::fs::read_to_string("/proc/self/status").ok()?)
}

/// The field `VmHWM` of proc_pid_status(5), which is in KiB.
fn peak_in(status: &str) -> Option<f64> {
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib / 1024.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_peak_is_read_from_its_line() {
        let status = "Name:\tbert\nVmPeak:\t  999 kB\nVmHWM:\t    2560 kB\nVmRSS:\t 12 kB\n";
        assert_eq!(peak_in(status), Some(2.5));
        assert_eq!(peak_in("Name:\tbert\n"), None);
    }
}
