import type { RefObject } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';

/** An element to be measured, and its width now. */
export function useWidth<Type extends HTMLElement>(): [RefObject<Type | null>, number] {
  const element = useRef<Type>(null);
  const [width, setWidth] = useState(320);
  useLayoutEffect(() => {
    const { current } = element;
    if (!current) return;
    const measure = () => setWidth(Math.floor(current.clientWidth));
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(current);
    return () => observer.disconnect();
  }, []);
  return [element, width];
}
