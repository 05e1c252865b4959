//! Signing where a journal ends.

use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};

use crate::error::{JournalError, Result};
use crate::format::Chain;
use crate::writer::Head;

const TITLE: &str = "quantvista journal seal 1";

/// The 32 bytes of an Ed25519 key that signs. It is not shown by `Debug`.
pub struct SecretKey(SigningKey);

/// The 32 bytes of the key that checks what the secret one signed.
pub type PublicKey = [u8; 32];

impl SecretKey {
    #[must_use]
    pub fn new(bytes: &[u8; 32]) -> Self {
        Self(SigningKey::from_bytes(bytes))
    }

    #[must_use]
    pub fn public(&self) -> PublicKey {
        self.0.verifying_key().to_bytes()
    }
}

impl std::fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SecretKey(..)")
    }
}

/// A signed statement that a stream had these records and no others up to a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seal {
    pub stream: String,
    pub head: Head,
    /// Nanoseconds since 1970 UTC, as the one who sealed told.
    pub ts: i64,
    pub key: PublicKey,
    signature: [u8; 64],
}

impl Seal {
    pub(crate) fn sign(stream: &str, head: &Head, ts: i64, key: &SecretKey) -> Self {
        let mut seal = Self {
            stream: stream.to_owned(),
            head: *head,
            ts,
            key: key.public(),
            signature: [0; 64],
        };
        seal.signature = key.0.sign(seal.statement().as_bytes()).to_bytes();
        seal
    }

    /// Check that the statement is what its key signed.
    ///
    /// # Errors
    /// If it is not.
    pub fn check(&self) -> Result<()> {
        let key = VerifyingKey::from_bytes(&self.key)
            .map_err(|_| JournalError::Seal("has a key that is none"))?;
        key.verify_strict(
            self.statement().as_bytes(),
            &Signature::from_bytes(&self.signature),
        )
        .map_err(|_| JournalError::Seal("does not fit its signature"))
    }

    /// The name of its file.
    #[must_use]
    pub fn file_name(&self) -> String {
        format!("{:020}.seal", self.head.sequence)
    }

    /// The statement, and its signature as the last line.
    #[must_use]
    pub fn to_text(&self) -> String {
        format!("{}signature {}\n", self.statement(), hex(&self.signature))
    }

    /// Read what [`Seal::to_text`] wrote; the signature is not checked yet.
    ///
    /// # Errors
    /// If the text differs in anything from how it would be written.
    pub fn from_text(text: &str) -> Result<Self> {
        let seal = parse(text).ok_or(JournalError::Seal("cannot be read"))?;
        if seal.to_text() != text {
            return Err(JournalError::Seal("cannot be read"));
        }
        Ok(seal)
    }

    fn statement(&self) -> String {
        format!(
            "{TITLE}\nstream {}\nlast {}\nchain {}\nts {}\nkey {}\n",
            self.stream,
            self.head.sequence,
            hex(&self.head.chain),
            self.ts,
            hex(&self.key),
        )
    }
}

fn parse(text: &str) -> Option<Seal> {
    let mut lines = text.lines();
    if lines.next()? != TITLE {
        return None;
    }
    let mut value = |name: &str| lines.next()?.strip_prefix(name)?.strip_prefix(' ');
    let stream = value("stream")?.to_owned();
    let sequence = value("last")?.parse().ok()?;
    let chain: Chain = unhex(value("chain")?)?;
    let ts = value("ts")?.parse().ok()?;
    let key = unhex(value("key")?)?;
    let signature = unhex(value("signature")?)?;
    Some(Seal {
        stream,
        head: Head { sequence, chain },
        ts,
        key,
        signature,
    })
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("writing to a string does not fail");
        text
    })
}

fn unhex<const N: usize>(text: &str) -> Option<[u8; N]> {
    if text.len() != 2 * N || !text.is_ascii() {
        return None;
    }
    let mut bytes = [0; N];
    for (place, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * place..2 * place + 2], 16).ok()?;
    }
    Some(bytes)
}
