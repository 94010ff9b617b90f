//! A participant's socket: datagrams in batches, each with the kernel's stamp of its arrival.
//!
//! The stamp is taken where the sender's packet enters the receiver's side of the kernel, so that a
//! delay is the server's and the network's, and not how long this program took to look. What a server
//! sends as one large datagram to be cut (UDP segmentation) is taken in one piece, as a network card
//! would hand it over, and cut here.

use std::io;
use std::mem::{MaybeUninit, size_of};
use std::net::{SocketAddr, UdpSocket};
use std::os::fd::AsRawFd;
use std::ptr;

use socket2::{Domain, Protocol, Socket, Type};

/// Opens a socket towards a server, on a port of the system's choice.
pub(crate) fn open(server: SocketAddr) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(server), Type::DGRAM, Some(Protocol::UDP))?;
    socket.set_recv_buffer_size(BUFFER_BYTES)?;
    let any: SocketAddr =
        if server.is_ipv4() { ([0; 4], 0).into() } else { ([0_u16; 8], 0).into() };
    socket.bind(&any.into())?;
    let socket = UdpSocket::from(socket);
    set(&socket, libc::SOL_SOCKET, libc::SO_TIMESTAMPNS)?;
    // Both are refused by old kernels, which costs nothing but what they bring.
    let _ = set(&socket, libc::SOL_SOCKET, libc::SO_RXQ_OVFL);
    let _ = set(&socket, libc::SOL_UDP, libc::UDP_GRO);
    Ok(socket)
}

fn set(socket: &UdpSocket, level: libc::c_int, option: libc::c_int) -> io::Result<()> {
    let on: libc::c_int = 1;
    // SAFETY: the kernel reads one `c_int` at the pointer, which lives across the call.
    let done = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            level,
            option,
            (&raw const on).cast(),
            libc::socklen_t::try_from(size_of::<libc::c_int>()).unwrap_or(0),
        )
    };
    if done == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// How many datagrams a socket had no room for, since it was opened.
pub(crate) fn dropped(socket: &UdpSocket) -> io::Result<u32> {
    // `SK_MEMINFO_VARS` of `linux/sock_diag.h`, and where the drops are among them.
    const WORDS: usize = 9;
    const DROPS: usize = 8;
    let mut words = [0_u32; WORDS];
    let mut len = libc::socklen_t::try_from(size_of_val(&words)).unwrap_or(0);
    // SAFETY: the kernel writes at most `len` bytes, which are all of `words`, and the length it
    // wrote into `len`; both live across the call.
    let done = unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_MEMINFO,
            words.as_mut_ptr().cast(),
            &raw mut len,
        )
    };
    if done == 0 { Ok(words[DROPS]) } else { Err(io::Error::last_os_error()) }
}

/// Room for the datagrams of one receiving call.
pub(crate) struct Batch {
    buffers: Box<[[u8; MESSAGE_BYTES]; MESSAGES]>,
    arrived: [Arrived; MESSAGES],
}

/// What the kernel says about a message.
#[derive(Debug, Clone, Copy, Default)]
struct Arrived {
    len: usize,
    /// Bytes of each datagram in it, where it is several.
    segment_bytes: Option<usize>,
    stamp_ns: Option<u64>,
    dropped: Option<u32>,
}

/// One message: a datagram, or several of the same size but for the last.
#[derive(Debug)]
pub(crate) struct Message<'a> {
    /// All of their bytes.
    pub(crate) bytes: &'a mut [u8],
    /// Bytes of each.
    pub(crate) segment_bytes: usize,
    /// When it arrived, by the wall clock.
    pub(crate) stamp_ns: Option<u64>,
    /// Datagrams that this socket had no room for, since it was opened.
    pub(crate) dropped: Option<u32>,
}

impl Batch {
    pub(crate) fn new() -> Self {
        Self {
            buffers: Box::new([[0; MESSAGE_BYTES]; MESSAGES]),
            arrived: [Arrived::default(); MESSAGES],
        }
    }

    /// Takes what is there without waiting; gives how many messages that was.
    pub(crate) fn receive(&mut self, socket: &UdpSocket) -> io::Result<usize> {
        let mut controls = [Control([0; CONTROL_BYTES]); MESSAGES];
        // SAFETY: both are plain C structures, for which zero is a value: null pointers and zero
        // lengths.
        let (mut vectors, mut messages) = unsafe {
            (
                MaybeUninit::<[libc::iovec; MESSAGES]>::zeroed().assume_init(),
                MaybeUninit::<[libc::mmsghdr; MESSAGES]>::zeroed().assume_init(),
            )
        };
        let slots = self.buffers.iter_mut().zip(&mut controls).zip(&mut vectors).zip(&mut messages);
        for (((buffer, control), vector), message) in slots {
            vector.iov_base = buffer.as_mut_ptr().cast();
            vector.iov_len = buffer.len();
            message.msg_hdr.msg_iov = vector;
            message.msg_hdr.msg_iovlen = 1;
            message.msg_hdr.msg_control = control.0.as_mut_ptr().cast();
            message.msg_hdr.msg_controllen = CONTROL_BYTES;
        }
        // SAFETY: the messages point into `buffers`, `controls` and `vectors`, which live and stay
        // put until the call returns, and whose lengths are given with them.
        let count = unsafe {
            libc::recvmmsg(
                socket.as_raw_fd(),
                messages.as_mut_ptr(),
                u32::try_from(MESSAGES).unwrap_or(0),
                libc::MSG_DONTWAIT,
                ptr::null_mut(),
            )
        };
        let Ok(count) = usize::try_from(count) else {
            let error = io::Error::last_os_error();
            let nothing = [io::ErrorKind::WouldBlock, io::ErrorKind::Interrupted];
            return if nothing.contains(&error.kind()) { Ok(0) } else { Err(error) };
        };
        for (arrived, message) in self.arrived.iter_mut().zip(&messages).take(count) {
            *arrived = read_control(&message.msg_hdr);
            let len = usize::try_from(message.msg_len).unwrap_or(0);
            // A message that was cut off is as good as lost.
            let cut = message.msg_hdr.msg_flags & libc::MSG_TRUNC != 0;
            arrived.len = if cut { 0 } else { len.min(MESSAGE_BYTES) };
        }
        Ok(count)
    }

    /// One message of the last call.
    pub(crate) fn message(&mut self, at: usize) -> Message<'_> {
        let Arrived { len, segment_bytes, stamp_ns, dropped } = self.arrived[at];
        let bytes = &mut self.buffers[at][..len];
        let segment_bytes = segment_bytes.filter(|bytes| *bytes != 0).unwrap_or(len.max(1));
        Message { bytes, segment_bytes, stamp_ns, dropped }
    }
}

/// Reads what the kernel put beside a message.
fn read_control(header: &libc::msghdr) -> Arrived {
    let mut arrived = Arrived::default();
    // SAFETY: the kernel has filled in `msg_control` and `msg_controllen`, which these walk through
    // without leaving it; each entry's data has the type that its level and type stand for, and is
    // read without regard to alignment.
    unsafe {
        let mut entry = libc::CMSG_FIRSTHDR(header);
        while !entry.is_null() {
            let data = libc::CMSG_DATA(entry);
            match ((*entry).cmsg_level, (*entry).cmsg_type) {
                (libc::SOL_SOCKET, libc::SCM_TIMESTAMPNS) => {
                    let stamp: libc::timespec = ptr::read_unaligned(data.cast());
                    let seconds = u64::try_from(stamp.tv_sec).unwrap_or(0);
                    let ns = u64::try_from(stamp.tv_nsec).unwrap_or(0);
                    arrived.stamp_ns = Some(seconds * 1_000_000_000 + ns);
                }
                (libc::SOL_SOCKET, libc::SO_RXQ_OVFL) => {
                    arrived.dropped = Some(ptr::read_unaligned(data.cast()));
                }
                (libc::SOL_UDP, libc::UDP_GRO) => {
                    let bytes: libc::c_int = ptr::read_unaligned(data.cast());
                    arrived.segment_bytes = usize::try_from(bytes).ok();
                }
                _ => {}
            }
            entry = libc::CMSG_NXTHDR(header, entry);
        }
    }
    arrived
}

/// Where the kernel writes what it has to say beside a message, aligned as its entries must be.
#[derive(Clone, Copy)]
#[repr(align(8))]
struct Control([u8; CONTROL_BYTES]);

/// A stamp (32 bytes), a count of drops (24) and a segment's size (24), and some room.
const CONTROL_BYTES: usize = 128;

/// Messages taken with one call: a sweep each millisecond finds three or four.
const MESSAGES: usize = 16;

/// The kernel cuts a datagram into 128 pieces at most; these are small ones.
const MESSAGE_BYTES: usize = 32 * 1024;

/// Some 2,000 small datagrams: more than half a second of a room of eight.
const BUFFER_BYTES: usize = 1024 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_tells_what_it_had_no_room_for_when_nothing_comes_any_more() {
        let server = UdpSocket::bind("127.0.0.1:0").expect("loopback");
        let socket = open(server.local_addr().expect("it is bound")).expect("a socket");
        let port = socket.local_addr().expect("it is bound").port();
        assert_eq!(dropped(&socket).expect("told"), 0);
        const DATAGRAMS: u32 = 4000;
        for _ in 0..DATAGRAMS {
            server.send_to(&[0; 1000], ("127.0.0.1", port)).expect("loopback takes it");
        }
        let mut batch = Batch::new();
        let mut taken = 0;
        while let 1.. = batch.receive(&socket).map_or(0, |count| {
            taken += u32::try_from(count).expect("few");
            count
        }) {}
        let dropped = dropped(&socket).expect("told");
        assert!(0 < dropped && dropped + taken == DATAGRAMS, "{dropped} and {taken}");
    }

    #[test]
    fn datagrams_come_stamped_and_cut_where_they_were_joined() {
        let server = UdpSocket::bind("127.0.0.1:0").expect("loopback");
        let socket = open(server.local_addr().expect("it is bound")).expect("a socket");
        let port = socket.local_addr().expect("it is bound").port();
        let to: SocketAddr = ([127, 0, 0, 1], port).into();
        let before = crate::clock::wall_ns();
        server.send_to(b"alone", to).expect("loopback takes it");
        let segment: libc::c_int = 4;
        // SAFETY: the kernel reads one `c_int` at the pointer, which lives across the call.
        let set = unsafe {
            let bytes = libc::socklen_t::try_from(size_of::<libc::c_int>()).expect("four");
            let option = (&raw const segment).cast();
            libc::setsockopt(server.as_raw_fd(), libc::SOL_UDP, libc::UDP_SEGMENT, option, bytes)
        };
        assert_eq!(set, 0, "this kernel can cut datagrams");
        server.send_to(b"one.two.end", to).expect("loopback takes it");
        let mut batch = Batch::new();
        let mut datagrams = Vec::new();
        while datagrams.len() < 4 {
            let count = batch.receive(&socket).expect("no error");
            for at in 0..count {
                let message = batch.message(at);
                let stamp = message.stamp_ns.expect("every message is stamped");
                assert!(before <= stamp && stamp <= crate::clock::wall_ns());
                for datagram in message.bytes.chunks(message.segment_bytes) {
                    datagrams.push(datagram.to_vec());
                }
            }
        }
        assert_eq!(datagrams, [&b"alone"[..], b"one.", b"two.", b"end"]);
    }
}
