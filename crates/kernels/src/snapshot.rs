//! Snapshots: a head with version and hash, the specification, and the states in order.

use serde::{Deserialize, Serialize};

use crate::error::{KernelError, Result};
use crate::plan::Spec;
use crate::stage::Block;

/// Raised whenever the state of any operator is laid out differently: a snapshot of another version
/// is refused, since features can always be computed again from their inputs.
const VERSION: u16 = 2;
/// `QF`, the version as two little-endian bytes, and the first eight bytes of the BLAKE3 hash.
const HEAD_SIZE: usize = 12;

#[derive(Serialize, Deserialize)]
struct Head {
    spec: Spec,
    instruments: usize,
    rows: u64,
}

fn check(body: &[u8]) -> [u8; 8] {
    let mut found = [0; 8];
    found.copy_from_slice(&blake3::hash(body).as_bytes()[..8]);
    found
}

pub fn write(spec: &Spec, instruments: usize, rows: u64, blocks: &[Block]) -> Vec<u8> {
    let head = Head {
        spec: spec.clone(),
        instruments,
        rows,
    };
    let mut bytes = vec![b'Q', b'F'];
    bytes.extend_from_slice(&VERSION.to_le_bytes());
    bytes.extend_from_slice(&[0; HEAD_SIZE - 4]);
    rmp_serde::encode::write(&mut bytes, &head).expect("a specification encodes");
    for node in blocks.iter().flat_map(|block| block.nodes.iter().flatten()) {
        node.save(&mut bytes);
    }
    let found = check(&bytes[HEAD_SIZE..]);
    bytes[4..HEAD_SIZE].copy_from_slice(&found);
    bytes
}

/// Fill the blocks; the rows that were seen.
pub fn read(bytes: &[u8], spec: &Spec, instruments: usize, blocks: &mut [Block]) -> Result<u64> {
    let refuse = |text: String| Err(KernelError::Snapshot(text));
    let Some(([b'Q', b'F', low, high], rest)) = bytes.split_first_chunk::<4>() else {
        return refuse("it is not a snapshot of features".to_owned());
    };
    let version = u16::from_le_bytes([*low, *high]);
    if version != VERSION {
        return refuse(format!(
            "it is of version {version}; this build knows {VERSION}"
        ));
    }
    let Some((wanted, mut body)) = rest.split_first_chunk::<8>() else {
        return refuse("it is cut short".to_owned());
    };
    if *wanted != check(body) {
        return refuse("it is damaged: its hash does not fit".to_owned());
    }
    let head: Head = match rmp_serde::from_read(&mut body) {
        Ok(head) => head,
        Err(error) => return refuse(error.to_string()),
    };
    if head.spec != *spec {
        return refuse("it belongs to another specification".to_owned());
    }
    if head.instruments != instruments {
        let found = head.instruments;
        return refuse(format!(
            "it holds {found} instruments and not {instruments}"
        ));
    }
    for block in blocks {
        for node in block.nodes.iter_mut().flatten() {
            node.load(&mut body).map_err(KernelError::Snapshot)?;
        }
    }
    if body.is_empty() {
        Ok(head.rows)
    } else {
        refuse("bytes are left over behind it".to_owned())
    }
}
