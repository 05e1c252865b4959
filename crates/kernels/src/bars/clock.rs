//! Frames of time, and the windows of a step within them.

use crate::error::{KernelError, Result};

/// Spans of time in ascending order that no bar crosses: sessions, days, or longer ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frames {
    starts: Vec<i64>,
    ends: Vec<i64>,
    anchors: Vec<i64>,
}

/// A half-open window of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    pub start: i64,
    pub end: i64,
}

impl Frames {
    /// Frames by their bounds; steps within each are counted from its anchor.
    ///
    /// # Errors
    ///
    /// [`KernelError::Spec`] where they are empty, overlap or are not in order.
    pub fn new(starts: Vec<i64>, ends: Vec<i64>, anchors: Vec<i64>) -> Result<Self> {
        let sizes = starts.len() == ends.len() && starts.len() == anchors.len();
        let order = starts.iter().zip(&ends).all(|(start, end)| start < end)
            && ends
                .iter()
                .zip(starts.iter().skip(1))
                .all(|(end, next)| end <= next)
            && anchors
                .iter()
                .zip(&starts)
                .all(|(anchor, start)| anchor <= start);
        if sizes && order {
            Ok(Self {
                starts,
                ends,
                anchors,
            })
        } else {
            Err(KernelError::Spec(
                "`frames` must be in order, not empty, not overlap and not begin before their \
                 anchors"
                    .to_owned(),
            ))
        }
    }

    /// The frame that holds an instant.
    #[must_use]
    pub fn at(&self, ts: i64) -> Option<Window> {
        self.index(ts).map(|index| self.frame(index))
    }

    /// The window of a step that holds an instant.
    #[must_use]
    pub fn window(&self, ts: i64, step: i64) -> Option<Window> {
        self.index(ts).map(|index| self.cut(index, ts, step))
    }

    /// The first window that ends after an instant.
    #[must_use]
    pub fn following(&self, ts: i64, step: i64) -> Option<Window> {
        let index = self.ends.partition_point(|end| *end <= ts);
        let start = *self.starts.get(index)?;
        Some(self.cut(index, ts.max(start), step))
    }

    fn index(&self, ts: i64) -> Option<usize> {
        let index = self.starts.partition_point(|start| *start <= ts);
        let index = index.checked_sub(1)?;
        (ts < self.ends[index]).then_some(index)
    }

    fn frame(&self, index: usize) -> Window {
        Window {
            start: self.starts[index],
            end: self.ends[index],
        }
    }

    fn cut(&self, index: usize, ts: i64, step: i64) -> Window {
        let frame = self.frame(index);
        let anchor = self.anchors[index];
        let whole = (ts - anchor) / step;
        let start = anchor + whole * step;
        Window {
            start: start.max(frame.start),
            end: start.saturating_add(step).min(frame.end),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frames() -> Frames {
        Frames::new(vec![10, 50], vec![37, 60], vec![0, 50]).expect("they fit")
    }

    #[test]
    fn windows_stay_within_their_frame() {
        let found = |ts| frames().window(ts, 10).map(|w| (w.start, w.end));
        assert_eq!(found(9), None);
        assert_eq!(found(10), Some((10, 20)));
        assert_eq!(found(36), Some((30, 37)));
        assert_eq!(found(37), None);
        assert_eq!(found(59), Some((50, 60)));
        assert_eq!(
            frames().window(36, i64::MAX).map(|w| (w.start, w.end)),
            Some((10, 37))
        );
    }

    #[test]
    fn windows_follow_each_other_over_gaps() {
        let found = |ts| frames().following(ts, 10).map(|w| (w.start, w.end));
        assert_eq!(found(0), Some((10, 20)));
        assert_eq!(found(30), Some((30, 37)));
        assert_eq!(found(37), Some((50, 60)));
        assert_eq!(found(60), None);
    }

    #[test]
    fn frames_that_overlap_are_refused() {
        assert!(Frames::new(vec![0, 5], vec![6, 9], vec![0, 5]).is_err());
        assert!(Frames::new(vec![0], vec![0], vec![0]).is_err());
        assert!(Frames::new(vec![0], vec![5], vec![1]).is_err());
    }
}
