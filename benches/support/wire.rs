//! As little MQTT 5 as a raw socket needs: what the relay and the subscriber speak costs next to nothing.

use std::io::{Error, Read, Result, Write};
use std::net::TcpStream;
use std::time::Instant;

const PUBLISH: u8 = 3;
const PUBACK: u8 = 4;

/// The properties that vitalsd sends with every JSON: UTF-8, `application/json`.
const JSON: &[u8] = b"\x01\x01\x03\x00\x10application/json";

/// A connection that blocks.
pub struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
    /// When the newest bytes came.
    read: Instant,
}

/// A PUBLISH, and when the last of its bytes had been read.
pub struct Heard {
    pub at: Instant,
    pub topic: String,
    pub payload: Vec<u8>,
}

impl Connection {
    /// Connects to the broker on `port` of this machine.
    pub fn open(port: u16, client: &str) -> Result<Self> {
        let stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_nodelay(true)?;
        let mut connection = Self { stream, buffer: Vec::with_capacity(1 << 16), read: Instant::now() };
        // Protocol level 5, clean start, no keep-alive, no properties.
        let body = [b"\x00\x04MQTT\x05\x02\x00\x00\x00".as_slice(), &text(client)].concat();
        connection.write(&packet(0x10, &body))?;
        connection.packet()?;
        Ok(connection)
    }

    /// Subscribes at QoS 1.
    pub fn subscribe(&mut self, filters: &[&str]) -> Result<()> {
        let filters: Vec<u8> = filters.iter().flat_map(|filter| [text(filter), vec![1]].concat()).collect();
        self.write(&packet(0x82, &[b"\x00\x01\x00".as_slice(), &filters].concat()))?;
        self.packet()?;
        Ok(())
    }

    /// One write.
    pub fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.stream.write_all(bytes)
    }

    /// The next packet: its first byte and its body.
    pub fn packet(&mut self) -> Result<(u8, Vec<u8>)> {
        loop {
            if let Some((first, head, body)) = whole(&self.buffer) {
                let found = self.buffer[head..head + body].to_vec();
                self.buffer.drain(..head + body);
                return Ok((first, found));
            }
            let mut chunk = [0; 1 << 16];
            let n = self.stream.read(&mut chunk)?;
            self.read = Instant::now();
            if n == 0 {
                return Err(Error::other("the broker closed the connection"));
            }
            self.buffer.extend_from_slice(&chunk[..n]);
        }
    }

    /// The next PUBLISH, confirmed if it asks for that.
    pub fn next(&mut self) -> Result<Heard> {
        loop {
            let (first, body) = self.packet()?;
            if first >> 4 != PUBLISH {
                continue;
            }
            let at = self.read;
            let (topic, mut rest) = take_text(&body);
            if first & 0x06 != 0 {
                self.write(&[PUBACK << 4, 2, rest[0], rest[1]])?;
                rest = &rest[2..];
            }
            let (properties, size) = varint(rest).unwrap_or_default();
            return Ok(Heard { at, topic: topic.into(), payload: rest[size + properties..].to_vec() });
        }
    }
}

/// A PUBLISH at QoS 1 with packet id 1: for one message at a time.
pub fn publish(topic: &str, payload: &[u8], retain: bool) -> Vec<u8> {
    let properties = [&[u8::try_from(JSON.len()).unwrap_or_default()], JSON].concat();
    packet(0x32 | u8::from(retain), &[text(topic).as_slice(), b"\x00\x01", &properties, payload].concat())
}

fn packet(first: u8, body: &[u8]) -> Vec<u8> {
    let mut packet = vec![first];
    let mut left = body.len();
    loop {
        let low = u8::try_from(left % 128).unwrap_or_default();
        left /= 128;
        packet.push(if left > 0 { low | 0x80 } else { low });
        if left == 0 {
            break;
        }
    }
    packet.extend_from_slice(body);
    packet
}

fn text(text: &str) -> Vec<u8> {
    [&u16::try_from(text.len()).unwrap_or_default().to_be_bytes(), text.as_bytes()].concat()
}

fn take_text(bytes: &[u8]) -> (&str, &[u8]) {
    let (text, rest) = bytes[2..].split_at(usize::from(u16::from_be_bytes([bytes[0], bytes[1]])));
    (std::str::from_utf8(text).unwrap_or_default(), rest)
}

/// A whole packet at the front: its first byte, the size of its head, that of its body.
fn whole(bytes: &[u8]) -> Option<(u8, usize, usize)> {
    let (body, size) = varint(bytes.get(1..)?)?;
    (bytes.len() >= 1 + size + body).then_some((bytes[0], 1 + size, body))
}

/// A variable byte integer, and how many bytes it takes.
fn varint(bytes: &[u8]) -> Option<(usize, usize)> {
    let mut value = 0;
    for (index, byte) in bytes.iter().take(4).enumerate() {
        value |= usize::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            return Some((value, index + 1));
        }
    }
    None
}
