//! Files and standard input as streams of bytes, gzip and zstd taken off, and as lines of bounded length.

use std::fs::{File, Metadata};
use std::io::{self, BufRead, Read};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;
use memchr::memchr;
use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

/// How many bytes decide what an input is.
const MAGIC_BYTES: usize = 4;
/// The window of a zstd frame that is kept in memory, at most: what `zstd --long=26` needs.
const ZSTD_WINDOW_MAX: u64 = 64 << 20;
/// What is read at once.
const CHUNK_BYTES: usize = 256 << 10;

/// An input that can't be read.
#[derive(Debug, thiserror::Error)]
#[error("can't read {path:?}: {source}")]
pub struct InputError {
    /// The file; `-` for standard input.
    pub path: PathBuf,
    /// What the operating system or the decompressor said.
    pub source: io::Error,
}

/// A stream of bytes, decompressed.
pub struct Input {
    path: PathBuf,
    reader: Box<dyn Read + Send>,
    compression: Option<&'static str>,
    /// The file and what was known of it when it was opened, to see whether it changed meanwhile.
    opened: Option<(File, Metadata)>,
}

impl Input {
    /// Opens a file, or standard input for `-`. What it is compressed by is seen from its first bytes.
    ///
    /// # Errors
    ///
    /// The file can't be opened, is a directory, or has no readable first bytes.
    pub fn open(path: &Path) -> Result<Self, InputError> {
        let fault = |source| InputError { path: path.to_owned(), source };
        if path == Path::new("-") {
            return Self::from_reader(path, io::stdin()).map_err(fault);
        }
        let file = File::open(path).map_err(fault)?;
        let metadata = file.metadata().map_err(fault)?;
        if metadata.is_dir() {
            return Err(fault(io::Error::new(io::ErrorKind::IsADirectory, "it is a directory")));
        }
        let second = file.try_clone().map_err(fault)?;
        let mut input = Self::from_reader(path, file).map_err(fault)?;
        input.opened = metadata.is_file().then_some((second, metadata));
        Ok(input)
    }

    /// Reads from `reader`; `path` is what errors call it.
    ///
    /// # Errors
    ///
    /// Those of `reader`, and a zstd header that can't be used.
    pub fn from_reader(path: &Path, mut reader: impl Read + Send + 'static) -> io::Result<Self> {
        let mut magic = Vec::with_capacity(MAGIC_BYTES);
        reader.by_ref().take(MAGIC_BYTES as u64).read_to_end(&mut magic)?;
        let kind = compression(&magic);
        let whole = io::Cursor::new(magic).chain(reader);
        let reader: Box<dyn Read + Send> = match kind {
            Some("gzip") => Box::new(MultiGzDecoder::new(io::BufReader::with_capacity(CHUNK_BYTES, whole))),
            Some(_) => Box::new(ZstdFrames::new(io::BufReader::with_capacity(CHUNK_BYTES, whole))),
            None => Box::new(whole),
        };
        Ok(Self { path: path.to_owned(), reader, compression: kind, opened: None })
    }

    /// Returns what the input is called.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns `gzip` or `zstd`, where the input is compressed.
    pub fn compression(&self) -> Option<&'static str> {
        self.compression
    }

    /// Tells whether the file's length or time of change differs from what it was when it was opened.
    pub fn has_changed(&self) -> bool {
        let Some((file, before)) = &self.opened else { return false };
        file.metadata().is_ok_and(|now| now.len() != before.len() || now.modified().ok() != before.modified().ok())
    }

    /// Says what became of compressed data that end too early; all before the end is sound.
    ///
    /// # Errors
    ///
    /// Any other error that reading gave, with the input's name.
    pub fn cut_off_by(&self, error: io::Error) -> Result<String, InputError> {
        match self.compression {
            Some(kind) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(format!("its {kind} data end too early")),
            _ => Err(self.fault(error)),
        }
    }

    /// Names the input in an error.
    pub fn fault(&self, source: io::Error) -> InputError {
        InputError { path: self.path.clone(), source }
    }
}

impl Read for Input {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.reader.read(buffer)
    }
}

fn compression(magic: &[u8]) -> Option<&'static str> {
    match magic {
        [0x1f, 0x8b, ..] => Some("gzip"),
        [0x28, 0xb5, 0x2f, 0xfd] => Some("zstd"),
        // A skippable frame, which zstd's seekable format and pzstd begin with.
        [0x50..=0x5f, 0x2a, 0x4d, 0x18] => Some("zstd"),
        _ => None,
    }
}

/// The zstd frames of a file one after the other, as the format allows and the library leaves to its caller.
struct ZstdFrames<R> {
    source: R,
    decoder: FrameDecoder,
    is_within: bool,
}

impl<R: BufRead> ZstdFrames<R> {
    fn new(source: R) -> Self {
        let mut decoder = FrameDecoder::new();
        decoder.set_max_window_size(ZSTD_WINDOW_MAX);
        Self { source, decoder, is_within: false }
    }

    /// Opens the next frame, or skips one that is to be skipped. Returns whether there was one.
    fn open_next(&mut self) -> io::Result<bool> {
        if self.source.fill_buf()?.is_empty() {
            return Ok(false);
        }
        match self.decoder.reset(&mut self.source) {
            Ok(()) => self.is_within = true,
            Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame { length, .. })) => {
                let skipped = io::copy(&mut self.source.by_ref().take(u64::from(length)), &mut io::sink())?;
                if skipped < u64::from(length) {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
            }
            Err(error) => return Err(zstd_error(error)),
        }
        Ok(true)
    }

    /// Decodes one block more, and checks the frame's checksum behind its last one.
    fn decode_block(&mut self) -> io::Result<()> {
        let is_last = self.decoder.decode_blocks(&mut self.source, BlockDecodingStrategy::UptoBlocks(1));
        if is_last.map_err(zstd_error)? {
            self.is_within = false;
        }
        Ok(())
    }
}

impl<R: BufRead> Read for ZstdFrames<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            if self.decoder.can_collect() > 0 {
                return self.decoder.read(buffer);
            }
            if self.is_within {
                self.decode_block()?;
                continue;
            }
            let (told, computed) = (self.decoder.get_checksum_from_data(), self.decoder.get_calculated_checksum());
            if told.is_some() && told != computed {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "zstd: a frame's checksum is wrong"));
            }
            if !self.open_next()? {
                return Ok(0);
            }
        }
    }
}

fn zstd_error(error: FrameDecoderError) -> io::Error {
    let causes = std::iter::successors(Some(&error as &dyn std::error::Error), |error| error.source());
    let mut causes = causes.filter_map(|cause| cause.downcast_ref::<io::Error>());
    let is_cut_off = causes.any(|cause| cause.kind() == io::ErrorKind::UnexpectedEof);
    let kind = if is_cut_off { io::ErrorKind::UnexpectedEof } else { io::ErrorKind::InvalidData };
    io::Error::new(kind, format!("zstd: {error}"))
}

/// A line of an input.
#[derive(Debug, PartialEq, Eq)]
pub enum Line<'a> {
    /// A line without its line feed, and without a carriage return before that.
    Whole(&'a [u8]),
    /// A line of more bytes than are kept; it was passed over.
    TooLong,
}

/// The lines of a stream, from a buffer of a fixed size.
pub struct Lines<R> {
    reader: R,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    number: u64,
    is_at_end: bool,
}

impl<R: Read> Lines<R> {
    /// Starts to read. A line that is longer than `line_bytes_max` is told as [`Line::TooLong`].
    pub fn new(reader: R, line_bytes_max: usize) -> Self {
        // Room for a chunk behind a line of which the end is missing yet, and for its line feed.
        let buffer = vec![0; CHUNK_BYTES.max(2 * line_bytes_max) + 2];
        Self { reader, buffer, start: 0, end: 0, number: 0, is_at_end: false }
    }

    /// Returns the number of the line that was returned last, from 1 on.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// Returns the next line, or `None` behind the last.
    ///
    /// # Errors
    ///
    /// Those of the reader.
    pub fn next_line(&mut self) -> io::Result<Option<Line<'_>>> {
        let mut searched = 0;
        let mut is_too_long = false;
        loop {
            let found = memchr(b'\n', &self.buffer[self.start + searched..self.end]).map(|place| place + searched);
            if found.is_none() && !self.is_at_end {
                searched = self.end - self.start;
                if searched > self.buffer.len() / 2 {
                    is_too_long = true;
                    self.start = self.end;
                    searched = 0;
                }
                self.fill()?;
                continue;
            }
            let (line, next) = match found {
                Some(place) => (self.start..self.start + place, self.start + place + 1),
                None if self.start == self.end && !is_too_long => return Ok(None),
                None => (self.start..self.end, self.end),
            };
            self.start = next;
            self.number += 1;
            if is_too_long || line.len() > self.buffer.len() / 2 - 1 {
                return Ok(Some(Line::TooLong));
            }
            let line = &self.buffer[line];
            return Ok(Some(Line::Whole(line.strip_suffix(b"\r").unwrap_or(line))));
        }
    }

    fn fill(&mut self) -> io::Result<()> {
        if self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        self.is_at_end = loop {
            match self.reader.read(&mut self.buffer[self.end..]) {
                Ok(read) => {
                    self.end += read;
                    break read == 0;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        };
        Ok(())
    }
}

/// What is wrong with an input that could be used all the same.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Faults {
    /// Lines or packets that could not be read.
    pub skipped: Skipped,
    /// Why the input ends before its end, where it does.
    pub cut_off: Option<String>,
    /// Whether the file changed while it was read.
    pub has_changed: bool,
}

/// Lines or packets that could not be used: the first few by name, all of them by number.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Skipped {
    /// How many.
    pub count: u64,
    /// The first few: number of the line or packet, from 1 on, and what is wrong with it.
    pub first: Vec<(u64, String)>,
}

impl Skipped {
    /// How many are passed over before it is an error.
    pub const LIMIT: u64 = 1_000;
    /// How many are named.
    const NAMED_MAX: usize = 5;

    /// Notes one more. Returns false where there are more than [`Self::LIMIT`].
    pub fn note(&mut self, number: u64, reason: impl FnOnce() -> String) -> bool {
        self.count += 1;
        if self.first.len() < Self::NAMED_MAX {
            self.first.push((number, reason()));
        }
        self.count <= Self::LIMIT
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    /// Gives at most so many bytes at once.
    struct Trickle<'a>(&'a [u8], usize);

    impl Read for Trickle<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let count = self.1.min(self.0.len()).min(buffer.len());
            buffer[..count].copy_from_slice(&self.0[..count]);
            self.0 = &self.0[count..];
            Ok(count)
        }
    }

    fn read(bytes: Vec<u8>) -> io::Result<(Option<&'static str>, Vec<u8>)> {
        let mut input = Input::from_reader(Path::new("x"), io::Cursor::new(bytes))?;
        let mut content = Vec::new();
        input.read_to_end(&mut content)?;
        Ok((input.compression(), content))
    }

    fn gzip(content: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(content).unwrap();
        encoder.finish().unwrap()
    }

    fn zstd(content: &[u8]) -> Vec<u8> {
        ruzstd::encoding::compress_to_vec(content, ruzstd::encoding::CompressionLevel::Fastest)
    }

    #[test]
    fn compressed_input_is_read_as_if_it_were_not() {
        let content: Vec<u8> = (0..100_000_u32).flat_map(|n| (n / 7).to_string().into_bytes()).collect();
        assert_eq!(read(content.clone()).unwrap(), (None, content.clone()));
        assert_eq!(read(gzip(&content)).unwrap(), (Some("gzip"), content.clone()));
        assert_eq!(read(zstd(&content)).unwrap(), (Some("zstd"), content));
        assert_eq!(read(Vec::new()).unwrap(), (None, Vec::new()));
        assert_eq!(read(vec![0x1f]).unwrap(), (None, vec![0x1f]));
    }

    /// Log rotation and parallel compressors put several members or frames into one file.
    #[test]
    fn several_frames_are_one_stream_and_skippable_ones_are_skipped() {
        assert_eq!(read([gzip(b"one "), gzip(b"two")].concat()).unwrap().1, b"one two");
        let skippable = [&[0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0][..], b"abc"].concat();
        let frames = [skippable.clone(), zstd(b"one "), skippable, zstd(b"two")].concat();
        assert_eq!(read(frames).unwrap(), (Some("zstd"), b"one two".to_vec()));
    }

    #[test]
    fn damaged_compression_is_an_error() {
        let content = b"a line that is long enough to be worth something\n".repeat(50);
        for mut bytes in [gzip(&content), zstd(&content)] {
            for length in [8, bytes.len() / 2, bytes.len() - 1] {
                assert_eq!(
                    read(bytes[..length].to_vec()).unwrap_err().kind(),
                    io::ErrorKind::UnexpectedEof,
                    "{length}"
                );
            }
            let last = bytes.len() - 1;
            bytes[last] ^= 1;
            assert_ne!(read(bytes).unwrap_err().kind(), io::ErrorKind::UnexpectedEof, "checksum");
        }
        // A window of 2 GiB, as a frame's header can ask for.
        assert!(read(vec![0x28, 0xb5, 0x2f, 0xfd, 0x00, 0xa8, 1, 0, 0]).is_err());
    }

    fn lines(content: &[u8], at_once: usize, line_bytes_max: usize) -> Vec<Option<Vec<u8>>> {
        let mut lines = Lines::new(Trickle(content, at_once), line_bytes_max);
        let mut all = Vec::new();
        while let Some(line) = lines.next_line().unwrap() {
            all.push(match line {
                Line::Whole(line) => Some(line.to_vec()),
                Line::TooLong => None,
            });
            assert_eq!(lines.number(), all.len() as u64);
        }
        all
    }

    #[test]
    fn lines_are_split_however_the_bytes_arrive() {
        let whole = |line: &[u8]| Some(line.to_vec());
        for at_once in [1, 2, 3, 7, 100_000] {
            assert_eq!(
                lines(b"one\ntwo\r\n\nlast", at_once, 100),
                [whole(b"one"), whole(b"two"), whole(b""), whole(b"last")]
            );
            assert_eq!(lines(b"", at_once, 100), []);
            assert_eq!(lines(b"\n", at_once, 100), [whole(b"")]);
        }
    }

    #[test]
    fn a_line_that_is_too_long_is_passed_over_alone() {
        let content = [&b"one\n"[..], &vec![b'x'; 3 << 20], b"\ntwo\n", &vec![b'y'; 3 << 20]].concat();
        assert_eq!(lines(&content, 65_537, 64), [Some(b"one".to_vec()), None, Some(b"two".to_vec()), None]);
    }

    #[test]
    fn a_file_that_grows_while_it_is_read_is_noticed() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("conn.log");
        std::fs::write(&path, "one\n").unwrap();
        let input = Input::open(&path).unwrap();
        assert!(!input.has_changed());
        std::fs::write(&path, "one\ntwo\n").unwrap();
        assert!(input.has_changed());
        let error = Input::open(directory.path()).err().unwrap().to_string();
        assert!(error.contains("it is a directory"), "{error}");
    }

    #[test]
    fn skipped_lines_are_counted_named_and_limited() {
        let mut skipped = Skipped::default();
        for number in 1..=Skipped::LIMIT {
            assert!(skipped.note(number, || format!("reason {number}")));
        }
        assert!(!skipped.note(2_000, || "one too many".to_owned()));
        assert_eq!((skipped.count, skipped.first.len()), (Skipped::LIMIT + 1, 5));
        assert_eq!(skipped.first[0], (1, "reason 1".to_owned()));
    }
}
