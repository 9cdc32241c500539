//! `vitalsd ports --probe`: what speaks on each port.

use std::io::Write;
use std::path::PathBuf;

use tokio::runtime::Builder;
use tokio::task::JoinSet;
use vitalsd_core::driver::{Kind, PROTOCOLS};

use crate::cli::harmless;
use crate::port::find::panel::Claim;
use crate::port::find::probe::{Answer, probe};
use crate::port::name::{DeviceRoot, PluggedIn};
use crate::wire::port as wire;

/// A port with what was found out about it.
struct Probed {
    port: PluggedIn,
    answer: Answer,
}

/// Probes the ports `named`, or all; those to `ask` are asked too.
pub(super) fn run(
    out: &mut impl Write,
    root: &DeviceRoot,
    named: &[PathBuf],
    ask: &[PathBuf],
    json: bool,
) -> anyhow::Result<()> {
    let mut ports: Vec<(PluggedIn, bool)> = ask.iter().map(|port| (PluggedIn::named(port, root), true)).collect();
    let listen = if named.is_empty() && ask.is_empty() {
        root.plugged_in()
    } else {
        named.iter().map(|port| PluggedIn::named(port, root)).collect()
    };
    for port in listen {
        if ports.iter().all(|(known, _)| known.target != port.target) {
            ports.push((port, false));
        }
    }
    let probed = Builder::new_current_thread().enable_all().build()?.block_on(all(root, ports));
    if json {
        let told = |Probed { port, answer }: &Probed| wire::Probed {
            port: port.into(),
            socket: port.socket().map(Into::into),
            answer: answer.into(),
        };
        serde_json::to_writer_pretty(&mut *out, &probed.iter().map(told).collect::<Vec<_>>())?;
        writeln!(out)?;
    } else if probed.is_empty() {
        out.write_all(super::NOTHING.as_bytes())?;
    }
    for Probed { port, answer } in probed.iter().filter(|_| !json) {
        writeln!(out, "{}", port.port.display())?;
        // It tells two devices of one make apart.
        if let Some(socket) = port.socket().filter(|socket| *socket != port.port) {
            writeln!(out, "  plugged in at {}", socket.display())?;
        }
        for line in words(answer) {
            writeln!(out, "  {}", harmless::line(&line))?;
        }
    }
    Ok(())
}

/// All ports at the same time: each is listened to for a while.
async fn all(root: &DeviceRoot, ports: Vec<(PluggedIn, bool)>) -> Vec<Probed> {
    let mut tasks = JoinSet::new();
    for (port, ask) in ports {
        let path = root.resolve(&port.port);
        tasks.spawn(async move {
            let answer = probe(&path, PROTOCOLS, ask).await;
            Probed { port, answer }
        });
    }
    let mut probed = tasks.join_all().await;
    probed.sort_by(|a, b| a.port.port.cmp(&b.port.port));
    probed
}

/// What was found out, for people.
fn words(answer: &Answer) -> Vec<String> {
    match answer {
        Answer::Understood { line, asked, claims, clear } => {
            let how = if *asked { ", after it was asked" } else { "" };
            let names: Vec<_> = claims.iter().map(|claim| claim.protocol).collect();
            let mut lines = vec![format!("{} at {line}{how}", names.join(" or "))];
            lines.extend(claims.iter().map(told));
            if !clear {
                lines.push("all of them understand it, and their flags may differ: see which device it is".into());
            } else if claims.len() > 1 {
                lines.push("the first has a checksum that fits; the others have none".into());
            }
            lines
        }
        Answer::Unreadable { bytes } => vec![format!(
            "{bytes} bytes and more, but no driver understands them at any line setting: another device, another \
             output format, or a bad cable"
        )],
        Answer::Silence => {
            let asked: Vec<_> = PROTOCOLS
                .iter()
                .filter(|protocol| matches!(protocol.kind, Kind::Start | Kind::Poll))
                .map(|protocol| protocol.name)
                .collect();
            vec![
                "silent: switched off, not connected, or a device that waits to be asked".into(),
                format!("({}); --write with this port asks it", asked.join(", ")),
            ]
        }
        Answer::InUse { why } => vec![format!("in use, left alone: {why}")],
        Answer::Failed { why } => vec![why.clone()],
    }
}

fn told(claim: &Claim) -> String {
    let devices = PROTOCOLS.iter().find(|protocol| protocol.name == claim.protocol).map_or("", |it| it.devices);
    format!("{}: {devices}; {} frames good, {} rejected", claim.protocol, claim.good_frames, claim.rejected)
}
