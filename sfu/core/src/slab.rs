//! Entries in slots, found by keys that die with their entry.
//!
//! The forwarding path holds keys instead of references or map lookups. A key of a removed entry
//! finds nothing, even when its slot is used again.

use core::marker::PhantomData;

/// Names an entry of a [`Slab`]; `K` keeps the keys of different slabs apart.
pub(crate) struct Key<K> {
    index: u32,
    generation: u32,
    kind: PhantomData<fn() -> K>,
}

impl<K> Clone for Key<K> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<K> Copy for Key<K> {}

impl<K> PartialEq for Key<K> {
    fn eq(&self, other: &Self) -> bool {
        (self.index, self.generation) == (other.index, other.generation)
    }
}

impl<K> Eq for Key<K> {}

impl<K> core::fmt::Debug for Key<K> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{}.{}", self.index, self.generation)
    }
}

struct Slot<T> {
    generation: u32,
    entry: Option<T>,
}

/// A growing table with stable keys; iteration is in slot order, the same in every run.
pub(crate) struct Slab<T, K = T> {
    slots: Vec<Slot<T>>,
    free: Vec<u32>,
    kind: PhantomData<fn() -> K>,
}

impl<T, K> Slab<T, K> {
    pub(crate) const fn new() -> Self {
        Self { slots: Vec::new(), free: Vec::new(), kind: PhantomData }
    }

    pub(crate) fn insert(&mut self, entry: T) -> Key<K> {
        let index = self.free.pop().unwrap_or_else(|| {
            self.slots.push(Slot { generation: 0, entry: None });
            u32::try_from(self.slots.len() - 1).expect("limits keep a slab far below 2^32 slots")
        });
        let slot = &mut self.slots[index as usize];
        slot.entry = Some(entry);
        Key { index, generation: slot.generation, kind: PhantomData }
    }

    pub(crate) fn remove(&mut self, key: Key<K>) -> Option<T> {
        let slot = self.slots.get_mut(key.index as usize)?;
        if slot.generation != key.generation {
            return None;
        }
        let entry = slot.entry.take()?;
        slot.generation = slot.generation.wrapping_add(1);
        self.free.push(key.index);
        Some(entry)
    }

    pub(crate) fn get(&self, key: Key<K>) -> Option<&T> {
        let slot = self.slots.get(key.index as usize)?;
        if slot.generation == key.generation { slot.entry.as_ref() } else { None }
    }

    pub(crate) fn get_mut(&mut self, key: Key<K>) -> Option<&mut T> {
        let slot = self.slots.get_mut(key.index as usize)?;
        if slot.generation == key.generation { slot.entry.as_mut() } else { None }
    }

    pub(crate) const fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = (Key<K>, &mut T)> {
        self.slots.iter_mut().enumerate().filter_map(|(index, slot)| {
            let index = u32::try_from(index).ok()?;
            let key = Key { index, generation: slot.generation, kind: PhantomData };
            Some((key, slot.entry.as_mut()?))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_dies_with_its_entry() {
        let mut slab: Slab<char> = Slab::new();
        let first = slab.insert('a');
        assert_eq!(slab.remove(first), Some('a'));
        let second = slab.insert('b');
        assert_eq!(second.index, first.index, "the slot is used again");
        assert_eq!(slab.get(first), None);
        assert_eq!(slab.remove(first), None);
        assert_eq!(slab.get(second), Some(&'b'));
    }

    #[test]
    fn iteration_skips_holes() {
        let mut slab: Slab<char> = Slab::new();
        let keys = ['a', 'b', 'c'].map(|entry| slab.insert(entry));
        slab.remove(keys[1]);
        let left: Vec<char> = slab.iter_mut().map(|(_, entry)| *entry).collect();
        assert_eq!((left, slab.len()), (vec!['a', 'c'], 2));
    }
}
