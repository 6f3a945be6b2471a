import { useEffect, useRef } from 'preact/hooks';
import type { Attention, Need } from '../../http/page/attention.js';
import { stayLiveWhileHidden } from '../live.js';
import { go } from '../location.js';
import { addressOfNeed, needWords } from './need-words.js';
import { usePreference } from './preferences.js';

/** With more new ones at once there is one notification for all. */
const mostAtOnce = 3;
const lockName = 'agent-runtime-notifications';

const keyOf = ({ kind, id, since }: Need): string => `${kind} ${id} ${since}`;

/** Whether this browser can show notifications here: not over plain HTTP from another machine. */
export const canNotify = (): boolean => 'Notification' in globalThis && 'locks' in navigator && isSecureContext;

/**
 * Shows a notification of the system for each new thing that needs a person, where that is switched on: by one tab for
 * all, which hears of changes while it is hidden too.
 */
export function useNotifications(attention: Attention | undefined): void {
  const isOn = usePreference('notifications') === 'on' && canNotify() && Notification.permission === 'granted';
  const known = useRef<ReadonlySet<string> | undefined>(undefined);
  const isOurs = useTurn(isOn);
  useEffect(() => {
    if (!attention) return;
    const needs = attention.kinds.flatMap((kind) => kind.needs);
    const before = known.current;
    known.current = new Set(needs.map(keyOf));
    if (!before || !isOurs.current) return;
    const fresh = needs.filter((need) => !before.has(keyOf(need)));
    if (fresh.length > mostAtOnce) show(`${fresh.length} things need you`, '', '/now');
    else
      for (const need of fresh)
        show(`${needWords[need.kind].one}: ${need.name}`, need.detail ?? '', addressOfNeed(need));
  }, [attention]);
}

function show(title: string, body: string, address: string): void {
  // The same tag shows it once, should two tabs take turns meanwhile.
  const shown = new Notification(title, { body, tag: `${title} ${address}`, icon: '/icon.svg' });
  shown.onclick = () => {
    focus();
    go(address);
    shown.close();
  };
}

/** True for the one tab of this browser whose turn it is: the first that is open, then the next. */
function useTurn(isWanted: boolean): { readonly current: boolean } {
  const isOurs = useRef(false);
  useEffect(() => {
    if (!isWanted) return;
    const leaving = new AbortController();
    navigator.locks
      .request(lockName, { signal: leaving.signal }, async () => {
        isOurs.current = true;
        stayLiveWhileHidden(true);
        await new Promise((resolve) => leaving.signal.addEventListener('abort', resolve));
      })
      .catch(() => {});
    return () => {
      leaving.abort();
      isOurs.current = false;
      stayLiveWhileHidden(false);
    };
  }, [isWanted]);
  return isOurs;
}
