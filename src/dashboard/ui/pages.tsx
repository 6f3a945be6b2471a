import { Link, queryText } from '../location.js';

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
