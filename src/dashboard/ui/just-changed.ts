import { useEffect, useRef, useState } from 'preact/hooks';

/** How long a mark stays. */
const shownMs = 2_500;

type Key = string | number;

/**
 * The items of a list that have just come, or come to another version (such as a state), since it was drawn last. Of
 * another list, which `scope` names, nothing is marked until it changes.
 */
export function useJustChanged(scope: string, items: readonly (readonly [key: Key, version: string])[]): Set<Key> {
  const last = useRef<{ scope: string; versions: Map<Key, string> } | undefined>(undefined);
  const marked = useRef(new Map<Key, number>());
  const [, redraw] = useState(0);
  const now = performance.now();

  const known = last.current?.scope === scope ? last.current.versions : undefined;
  if (!known) marked.current.clear();
  for (const [key, version] of items) {
    if (known && known.get(key) !== version) marked.current.set(key, now + shownMs);
  }
  // What has left the list for a moment, such as by a filter on the server, does not come back as new.
  last.current = { scope, versions: new Map([...(known ?? []), ...items]) };
  for (const [key, until] of marked.current) if (until <= now) marked.current.delete(key);

  const next = Math.min(...marked.current.values());
  useEffect(() => {
    if (!Number.isFinite(next)) return;
    // A timer may be a little early.
    const timer = setTimeout(() => redraw((count) => count + 1), Math.max(0, next - performance.now()) + 50);
    return () => clearTimeout(timer);
  }, [next]);
  return new Set(marked.current.keys());
}
