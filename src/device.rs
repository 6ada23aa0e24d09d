//! The names of the devices that compute, shared by engines and by the meters that belong to them.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// A device that computes hashes and draws power: the processors together, one graphics card, or all of them.
///
/// Written `cpu`, `gpuN` or `gpus`. A software adapter (a Vulkan driver that runs on the processors) is named `gpuN` in
/// an engine's id, but the device that draws its power is [`Device::Cpu`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Device {
    /// All processors of the machine.
    Cpu,
    /// The graphics adapter with this index, in the order of `hashwatt devices`.
    Gpu(u32),
    /// All graphics cards of the machine at once.
    Gpus,
}

impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cpu => f.write_str("cpu"),
            Self::Gpu(index) => write!(f, "gpu{index}"),
            Self::Gpus => f.write_str("gpus"),
        }
    }
}

/// The text that names no device.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no device: expected cpu or gpuN, such as gpu0")]
pub struct ParseDeviceError(pub String);

impl FromStr for Device {
    type Err = ParseDeviceError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let index = |digits: &str| digits.parse().ok().filter(|index: &u32| index.to_string() == digits);
        match text.strip_prefix("gpu") {
            None if text == "cpu" => Ok(Self::Cpu),
            Some("s") => Ok(Self::Gpus),
            Some(digits) => index(digits).map(Self::Gpu).ok_or_else(|| ParseDeviceError(text.to_owned())),
            None => Err(ParseDeviceError(text.to_owned())),
        }
    }
}

impl JsonSchema for Device {
    fn schema_name() -> Cow<'static, str> {
        "Device".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A device that computes hashes and draws power: the processors together, one card, or all.",
            "type": "string",
            "pattern": "^(cpu|gpus|gpu(0|[1-9][0-9]*))$",
        })
    }
}

impl Serialize for Device {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Device {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip_and_nothing_else_parses() {
        for device in [Device::Cpu, Device::Gpu(0), Device::Gpu(17), Device::Gpus] {
            assert_eq!(device.to_string().parse(), Ok(device));
        }
        for text in ["", "CPU", "gpu", "gpu-1", "gpu+1", "gpu01", "gpu0x", "cpu0"] {
            assert_eq!(text.parse::<Device>(), Err(ParseDeviceError(text.to_owned())));
        }
    }
}
