import type { ComponentType } from 'preact';
import { useEffect, useState } from 'preact/hooks';

/** A hook that gives a component as soon as its code is here; it is loaded when it is first drawn. */
export function lazy<Props>(load: () => Promise<ComponentType<Props>>): () => ComponentType<Props> | undefined {
  let loading: Promise<ComponentType<Props>> | undefined;
  let loaded: ComponentType<Props> | undefined;
  return () => {
    const [, setLoaded] = useState(loaded !== undefined);
    useEffect(() => {
      if (loaded) return;
      loading ??= load();
      loading.then(
        (component) => {
          loaded = component;
          setLoaded(true);
        },
        () => {
          loading = undefined;
        },
      );
    }, []);
    return loaded;
  };
}
