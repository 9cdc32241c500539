//! Proves: a port is read as bytes come, its loss is told once and with its reason, and it comes
//! back by its stable name.

use vitalsd::port::pty::Pty;

#[test]
fn what_the_device_says_is_kept_until_the_port_is_opened_and_never_echoed() {
    let pty = Pty::open().unwrap();
    assert_eq!(pty.try_write(b"\x01\x0a\x0d\x03").unwrap(), 4);
    let mut echo = [0; 8];
    assert_eq!(pty.try_read(&mut echo).unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
    let host = std::fs::File::open(pty.path()).unwrap();
    let mut heard = [0; 8];
    assert_eq!(std::io::Read::read(&mut &host, &mut heard).unwrap(), 4);
    assert_eq!(heard[..4], *b"\x01\x0a\x0d\x03");
}
