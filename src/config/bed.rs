//! The beds and their devices, and what must hold between them.

use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

use toml::Spanned;
use vitalsd_core::driver::{Kind, Protocol, Quantity};
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
    /// What it may speak, in the order in which to try them. One is what it speaks.
    pub protocols: Vec<&'static Protocol>,
    /// The path of its port.
    pub port: PathBuf,
    /// The quantities it is the bed's one source of (R1.6), of [`SOURCED`]. Perfusion index and
    /// pleth come with the saturation.
    pub primary: Vec<Quantity>,
    /// Nothing is ever sent to it.
    pub listen_only: bool,
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

    /// Whether it measures `quantity`, whichever of its protocols it speaks.
    #[must_use]
    pub fn measures(&self, quantity: Quantity) -> bool {
        self.protocols.iter().all(|protocol| protocol.measures(quantity))
    }

    fn can_source(&self, quantity: Quantity) -> bool {
        all_can_source(&self.protocols, quantity)
    }
}

/// What a device is at the bed, where its protocol is not given.
const ROLES: [(&str, Quantity); 2] = [("oximeter", Quantity::Spo2), ("cuff", Quantity::BloodPressure)];

/// The name of the protocol that is found out.
const AUTO: &str = "auto";

/// Whether a device of `protocol` can be the source of `quantity`. The pulse rate of a device
/// without SpO2 is a cuff's: one number a determination, fit for a comparison only (row 28).
#[must_use]
pub fn can_source(protocol: &Protocol, quantity: Quantity) -> bool {
    protocol.measures(quantity) && (quantity != Quantity::Pulse || protocol.measures(Quantity::Spo2))
}

fn all_can_source(protocols: &[&'static Protocol], quantity: Quantity) -> bool {
    protocols.iter().all(|protocol| can_source(protocol, quantity))
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
    if declared > 0 && !devices.iter().any(|device| device.measures(Quantity::Spo2)) {
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
        let protocols = table.require("protocol", read_protocols(table, known), "\"nonin-df2\"");
        let port = table.require("port", read_port(table, ports), "\"/dev/serial/by-id/usb-...\"");
        let named = read_primary(table, protocols.as_deref());
        let listen_only = table.flag("listen_only").unwrap_or(false);
        if let Some(protocols) = protocols.as_deref().filter(|_| listen_only) {
            warn_of_the_deaf(table, protocols);
        }
        let device = Device { id: id?, protocols: protocols?, port: port?, primary: Vec::new(), listen_only };
        Some(Self { device, named, span: table.span().clone() })
    }

    fn named(&self, quantity: Quantity) -> Option<&Spanned<Quantity>> {
        self.named.iter().flatten().find(|named| *named.get_ref() == quantity)
    }
}

/// One protocol, a list of them, or all of a role.
fn read_protocols(table: &Table<'_>, known: &[&'static Protocol]) -> Option<Vec<&'static Protocol>> {
    if table.is_list("protocol") {
        return read_family(table, known);
    }
    let name = table.text("protocol")?;
    if *name.get_ref() != AUTO {
        if let Some(role) = table.text("role") {
            let found = "`role` stands beside a protocol that is given";
            table.error(&role.span(), found, "`role` with protocol = \"auto\" only", "remove `role`");
        }
        return read_protocol(table, &name, known).map(|protocol| vec![protocol]);
    }
    let allowed = ROLES.map(|(role, _)| format!("{role:?}")).join(", ");
    let Some(role) = table.text("role") else {
        let remedy =
            "say what the device is: role = \"oximeter\", or name the protocols: protocol = [\"...\", \"...\"]";
        table.error(&name.span(), "protocol = \"auto\" without a `role`", &format!("role: {allowed}"), remedy);
        return None;
    };
    let Some((_, quantity)) = ROLES.iter().find(|(known, _)| known == role.get_ref()) else {
        let found = format!("the role {:?} is unknown", role.get_ref());
        table.error(&role.span(), &found, &allowed, "correct its spelling");
        return None;
    };
    // One that is too slow to raise an alarm is taken only if it is named.
    let slow = |protocol: &Protocol| protocol.measures(Quantity::Spo2) && protocol.cadence > SLOWEST_ALARM_SOURCE;
    Some(known.iter().copied().filter(|protocol| protocol.measures(*quantity) && !slow(protocol)).collect())
}

/// A list of protocols that may stand in for one another.
fn read_family(table: &Table<'_>, known: &[&'static Protocol]) -> Option<Vec<&'static Protocol>> {
    let names = table.texts("protocol")?;
    let Some(span) = names.first().map(Spanned::span) else {
        table.error(table.span(), "the list `protocol` is empty", "one protocol or more", "name those it may speak");
        return None;
    };
    let mut protocols: Vec<&'static Protocol> = Vec::new();
    for name in &names {
        let protocol = read_protocol(table, name, known)?;
        if protocols.iter().any(|earlier| earlier.name == protocol.name) {
            let found = format!("the protocol {:?} stands twice in the list", protocol.name);
            table.error(&name.span(), &found, "each protocol once", "remove one of the two");
            return None;
        }
        protocols.push(protocol);
    }
    if !SOURCED.iter().any(|(quantity, _)| all_can_source(&protocols, *quantity)) {
        let listed: Vec<_> = protocols.iter().map(|protocol| protocol.name).collect();
        let found = format!("{} measure nothing in common", listed.join(" and "));
        let allowed = "a list of protocols of one kind of device";
        table.error(&span, &found, allowed, "give each device a [[bed.device]] of its own");
        return None;
    }
    Some(protocols)
}

/// A device that has to be spoken to says nothing to one who only listens.
fn warn_of_the_deaf(table: &Table<'_>, protocols: &[&'static Protocol]) {
    for protocol in protocols.iter().filter(|protocol| matches!(protocol.kind, Kind::Start | Kind::Poll)) {
        let found = format!("{} speaks only when it is spoken to, and `listen_only` forbids that", protocol.name);
        let allowed = "a device that speaks by itself, or that somebody else speaks to on the same line";
        table.warn(table.span(), &found, allowed, "remove `listen_only`, unless another program asks this device");
    }
}

fn read_protocol(table: &Table<'_>, name: &Spanned<&str>, known: &[&'static Protocol]) -> Option<&'static Protocol> {
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

fn read_primary(table: &Table<'_>, protocols: Option<&[&'static Protocol]>) -> Option<Vec<Spanned<Quantity>>> {
    let mut primary = Vec::new();
    for name in table.texts("primary")? {
        let Some(&(quantity, _)) = SOURCED.iter().find(|(_, known)| known == name.get_ref()) else {
            let found = format!("`primary` names {:?}", name.get_ref());
            let allowed = SOURCED.map(|(_, name)| name).join(", ");
            table.error(&name.span(), &found, &allowed, "correct its spelling, or remove it");
            continue;
        };
        match protocols {
            Some(protocols) if !all_can_source(protocols, quantity) => {
                let able: Vec<_> = SOURCED
                    .iter()
                    .filter(|(quantity, _)| all_can_source(protocols, *quantity))
                    .map(|(_, name)| *name)
                    .collect();
                let not: Vec<_> = protocols.iter().filter(|it| !can_source(it, quantity)).map(|it| it.name).collect();
                let found = format!("{} is no source of {}", not.join(", "), name.get_ref());
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
        let able: Vec<_> = drafts.iter().enumerate().filter(|(_, draft)| draft.device.can_source(quantity)).collect();
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
