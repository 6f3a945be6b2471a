import type { ComponentChildren } from 'preact';
import { filter, Link, queryText } from '../location.js';
import type { Reading } from '../use-read.js';
import { failureWords } from './failure-words.js';
import { shownCount } from './format.js';
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

interface NumberedPagesProps {
  path: string;
  query: URLSearchParams;
  /** Of all pages. */
  total: number;
  /** Of one page. */
  size: number;
}

export const pageSizes: readonly number[] = [25, 50, 100, 200];

/** Which page of how many, links to the others, and how many rows a page has; the address has them as `page` and `size`. */
export function NumberedPages({ path, query, total, size }: NumberedPagesProps) {
  const last = Math.max(1, Math.ceil(total / size));
  const page = Math.min(last, Number(query.get('page')) || 1);
  if (total <= (pageSizes[0] ?? 0)) return null;
  const to = (number: number, words: string) => (
    <Link to={`${path}${queryText(query, { page: number === 1 ? '' : String(number) })}`}>{words}</Link>
  );
  return (
    <nav class="pages" aria-label="Pages">
      {page > 1 && to(1, 'First')}
      {page > 1 && to(page - 1, 'Previous')}
      <span>
        Page {shownCount(page)} of {shownCount(last)}, {shownCount(total)} in all
      </span>
      {page < last && to(page + 1, 'Next')}
      {page < last && to(last, 'Last')}
      <label>
        Rows
        <select value={size} onChange={(event) => filter({ size: event.currentTarget.value, page: '' })}>
          {pageSizes.map((one) => (
            <option key={one}>{one}</option>
          ))}
        </select>
      </label>
    </nav>
  );
}
