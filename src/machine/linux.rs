//! The operating system and the hypervisor, from what Linux tells below `proc` and `sys`.

use std::collections::BTreeMap;

use super::cpu::{CPUS, CpuInfo};
use super::{Os, Virtualization};
use crate::sysroot::Sysroot;

/// What the firmware of virtual machines calls itself. Names of clouds aren't here: they rent real machines too.
const VIRTUAL_FIRMWARE: [&str; 9] =
    ["qemu", "kvm", "vmware", "virtualbox", "xen", "virtual machine", "bochs", "bhyve", "parallels"];

/// Describes the operating system.
pub(super) fn os(sysroot: &Sysroot) -> Os {
    let kernel = sysroot.read("proc/sys/kernel/osrelease").ok().filter(|release| !release.is_empty());
    Os {
        kind: std::env::consts::OS.to_owned(),
        kernel: kernel.or_else(|| if sysroot.is_host() { kernel_release() } else { None }),
        arch: std::env::consts::ARCH.to_owned(),
    }
}

/// Asks the running kernel for its release, where there are no files that tell it.
#[cfg(unix)]
fn kernel_release() -> Option<String> {
    rustix::system::uname().release().to_str().ok().map(str::to_owned)
}

/// Nothing tells it here.
#[cfg(not(unix))]
fn kernel_release() -> Option<String> {
    None
}

/// Tells whether there is a hypervisor, and what it calls itself.
pub(super) fn virtualization(sysroot: &Sysroot, cpuinfo: &CpuInfo) -> Virtualization {
    let read = |path: &str| sysroot.read(path).ok().filter(|text| !text.is_empty());
    let kind = read("sys/hypervisor/type");
    let firmware = match (read("sys/class/dmi/id/sys_vendor"), read("sys/class/dmi/id/product_name")) {
        (Some(vendor), Some(product)) if !product.contains(&vendor) => Some(format!("{vendor} {product}")),
        (vendor, product) => product.or(vendor),
    };
    let told_by_firmware = firmware.as_ref().is_some_and(|firmware| {
        let firmware = firmware.to_lowercase();
        VIRTUAL_FIRMWARE.iter().any(|name| firmware.contains(name))
    });
    let told_by_flag = cpuinfo.flags().is_some_and(|flags| flags.contains("hypervisor"));
    let hypervisor = if kind.is_some() || told_by_firmware || told_by_flag {
        Some(true)
    } else {
        // Only x86 has a flag whose absence tells something.
        cpuinfo.is_x86().then_some(false)
    };
    let name = if hypervisor == Some(true) { kind.or(firmware) } else { None };
    Virtualization { hypervisor, name }
}

/// Returns what the kernel says of each of the processors' vulnerabilities that it knows.
pub(super) fn mitigations(sysroot: &Sysroot) -> BTreeMap<String, String> {
    let directory = format!("{CPUS}/vulnerabilities");
    let entry = |name: String| {
        let text = sysroot.read(format!("{directory}/{name}")).ok().filter(|text| !text.is_empty())?;
        Some((name, text))
    };
    sysroot.list(&directory).into_iter().filter_map(entry).collect()
}

#[cfg(test)]
mod tests {
    use super::super::tests::tree;
    use super::*;

    fn of(files: &[(&str, &str)]) -> (Option<bool>, Option<String>) {
        let (_dir, sysroot) = tree(files);
        let Virtualization { hypervisor, name } = virtualization(&sysroot, &CpuInfo::read(&sysroot));
        (hypervisor, name)
    }

    const X86: (&str, &str) = ("proc/cpuinfo", "processor : 0\nvendor_id : AuthenticAMD\nflags : fpu sse2\n");
    const X86_GUEST: (&str, &str) =
        ("proc/cpuinfo", "processor : 0\nvendor_id : AuthenticAMD\nflags : fpu sse2 hypervisor\n");
    const ARM: (&str, &str) = ("proc/cpuinfo", "processor : 0\nFeatures : fp asimd\n");
    const VENDOR: &str = "sys/class/dmi/id/sys_vendor";
    const PRODUCT: &str = "sys/class/dmi/id/product_name";

    #[test]
    fn a_hypervisor_shows_in_the_flags_the_firmware_or_its_own_file() {
        let named = |name: &str| (Some(true), Some(name.to_owned()));
        assert_eq!(of(&[X86]), (Some(false), None));
        assert_eq!(of(&[X86, (VENDOR, "ASUS"), (PRODUCT, "ASUS Board")]), (Some(false), None));
        assert_eq!(of(&[X86_GUEST]), (Some(true), None));
        assert_eq!(of(&[X86_GUEST, (VENDOR, "Amazon EC2"), (PRODUCT, "c7a.large")]), named("Amazon EC2 c7a.large"));
        assert_eq!(
            of(&[X86_GUEST, (VENDOR, "Google"), (PRODUCT, "Google Compute Engine")]),
            named("Google Compute Engine")
        );
        assert_eq!(of(&[X86, (VENDOR, "Amazon EC2"), (PRODUCT, "c7a.metal-48xl")]), (Some(false), None));
        assert_eq!(of(&[X86, ("sys/hypervisor/type", "xen\n"), (VENDOR, "Xen")]), named("xen"));
        assert_eq!(of(&[ARM]), (None, None));
        assert_eq!(of(&[ARM, (VENDOR, "QEMU"), (PRODUCT, "KVM Virtual Machine")]), named("QEMU KVM Virtual Machine"));
        assert_eq!(of(&[(PRODUCT, "VMware7,1")]), named("VMware7,1"));
        assert_eq!(of(&[(PRODUCT, "\n")]), (None, None));
    }

    #[cfg(unix)]
    #[test]
    fn the_running_kernel_has_a_release() {
        assert!(!kernel_release().unwrap().is_empty());
    }
}
