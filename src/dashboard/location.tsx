import type { ComponentChildren, ComponentType } from 'preact';
import { useEffect, useState } from 'preact/hooks';

/** Where the page is: every view, and what it is filtered by, has an address of its own. */
export interface Place {
  path: string;
  query: URLSearchParams;
}

const listeners = new Set<() => void>();

function here(): Place {
  return { path: location.pathname, query: new URLSearchParams(location.search) };
}

/** Goes to an address of this page, as a link does. */
export function go(address: string, { isReplacing = false } = {}): void {
  if (isReplacing) history.replaceState(null, '', address);
  else {
    history.pushState(null, '', address);
    scrollTo(0, 0);
  }
  for (const listener of listeners) listener();
}

/** A query as it stands in an address; with some of it changed, an empty value takes one away. */
export function queryText(query: URLSearchParams, changes: Record<string, string> = {}): string {
  const next = new URLSearchParams(query);
  for (const [name, value] of Object.entries(changes)) {
    if (value === '') next.delete(name);
    else next.set(name, value);
  }
  return next.size > 0 ? `?${next}` : '';
}

/** Changes what the view is filtered by; an empty value takes a filter away. */
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

/** A link within the page; opened in another tab it works as any. */
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
  /** What follows the view's own part of the address, such as a task's id. */
  rest: string;
}

export interface View {
  /** Its part of the address. */
  name: string;
  title: string;
  component: ComponentType<ViewProps>;
}
