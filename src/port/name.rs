//! Stable names: which path stays with a device when others come and go.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use tokio_serial::SerialPortType;

use crate::wire::port as wire;

/// Where udev keeps names that stay, best first: vitalsd's own rule, then the adapter's serial
/// number, then the socket it is plugged into.
const STABLE: [&str; 3] = ["/dev/vitals", "/dev/serial/by-id", "/dev/serial/by-path"];

/// The directory under which `/dev` is looked up: `/`, or another for the demo and for tests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceRoot(PathBuf);

impl Default for DeviceRoot {
    fn default() -> Self {
        Self(PathBuf::from("/"))
    }
}

/// A port that is plugged in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PluggedIn {
    /// The name to configure it by.
    pub port: PathBuf,
    /// Whether that name stays when the device is replugged or the box restarted.
    pub stable: bool,
    /// Its other stable names.
    pub also: Vec<PathBuf>,
    /// The device node that it is for now.
    pub target: PathBuf,
    /// What USB says of the adapter. It says nothing of the device behind it.
    pub usb: Option<Usb>,
}

/// What USB says of an adapter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Usb {
    /// Vendor id.
    pub vendor_id: u16,
    /// Product id.
    pub product_id: u16,
    /// Manufacturer, in its own words.
    pub manufacturer: Option<String>,
    /// Product, in its own words.
    pub product: Option<String>,
    /// Serial number; cheap adapters have none.
    pub serial_number: Option<String>,
}

impl fmt::Display for Usb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for words in [&self.manufacturer, &self.product].into_iter().flatten() {
            write!(f, "{words} ")?;
        }
        write!(f, "({:04x}:{:04x}", self.vendor_id, self.product_id)?;
        if self.serial_number.is_none() {
            f.write_str(", no serial number")?;
        }
        f.write_str(")")
    }
}

impl DeviceRoot {
    /// Looks `/dev` up under `root`.
    #[must_use]
    pub fn at(root: impl Into<PathBuf>) -> Self {
        Self(root.into())
    }

    /// The path to open for the name `configured`.
    #[must_use]
    pub fn resolve(&self, configured: &Path) -> PathBuf {
        self.0.join(configured.strip_prefix("/").unwrap_or(configured))
    }

    /// The serial number of the USB adapter at the name `configured`, `none` if it has none; `None`: there is no
    /// adapter, or nothing is known of it. Behind the name of a socket it tells one adapter from another.
    #[must_use]
    pub fn adapter(&self, configured: &Path) -> Option<String> {
        let node = fs::canonicalize(self.resolve(configured)).ok()?;
        let device = fs::canonicalize(self.0.join("sys/class/tty").join(node.file_name()?).join("device")).ok()?;
        let usb = device.ancestors().find(|directory| directory.join("idVendor").is_file())?;
        Some(fs::read_to_string(usb.join("serial")).map_or_else(|_| "none".into(), |text| text.trim().to_owned()))
    }

    /// What is wrong with the name `configured`, for `vitalsd check`; `None`: nothing.
    #[must_use]
    pub fn warning(&self, configured: &Path) -> Option<String> {
        if STABLE.iter().any(|directory| configured.starts_with(directory)) {
            return None;
        }
        let name = configured.file_name()?.to_str()?;
        if !["ttyUSB", "ttyACM"].iter().any(|kind| name.starts_with(kind)) {
            return None;
        }
        let stable = fs::canonicalize(self.resolve(configured))
            .ok()
            .and_then(|target| self.plugged_in().into_iter().find(|found| found.stable && found.target == target));
        let remedy = match stable {
            Some(found) => format!("it is now {}: use that name", found.port.display()),
            None => "use a name below /dev/serial/by-id, which `vitalsd ports` lists".into(),
        };
        Some(format!(
            "{} is whichever adapter was plugged in in that order, so a bed could be shown another bed's patient; {remedy}",
            configured.display()
        ))
    }

    /// What is plugged in, by name. Under another root only what has a stable name there.
    #[must_use]
    pub fn plugged_in(&self) -> Vec<PluggedIn> {
        let mut found: Vec<PluggedIn> = if self.0 == Path::new("/") { device_nodes() } else { Vec::new() };
        for (name, target) in STABLE.iter().flat_map(|directory| self.links(Path::new(directory))) {
            match found.iter_mut().find(|port| port.target == target) {
                Some(port) => port.add(name),
                None => found.push(PluggedIn { port: name, stable: true, also: Vec::new(), target, usb: None }),
            }
        }
        found.sort_by(|a, b| a.port.cmp(&b.port));
        found
    }

    /// The names in `directory` that lead somewhere, each with where.
    fn links(&self, directory: &Path) -> Vec<(PathBuf, PathBuf)> {
        let Ok(entries) = fs::read_dir(self.resolve(directory)) else { return Vec::new() };
        let mut links: Vec<_> = entries
            .flatten()
            .filter_map(|entry| Some((directory.join(entry.file_name()), fs::canonicalize(entry.path()).ok()?)))
            .collect();
        links.sort();
        links
    }
}

impl PluggedIn {
    /// A port that a person has named, whether it is known or not.
    #[must_use]
    pub fn named(port: &Path, root: &DeviceRoot) -> Self {
        let known = root
            .plugged_in()
            .into_iter()
            .find(|found| [&found.port, &found.target].into_iter().chain(&found.also).any(|name| name == port));
        known.unwrap_or_else(|| {
            let target = fs::canonicalize(root.resolve(port)).unwrap_or_else(|_| port.to_owned());
            Self { port: port.to_owned(), stable: false, also: Vec::new(), target, usb: None }
        })
    }

    /// The name of the socket that it is plugged into: it tells two devices of one make apart.
    #[must_use]
    pub fn socket(&self) -> Option<&Path> {
        let names = [&self.port].into_iter().chain(&self.also);
        names.map(PathBuf::as_path).find(|name| name.starts_with("/dev/serial/by-path"))
    }

    /// Takes a further stable name; they come best first.
    fn add(&mut self, name: PathBuf) {
        let by_id = Path::new("/dev/serial/by-id");
        let is_node = self.port == self.target;
        // Without a serial number two adapters of one make share a name by id: the socket is better.
        let no_serial_number = self.usb.as_ref().is_some_and(|usb| usb.serial_number.is_none());
        let is_better = no_serial_number && self.port.starts_with(by_id) && !name.starts_with(by_id);
        if is_node {
            self.port = name;
        } else if is_better {
            self.also.push(std::mem::replace(&mut self.port, name));
        } else {
            self.also.push(name);
        }
        self.stable = true;
    }
}

impl From<&PluggedIn> for wire::Port {
    fn from(PluggedIn { port, stable, also, target, usb }: &PluggedIn) -> Self {
        let usb = usb.as_ref().map(|Usb { vendor_id, product_id, manufacturer, product, serial_number }| wire::Usb {
            vendor_id: *vendor_id,
            product_id: *product_id,
            manufacturer: manufacturer.clone(),
            product: product.clone(),
            serial_number: serial_number.clone(),
        });
        Self { port: port.clone(), stable: *stable, also: also.clone(), target: target.clone(), usb }
    }
}

/// The serial ports that the kernel knows.
fn device_nodes() -> Vec<PluggedIn> {
    // The crate takes it for granted that this directory exists; a container may have none.
    if !Path::new("/sys/class/tty").is_dir() {
        return Vec::new();
    }
    let ports = tokio_serial::available_ports().unwrap_or_default();
    ports.into_iter().filter(|port| has_hardware(&port.port_name)).map(device_node).collect()
}

/// A PC lists ttyS0 to ttyS3 whether or not there is a UART; type 0 is none.
fn has_hardware(port: &str) -> bool {
    let name = port.strip_prefix("/dev/").unwrap_or(port);
    fs::read_to_string(format!("/sys/class/tty/{name}/type")).map_or(true, |kind| kind.trim() != "0")
}

fn device_node(port: tokio_serial::SerialPortInfo) -> PluggedIn {
    // A UART of the board keeps its number; what is plugged in or paired takes the next that is free.
    let stable = !matches!(port.port_type, SerialPortType::UsbPort(_) | SerialPortType::BluetoothPort);
    let usb = match port.port_type {
        SerialPortType::UsbPort(usb) => Some(Usb {
            vendor_id: usb.vid,
            product_id: usb.pid,
            manufacturer: usb.manufacturer,
            product: usb.product,
            serial_number: usb.serial_number,
        }),
        _ => None,
    };
    let target = PathBuf::from(port.port_name);
    PluggedIn { port: target.clone(), stable, also: Vec::new(), target, usb }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn adapter(serial_number: Option<&str>) -> PluggedIn {
        PluggedIn {
            port: "/dev/ttyUSB0".into(),
            stable: false,
            also: Vec::new(),
            target: "/dev/ttyUSB0".into(),
            usb: Some(Usb {
                vendor_id: 0x0403,
                product_id: 0x6001,
                manufacturer: Some("FTDI".into()),
                product: Some("FT232R USB UART".into()),
                serial_number: serial_number.map(Into::into),
            }),
        }
    }

    #[test]
    fn an_adapter_with_a_serial_number_goes_by_it_and_one_without_by_its_socket() {
        let (id, path) = (Path::new("/dev/serial/by-id/usb-a"), Path::new("/dev/serial/by-path/pci-b"));
        let mut with = adapter(Some("A1"));
        with.add(id.into());
        with.add(path.into());
        assert_eq!((with.port.as_path(), with.also, with.stable), (id, vec![path.into()], true));
        let mut without = adapter(None);
        without.add(id.into());
        without.add(path.into());
        assert_eq!((without.port.as_path(), without.also), (path, vec![id.into()]));
    }

    #[test]
    fn an_adapter_is_described_in_its_own_words() {
        let words = |serial| adapter(serial).usb.map(|usb| usb.to_string());
        assert_eq!(words(Some("A1")).as_deref(), Some("FTDI FT232R USB UART (0403:6001)"));
        assert_eq!(words(None).as_deref(), Some("FTDI FT232R USB UART (0403:6001, no serial number)"));
    }
}
