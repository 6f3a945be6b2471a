import type { AnchorHTMLAttributes, ComponentChildren, ComponentType } from 'preact';
import { useLayoutEffect, useState } from 'preact/hooks';

/** The page's address: every view with its filters has one. */
export interface Place {
  path: string;
  query: URLSearchParams;
}

const listeners = new Set<() => void>();

function here(): Place {
  return { path: location.pathname, query: new URLSearchParams(location.search) };
}

/** What of the page to find again when one comes back to it. */
interface Left {
  y: number;
  /** The address of the link by which it was left. */
  link: string;
}

// The browser would scroll before what was there is drawn again.
history.scrollRestoration = 'manual';

/** Navigates to an address of this page. */
export function go(address: string, { isReplacing = false } = {}): void {
  if (isReplacing) history.replaceState(history.state, '', address);
  else {
    const left: Left = { y: scrollY, link: address };
    history.replaceState(left, '');
    history.pushState(null, '', address);
    scrollTo(0, 0);
  }
  for (const listener of listeners) listener();
  // Who uses a keyboard or hears the page goes on at the new view, not at the top of the document.
  if (!isReplacing) document.getElementById('view')?.focus({ preventScroll: true });
}

const longestReturnMs = 3_000;

/** Scrolls to where the page was left, and focuses the link by which it was, as soon as both are drawn. */
function comeBack({ y, link }: Left): void {
  const giveUpAt = performance.now() + longestReturnMs;
  const arrive = () => {
    const target = document.querySelector<HTMLElement>(`main a[href="${CSS.escape(link)}"]`);
    const isDrawn = document.documentElement.scrollHeight - innerHeight >= y && (target || link === '');
    if (!isDrawn && performance.now() < giveUpAt) {
      requestAnimationFrame(arrive);
      return;
    }
    target?.focus({ preventScroll: true });
    scrollTo(0, y);
  };
  arrive();
}

/** A query as text, with changes applied; an empty value removes a parameter. */
export function queryText(query: URLSearchParams, changes: Record<string, string> = {}): string {
  const next = new URLSearchParams(query);
  for (const [name, value] of Object.entries(changes)) {
    if (value === '') next.delete(name);
    else next.set(name, value);
  }
  return next.size > 0 ? `?${next}` : '';
}

/** Sets filters of the view; an empty value removes one. */
export function filter(changes: Record<string, string>): void {
  const { path, query } = here();
  go(`${path}${queryText(query, changes)}`, { isReplacing: true });
}

export function usePlace(): Place {
  const [place, setPlace] = useState(here);
  useLayoutEffect(() => {
    const listener = () => setPlace(here());
    const onBack = ({ state }: PopStateEvent) => {
      listener();
      if (state) comeBack(state as Left);
    };
    listeners.add(listener);
    addEventListener('popstate', onBack);
    return () => {
      listeners.delete(listener);
      removeEventListener('popstate', onBack);
    };
  }, []);
  return place;
}

interface LinkProps extends Omit<AnchorHTMLAttributes<HTMLAnchorElement>, 'href' | 'onClick' | 'role'> {
  to: string;
  children: ComponentChildren;
  isCurrent?: boolean;
}

/** A link within the page; it also opens in another tab. */
export function Link({ to, children, isCurrent = false, ...rest }: LinkProps) {
  return (
    <a
      {...rest}
      href={to}
      aria-current={isCurrent ? 'page' : undefined}
      onClick={(event) => {
        if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey) return;
        event.preventDefault();
        go(to);
      }}
    >
      {children}
    </a>
  );
}

export interface ViewProps extends Place {
  /** The rest of the address after the view's name, such as a task's id. */
  rest: string;
}

export interface View {
  /** Its name in the address. */
  name: string;
  title: string;
  /** Not in the navigation. */
  isHidden?: boolean;
  load(): Promise<ComponentType<ViewProps>>;
}

/** A part of an address as text; as it stands where it is not encoded as it should be. */
export function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
