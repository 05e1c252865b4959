//! Where the files of a journal are.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// A folder of files, and what is durable in it.
///
/// Everything that a method says is durable is so when it returns; [`Storage::write`] is durable
/// after the next [`Storage::sync`] of the file. A method that fails leaves it open what is.
pub trait Storage {
    /// The names of all files, in no order.
    ///
    /// # Errors
    /// If the folder cannot be read.
    fn names(&self) -> io::Result<Vec<String>>;

    /// Read from an offset until the buffer is full or the file ends; how much was read.
    ///
    /// # Errors
    /// If the file is not there, or cannot be read.
    fn read(&self, name: &str, offset: u64, into: &mut [u8]) -> io::Result<usize>;

    /// The length of a file in bytes, its reserve included.
    ///
    /// # Errors
    /// If the file is not there.
    fn length(&self, name: &str) -> io::Result<u64>;

    /// Make a file of `content`, followed by zeros up to `length`, as a whole or not at all.
    /// It replaces one of the same name. Durable.
    ///
    /// # Errors
    /// If it cannot be written, the space for the zeros included.
    fn create(&mut self, name: &str, content: &[u8], length: u64) -> io::Result<()>;

    /// Write at an offset of a file that is there.
    ///
    /// # Errors
    /// If it cannot be written.
    fn write(&mut self, name: &str, offset: u64, bytes: &[u8]) -> io::Result<()>;

    /// Make durable what was written to a file.
    ///
    /// # Errors
    /// If it cannot; then nothing is known of what was written since the last time.
    fn sync(&mut self, name: &str) -> io::Result<()>;

    /// Cut a file off, and then lengthen it with zeros. Durable.
    ///
    /// # Errors
    /// If it cannot be done, the space for the zeros included.
    fn cut(&mut self, name: &str, keep: u64, length: u64) -> io::Result<()>;
}

/// A folder on disk.
#[derive(Debug)]
pub struct Files {
    folder: PathBuf,
    /// The file that is written, with its name.
    open: Option<(String, File)>,
    /// Holds the lock of a writer.
    lock: Option<File>,
}

impl Files {
    /// A folder to read from.
    #[must_use]
    pub fn new(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
            open: None,
            lock: None,
        }
    }

    /// A folder to write to, made if need be, and locked until this is dropped.
    ///
    /// # Errors
    /// If another process holds the lock (`WouldBlock`), or the folder cannot be made.
    pub fn locked(folder: &Path) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(folder.join("lock"))?;
        rustix::fs::flock(&lock, rustix::fs::FlockOperation::NonBlockingLockExclusive)?;
        Ok(Self {
            lock: Some(lock),
            ..Self::new(folder)
        })
    }

    /// Whether this is the one writer.
    #[must_use]
    pub fn is_locked(&self) -> bool {
        self.lock.is_some()
    }

    fn file(&mut self, name: &str) -> io::Result<&mut File> {
        if self.open.as_ref().is_none_or(|(open, _)| open != name) {
            let file = OpenOptions::new()
                .read(true)
                .write(true)
                .open(self.folder.join(name))?;
            self.open = Some((name.to_owned(), file));
        }
        Ok(&mut self.open.as_mut().expect("it was opened").1)
    }

    fn sync_folder(&self) -> io::Result<()> {
        File::open(&self.folder)?.sync_all()
    }
}

/// Give two folders each other's names, both or neither, durably.
///
/// # Errors
/// If the system or the disk cannot do that, or one of them is not there.
pub fn exchange(one: &Path, other: &Path) -> io::Result<()> {
    #[cfg(target_os = "linux")]
    {
        use rustix::fs::{CWD, RenameFlags, renameat_with};
        renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE)?;
        for each in [one, other] {
            let folder = each.parent().filter(|parent| *parent != Path::new(""));
            File::open(folder.unwrap_or(Path::new(".")))?.sync_all()?;
        }
        Ok(())
    }
    #[cfg(not(target_os = "linux"))]
    {
        let text = format!("{} and {}", one.display(), other.display());
        Err(io::Error::new(io::ErrorKind::Unsupported, text))
    }
}

/// Reserve space, so that a full disk shows here and not at a write.
fn reserve(file: &File, from: u64, length: u64) -> io::Result<()> {
    if length > from {
        #[cfg(target_os = "linux")]
        rustix::fs::fallocate(
            file,
            rustix::fs::FallocateFlags::empty(),
            from,
            length - from,
        )?;
        #[cfg(not(target_os = "linux"))]
        file.set_len(length)?;
    }
    Ok(())
}

impl Storage for Files {
    fn names(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            if let Ok(name) = entry?.file_name().into_string() {
                names.push(name);
            }
        }
        Ok(names)
    }

    fn read(&self, name: &str, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        let mut file = File::open(self.folder.join(name))?;
        file.seek(SeekFrom::Start(offset))?;
        let mut done = 0;
        while done < into.len() {
            match file.read(&mut into[done..]) {
                Ok(0) => break,
                Ok(count) => done += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(done)
    }

    fn length(&self, name: &str) -> io::Result<u64> {
        Ok(fs::metadata(self.folder.join(name))?.len())
    }

    fn create(&mut self, name: &str, content: &[u8], length: u64) -> io::Result<()> {
        self.open = None;
        let part = self.folder.join(format!("{name}.part"));
        let mut file = File::create(&part)?;
        file.write_all(content)?;
        reserve(&file, content.len() as u64, length)?;
        file.sync_all()?;
        fs::rename(&part, self.folder.join(name))?;
        self.sync_folder()
    }

    fn write(&mut self, name: &str, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let file = self.file(name)?;
        file.seek(SeekFrom::Start(offset))?;
        file.write_all(bytes)
    }

    fn sync(&mut self, name: &str) -> io::Result<()> {
        self.file(name)?.sync_data()
    }

    fn cut(&mut self, name: &str, keep: u64, length: u64) -> io::Result<()> {
        let file = self.file(name)?;
        file.set_len(keep)?;
        reserve(file, keep, length)?;
        file.sync_all()
    }
}
