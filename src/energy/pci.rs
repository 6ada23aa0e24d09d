//! Addresses on the PCI bus, by which a meter finds its card.

use std::fmt;
use std::str::FromStr;

/// Where a card sits on the PCI bus.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PciAddress {
    domain: u32,
    bus: u32,
    device: u32,
    function: u32,
}

impl fmt::Display for PciAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04x}:{:02x}:{:02x}.{:x}", self.domain, self.bus, self.device, self.function)
    }
}

/// A text that is no address on the PCI bus.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NoPciAddress;

impl FromStr for PciAddress {
    type Err = NoPciAddress;

    /// Parses `0000:03:00.0`, in either case, with a domain of 4 or 8 digits or none.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let hex = |digits: &str, most: usize| {
            let is_hex = (1..=most).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
            if is_hex { u32::from_str_radix(digits, 16).map_err(|_| NoPciAddress) } else { Err(NoPciAddress) }
        };
        let (slot, function) = text.rsplit_once('.').ok_or(NoPciAddress)?;
        let (domain, bus, device) = match slot.split(':').collect::<Vec<_>>()[..] {
            [domain, bus, device] => (hex(domain, 8)?, bus, device),
            [bus, device] => (0, bus, device),
            _ => return Err(NoPciAddress),
        };
        Ok(Self { domain, bus: hex(bus, 2)?, device: hex(device, 2)?, function: hex(function, 1)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_writing_of_an_address_is_the_same_and_prints_like_linux() {
        for text in ["0000:0a:00.1", "0000:0A:00.1", "00000000:0A:00.1", "0:a:0.1", "0a:00.1"] {
            assert_eq!(text.parse::<PciAddress>().unwrap().to_string(), "0000:0a:00.1", "{text}");
        }
        assert_eq!("00010000:3b:1f.7".parse::<PciAddress>().unwrap().to_string(), "10000:3b:1f.7");
        for text in ["", "card0", "0000:03:00", "03.0", "0000:03:00.0.0", "0000:123:00.0", "x:03:00.0", "+1:03:00.0"] {
            assert_eq!(text.parse::<PciAddress>(), Err(NoPciAddress), "{text}");
        }
    }
}
