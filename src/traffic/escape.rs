//! Text from records, made harmless: nothing of it steers a terminal or turns the order of letters round.

use std::borrow::Cow;

/// The most characters that are shown of a text from outside.
const SHOWN_MAX: usize = 120;

/// Returns `text` with everything that isn't plainly visible written as an escape such as `\u{1b}`, and cut off after
/// 120 characters.
pub fn printable(text: &str) -> String {
    let mut shown = String::new();
    for (count, character) in text.chars().enumerate() {
        if count == SHOWN_MAX {
            shown.push('…');
            break;
        }
        if is_harmless(character) {
            shown.push(character);
        } else {
            shown.extend(character.escape_unicode());
        }
    }
    shown
}

/// Does the same for bytes that need not be text.
pub fn printable_bytes(bytes: &[u8]) -> String {
    // Four bytes a character at most, and one character more than is shown, so that the cut is seen.
    let bytes = &bytes[..bytes.len().min(4 * (SHOWN_MAX + 1))];
    let text: Cow<'_, str> = String::from_utf8_lossy(bytes);
    printable(&text)
}

/// Letters, digits and signs that only show themselves. Format characters (category Cf), among them those that reorder
/// text, and everything that isn't assigned to a visible form in the common blocks is left out.
fn is_harmless(character: char) -> bool {
    match character {
        ' '..='~' => true,
        '\u{ad}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}' | '\u{180e}' => false,
        '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{fff9}'..='\u{fffb}' => false,
        '\u{feff}' | '\u{e000}'..='\u{f8ff}' => false,
        _ => character.is_alphanumeric() || ('\u{a1}'..='\u{2fff}').contains(&character) || character == '\u{fffd}',
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steers_a_terminal_is_written_out() {
        assert_eq!(printable("pool.example:3333"), "pool.example:3333");
        assert_eq!(printable("\u{1b}[2J\u{7}\r\n\u{9b}1m"), "\\u{1b}[2J\\u{7}\\u{d}\\u{a}\\u{9b}1m");
        assert_eq!(printable("a\u{202e}b\u{2066}c\u{200f}"), "a\\u{202e}b\\u{2066}c\\u{200f}");
        assert_eq!(printable("Пул 矿池 – ä"), "Пул 矿池 – ä");
        assert_eq!(printable_bytes(b"\xff\x00ok"), "\u{fffd}\\u{0}ok");
    }

    #[test]
    fn long_texts_are_cut_off() {
        assert_eq!(printable(&"x".repeat(121)).chars().count(), 121);
        assert!(printable(&"x".repeat(121)).ends_with("x…"));
        assert_eq!(printable(&"x".repeat(120)), "x".repeat(120));
        assert!(printable_bytes(&[b'y'; 100_000]).ends_with('…'));
    }

    /// Every character that the Unicode standard calls control, and the line ends and tags beyond them.
    #[test]
    fn no_control_character_gets_through() {
        for code in 0..=0x10_ffff_u32 {
            let Some(character) = char::from_u32(code) else { continue };
            if character.is_control() || matches!(code, 0x2028 | 0x2029 | 0xe0001 | 0xe0020..=0xe007f) {
                assert!(!is_harmless(character), "{code:x}");
            }
        }
    }
}
