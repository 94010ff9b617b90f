//! sfu-server.
