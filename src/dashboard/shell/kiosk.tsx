import { useEffect, useLayoutEffect } from 'preact/hooks';
import { go, type Place } from '../location.js';

const turnMs = 20_000;
/** What `?kiosk=rotate` shows in turn. */
const turns = ['/now', '/board'];

/** Whether the page is on a screen on the wall: `?kiosk`, or `?kiosk=rotate` for the first view and the board in turn. */
export function useKiosk({ path, query }: Place): boolean {
  const isKiosk = query.has('kiosk');
  const isRotating = query.get('kiosk') === 'rotate';
  useLayoutEffect(() => {
    document.documentElement.toggleAttribute('data-kiosk', isKiosk);
    if (!isKiosk) return;
    // The screen stays on; a browser that cannot do so has its own settings for it.
    const lock = navigator.wakeLock?.request('screen').catch(() => undefined);
    return () => void lock?.then((held) => held?.release());
  }, [isKiosk]);
  useEffect(() => {
    if (!isRotating) return;
    const next = turns[(turns.indexOf(path) + 1) % turns.length];
    const timer = setTimeout(() => go(`${next}?kiosk=rotate`, { isReplacing: true }), turnMs);
    return () => clearTimeout(timer);
  }, [isRotating, path]);
  return isKiosk;
}
