import { filter, Link } from '../location.js';

interface ChoiceProps {
  /** The filter's name in the address, and what it is called. */
  name: string;
  any: string;
  query: URLSearchParams;
  choices: readonly { value: string; words: string }[];
}

/** One filter of a list; what is chosen stands in the address. */
export function Choice({ name, any, query, choices }: ChoiceProps) {
  const value = query.get(name) ?? '';
  const isKnown = value === '' || choices.some((choice) => choice.value === value);
  return (
    <select
      aria-label={name}
      class={value === '' ? '' : 'is-set'}
      value={value}
      onChange={(event) => filter({ [name]: event.currentTarget.value, before: '' })}
    >
      <option value="">{any}</option>
      {!isKnown && <option value={value}>{value}</option>}
      {choices.map((choice) => (
        <option key={choice.value} value={choice.value} title={choice.value}>
          {choice.words}
        </option>
      ))}
    </select>
  );
}

interface PagesProps {
  path: string;
  query: URLSearchParams;
  /** The cursor of the page after this one. */
  next: string | undefined;
}

/** The ways to the newest and to older ones. */
export function Pages({ path, query, next }: PagesProps) {
  const isLater = query.has('before');
  if (!isLater && next === undefined) return null;
  const to = (before: string) => {
    const changed = new URLSearchParams(query);
    if (before === '') changed.delete('before');
    else changed.set('before', before);
    return changed.size > 0 ? `${path}?${changed}` : path;
  };
  return (
    <nav class="pages" aria-label="Pages">
      {isLater && <Link to={to('')}>Newest</Link>}
      {next !== undefined && <Link to={to(next)}>Older</Link>}
    </nav>
  );
}
