//! What `--meter` accepts.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use super::integrate::MAX_WATTS;
use super::quantity::decimal;
use crate::device::Device;

/// A meter as it is asked for on the command line.
#[derive(Debug, Clone, PartialEq)]
pub enum MeterSpec {
    /// Whatever can be read, for each device that no other meter is asked for.
    Auto,
    /// No meter at all.
    None,
    /// The processors' own energy counters, read through Linux's powercap.
    Rapl,
    /// The energy of NVIDIA's cards, read through their driver's library NVML.
    Nvml,
    /// The energy or power of graphics cards, read through Linux's hwmon.
    Hwmon,
    /// The power of the whole machine while its battery discharges.
    Battery,
    /// A constant power that the user declares.
    Watts {
        /// The power in watts: above 0 and at most a million.
        watts: f64,
        /// Its uncertainty as a fraction of it (±5 % is 0.05), from 0 to 1.
        relative_uncertainty: Option<f64>,
        /// The device that draws it.
        device: Device,
    },
    /// A command that prints a power or a counter of energy, with its unit.
    Cmd {
        /// The command, as a shell takes it.
        command: String,
        /// The device whose energy it tells.
        device: Device,
    },
    /// A log that another program appends a meter's readings to.
    Csv {
        /// The file.
        path: PathBuf,
        /// The device whose energy it tells.
        device: Device,
    },
}

/// A text that names no meter.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{reason}; expected auto, none, rapl, nvml, hwmon, battery, watts:65W[±5%], cmd:COMMAND or csv:FILE, the last \
     three with [@cpu|@gpuN] (+- in place of ± too)"
)]
pub struct ParseMeterError {
    /// The whole text as it was given.
    pub text: String,
    /// What is wrong with it.
    pub reason: String,
}

impl MeterSpec {
    /// Returns the one device that the meter reads; `auto` and `none` name none, and `nvml` and `hwmon` read every card
    /// that they can.
    #[must_use]
    pub fn device(&self) -> Option<Device> {
        match self {
            Self::Auto | Self::None | Self::Nvml | Self::Hwmon => None,
            Self::Rapl | Self::Battery => Some(Device::Cpu),
            Self::Watts { device, .. } | Self::Cmd { device, .. } | Self::Csv { device, .. } => Some(*device),
        }
    }
}

impl fmt::Display for MeterSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::None => f.write_str("none"),
            Self::Rapl => f.write_str("rapl"),
            Self::Nvml => f.write_str("nvml"),
            Self::Hwmon => f.write_str("hwmon"),
            Self::Battery => f.write_str("battery"),
            Self::Cmd { command, device } => write!(f, "cmd:{command}@{device}"),
            Self::Csv { path, device } => write!(f, "csv:{}@{device}", path.display()),
            Self::Watts { watts, relative_uncertainty, device } => {
                write!(f, "watts:{watts}W")?;
                if let Some(fraction) = relative_uncertainty {
                    // 0.07 × 100 is 7.000000000000001 in binary.
                    write!(f, "±{}%", (fraction * 1e12).round() / 1e10)?;
                }
                write!(f, "@{device}")
            }
        }
    }
}

impl FromStr for MeterSpec {
    type Err = ParseMeterError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse(text).map_err(|reason| ParseMeterError { text: text.to_owned(), reason })
    }
}

/// Parses a whole spec; the error is the reason alone.
fn parse(text: &str) -> Result<MeterSpec, String> {
    if let Some((kind @ ("cmd" | "csv"), value)) = text.split_once(':') {
        return parse_source(kind, value);
    }
    let (meter, device) = match text.rsplit_once('@') {
        Some((meter, device)) => (meter, Some(device.parse::<Device>().map_err(|error| error.to_string())?)),
        None => (text, None),
    };
    let (kind, value) = match meter.split_once(':') {
        Some((kind, value)) => (kind, Some(value)),
        None => (meter, None),
    };
    if value.is_some() && matches!(kind, "auto" | "none" | "rapl" | "nvml" | "hwmon" | "battery") {
        return Err(format!("{kind} takes no value"));
    }
    match (kind, device) {
        ("auto" | "none", Some(device)) => Err(format!("{kind} is for all devices and can't be bound to {device}")),
        ("nvml" | "hwmon", Some(device)) => {
            Err(format!("{kind} is for every card that it can read and can't be bound to {device}"))
        }
        ("auto", None) => Ok(MeterSpec::Auto),
        ("none", None) => Ok(MeterSpec::None),
        ("nvml", None) => Ok(MeterSpec::Nvml),
        ("hwmon", None) => Ok(MeterSpec::Hwmon),
        ("rapl", None | Some(Device::Cpu)) => Ok(MeterSpec::Rapl),
        ("rapl", Some(device)) => Err(format!("rapl covers the processors only, not {device}")),
        ("battery", None | Some(Device::Cpu)) => Ok(MeterSpec::Battery),
        ("battery", Some(device)) => Err(format!("the battery feeds the whole machine, not {device} alone")),
        ("cmd", _) => Err("cmd needs the command, such as cmd:plug-power".to_owned()),
        ("csv", _) => Err("csv needs the file, such as csv:plug.csv".to_owned()),
        ("watts", device) => {
            let value = value.filter(|value| !value.is_empty()).ok_or("watts needs the power, such as watts:65W")?;
            let (watts, relative_uncertainty) = parse_power(value)?;
            Ok(MeterSpec::Watts { watts, relative_uncertainty, device: device.unwrap_or(Device::Cpu) })
        }
        _ => Err(format!("unknown meter {kind:?}")),
    }
}

/// Parses what follows `cmd:` or `csv:`. It may contain any `@`: only a device at its very end is none of it.
fn parse_source(kind: &str, text: &str) -> Result<MeterSpec, String> {
    let at_end = text.rsplit_once('@').and_then(|(value, device)| Some((value, device.parse().ok()?)));
    let (value, device) = at_end.unwrap_or((text, Device::Cpu));
    if value.trim().is_empty() {
        // The same words as for one without a colon.
        return parse(kind);
    }
    Ok(match kind {
        "cmd" => MeterSpec::Cmd { command: value.to_owned(), device },
        _ => MeterSpec::Csv { path: PathBuf::from(value), device },
    })
}

/// Parses `1.3kW±5%` into watts and the fraction that they are uncertain by.
fn parse_power(text: &str) -> Result<(f64, Option<f64>), String> {
    let (power, percent) = match text.split_once('±').or_else(|| text.split_once("+-")) {
        Some((power, percent)) => (power, Some(percent)),
        None => (text, None),
    };
    let number = power.strip_suffix('W').unwrap_or(power);
    let watts = match number.strip_suffix('k') {
        Some(number) => decimal(number, 3)?,
        None => decimal(number, 0)?,
    };
    if watts <= 0.0 {
        return Err(format!("{power:?} is not above 0 W"));
    }
    if watts > MAX_WATTS {
        return Err(format!("{power:?} is above {MAX_WATTS} W"));
    }
    let Some(percent) = percent else { return Ok((watts, None)) };
    let number = percent.strip_suffix('%').ok_or_else(|| format!("the uncertainty {percent:?} is no percentage"))?;
    // An exponent of ten is part of the number, so that 5 % is the double nearest to 0.05.
    let fraction = decimal(number, -2)?;
    if (0.0..1.0).contains(&fraction) {
        Ok((watts, Some(fraction)))
    } else {
        Err(format!("the uncertainty {percent:?} is not 0% to below 100%"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn watts(watts: f64, relative_uncertainty: Option<f64>, device: Device) -> MeterSpec {
        MeterSpec::Watts { watts, relative_uncertainty, device }
    }

    #[test]
    fn every_form_parses_and_prints_in_its_canonical_form() {
        let cpu = Device::Cpu;
        for (text, expected, printed) in [
            ("auto", MeterSpec::Auto, "auto"),
            ("none", MeterSpec::None, "none"),
            ("rapl", MeterSpec::Rapl, "rapl"),
            ("rapl@cpu", MeterSpec::Rapl, "rapl"),
            ("nvml", MeterSpec::Nvml, "nvml"),
            ("hwmon", MeterSpec::Hwmon, "hwmon"),
            ("battery", MeterSpec::Battery, "battery"),
            ("battery@cpu", MeterSpec::Battery, "battery"),
            ("watts:65W", watts(65.0, None, cpu), "watts:65W@cpu"),
            ("watts:65", watts(65.0, None, cpu), "watts:65W@cpu"),
            ("watts:65@cpu", watts(65.0, None, cpu), "watts:65W@cpu"),
            ("watts:65.5W@gpu12", watts(65.5, None, Device::Gpu(12)), "watts:65.5W@gpu12"),
            ("watts:65W±5%", watts(65.0, Some(0.05), cpu), "watts:65W±5%@cpu"),
            ("watts:65W+-5%", watts(65.0, Some(0.05), cpu), "watts:65W±5%@cpu"),
            ("watts:65±7%@gpu0", watts(65.0, Some(0.07), Device::Gpu(0)), "watts:65W±7%@gpu0"),
            ("watts:65W±0%", watts(65.0, Some(0.0), cpu), "watts:65W±0%@cpu"),
            ("watts:65W±99%", watts(65.0, Some(0.99), cpu), "watts:65W±99%@cpu"),
            ("watts:65W+-2.5%", watts(65.0, Some(0.025), cpu), "watts:65W±2.5%@cpu"),
            ("watts:1.3kW", watts(1300.0, None, cpu), "watts:1300W@cpu"),
            ("watts:1.3k", watts(1300.0, None, cpu), "watts:1300W@cpu"),
            ("watts:4.35kW", watts(4350.0, None, cpu), "watts:4350W@cpu"),
            ("watts:1000kW", watts(1e6, None, cpu), "watts:1000000W@cpu"),
            ("watts:0.001", watts(0.001, None, cpu), "watts:0.001W@cpu"),
        ] {
            let spec: MeterSpec = text.parse().unwrap();
            assert_eq!(spec, expected, "{text}");
            assert_eq!(spec.to_string(), printed, "{text}");
            assert_eq!(spec.to_string().parse(), Ok(spec), "{text}");
        }
    }

    #[test]
    fn commands_and_files_keep_every_at_sign_but_the_device_at_their_end() {
        for (text, value, device, printed) in [
            ("cmd:plug-power", "plug-power", Device::Cpu, "cmd:plug-power@cpu"),
            ("cmd:plug-power --w 3@gpu1", "plug-power --w 3", Device::Gpu(1), "cmd:plug-power --w 3@gpu1"),
            ("cmd:ssh me@plug 'a:b'", "ssh me@plug 'a:b'", Device::Cpu, "cmd:ssh me@plug 'a:b'@cpu"),
            ("cmd:ssh me@gpu0@cpu", "ssh me@gpu0", Device::Cpu, "cmd:ssh me@gpu0@cpu"),
            ("cmd:ssh me@gpu0", "ssh me", Device::Gpu(0), "cmd:ssh me@gpu0"),
            ("cmd:p@gpu01", "p@gpu01", Device::Cpu, "cmd:p@gpu01@cpu"),
            ("csv:a@b.csv@gpu2", "a@b.csv", Device::Gpu(2), "csv:a@b.csv@gpu2"),
            (r"csv:C:\log.csv", r"C:\log.csv", Device::Cpu, r"csv:C:\log.csv@cpu"),
        ] {
            let spec: MeterSpec = text.parse().unwrap();
            let expected = match text.starts_with("cmd") {
                true => MeterSpec::Cmd { command: value.to_owned(), device },
                false => MeterSpec::Csv { path: value.into(), device },
            };
            assert_eq!(spec, expected, "{text}");
            assert_eq!(spec.device(), Some(device), "{text}");
            assert_eq!(spec.to_string(), printed, "{text}");
            assert_eq!(spec.to_string().parse(), Ok(spec), "{text}");
        }
    }

    #[test]
    fn everything_else_is_rejected_with_the_value_the_reason_and_the_forms() {
        for (text, reason) in [
            ("", "unknown meter \"\""),
            ("AUTO", "unknown meter \"AUTO\""),
            ("tpm", "unknown meter \"tpm\""),
            ("Cmd:true", "unknown meter \"Cmd\""),
            ("hwmon:0", "hwmon takes no value"),
            ("hwmon@gpu0", "hwmon is for every card"),
            ("nvml@gpu0", "nvml is for every card"),
            ("nvml:", "nvml takes no value"),
            ("battery@gpu0", "the battery feeds the whole machine"),
            ("battery:BAT0", "battery takes no value"),
            ("cmd", "cmd needs the command"),
            ("cmd:", "cmd needs the command"),
            ("cmd: @gpu0", "cmd needs the command"),
            ("cmd@cpu", "cmd needs the command"),
            ("csv", "csv needs the file"),
            ("csv:@cpu", "csv needs the file"),
            ("auto@cpu", "auto is for all devices"),
            ("none@gpu0", "none is for all devices"),
            ("rapl:0", "rapl takes no value"),
            ("auto:", "auto takes no value"),
            ("rapl@gpu0", "rapl covers the processors only, not gpu0"),
            ("rapl@cpu0", "\"cpu0\" is no device"),
            ("watts:65W@", "\"\" is no device"),
            ("watts", "watts needs the power"),
            ("watts:", "watts needs the power"),
            ("watts@cpu", "watts needs the power"),
            ("watts:0W", "\"0W\" is not above 0 W"),
            ("watts:-5W", "\"-5W\" is not above 0 W"),
            ("watts:1000001", "is above 1000000 W"),
            ("watts:1001kW", "is above 1000000 W"),
            ("watts:W", "\"\" is no decimal number"),
            ("watts:nan", "\"nan\" is no decimal number"),
            ("watts:inf", "\"inf\" is no decimal number"),
            ("watts:1e3", "\"1e3\" is no decimal number"),
            ("watts:1.2.3", "\"1.2.3\" is no decimal number"),
            ("watts:.5", "\".5\" is no decimal number"),
            ("watts:65 W", "\"65 \" is no decimal number"),
            ("watts:65mW", "\"65m\" is no decimal number"),
            ("watts:65W5%", "is no decimal number"),
            ("watts:65W±5", "\"5\" is no percentage"),
            ("watts:65W±", "\"\" is no percentage"),
            ("watts:65W±%", "\"\" is no decimal number"),
            ("watts:65W±-1%", "\"-1%\" is not 0% to below 100%"),
            ("watts:65W±100%", "\"100%\" is not 0% to below 100%"),
        ] {
            let error = text.parse::<MeterSpec>().unwrap_err();
            assert!(error.reason.contains(reason), "{text:?}: {error}");
            assert!(error.to_string().starts_with(&error.reason), "{error}");
            assert!(
                error.to_string().contains("expected auto, none, rapl, nvml, hwmon, battery, watts:65W[±5%], cmd:"),
                "{error}"
            );
        }
    }
}
