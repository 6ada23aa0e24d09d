//! Whether a graphics card draws a desktop, through Linux's DRM.

use crate::sysroot::Sysroot;

/// Tells whether a monitor is connected to the card at this place on the PCI bus, such as `0000:01:00.0`; nothing where
/// the system doesn't tell, as it doesn't for drivers that leave Linux's display interfaces alone.
#[must_use]
pub fn has_display(sysroot: &Sysroot, pci_bus_id: &str) -> Option<bool> {
    let directory = format!("sys/bus/pci/devices/{}/drm", pci_bus_id.to_lowercase());
    let cards = sysroot.list(&directory);
    // A connector is called `card1-HDMI-A-1`.
    let connectors = cards.iter().filter(|card| card.starts_with("card")).flat_map(|card| {
        let directory = format!("{directory}/{card}");
        sysroot
            .list(&directory)
            .into_iter()
            .filter(|name| name.starts_with("card"))
            .map(move |name| format!("{directory}/{name}/status"))
    });
    let mut statuses = connectors.filter_map(|path| sysroot.read(path).ok()).peekable();
    statuses.peek()?;
    Some(statuses.any(|status| status == "connected"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::tests::tree;

    #[test]
    fn a_connected_monitor_is_seen_and_silence_is_no_answer() {
        let drm = "sys/bus/pci/devices/0000:01:00.0/drm/card0";
        let (hdmi, port) = (format!("{drm}/card0-HDMI-A-1/status"), format!("{drm}/card0-DP-1/status"));
        let cases = [
            (vec![(hdmi.as_str(), "disconnected\n"), (port.as_str(), "connected\n")], Some(true)),
            (vec![(hdmi.as_str(), "disconnected\n"), (port.as_str(), "unknown\n")], Some(false)),
            (vec![("sys/bus/pci/devices/0000:01:00.0/drm/renderD128/dev", "226:128\n")], None),
            (vec![("sys/bus/pci/devices/0000:02:00.0/drm/card1/card1-DP-1/status", "connected\n")], None),
        ];
        for (files, expected) in cases {
            let (_directory, sysroot) = tree(&files);
            assert_eq!(has_display(&sysroot, "0000:01:00.0"), expected, "{files:?}");
        }
    }
}
