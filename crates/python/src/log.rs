//! What went into an engine and what came out of it, encoded, for a journal.

use quantvista_engine::{Engine, EngineError, Input, Output, encode};

/// Which side of the engine a record is of.
const INPUT: &str = "input";
const OUTPUT: &str = "output";

/// Side, when the input of it was received, and the bytes.
pub type Entry = (&'static str, i64, Vec<u8>);

/// Keeps records between two times that they are taken, if it is open.
#[derive(Default)]
pub struct Log {
    kept: Option<Vec<Entry>>,
}

impl Log {
    pub fn open(&mut self) {
        self.kept.get_or_insert_with(Vec::new);
    }

    /// All since the last time, in the order in which it happened.
    pub fn take(&mut self) -> Vec<Entry> {
        self.kept.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// Let an engine take an input. One that it refuses is not kept.
    #[inline]
    pub fn apply(
        &mut self,
        engine: &mut Engine,
        input: &Input,
        out: &mut Vec<Output>,
    ) -> Result<(), EngineError> {
        let Some(kept) = &mut self.kept else {
            return engine.apply_into(input, out);
        };
        let first = out.len();
        engine.apply_into(input, out)?;
        let ts = input.ts_received;
        kept.push((INPUT, ts, encode(input)));
        kept.extend(out[first..].iter().map(|o| (OUTPUT, ts, encode(o))));
        Ok(())
    }
}
