"""AES-256-GCM for files in chunks, so that no chunk can be changed, moved or cut off.

Each file has a key of its own, derived from a key of the ring and a salt that is never used twice,
so that the nonces only count. A chunk's number and whether it is the last are in its nonce and,
with what the file says of itself, in what is authenticated beside it.
"""

import struct

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

__all__ = ["TAG_BYTES", "ChunkCipher"]

TAG_BYTES = 16
_BESIDE = struct.Struct("<QB")


class ChunkCipher:
    """The cipher of one file.

    Parameters
    ----------
    key : bytes
        32 secret ones.
    salt : bytes
        32 random ones, of this file alone.
    info : bytes
        What the file is for, so that no key serves two purposes.

    Attributes
    ----------
    check : bytes
        16 that tell another key from damage.
    """

    def __init__(self, key: bytes, salt: bytes, info: bytes) -> None:
        found = HKDF(SHA256(), 48, salt, info).derive(key)
        self._cipher, self.check = AESGCM(found[:32]), found[32:]

    def encrypt(self, number: int, content: bytes, beside: bytes, *, is_last: bool) -> bytes:
        """Encrypt a chunk.

        Parameters
        ----------
        number : int
            From 0.
        content : bytes
            In the clear.
        beside : bytes
            What is authenticated beside it.
        is_last : bool
            Whether the file ends with it.

        Returns
        -------
        bytes
            As many and `TAG_BYTES` more.
        """
        said = beside + _BESIDE.pack(number, is_last)
        return self._cipher.encrypt(_nonce(number, is_last), content, said)

    def decrypt(self, number: int, content: bytes, beside: bytes, *, is_last: bool) -> bytes:
        """Decrypt a chunk; arguments as of `encrypt`.

        Raises
        ------
        cryptography.exceptions.InvalidTag
            If it is not what was encrypted there.
        ValueError
            If it is too short to be a chunk.
        """
        said = beside + _BESIDE.pack(number, is_last)
        return self._cipher.decrypt(_nonce(number, is_last), content, said)


def _nonce(number: int, is_last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes([is_last])
