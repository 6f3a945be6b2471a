import type { ComponentChildren } from 'preact';
import { Link, queryText } from '../location.js';
import type { Reading } from '../use-read.js';
import { copy, save } from './save.js';

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

/** An empty state: what would be shown here, and the first command that makes some. */
export function Empty({ what, command }: { what: string; command?: string }) {
  return (
    <div class="empty">
      <p>{what}</p>
      {command && <code>{command}</code>}
    </div>
  );
}

/** What a view shows, as JSON to take along. */
export function RawJson({ value }: { value: unknown }) {
  const text = () => JSON.stringify(value, null, 2);
  return (
    <div class="tools raw-json">
      <button type="button" onClick={() => copy(text(), 'The JSON')}>
        Copy as JSON
      </button>
      <button type="button" onClick={() => save(text(), `${location.pathname.slice(1).replaceAll('/', '-')}.json`)}>
        Download JSON
      </button>
    </div>
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
