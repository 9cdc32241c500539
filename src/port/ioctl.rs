//! The one ioctl that no crate offers: low latency for a UART.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

use rustix::ioctl::{Getter, Opcode, Setter, ioctl};

/// `TIOCGSERIAL` and `TIOCSSERIAL` of asm-generic/ioctls.h; MIPS and Alpha number them differently.
#[cfg(any(target_arch = "mips", target_arch = "mips64"))]
compile_error!("TIOCGSERIAL has another number on MIPS: add it here");
const GET: Opcode = 0x541E;
const SET: Opcode = 0x541F;
/// linux/tty_flags.h: hand received bytes over at once.
const ASYNC_LOW_LATENCY: i32 = 1 << 13;

/// `struct serial_struct` of linux/serial.h. Only `flags` is touched; the rest goes back as it came.
#[repr(C)]
struct SerialStruct {
    kind: i32,
    line: i32,
    port: u32,
    irq: i32,
    flags: i32,
    xmit_fifo_size: i32,
    custom_divisor: i32,
    baud_base: i32,
    close_delay: u16,
    io_type: u8,
    reserved: u8,
    hub6: i32,
    closing_wait: u16,
    closing_wait2: u16,
    iomem_base: usize,
    iomem_reg_shift: u16,
    port_high: u32,
    iomap_base: usize,
}

/// Asks the port's driver to hand over each byte at once. An FTDI adapter then waits 1 ms instead
/// of 16 for more to come; CP210x, CH340 and CDC-ACM do not wait. Needs no privilege.
///
/// # Errors
/// The port does not know the request: a pty, some adapters.
pub fn low_latency(port: &impl AsRawFd) -> io::Result<()> {
    // SAFETY: `port` owns the descriptor and is borrowed for longer than it is used here.
    let fd = unsafe { BorrowedFd::borrow_raw(port.as_raw_fd()) };
    // SAFETY: TIOCGSERIAL fills a `struct serial_struct`, which `SerialStruct` mirrors.
    let mut settings = unsafe { ioctl(fd, Getter::<GET, SerialStruct>::new()) }?;
    settings.flags |= ASYNC_LOW_LATENCY;
    // SAFETY: TIOCSSERIAL reads a `struct serial_struct`, which `SerialStruct` mirrors.
    Ok(unsafe { ioctl(fd, Setter::<SET, SerialStruct>::new(settings)) }?)
}
