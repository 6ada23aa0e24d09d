//! Where the machine's own power comes from, from `sys/class/power_supply`.

use super::Power;
use crate::sysroot::Sysroot;

/// Where the power supplies' directories are, below the root.
const SUPPLIES: &str = "sys/class/power_supply";

/// Describes where the power comes from and what the firmware does with it.
pub(super) fn describe(sysroot: &Sysroot) -> Power {
    let profile = sysroot.read("sys/firmware/acpi/platform_profile").ok().filter(|name| !name.is_empty());
    Power { on_battery: on_battery(sysroot), profile }
}

/// Tells whether the machine runs on a battery; none where no supply tells.
///
/// A plug that gives power wins: with a weak one the battery empties too, but the machine isn't held back as without.
fn on_battery(sysroot: &Sysroot) -> Option<bool> {
    let mut unplugged = false;
    let mut battery = false;
    let mut discharging = false;
    let mut powered = false;
    for supply in sysroot.list(SUPPLIES) {
        let read = |file: &str| sysroot.read(format!("{SUPPLIES}/{supply}/{file}")).ok();
        // The battery of a mouse or a headset.
        if read("scope").as_deref() == Some("Device") {
            continue;
        }
        match read("type").as_deref() {
            Some("Battery" | "UPS") => {
                battery = true;
                let status = read("status");
                discharging |= status.as_deref() == Some("Discharging");
                powered |= matches!(status.as_deref(), Some("Charging" | "Full" | "Not charging"));
            }
            Some("Mains" | "USB" | "Wireless") => match read("online").and_then(|online| online.parse::<u32>().ok()) {
                Some(0) => unplugged = true,
                Some(_) => return Some(false),
                None => {}
            },
            _ => {}
        }
    }
    if discharging || (unplugged && battery && !powered) {
        Some(true)
    } else {
        // Ports where nothing is plugged in tell nothing of a machine without a battery.
        powered.then_some(false)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::tree;
    use super::*;

    fn of(supplies: &[(&str, &[(&str, &str)])]) -> Option<bool> {
        let files: Vec<(String, &str)> = supplies
            .iter()
            .flat_map(|(name, files)| {
                files.iter().map(move |(file, text)| (format!("{SUPPLIES}/{name}/{file}"), *text))
            })
            .collect();
        let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), *text)).collect();
        let (_dir, sysroot) = tree(&files);
        on_battery(&sysroot)
    }

    #[test]
    fn a_machine_without_supplies_or_with_silent_ones_does_not_tell() {
        assert_eq!(of(&[]), None);
        assert_eq!(of(&[("AC", &[("type", "Mains\n")])]), None);
        assert_eq!(of(&[("ucsi-source-psy-1", &[("type", "USB\n"), ("online", "0\n")])]), None);
        assert_eq!(of(&[("BAT0", &[("type", "Battery\n"), ("status", "Unknown\n")])]), None);
        let mouse = [("type", "Battery\n"), ("scope", "Device\n"), ("status", "Discharging\n")];
        assert_eq!(of(&[("hidpp_battery_0", &mouse)]), None);
    }

    #[test]
    fn the_plug_tells_before_the_battery() {
        let plug = |online| [("type", "Mains\n"), ("online", online)];
        let battery = |status| [("type", "Battery\n"), ("status", status)];
        assert_eq!(of(&[("AC", &plug("1\n"))]), Some(false));
        for status in ["Discharging\n", "Charging\n", "Full\n", "Unknown\n"] {
            assert_eq!(of(&[("BAT0", &battery(status)), ("AC", &plug("1\n"))]), Some(false), "{status}");
        }
        assert_eq!(of(&[("AC", &plug("0\n")), ("BAT0", &battery("Discharging\n"))]), Some(true));
        assert_eq!(of(&[("AC", &plug("0\n")), ("BAT0", &battery("Unknown\n"))]), Some(true));
        // A dock may charge it past the port that is listed.
        assert_eq!(of(&[("AC", &plug("0\n")), ("BAT0", &battery("Charging\n"))]), Some(false));
        assert_eq!(of(&[("BAT0", &battery("Discharging\n"))]), Some(true));
        assert_eq!(of(&[("BAT0", &battery("Full\n"))]), Some(false));
        assert_eq!(of(&[("BAT0", &battery("Full\n")), ("BAT1", &battery("Discharging\n"))]), Some(true));
        assert_eq!(of(&[("ups", &[("type", "UPS\n"), ("status", "Discharging\n")])]), Some(true));
    }
}
