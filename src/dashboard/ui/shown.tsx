import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { Link, queryText } from '../location.js';
import type { Reading } from '../use-read.js';

interface ShownProps<Result> {
  reading: Reading<Result>;
  children(data: Result): ComponentChildren;
}

/** What was read, or that it is being read, or why it could not be. */
export function Shown<Result>({ reading, children }: ShownProps<Result>) {
  const { data, error, reload } = reading;
  return (
    <>
      {error && (
        <div class="problem" role="alert">
          <p>
            {error.message} {error.hint}
          </p>
          <button type="button" onClick={reload}>
            Try again
          </button>
        </div>
      )}
      {data === undefined ? !error && <p class="quiet">Reading…</p> : children(data)}
    </>
  );
}

/** Nothing is there yet: what it is for, and the first command to have some. */
export function Empty({ what, command }: { what: string; command?: string }) {
  return (
    <div class="empty">
      <p>{what}</p>
      {command && <code>{command}</code>}
    </div>
  );
}

interface RawJsonProps {
  value: unknown;
  title?: string;
  isOpen?: boolean;
}

/** Everything that is known of a thing, as the tools give it; written out only for those who open it. */
export function RawJson({ value, title = 'JSON', isOpen = false }: RawJsonProps) {
  const [isShown, setShown] = useState(isOpen);
  return (
    <details class="raw" open={isOpen} onToggle={(event) => setShown(event.currentTarget.open)}>
      <summary>{title}</summary>
      {isShown && <pre>{JSON.stringify(value, null, 2)}</pre>}
    </details>
  );
}

interface PagesProps {
  path: string;
  query: URLSearchParams;
  /** Where the next page begins, if there is one. */
  next: string | undefined;
}

/** The way to older pages of a list that has the newest first, and back; the page is in the address, as `before`. */
export function Pages({ path, query, next }: PagesProps) {
  const isFirst = !query.has('before');
  if (isFirst && next === undefined) return null;
  return (
    <nav class="pages" aria-label="Pages">
      {!isFirst && <Link to={`${path}${queryText(query, { before: '' })}`}>Newest</Link>}
      {next !== undefined && <Link to={`${path}${queryText(query, { before: next })}`}>Older</Link>}
    </nav>
  );
}
