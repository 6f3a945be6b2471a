import { useEffect } from 'preact/hooks';

let view = '';
let named: string | undefined;
let needs = 0;
const longest = 80;

function show(): void {
  const subject = named && named.length > longest ? `${named.slice(0, longest - 1)}…` : named;
  const words = [subject, view, 'Agent Runtime'].filter(Boolean).join(' · ');
  const title = needs > 0 ? `(${needs}) ${words}` : words;
  if (document.title !== title) document.title = title;
}

/** Names the browser's tab by the task, goal or job that it shows, as soon as its name is known. */
export function usePageTitle(name: string | undefined): void {
  useEffect(() => {
    named = name;
    show();
    return () => {
      named = undefined;
      show();
    };
  }, [name]);
}

/** Names the browser's tab by its view, with how much needs a person, and marks its icon while something does. */
export function useViewTitle(title: string, count: number): void {
  useEffect(() => {
    view = title;
    needs = count;
    show();
    const icon = document.querySelector<HTMLLinkElement>('link[rel="icon"]');
    const address = count > 0 ? '/icon-mark.svg' : '/icon.svg';
    if (icon && !icon.href.includes(address)) icon.href = address;
  }, [title, count]);
}
