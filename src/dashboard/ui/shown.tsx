import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { Link, queryText } from '../location.js';
import type { Reading } from '../use-read.js';
import { failureWords } from './failure-words.js';

interface ShownProps<Result> {
  reading: Reading<Result>;
  children(data: Result): ComponentChildren;
}

/** The data of a reading, or its loading state, or its error with a button to try again. */
export function Shown<Result>({ reading, children }: ShownProps<Result>) {
  const { data, error, reload } = reading;
  return (
    <>
      {error && (
        <div class="problem" role="alert">
          <p>{failureWords(error)}</p>
          <button type="button" onClick={reload}>
            Try again
          </button>
        </div>
      )}
      {data === undefined ? !error && <Skeleton /> : children(data)}
    </>
  );
}

/** Where something will be shown that is still being read. */
function Skeleton() {
  return (
    <div class="skeleton" role="status">
      <span class="unseen">Loading…</span>
      <span />
      <span />
      <span />
    </div>
  );
}

/** An empty state: what would be shown here, and the first command that makes some. */
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

/** A value as JSON, rendered when it is opened. */
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
  /** The cursor of the next page, if there is one. */
  next: string | undefined;
}

/** Links to older pages of a list and back to the newest; the address has the page as `before`. */
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
