//! What engines share: a RandomX dataset, a GPU device.

use std::any::Any;
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// Holds shared resources by key for as long as an engine uses them.
///
/// The pool itself keeps nothing alive: when the last engine that holds a resource is dropped, its memory is free
/// again, and the next engine that asks builds it anew.
#[derive(Default)]
pub struct Pool {
    resources: Mutex<HashMap<String, Weak<dyn Any + Send + Sync>>>,
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").finish_non_exhaustive()
    }
}

impl Pool {
    /// Returns the resource under `key`, building it first where nobody holds it.
    ///
    /// `build` may ask the pool for other resources.
    ///
    /// # Errors
    ///
    /// What `build` returns.
    pub fn get_or_build<T: Any + Send + Sync, E>(
        &self,
        key: &str,
        build: impl FnOnce() -> Result<T, E>,
    ) -> Result<Arc<T>, E> {
        // Keys name their type, so a resource of another type under the same key can't be; it would be built anew.
        if let Some(resource) = self.held(key).and_then(|resource| resource.downcast().ok()) {
            return Ok(resource);
        }
        let resource = Arc::new(build()?);
        let weak: Weak<dyn Any + Send + Sync> = Arc::downgrade(&resource) as _;
        self.resources.lock().unwrap_or_else(PoisonError::into_inner).insert(key.to_owned(), weak);
        Ok(resource)
    }

    fn held(&self, key: &str) -> Option<Arc<dyn Any + Send + Sync>> {
        self.resources.lock().unwrap_or_else(PoisonError::into_inner).get(key)?.upgrade()
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;

    #[test]
    fn a_resource_is_shared_while_held_and_built_anew_after() {
        let pool = Pool::default();
        let build = |value: u32| pool.get_or_build("answer", || Ok::<_, Infallible>(value)).unwrap();
        let first = build(1);
        assert_eq!(*build(2), 1);
        drop(first);
        assert_eq!(*build(3), 3);
    }

    #[test]
    fn a_failed_build_leaves_nothing_behind() {
        let pool = Pool::default();
        assert_eq!(pool.get_or_build::<u32, _>("key", || Err("no")), Err("no"));
        assert_eq!(*pool.get_or_build::<u32, &str>("key", || Ok(7)).unwrap(), 7);
    }
}
