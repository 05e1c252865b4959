//! Keys that journals are encrypted with, and what they are called.

use std::fmt;
use std::sync::Arc;

/// 32 secret bytes. They are not shown by `Debug`, and cannot be read back.
#[derive(Clone)]
pub struct Key(pub(crate) [u8; 32]);

/// What a key is called in headers and messages. Nothing about the key follows from it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct KeyId(pub(crate) [u8; 6]);

impl Key {
    #[must_use]
    pub fn new(bytes: &[u8; 32]) -> Self {
        Self(*bytes)
    }

    #[must_use]
    pub fn id(&self) -> KeyId {
        let hash = blake3::derive_key("quantvista key ring 2026-11-22 id", &self.0);
        KeyId(crate::format::array_at(&hash, 0))
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({})", self.id())
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// Keys to read with, of which the last one is what new segments and snapshots are encrypted with.
#[derive(Clone, Debug, Default)]
pub struct KeyRing(Arc<Vec<Key>>);

impl KeyRing {
    #[must_use]
    pub fn new(keys: Vec<Key>) -> Self {
        Self(Arc::new(keys))
    }

    pub(crate) fn newest(&self) -> Option<&Key> {
        self.0.last()
    }

    pub(crate) fn find(&self, id: KeyId) -> Option<&Key> {
        self.0.iter().find(|key| key.id() == id)
    }

    /// What its keys are called, oldest first.
    pub fn ids(&self) -> impl Iterator<Item = KeyId> + '_ {
        self.0.iter().map(Key::id)
    }

    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
