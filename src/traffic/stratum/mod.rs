//! What miners and pools say to each other, in the clear.

mod conversation;
mod encrypted;
mod http;
mod message;
mod session;
mod transcript;

pub use self::conversation::{Conversation, Direction, Outcome};
pub use self::encrypted::{Encrypted, EncryptedKind};
pub use self::message::{Message, parse, parse_value};
pub use self::session::{AtDifficulty, Protocol, Session, SessionSummary, Shares};
pub use self::transcript::{Transcript, TranscriptError, read as read_transcript};
