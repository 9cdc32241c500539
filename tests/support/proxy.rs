//! A way to the broker that can be cut, frozen and made slow: what happens to a cable, in a process.

use std::net::TcpListener as StdListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::sleep;

/// The proxy, on a thread of its own. Everybody who connects to `port` speaks to the broker.
pub struct Proxy {
    pub port: u16,
    shared: Arc<Shared>,
    /// Counts up: connections of an earlier count end.
    cuts: watch::Sender<u64>,
}

struct Shared {
    frozen: AtomicBool,
    /// Bytes that may still pass to the broker before the way is cut; `u64::MAX`: any number.
    left: AtomicU64,
    /// The pause after each piece of up to a kilobyte, milliseconds.
    pause_ms: AtomicU64,
}

impl Proxy {
    /// A way to the broker at `port`.
    pub fn to(broker: u16) -> Self {
        let listener = StdListener::bind("127.0.0.1:0").expect("a free port");
        listener.set_nonblocking(true).expect("a listener of ours");
        let port = listener.local_addr().expect("an address").port();
        let shared =
            Shared { frozen: AtomicBool::new(false), left: AtomicU64::new(u64::MAX), pause_ms: AtomicU64::new(0) };
        let shared = Arc::new(shared);
        let (cuts, cut) = watch::channel(0);
        let way = Arc::clone(&shared);
        let again = cuts.clone();
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async {
                let listener = TcpListener::from_std(listener).expect("a listener");
                while let Ok((inside, _)) = listener.accept().await {
                    if cut.has_changed().is_err() {
                        break;
                    }
                    let Ok(outside) = TcpStream::connect(("127.0.0.1", broker)).await else { continue };
                    let _ = (inside.set_nodelay(true), outside.set_nodelay(true));
                    let ((read, write), (back_read, back_write)) = (inside.into_split(), outside.into_split());
                    let mut cut = cut.clone();
                    let (way, again) = (Arc::clone(&way), again.clone());
                    tokio::spawn(async move {
                        cut.mark_unchanged();
                        tokio::select! {
                            () = pass(&way, Some(&again), read, back_write) => {}
                            () = pass(&way, None, back_read, write) => {}
                            _ = cut.changed() => {}
                        }
                    });
                }
            });
        });
        Self { port, shared, cuts }
    }

    /// Ends every connection, now.
    pub fn cut(&self) {
        self.cuts.send_modify(|cuts| *cuts += 1);
    }

    /// Ends every connection when so many more bytes have gone to the broker.
    pub fn cut_after(&self, bytes: u64) {
        self.shared.left.store(bytes, Ordering::Relaxed);
    }

    /// Passes nothing on and reads nothing, with everything left open.
    pub fn freeze(&self) {
        self.shared.frozen.store(true, Ordering::Relaxed);
    }

    /// Goes on.
    pub fn thaw(&self) {
        self.shared.frozen.store(false, Ordering::Relaxed);
    }

    /// Rests for so long after every kilobyte.
    pub fn slow(&self, pause_ms: u64) {
        self.shared.pause_ms.store(pause_ms, Ordering::Relaxed);
    }
}

/// Passes bytes on; towards the broker they are counted.
async fn pass(way: &Shared, counted: Option<&watch::Sender<u64>>, mut from: OwnedReadHalf, mut to: OwnedWriteHalf) {
    let mut buffer = [0; 1_024];
    loop {
        while way.frozen.load(Ordering::Relaxed) {
            sleep(Duration::from_millis(5)).await;
        }
        let Ok(read @ 1..) = from.read(&mut buffer).await else { return };
        while way.frozen.load(Ordering::Relaxed) {
            sleep(Duration::from_millis(5)).await;
        }
        let mut bytes = buffer.get(..read).unwrap_or_default();
        let left = way.left.load(Ordering::Relaxed);
        if let Some(cuts) = counted.filter(|_| left != u64::MAX) {
            let allowed = usize::try_from(left).unwrap_or(usize::MAX).min(read);
            bytes = bytes.get(..allowed).unwrap_or_default();
            way.left.store(left - u64::try_from(allowed).unwrap_or(left), Ordering::Relaxed);
            if allowed < read {
                let _ = to.write_all(bytes).await;
                way.left.store(u64::MAX, Ordering::Relaxed);
                cuts.send_modify(|cuts| *cuts += 1);
                return;
            }
        }
        if to.write_all(bytes).await.is_err() {
            return;
        }
        let pause = way.pause_ms.load(Ordering::Relaxed);
        if pause > 0 {
            sleep(Duration::from_millis(pause)).await;
        }
    }
}
