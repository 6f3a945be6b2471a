import { useState } from 'preact/hooks';

/** A choice that this browser keeps, as JSON; `usual` until there is one, and where nothing can be kept. */
export function useStored<Value>(name: string, usual: Value): [Value, (value: Value) => void] {
  const [value, setValue] = useState(() => read(name) ?? usual);
  const set = (next: Value) => {
    setValue(next);
    try {
      localStorage.setItem(name, JSON.stringify(next));
    } catch {
      // A browser that keeps nothing forgets it with the page.
    }
  };
  return [value, set];

  function read(key: string): Value | undefined {
    try {
      return JSON.parse(localStorage.getItem(key) ?? 'null') ?? undefined;
    } catch {
      return undefined;
    }
  }
}
