//! How many uploads run at once, in all and from each address.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

use crate::limits::{UPLOADS_MAX, UPLOADS_PER_ADDRESS_MAX};

/// Counts uploads.
#[derive(Debug)]
pub(super) struct Gate<K> {
    counts: Mutex<Counts<K>>,
}

#[derive(Debug)]
struct Counts<K> {
    all: usize,
    of: HashMap<Arc<K>, usize>,
}

/// One upload, while it is kept.
#[derive(Debug)]
pub(super) struct Pass<K: Eq + Hash> {
    from: Option<Arc<K>>,
    gate: Arc<Gate<K>>,
}

/// There are as many as there may be.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Exhausted;

impl<K> Default for Gate<K> {
    fn default() -> Self {
        Self { counts: Mutex::new(Counts { all: 0, of: HashMap::new() }) }
    }
}

impl<K: Eq + Hash> Gate<K> {
    /// Lets one in. Those from this machine have no address that counts.
    pub(super) fn enter(self: &Arc<Self>, from: Option<K>) -> Result<Pass<K>, Exhausted> {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let from = from.map(Arc::new);
        let of = from.as_ref().and_then(|from| counts.of.get(from)).copied().unwrap_or(0);
        if UPLOADS_MAX <= counts.all || UPLOADS_PER_ADDRESS_MAX <= of {
            return Err(Exhausted);
        }
        counts.all += 1;
        if let Some(from) = &from {
            counts.of.insert(Arc::clone(from), of + 1);
        }
        Ok(Pass { from, gate: Arc::clone(self) })
    }
}

impl<K: Eq + Hash> Drop for Pass<K> {
    fn drop(&mut self) {
        let mut counts = self.gate.counts.lock().unwrap_or_else(PoisonError::into_inner);
        counts.all -= 1;
        let Some(from) = &self.from else { return };
        match counts.of.get_mut(from) {
            Some(1) | None => {
                counts.of.remove(from);
            }
            Some(of) => *of -= 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uploads_are_counted_while_they_run() {
        let gate = Arc::new(Gate::default());
        let of_one: Vec<_> = (0..UPLOADS_PER_ADDRESS_MAX).map(|_| gate.enter(Some(1))).collect();
        assert!(of_one.iter().all(Result::is_ok));
        assert_eq!(gate.enter(Some(1)).map(drop), Err(Exhausted));
        assert!(gate.enter(Some(2)).is_ok(), "others are not concerned");
        drop(of_one);
        assert!(gate.enter(Some(1)).is_ok(), "there is room again");
        let own: Vec<_> = (0..UPLOADS_MAX).map(|_| gate.enter(None)).collect();
        assert!(own.iter().all(Result::is_ok));
        assert_eq!(gate.enter(None).map(drop), Err(Exhausted));
        drop(own);
        assert!(gate.counts.lock().expect("not poisoned").of.is_empty(), "nothing is kept");
    }
}
