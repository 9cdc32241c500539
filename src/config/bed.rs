//! The beds and their devices, and what must hold between them.

use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

use toml::Spanned;
use vitalsd_core::driver::{Protocol, Quantity};
use vitalsd_core::time::Span;

use super::settings::id;
use super::table::Table;

/// A bed and the devices it expects.
#[derive(Clone, Debug)]
pub struct Bed {
    /// An opaque id.
    pub id: String,
    /// At least one.
    pub devices: Vec<Device>,
}

/// A device on a serial port.
#[derive(Clone, Debug)]
pub struct Device {
    /// Its id, unique at its bed.
    pub id: String,
    /// What it speaks.
    pub protocol: &'static Protocol,
    /// The path of its port.
    pub port: PathBuf,
    /// The quantities it is the bed's one source of (R1.6), of [`SOURCED`]. Perfusion index and
    /// pleth come with the saturation.
    pub primary: Vec<Quantity>,
}

/// The quantities that have one primary source (R1.6), and their names in the file.
pub const SOURCED: [(Quantity, &str); 3] =
    [(Quantity::Spo2, "spo2"), (Quantity::Pulse, "pulse"), (Quantity::BloodPressure, "blood_pressure")];

/// R1.2: a slower source is shown, but raises no alarm of SpO2 or pulse.
const SLOWEST_ALARM_SOURCE: Span = Span::secs(4);

impl Device {
    /// Whether it is the bed's source of `quantity`.
    #[must_use]
    pub fn is_primary(&self, quantity: Quantity) -> bool {
        self.primary.contains(&quantity)
    }
}

/// Whether a device of `protocol` can be the source of `quantity`. The pulse rate of a device
/// without SpO2 is a cuff's: one number a determination, fit for a comparison only (row 28).
#[must_use]
pub fn can_source(protocol: &Protocol, quantity: Quantity) -> bool {
    protocol.measures(quantity) && (quantity != Quantity::Pulse || protocol.measures(Quantity::Spo2))
}

/// What may stand only once in a file, and on which line it did.
#[derive(Default)]
struct Once<T>(Vec<(T, usize)>);

impl<T: PartialEq> Once<T> {
    /// The line of an earlier `value`.
    fn earlier(&mut self, value: T, line: usize) -> Option<usize> {
        let earlier = self.0.iter().find(|(seen, _)| *seen == value).map(|&(_, line)| line);
        self.0.push((value, line));
        earlier
    }
}

/// The beds of `file`.
pub(super) fn read_all(file: &Table<'_>, known: &[&'static Protocol]) -> Vec<Bed> {
    let (mut ids, mut ports) = (Once::default(), Once::default());
    let mut any = false;
    let beds = file.sections("bed", |bed| {
        any = true;
        read_bed(bed, known, &mut ids, &mut ports)
    });
    if !any {
        let allowed = "at least one [[bed]] with a [[bed.device]]";
        file.error(file.span(), "no bed is configured", allowed, "add a [[bed]] with an id and its devices");
    }
    beds
}

fn read_bed(
    bed: &Table<'_>,
    known: &[&'static Protocol],
    ids: &mut Once<String>,
    ports: &mut Once<PathBuf>,
) -> Option<Bed> {
    let id = bed.require("id", unique_id(bed, ids, "bed"), "\"bed-1\"");
    let mut device_ids = Once::default();
    let mut declared = 0;
    let drafts = bed.sections("device", |device| {
        declared += 1;
        Draft::read(device, known, &mut device_ids, ports)
    });
    if declared == 0 {
        let name = id.as_deref().unwrap_or("this bed");
        let allowed = "at least one [[bed.device]] after each [[bed]]";
        let remedy = "add its devices, or remove the bed: a bed without a device would never be watched";
        bed.error(bed.span(), &format!("{name} has no device"), allowed, remedy);
    }
    if drafts.len() < declared {
        return None; // Reported where it stands; who is primary depends on all of them.
    }
    let devices = appoint(bed, drafts);
    if declared > 0 && !devices.iter().any(|device| device.protocol.measures(Quantity::Spo2)) {
        let allowed = "an oximeter at every bed";
        bed.warn(bed.span(), "no device of this bed measures SpO2", allowed, "add its oximeter as a [[bed.device]]");
    }
    Some(Bed { id: id?, devices })
}

fn unique_id(table: &Table<'_>, ids: &mut Once<String>, what: &str) -> Option<String> {
    let id = id(table, "id")?;
    let span = table.text("id").map(|text| text.span())?;
    if let Some(line) = ids.earlier(id.clone(), table.line(&span)) {
        let found = format!("the {what} {id:?} stands here for the second time, first on line {line}");
        table.error(&span, &found, &format!("an id for one {what} only"), "give one of the two another id");
    }
    Some(id)
}

/// A device before it is known what it is the source of.
struct Draft {
    device: Device,
    /// What its file asks it to be the source of.
    named: Option<Vec<Spanned<Quantity>>>,
    span: Range<usize>,
}

impl Draft {
    fn read(
        table: &Table<'_>,
        known: &[&'static Protocol],
        ids: &mut Once<String>,
        ports: &mut Once<PathBuf>,
    ) -> Option<Self> {
        let id = table.require("id", unique_id(table, ids, "device"), "\"oximeter\"");
        let protocol = table.require("protocol", read_protocol(table, known), "\"nonin-df2\"");
        let port = table.require("port", read_port(table, ports), "\"/dev/serial/by-id/usb-...\"");
        let named = read_primary(table, protocol);
        let device = Device { id: id?, protocol: protocol?, port: port?, primary: Vec::new() };
        Some(Self { device, named, span: table.span().clone() })
    }

    fn named(&self, quantity: Quantity) -> Option<&Spanned<Quantity>> {
        self.named.iter().flatten().find(|named| *named.get_ref() == quantity)
    }
}

fn read_protocol(table: &Table<'_>, known: &[&'static Protocol]) -> Option<&'static Protocol> {
    let name = table.text("protocol")?;
    let protocol = known.iter().find(|protocol| protocol.name == *name.get_ref()).copied();
    let Some(protocol) = protocol else {
        let found = format!("the protocol {:?} is unknown", name.get_ref());
        let names: Vec<_> = known.iter().map(|protocol| protocol.name).collect();
        let remedy = "`vitalsd drivers` lists the protocols with their devices";
        table.error(&name.span(), &found, &names.join(", "), remedy);
        return None;
    };
    if protocol.measures(Quantity::Spo2) && protocol.cadence > SLOWEST_ALARM_SOURCE {
        let found =
            format!("{} sends a value every {}: it is shown, but raises no alarm", protocol.name, protocol.cadence);
        let allowed = format!("a source at least every {SLOWEST_ALARM_SOURCE}, for alarms of SpO2 and pulse");
        table.warn(&name.span(), &found, &allowed, "set the device to another output format, if it has one");
    }
    Some(protocol)
}

fn read_port(table: &Table<'_>, ports: &mut Once<PathBuf>) -> Option<PathBuf> {
    let text = table.text("port")?;
    let (span, path) = (text.span(), Path::new(*text.get_ref()));
    if !path.is_absolute() {
        let found = format!("the port {:?} is not a full path", text.get_ref());
        let remedy = "`vitalsd ports` lists the ports by their lasting names";
        table.error(&span, &found, "a path that begins with /dev/", remedy);
        return None;
    }
    if is_numbered(path) {
        let found = format!("{} is numbered in the order of plugging in: another device may get it", path.display());
        let allowed = "a lasting name: /dev/serial/by-id/..., /dev/serial/by-path/... or /dev/vitals/...";
        table.warn(&span, &found, allowed, "`vitalsd ports` lists the ports by their lasting names");
    }
    // Two names may lead to one port; if it is not plugged in, only equal names can be found out.
    let real = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    if let Some(line) = ports.earlier(real, table.line(&span)) {
        let found = format!("the port {} is used twice, first on line {line}", path.display());
        table.error(&span, &found, "one device a port", "give one of the two its own port");
    }
    Some(path.to_owned())
}

/// Whether the kernel counts ports of that name.
fn is_numbered(path: &Path) -> bool {
    let name = path.strip_prefix("/dev").ok().and_then(Path::to_str).unwrap_or_default();
    ["ttyUSB", "ttyACM", "ttyS"]
        .iter()
        .any(|prefix| name.strip_prefix(prefix).is_some_and(|n| !n.is_empty() && n.bytes().all(|c| c.is_ascii_digit())))
}

fn read_primary(table: &Table<'_>, protocol: Option<&Protocol>) -> Option<Vec<Spanned<Quantity>>> {
    let mut primary = Vec::new();
    for name in table.texts("primary")? {
        let Some(&(quantity, _)) = SOURCED.iter().find(|(_, known)| known == name.get_ref()) else {
            let found = format!("`primary` names {:?}", name.get_ref());
            let allowed = SOURCED.map(|(_, name)| name).join(", ");
            table.error(&name.span(), &found, &allowed, "correct its spelling, or remove it");
            continue;
        };
        match protocol {
            Some(protocol) if !can_source(protocol, quantity) => {
                let able: Vec<_> = SOURCED
                    .iter()
                    .filter(|(quantity, _)| can_source(protocol, *quantity))
                    .map(|(_, name)| *name)
                    .collect();
                let found = format!("{} is no source of {}", protocol.name, name.get_ref());
                table.error(&name.span(), &found, &able.join(", "), "name it at the device that measures it");
            }
            _ => primary.push(Spanned::new(name.span(), quantity)),
        }
    }
    Some(primary)
}

/// Gives every quantity its one source (R1.6): the device that is named, or the only one that can.
fn appoint(bed: &Table<'_>, mut drafts: Vec<Draft>) -> Vec<Device> {
    for (quantity, name) in SOURCED {
        let named: Vec<_> = drafts.iter().enumerate().filter(|(_, draft)| draft.named(quantity).is_some()).collect();
        let able: Vec<_> =
            drafts.iter().enumerate().filter(|(_, draft)| can_source(draft.device.protocol, quantity)).collect();
        let chosen = match (named.as_slice(), able.as_slice()) {
            ([(index, _)], _) | ([], [(index, _)]) => Some(*index),
            ([], []) => None,
            ([], [(_, first), (_, second), ..]) => {
                let found = format!(
                    "{} and {} both measure {name}, and neither is its source",
                    first.device.id, second.device.id
                );
                let remedy = format!("add to one of them: primary = [\"{name}\"]");
                bed.error(&second.span, &found, "one primary source for each quantity of a bed", &remedy);
                None
            }
            ([(_, first), (_, second), ..], _) => {
                let found = format!("{} and {} are both named the source of {name}", first.device.id, second.device.id);
                let span = second.named(quantity).map_or(second.span.clone(), Spanned::span);
                let remedy = format!("remove \"{name}\" from `primary` of one of them");
                bed.error(&span, &found, "one primary source for each quantity of a bed", &remedy);
                None
            }
        };
        if let Some(draft) = chosen.and_then(|index| drafts.get_mut(index)) {
            draft.device.primary.push(quantity);
        }
    }
    drafts.into_iter().map(|draft| draft.device).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_that_the_kernel_counts_are_numbered() {
        for port in ["/dev/ttyUSB0", "/dev/ttyACM12", "/dev/ttyS1"] {
            assert!(is_numbered(Path::new(port)), "{port}");
        }
        for port in ["/dev/ttySAC0", "/dev/serial/by-id/usb-ttyUSB0", "/dev/vitals/ttyUSB0", "/dev/pts/3", "/dev/ttyS"]
        {
            assert!(!is_numbered(Path::new(port)), "{port}");
        }
    }
}
