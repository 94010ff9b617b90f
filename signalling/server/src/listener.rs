//! Accepts TCP connections, so many at once and from one address, and hangs up on those that are
//! good for nothing.
//!
//! What surprises: without it, whoever opens connections takes every file descriptor that the
//! process may have. What is *sent* to the server is no sign of life, or a byte a minute would
//! keep a place: only what it writes is. WebSockets are pinged.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use signalling::AddressBlock;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, Sleep, sleep};

use crate::limits::QUIET_MAX;
use crate::proxies::Proxies;

/// A listener with so many places.
pub(crate) struct BoundedListener {
    listener: TcpListener,
    places: Arc<Semaphore>,
    neighbors: Neighbors,
    proxies: Proxies,
    /// Connections that were cut because too many came from the same address.
    cut: u64,
}

/// Where a connection comes from, for those who serve it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct From {
    /// Who opened the connection.
    pub(crate) peer: IpAddr,
    /// Whom it is counted for: behind a proxy, whoever asked there.
    pub(crate) block: Option<AddressBlock>,
}

impl Connected<IncomingStream<'_, BoundedListener>> for From {
    fn connect_info(stream: IncomingStream<'_, BoundedListener>) -> Self {
        let peer = stream.remote_addr().ip();
        Self { peer, block: AddressBlock::of(peer) }
    }
}

/// How many connections there are from each address.
#[derive(Debug, Clone)]
struct Neighbors {
    per_address_max: usize,
    open: Arc<Mutex<HashMap<AddressBlock, usize>>>,
}

/// One of them.
#[derive(Debug)]
struct Neighbor {
    from: AddressBlock,
    open: Arc<Mutex<HashMap<AddressBlock, usize>>>,
}

/// There are as many as there may be.
#[derive(Debug, PartialEq, Eq)]
struct Exhausted;

impl Neighbors {
    /// Counts a connection for as long as the result is kept; those from this machine are not
    /// counted.
    fn count(&self, from: Option<AddressBlock>) -> Result<Option<Neighbor>, Exhausted> {
        let Some(from) = from else { return Ok(None) };
        let mut counts = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(from).or_default();
        if self.per_address_max <= *count {
            return Err(Exhausted);
        }
        *count += 1;
        Ok(Some(Neighbor { from, open: Arc::clone(&self.open) }))
    }
}

impl Drop for Neighbor {
    fn drop(&mut self) {
        let mut counts = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&self.from) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.from);
            }
        }
    }
}

/// What a connection holds while it is open.
#[derive(Debug)]
struct Place {
    _among_all: OwnedSemaphorePermit,
    _among_neighbors: Option<Neighbor>,
}

impl BoundedListener {
    pub(crate) fn new(
        listener: TcpListener,
        connections_max: usize,
        per_address_max: usize,
        proxies: Proxies,
    ) -> Self {
        let neighbors = Neighbors { per_address_max, open: Arc::default() };
        Self {
            listener,
            places: Arc::new(Semaphore::new(connections_max)),
            neighbors,
            proxies,
            cut: 0,
        }
    }

    /// The first, second, fourth, ... time, so that nobody can fill a log.
    fn log_cut(&mut self) {
        self.cut += 1;
        if self.cut.is_power_of_two() {
            let (cut, per_address_max) = (self.cut, self.neighbors.per_address_max);
            tracing::warn!(
                cut,
                per_address_max,
                "cut a connection: its address has as many as it may; behind a proxy on another \
                 machine, name it in trusted_proxies"
            );
        }
    }
}

impl Listener for BoundedListener {
    type Io = Watched<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        let place = Arc::clone(&self.places).acquire_owned().await;
        let place = place.expect("the semaphore is never closed");
        let (stream, address, neighbor) = loop {
            let (stream, address) = Listener::accept(&mut self.listener).await;
            // A proxy has as many as all who ask there together.
            let from =
                AddressBlock::of(address.ip()).filter(|_| !self.proxies.contain(address.ip()));
            match self.neighbors.count(from) {
                Ok(neighbor) => break (stream, address, neighbor),
                Err(Exhausted) => self.log_cut(),
            }
        };
        // Small messages leave at once; one that waits costs a musician time, not sound.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "no TCP_NODELAY");
        }
        let place = Place { _among_all: place, _among_neighbors: neighbor };
        (Watched::new(stream, QUIET_MAX, Some(place)), address)
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        self.listener.local_addr()
    }
}

/// A stream that fails with `TimedOut` when nothing was written for too long.
pub(crate) struct Watched<S> {
    stream: S,
    quiet_max: Duration,
    quiet: Pin<Box<Sleep>>,
    _place: Option<Place>,
}

impl<S> Watched<S> {
    fn new(stream: S, quiet_max: Duration, place: Option<Place>) -> Self {
        Self { stream, quiet_max, quiet: Box::pin(sleep(quiet_max)), _place: place }
    }

    /// Passes on what was written, which starts the time anew.
    fn watch_written<T>(
        &mut self,
        context: &mut Context<'_>,
        polled: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if polled.is_ready() {
            self.quiet.as_mut().reset(Instant::now() + self.quiet_max);
        }
        self.watch(context, polled)
    }

    /// Passes on what the stream said, unless nothing was written for too long.
    fn watch<T>(
        &mut self,
        context: &mut Context<'_>,
        polled: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        match self.quiet.as_mut().poll(context) {
            Poll::Ready(()) => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
            Poll::Pending => polled,
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.stream).poll_read(context, buffer);
        self.watch(context, polled)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.watch_written(context, polled)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.watch_written(context, polled)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_stream_is_open_while_it_is_written_to_and_not_because_bytes_trickle_in() {
        let (near, mut far) = duplex(64);
        let mut watched = Watched::new(near, Duration::from_secs(10), None);
        let mut byte = [0];
        for _ in 0..5 {
            tokio::time::advance(Duration::from_secs(9)).await;
            watched.write_all(b"x").await.expect("open");
        }
        for _ in 0..3 {
            tokio::time::advance(Duration::from_secs(3)).await;
            far.write_all(b"x").await.expect("open");
            watched.read_exact(&mut byte).await.expect("in time");
        }
        tokio::time::advance(Duration::from_secs(3)).await;
        far.write_all(b"x").await.expect("open");
        let error = watched.read_exact(&mut byte).await.expect_err("not asked in time");
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }

    #[test]
    fn connections_of_one_address_are_counted_while_they_are_open() {
        let neighbors = Neighbors { per_address_max: 2, open: Arc::default() };
        let from = |address: &str| AddressBlock::of(address.parse().expect("an address"));
        let count = |address: &str| neighbors.count(from(address));
        let first = count("203.0.113.5").expect("one");
        let _second = count("203.0.113.5").expect("two");
        assert_eq!(count("203.0.113.5").map(drop), Err(Exhausted));
        assert!(count("203.0.113.6").is_ok(), "others are not concerned");
        drop(first);
        let _third = count("203.0.113.5").expect("there is room again");
        let same_network = [count("2001:db8::1").expect("one"), count("2001:db8::2").expect("two")];
        assert_eq!(count("2001:db8::3").map(drop), Err(Exhausted));
        drop(same_network);
        for _ in 0..10 {
            assert!(count("127.0.0.1").expect("a proxy").is_none());
        }
        assert_eq!(neighbors.open.lock().expect("not poisoned").len(), 1, "nothing is kept");
    }

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_does_not_read_times_out() {
        let (near, _far) = duplex(8);
        let mut watched = Watched::new(near, Duration::from_secs(10), None);
        let error = watched.write_all(&[0; 100]).await.expect_err("nobody reads");
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }
}
