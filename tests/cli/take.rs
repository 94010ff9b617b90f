//! `vjam take`, and takes on a server that is killed.
