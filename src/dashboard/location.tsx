import type { ComponentChildren, ComponentType } from 'preact';
import { useEffect, useState } from 'preact/hooks';

/** The page's address: every view with its filters has one. */
export interface Place {
  path: string;
  query: URLSearchParams;
}

const listeners = new Set<() => void>();

function here(): Place {
  return { path: location.pathname, query: new URLSearchParams(location.search) };
}

/** Navigates to an address of this page. */
export function go(address: string, { isReplacing = false } = {}): void {
  if (isReplacing) history.replaceState(null, '', address);
  else {
    history.pushState(null, '', address);
    scrollTo(0, 0);
  }
  for (const listener of listeners) listener();
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
  useEffect(() => {
    const listener = () => setPlace(here());
    listeners.add(listener);
    addEventListener('popstate', listener);
    return () => {
      listeners.delete(listener);
      removeEventListener('popstate', listener);
    };
  }, []);
  return place;
}

interface LinkProps {
  to: string;
  children: ComponentChildren;
  class?: string;
  isCurrent?: boolean;
}

/** A link within the page; it also opens in another tab. */
export function Link({ to, children, class: className, isCurrent = false }: LinkProps) {
  return (
    <a
      href={to}
      class={className}
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
  component: ComponentType<ViewProps>;
}
