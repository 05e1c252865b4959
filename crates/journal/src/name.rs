//! Names of the files of a journal.

/// Name a segment after the sequence of its first record.
pub(crate) fn segment(first: u64) -> String {
    format!("{first:020}.qvj")
}

/// Name a snapshot after the last record that is in it.
pub(crate) fn snapshot(sequence: u64) -> String {
    format!("{sequence:020}.qvs")
}

/// What was cut off behind a record when the journal was opened.
pub(crate) fn torn(after: u64, attempt: u64) -> String {
    format!("{after:020}.{attempt}.torn")
}

/// The number in a name that ends so, if the name is one of ours.
pub(crate) fn number_of(name: &str, ending: &str) -> Option<u64> {
    let digits = name.strip_suffix(ending)?;
    let is_number = digits.len() == 20 && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| digits.parse().ok())?
}

/// The numbers of all files with an ending, ascending.
pub(crate) fn numbers(names: &[String], ending: &str) -> Vec<u64> {
    let mut found: Vec<u64> = names
        .iter()
        .filter_map(|name| number_of(name, ending))
        .collect();
    found.sort_unstable();
    found
}

pub(crate) const SEGMENT: &str = ".qvj";
pub(crate) const SNAPSHOT: &str = ".qvs";
